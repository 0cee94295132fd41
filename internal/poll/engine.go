// Package poll is the polling engine: it walks the objects of one account from their positions, asks Pipedrive for
// what changed, and hands the pages on in order. It knows no ack and no host: who takes a page decides when the
// position it moves is safe to keep.
package poll

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// Config says what is polled, how often, and who takes the pages.
type Config struct {
	Client  *pipedrive.Client
	Sources []Source
	HandOn  func(context.Context, Page) error // returns when the page is taken; an error only when the context ends

	Interval         time.Duration // between the beginnings of two walks by time, at least
	FullReadInterval time.Duration // between two readings of a list without a time filter, at least
	Overlap          time.Duration // how far behind its beginning the next walk begins
	CreatedTolerance time.Duration // the most that update_time may lie after add_time on a created record
	PageSize         int           // rows, at most; an object may allow fewer

	Owner    string // names this engine among those that share a budget
	Log      pipedrive.Logger
	Observer Observer
}

// Source is an object and how far it has been read. The engine moves its own copy of the position.
type Source struct {
	Object   entity.Object
	Position *cursor.Position
}

// Observer hears what the engine does. Its methods are called by many goroutines and must not block.
type Observer interface {
	// Interval is what the budget made of the wished interval.
	Interval(object string, effective time.Duration)
	// FirstWalk is told of every object at the start, then after each page of its first walk, and at its end.
	FirstWalk(object string, p Progress)
}

// Page is what one request brought: the records to hand on, none if it brought nothing new, and the step that the
// object's position takes once they are delivered.
type Page struct {
	Object  *entity.Object
	Records []Record
	Step    cursor.Step
}

// Record is one change.
type Record struct {
	JSON   []byte // as Pipedrive sent it; `{"id": …}` for a record that vanished
	ID     string
	Action Action
	Time   time.Time // update_time, else add_time; of a record that vanished, when that was found

	// Settled: its time is long past, so that no other content of it can come with the same.
	Settled bool
}

// Action is what happened to a record.
type Action string

// A snapshot is a record met on the first walk, when nobody can know what happened to it.
const (
	Created  Action = "created"
	Updated  Action = "updated"
	Deleted  Action = "deleted"
	Snapshot Action = "snapshot"
)

// Engine polls the objects of one account, each in a goroutine of its own.
type Engine struct {
	cfg     Config
	gate    *gate
	walkers []*walker

	stop context.CancelFunc
	done sync.WaitGroup

	mu        sync.Mutex
	asked     int       // which source the last revival asked
	askAgain  time.Time // a refusal that lasts is not asked about before
	stretched bool      // the stretched interval has been told
}

// Start begins to poll. Stop ends it.
func Start(cfg Config) *Engine {
	ctx, cancel := context.WithCancel(context.Background())
	e := &Engine{cfg: cfg, gate: newGate(), stop: cancel}
	for _, s := range cfg.Sources {
		e.walkers = append(e.walkers, newWalker(e, s))
	}
	e.plan()
	for _, w := range e.walkers {
		cfg.Observer.FirstWalk(w.obj.Name, w.meter.soFar)
	}
	for _, w := range e.walkers {
		e.done.Go(func() { w.run(ctx) })
	}
	return e
}

// Stop ends all walks and waits for them.
func (e *Engine) Stop() {
	e.stop()
	e.done.Wait()
	e.cfg.Client.Plan(e.cfg.Owner, 0)
}

// Down receives (by being closed) when the source cannot be read. Nothing is read until Revive succeeds.
func (e *Engine) Down() <-chan struct{} { return e.gate.shutting() }

// Reason is why the source cannot be read, or nil.
func (e *Engine) Reason() error { return e.gate.reason() }

// Revive asks the source again: who the credential is, and, where lists failed, one of them. On success the walks
// go on.
func (e *Engine) Revive(ctx context.Context) error {
	reason := e.gate.reason()
	if reason == nil {
		return nil
	}
	if !accountWide(reason) && !transient(reason) && !e.mayAskAgain() {
		return reason
	}
	if _, err := e.cfg.Client.Me(ctx); err != nil && !ownLimit(err) {
		return err
	}
	if !accountWide(reason) {
		if err := e.askOneList(ctx); err != nil && !ownLimit(err) {
			return err
		}
	}
	e.gate.open()
	return nil
}

// mayAskAgain spares the budget: what is refused now is most likely refused in half a minute.
func (e *Engine) mayAskAgain() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.askAgain) {
		return false
	}
	e.askAgain = time.Now().Add(e.cfg.FullReadInterval)
	return true
}

// askOneList asks for one record of one object, of the next object each time.
func (e *Engine) askOneList(ctx context.Context) error {
	e.mu.Lock()
	e.asked++
	source := e.cfg.Sources[e.asked%len(e.cfg.Sources)]
	e.mu.Unlock()
	_, err := e.cfg.Client.List(ctx, &source.Object, pipedrive.Query{Limit: 1})
	return err
}

func transient(err error) bool {
	var later *pipedrive.LaterError
	return errors.As(err, &later)
}

// ownLimit tells whether nothing was asked because our share is spent: that is no outage.
func ownLimit(err error) bool {
	var later *pipedrive.LaterError
	return errors.As(err, &later) && later.Kind == pipedrive.KindShare
}

// accountWide tells whether an error is about the credential or the company, not about one list.
func accountWide(err error) bool {
	var refused *pipedrive.CredentialError
	var later *pipedrive.LaterError
	return errors.As(err, &refused) ||
		errors.As(err, &later) && (later.Kind == pipedrive.KindDaily || later.Kind == pipedrive.KindBlocked)
}

// failing shuts the gate when no object can be read.
func (e *Engine) failing(err error) {
	for _, w := range e.walkers {
		if !w.failing.Load() {
			return
		}
	}
	e.gate.shut(err)
}
