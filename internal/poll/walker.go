package poll

import (
	"context"
	"errors"
	"math"
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
)

// walker reads one object, cycle after cycle.
type walker struct {
	e   *Engine
	obj entity.Object    // its own copy: the paging of a custom object is learnt
	pos *cursor.Position // as far as pages were handed on; ahead of what is acknowledged

	failing  atomic.Bool // read by the others to see whether any object can be read
	failures int         // transient ones, in a row
	told     string      // the last lasting refusal that was logged

	spent     int          // tokens of the cycle under way
	cycleCost atomic.Int64 // tokens of the last whole cycle; read by the others to plan
	dateless  bool         // it was told that answers carry no Date
}

func newWalker(e *Engine, s Source) *walker {
	w := &walker{e: e, obj: s.Object, pos: s.Position.Clone()}
	w.cycleCost.Store(int64(w.obj.Tokens))
	if w.obj.Walk == entity.Full && w.pos.Full == nil {
		w.pos.Full = &cursor.Full{}
	}
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
	err := w.walk(ctx)
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
		return w.readNewest(ctx, mainTrack)
	default:
		if err := w.walkByTime(ctx); err != nil || !w.lookIsDue() {
			return err
		}
		return w.readNewest(ctx, lookTrack)
	}
}

// list asks for one page and counts what it cost.
func (w *walker) list(ctx context.Context, q pipedrive.Query) (*pipedrive.Page, error) {
	q.Limit = w.pageSize()
	page, err := w.e.cfg.Client.List(ctx, &w.obj, q)
	w.spent += w.obj.Tokens
	if err == nil && w.obj.Paging == entity.AnyPaging {
		w.obj.Paging = pagingOf(page)
	}
	return page, err
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
	if w.obj.Walk == entity.ByTime {
		return w.e.cfg.Interval
	}
	return w.e.cfg.FullReadInterval
}

// rate is what this object's cycles cost at the wished interval, in tokens a second.
func (w *walker) rate() float64 {
	return float64(w.cycleCost.Load()) / w.interval().Seconds()
}

// pauseAfter decides how long to rest after a cycle that took a while and ended with err.
func (w *walker) pauseAfter(err error, took time.Duration) time.Duration {
	var later *pipedrive.LaterError
	var refused *pipedrive.CredentialError
	switch {
	case err == nil:
		w.recovered()
		return w.pacedInterval() - took
	case errors.As(err, &refused):
		w.e.gate.shut(err)
		return 0
	case errors.As(err, &later):
		return w.pauseUntilLater(later)
	default:
		return w.pauseRefused(err)
	}
}

func (w *walker) recovered() {
	w.failures, w.told = 0, ""
	w.failing.Store(false)
}

func (w *walker) pauseUntilLater(err *pipedrive.LaterError) time.Duration {
	switch err.Kind {
	case pipedrive.KindDaily, pipedrive.KindBlocked:
		w.e.gate.shut(err)
		return 0
	case pipedrive.KindBurst:
		return max(err.After, firstPause)
	case pipedrive.KindShare:
		w.tell(err.Error())
		return max(err.After, firstPause)
	}
	w.failures++
	pause := max(err.After, min(firstPause<<min(w.failures-1, 10), longestPause))
	w.e.cfg.Log.Warnf("Reading %s, next try in %v: %v", w.obj.Name, pause, err)
	if w.failures >= transientFailures {
		w.failing.Store(true)
		w.e.failing(err)
	}
	return pause
}

// pauseRefused is for what will not change soon: the token may not read this object, or the feature is off.
func (w *walker) pauseRefused(err error) time.Duration {
	w.tell(err.Error())
	w.failing.Store(true)
	w.e.failing(err)
	return w.e.cfg.FullReadInterval
}

// tell logs a lasting refusal once, not once a cycle.
func (w *walker) tell(why string) {
	if w.told != why {
		w.told = why
		w.e.cfg.Log.Warnf("Not reading %s for now: %s", w.obj.Name, why)
	}
}

// pacedInterval is the wished interval, stretched so that the share of the daily budget lasts until its reset.
func (w *walker) pacedInterval() time.Duration {
	client := w.e.cfg.Client
	stretch := client.Stretch()
	untilReset := max(time.Until(client.Reset()), firstPause)
	paced := untilReset
	if s := float64(w.interval()) * stretch; s < float64(math.MaxInt64) {
		paced = time.Duration(s)
	}
	// A new budget day needs no waiting for what the old one could not pay.
	paced = max(w.interval(), min(paced, untilReset))
	w.e.cfg.Observer.Interval(w.obj.Name, paced)
	if stretch > 1 {
		w.e.tellStretch(w, paced)
	}
	return paced
}

func (e *Engine) tellStretch(w *walker, paced time.Duration) {
	e.mu.Lock()
	told := e.throttle
	e.throttle = true
	e.mu.Unlock()
	if !told {
		e.cfg.Log.Warnf("Reading %s every %v instead of every %v: %d tokens are left of this process' daily_token_share until %s. Poll fewer objects, set a longer interval, or raise daily_token_share",
			w.obj.Name, paced.Round(100*time.Millisecond), w.interval(), e.cfg.Client.Left(), e.cfg.Client.Reset().Format(time.RFC3339))
	}
}

// rest waits. An object that failed while the source was down is asked again as soon as the source is back.
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
		if w.failing.Swap(false) {
			w.failures = 0
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
