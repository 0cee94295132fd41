package listen

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	forgetAfter = time.Hour
	mostNotes   = 32 // different texts an hour
)

// notes remembers what was said, so that a scanner of ports does not fill the log.
type notes struct {
	mu    sync.Mutex
	since time.Time
	said  map[string]bool
}

// isNew tells whether a text has not been said for an hour, and counts it as said.
func (n *notes) isNew(text string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said == nil || now.Sub(n.since) >= forgetAfter {
		n.since, n.said = now, map[string]bool{}
	}
	if n.said[text] || len(n.said) == mostNotes {
		return false
	}
	n.said[text] = true
	return true
}

// complaints takes the log of net/http.
type complaints struct{ listener *listener }

// The address of a client, and how long until an accept is tried again, make one complaint look like many.
var incidental = regexp.MustCompile(` from \S+:\d+|; retrying in \S+`)

func (c complaints) Write(line []byte) (int, error) {
	text := incidental.ReplaceAllString(strings.TrimSpace(string(line)), "")
	if c.listener.noise.isNew(text, time.Now()) {
		c.listener.tell(errors.New(text))
	}
	return len(line), nil
}
