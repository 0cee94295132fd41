package cursor

import (
	"strings"
	"time"
)

// Step is what one page moves: it is applied to a position when everything before it has been, and once.
type Step struct {
	Look bool // it moves the look, not the main track

	Walk *Walk  // the walk after this page; nil: the walk is finished
	Seen []Seen // records that were handed on, or must not be
	Keep Keep   // what the window needs from here on

	Since     time.Time // of the next walk, when this one is finished
	Walked    time.Time // server time at which it began, when it is finished
	LookSince time.Time // of the first look, when this was the first walk

	Known   []Seen   // full reads: what the page showed
	Forget  []string // full reads: ids that are no longer in the list
	Missing []string // full reads, when finished: known ids that the reading did not show
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
	track.Walk = s.Walk
	track.Window = track.Window.remember(s.Seen, s.Keep)
	if s.Walk != nil {
		return
	}
	track.Since = s.Since
	if s.Look {
		return
	}
	p.First, p.Walked = false, s.Walked
	if p.Look.Since.IsZero() {
		p.Look.Since = s.LookSince
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
