package poll

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

const (
	// transientFailures in a row, of every object, mean that the source is down and not that a request was unlucky.
	transientFailures = 3
	firstPause        = time.Second
	longestPause      = 30 * time.Second
	longestAsked      = 5 * time.Minute // of a Retry-After beside an error of the server
)

// walker reads one object, cycle after cycle.
type walker struct {
	e   *Engine
	obj entity.Object    // its own copy: the paging of a custom object is learnt
	pos *cursor.Position // as far as pages were handed on; ahead of what is acknowledged

	reading *reading // the full read under way, if the object is read in full
	meter   meter    // of the first walk

	failing  atomic.Bool // read by the others to see whether any object can be read
	failures int         // transient ones since the last answer
	refused  string      // why it may not be read, once that was logged

	spent     int          // tokens of the cycle under way
	cycleCost atomic.Int64 // tokens of the last whole cycle; read by the others to plan
	cycling   atomic.Bool  // its first walk is over; read by the others to leave it tokens

	dateless   bool // it was told that answers carry no Date
	unfiltered bool // it was told that the list does not keep to the time it is asked for
}

func newWalker(e *Engine, s Source) *walker {
	w := &walker{e: e, obj: s.Object, pos: s.Position.Clone()}
	w.cycleCost.Store(int64(w.obj.Tokens))
	w.cycling.Store(!w.pos.First)
	if w.obj.Walk == entity.Full && w.pos.Full == nil {
		w.pos.Full = &cursor.Full{}
	}
	w.meter = w.newMeter()
	return w
}

func (w *walker) run(ctx context.Context) {
	for w.e.gate.wait(ctx) == nil {
		began := time.Now()
		err := w.cycle(ctx)
		if ctx.Err() != nil {
			return
		}
		if pause := w.pauseAfter(err, time.Since(began)); !w.rest(ctx, pause) {
			return
		}
	}
}

// cycle reads everything that is due once.
func (w *walker) cycle(ctx context.Context) error {
	first := w.pos.First
	w.spent = 0
	w.meter.resume()
	err := w.walk(ctx)
	w.cycling.Store(!w.pos.First) // the others may spend everything before the next cycle begins
	if err == nil && !first {
		w.cycleCost.Store(int64(w.spent))
		w.e.plan()
	}
	return err
}

func (w *walker) walk(ctx context.Context) error {
	switch w.obj.Walk {
	case entity.Full:
		return w.readFull(ctx)
	case entity.Newest:
		return w.readNewest(ctx)
	default:
		if err := w.walkByTime(ctx); err != nil || !w.lookIsDue() {
			return err
		}
		return w.look(ctx)
	}
}

// list asks for one page and counts what it cost.
func (w *walker) list(ctx context.Context, q pipedrive.Query) (*pipedrive.Page, error) {
	if wait := w.leaveTokens(); wait > 0 {
		return nil, &pipedrive.LaterError{Kind: pipedrive.KindShare, After: wait, Answer: pipedrive.Answer{
			Text: "its first walk leaves half of the daily_token_share to the objects whose first walk is over",
		}}
	}
	q.Limit = w.pageSize()
	page, err := w.e.cfg.Client.List(ctx, &w.obj, q)
	w.spent += w.obj.Tokens
	if err != nil {
		return nil, err
	}
	if w.refused != "" {
		w.e.cfg.Log.Infof("Reading %s again", w.obj.Name)
	}
	w.failures, w.refused = 0, ""
	w.failing.Store(false)
	if w.obj.Paging == entity.AnyPaging {
		w.obj.Paging = pagingOf(page)
	}
	return page, nil
}

// pagingOf is what the first answer of a custom list shows; one page alone shows nothing.
func pagingOf(page *pipedrive.Page) entity.Paging {
	switch {
	case page.Next != "":
		return entity.Cursor
	case page.More:
		return entity.Offset
	default:
		return entity.AnyPaging
	}
}

func (w *walker) pageSize() int {
	if w.obj.PageSize == 0 {
		return w.e.cfg.PageSize
	}
	return min(w.obj.PageSize, w.e.cfg.PageSize)
}

func (w *walker) interval() time.Duration {
	return IntervalOf(&w.obj, w.e.cfg.Interval, w.e.cfg.FullReadInterval)
}

// pauseAfter decides how long to rest after a cycle that took a while and ended with err.
func (w *walker) pauseAfter(err error, took time.Duration) time.Duration {
	var later *pipedrive.LaterError
	var credential *pipedrive.CredentialError
	switch {
	case err == nil:
		return w.pacedInterval() - took
	case errors.As(err, &credential):
		w.e.gate.shut(err)
		return 0
	case errors.As(err, &later):
		return w.pauseUntilLater(later)
	default:
		return w.pauseRefused(err)
	}
}

func (w *walker) pauseUntilLater(err *pipedrive.LaterError) time.Duration {
	switch err.Kind {
	case pipedrive.KindDaily, pipedrive.KindBlocked:
		w.e.gate.shut(err)
		return 0
	case pipedrive.KindShare:
		pause := max(err.After, firstPause)
		w.tell(pause, err, "")
		return pause
	}
	w.failures++
	pause := max(min(err.After, longestAsked), min(firstPause<<min(w.failures-1, 10), longestPause))
	if w.failures < transientFailures {
		// One that is repeated with success asks for nobody. The burst limit is met now and then when others use the same
		// token: no news at all.
		if err.Kind != pipedrive.KindBurst {
			w.e.cfg.Log.Infof("Reading %s, next try in %v: %v", w.obj.Name, pause.Round(time.Millisecond), err)
		}
		return pause
	}
	w.e.cfg.Log.Warnf("Reading %s has failed %d times in a row, next try in %v: %v",
		w.obj.Name, w.failures, pause.Round(time.Millisecond), pipedrive.WithRemedy(err))
	w.failing.Store(true)
	w.e.failing(err)
	return pause
}

// pauseRefused is for what will not change soon: the token may not read this object, or the feature is off.
func (w *walker) pauseRefused(err error) time.Duration {
	w.tell(w.e.cfg.FullReadInterval, err, ", or take "+w.obj.Name+" out of objects")
	w.failing.Store(true)
	w.e.failing(err)
	return w.e.cfg.FullReadInterval
}

// tell logs why an object is not read once, not once a cycle, and what to do about it.
func (w *walker) tell(pause time.Duration, err error, or string) {
	if w.refused == "" {
		w.e.cfg.Log.Warnf("Not reading %s for now, next try in %v: %v%s", w.obj.Name, pause.Round(time.Second), pipedrive.WithRemedy(err), or)
	}
	w.refused = err.Error()
}

// rest waits. An object that was refused is asked for again as soon as the source is back.
func (w *walker) rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(max(pause, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.e.gate.shutting():
		if w.e.gate.wait(ctx) != nil {
			return false
		}
		if w.refused != "" {
			return true
		}
	case <-ctx.Done():
		return false
	}
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
