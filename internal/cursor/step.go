package cursor

import (
	"strings"
	"time"
)

// Step is what one page moves: it is applied to a position when everything before it has been, and once.
type Step struct {
	Look bool // it moves the look, not the main track

	Walk     *Walk     // the walk after this page; nil: the walk is finished
	Seen     []Seen    // records that were handed on
	Timeless []Seen    // those without an update_time, which only the look can meet again
	Keep     time.Time // what the window holds of older records is no longer needed

	Since     time.Time // of the next walk, when this one is finished
	Walked    time.Time // server time at which it began, when it is finished
	LookSince time.Time // of the first look, when this was the first walk

	Known   []Seen   // full reads: what the page showed
	Forget  []string // full reads: ids that are no longer in the list
	Missing []string // full reads, when finished: known ids that the reading did not show
}

// empty tells whether the step only says how far the walk has come.
func (s Step) empty() bool {
	return len(s.Seen)+len(s.Timeless)+len(s.Known)+len(s.Forget)+len(s.Missing) == 0 && s.LookSince.IsZero()
}

// covers tells whether a step that follows another leaves nothing of it, had the other moved the position or not.
func (s Step) covers(before Step) bool {
	return s.Look == before.Look && s.empty() && before.empty() && (s.Walk == nil || before.Walk != nil)
}

// Apply moves the position by one step.
func (p *Position) Apply(s Step) {
	if p.Full == nil && len(s.Known) > 0 {
		p.Full = &Full{}
	}
	if p.Full != nil {
		p.Full.apply(s)
	}
	track := &p.Main
	if s.Look {
		track = &p.Look
	}
	track.apply(s)
	p.Look.Window = p.Look.Window.remember(s.Timeless)
	if s.Walk != nil || s.Look {
		return
	}
	p.First, p.Walked = false, s.Walked
	if p.Look.Since.IsZero() {
		p.Look.Since = s.LookSince
	}
}

func (t *Track) apply(s Step) {
	t.Walk = s.Walk
	t.Window = t.Window.remember(s.Seen)
	// Going over the window costs its size, so it is not done for every page.
	if t.Walk == nil || len(t.Window) > 2*t.pruned+100 {
		t.Window.forget(s.Keep)
		t.pruned = len(t.Window)
	}
	if t.Walk == nil {
		t.Since = s.Since
	}
}

func (f *Full) apply(s Step) {
	if f.Known == nil {
		f.Known = map[string]Hash{}
	}
	for _, k := range s.Known {
		f.Known[strings.Clone(k.ID)] = k.Hash
	}
	for _, id := range s.Forget {
		delete(f.Known, id)
	}
	if s.Walk == nil {
		f.Missing = s.Missing
	}
}
