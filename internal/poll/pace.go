package poll

import (
	"math"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// day is the length of a budget day.
const day = 24 * time.Hour

// IntervalOf is which of the two intervals an object is read at.
func IntervalOf(o *entity.Object, interval, fullRead time.Duration) time.Duration {
	if o.Walk == entity.ByTime {
		return interval
	}
	return fullRead
}

// IdleDay is how many tokens a day it takes to read an object at these intervals when nothing changes and its list has
// one page. Each further page costs the object's tokens once more.
func IdleDay(o *entity.Object, interval, fullRead time.Duration) float64 {
	walks := day.Seconds() / IntervalOf(o, interval, fullRead).Seconds()
	if o.Walk == entity.ByTime && o.NewestFirst != "" {
		walks += day.Seconds() / fullRead.Seconds() // the looks
	}
	return walks * float64(o.Tokens)
}

// rate is what this object's cycles cost at the wished interval, in tokens a second.
func (w *walker) rate() float64 {
	return float64(w.cycleCost.Load()) / w.interval().Seconds()
}

// plan tells the budget what the cycles of all objects cost at the wished intervals.
func (e *Engine) plan() {
	rate := 0.0
	for _, w := range e.walkers {
		rate += w.rate()
	}
	e.cfg.Client.Plan(e.cfg.Owner, rate)
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
	told := e.stretched
	e.stretched = true
	e.mu.Unlock()
	if !told {
		e.cfg.Log.Warnf("Reading %s every %v instead of every %v: %d tokens are left of this process' daily_token_share until %s. Poll fewer objects, set a longer interval, or raise daily_token_share",
			w.obj.Name, paced.Round(100*time.Millisecond), w.interval(), e.cfg.Client.Left(), e.cfg.Client.Reset().Format(time.RFC3339))
	}
}

// leaveTokens is how long a first walk has to wait so that half of the share, spread over the day, stays for the
// objects whose first walk is over: a large backfill must not stop everything else until midnight.
func (w *walker) leaveTokens() time.Duration {
	if !w.pos.First || !w.e.othersCycle(w) {
		return 0
	}
	client := w.e.cfg.Client
	left, untilReset := client.Left(), time.Until(client.Reset())
	share := float64(left + client.Spend().Tokens)
	if share <= 0 || float64(left) >= share/2*untilReset.Hours()/day.Hours() {
		return 0
	}
	enoughFor := time.Duration(float64(left) / (share / 2) * float64(day))
	return max(untilReset-enoughFor, firstPause)
}

func (e *Engine) othersCycle(than *walker) bool {
	for _, w := range e.walkers {
		if w != than && w.cycling.Load() {
			return true
		}
	}
	return false
}
