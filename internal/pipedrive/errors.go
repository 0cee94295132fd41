package pipedrive

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Kind says why an answer has to wait. Its text is the value of a metric's label.
type Kind string

// The reasons of a LaterError.
const (
	KindBurst   Kind = "burst"   // too many requests in two seconds
	KindDaily   Kind = "daily"   // the company's daily token budget is spent
	KindShare   Kind = "share"   // our part of it is spent: nothing was sent
	KindBlocked Kind = "blocked" // Cloudflare turned us away before Pipedrive saw the request
	KindServer  Kind = "server"  // 408 or 5xx
	KindNetwork Kind = "network" // no answer
	KindStore   Kind = "cache"   // the newest refresh token cannot be read from its store: nothing was sent
	KindGarbled Kind = "garbled" // an answer that cannot be read: cut, empty, not JSON, success false with status 200
)

// Answer is what an error may tell about an exchange. It never holds a credential, a query or a whole body.
type Answer struct {
	Method string
	Path   string // without host and query
	Status int    // 0: there was no answer
	Text   string // Pipedrive's own words, or ours when it had none; short
}

// decision is any of the errors below.
type decision interface {
	error
	about() *Answer
}

func (a *Answer) about() *Answer { return a }

func (a Answer) String() string {
	var s strings.Builder
	s.WriteString(a.Method + " " + a.Path)
	if a.Status != 0 {
		fmt.Fprintf(&s, ": %d %s", a.Status, http.StatusText(a.Status))
	}
	if a.Text != "" && a.Text != http.StatusText(a.Status) {
		s.WriteString(": " + a.Text)
	}
	return s.String()
}

// LaterError means that the same request may succeed at another time.
type LaterError struct {
	Answer
	Kind  Kind
	After time.Duration // 0: unknown, the caller's own back-off
}

func (e *LaterError) Error() string {
	s := e.String() + " (" + string(e.Kind)
	if e.After > 0 {
		s += ", again in " + roughly(e.After).String()
	}
	return s + ")"
}

// roughly leaves out of a long wait what nobody reads.
func roughly(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

// CredentialError means that nothing can be read until a person changes the credential or the account.
type CredentialError struct {
	Answer
	Remedy string // what that person should do
}

func (e *CredentialError) Error() string { return e.String() + ": " + e.Remedy }

// ForbiddenError means that this credential may not read this, while it may well read something else.
type ForbiddenError struct{ Answer }

func (e *ForbiddenError) Error() string { return e.String() }

// GoneError means that Pipedrive itself says there is no such thing.
type GoneError struct{ Answer }

func (e *GoneError) Error() string { return e.String() }

// RefusedError means that the request is wrong and always will be. A page cursor that is no longer accepted shows up
// as this.
type RefusedError struct{ Answer }

func (e *RefusedError) Error() string { return e.String() }
