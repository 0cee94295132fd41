package poll

import (
	"math"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// Progress is how far the first walk of an object has come.
type Progress struct {
	Records int64 // read so far, before a restart too
	Pages   int64
	Done    bool // read to the end

	// Pipedrive tells no totals. Where a list comes in the order of a time, the part of the walk's time range that was
	// read stands in, in [0,1]; elsewhere it is 0, and so is Left.
	Part float64
	Left time.Duration // how long the rest takes if records are spread evenly over that range; 0: nobody knows

	// Short: today's tokens do not suffice for the rest. Left then reaches past their reset.
	Short bool
}

// meter measures the first walk of one object.
type meter struct {
	soFar  Progress
	taken  Progress      // where this process took the walk up
	worked time.Duration // since then, without the pauses between cycles
	mark   time.Time     // until when worked is counted
}

func (w *walker) newMeter() meter {
	p := Progress{Done: !w.pos.First}
	if walk := w.pos.Main.Walk; walk != nil && w.pos.First {
		p.Records, p.Pages, p.Part = walk.Records, walk.Pages, w.partRead(*walk)
	}
	return meter{soFar: p, taken: p}
}

// resume begins a cycle: the pause before it was no work.
func (m *meter) resume() { m.mark = time.Now() }

// count adds a page to the walk that goes on behind it.
func (m *meter) count(page *pipedrive.Page, next *cursor.Walk) {
	next.Pages++
	next.Records += int64(len(page.Records))
	for i := range page.Records {
		next.From = pick(next.From, page.Records[i].Updated)
	}
	m.soFar.Records, m.soFar.Pages = next.Records, next.Pages
}

// tellProgress tells how far the first walk has come: to where the walk goes on, or to its end.
func (w *walker) tellProgress(walk *cursor.Walk) {
	m, now := &w.meter, time.Now()
	m.worked += now.Sub(m.mark)
	m.mark = now
	p := &m.soFar
	p.Done, p.Part, p.Left, p.Short = !w.pos.First, 0, 0, false
	if walk != nil {
		p.Part = w.partRead(*walk)
		w.estimate()
	}
	w.e.cfg.Observer.FirstWalk(w.obj.Name, *p)
}

// estimate goes by the part that was read in this process, the time and the pages that it took.
func (w *walker) estimate() {
	m := &w.meter
	p := &m.soFar
	read := p.Part - m.taken.Part
	if read <= 0 {
		return
	}
	rest := (1 - p.Part) / read
	p.Left = time.Duration(min(float64(m.worked)*rest, math.MaxInt64/2))
	client := w.e.cfg.Client
	if tokens := float64(p.Pages-m.taken.Pages) * rest * float64(w.obj.Tokens); tokens > float64(client.Left()) {
		p.Short = true
		p.Left = max(p.Left, time.Until(client.Reset()))
	}
}

// partRead is which part of its time range a walk has read; 0: it follows no time, or does not know where that begins.
func (w *walker) partRead(walk cursor.Walk) float64 {
	from, to := pick(w.pos.Floor, walk.From), walk.Began
	if walk.Disorderly || walk.Last.IsZero() || from.IsZero() || !from.Before(to) {
		return 0
	}
	var read time.Duration
	switch {
	case w.obj.Walk == entity.ByTime && w.orderly(walk):
		read = walk.Last.Sub(from)
	case w.obj.Walk == entity.Newest && !w.pos.Floor.IsZero():
		read = to.Sub(walk.Last)
	}
	return min(max(read.Seconds()/to.Sub(from).Seconds(), 0), 1)
}
