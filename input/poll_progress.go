package input

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
)

// progressEvery is how often a first walk that comes on is worth a line in the log.
const progressEvery = 10 * time.Second

// progress tells how first walks come on, in metrics and in the log, until the last of them is over.
type progress struct {
	metrics *pollMetrics
	log     *service.Logger
	order   []string // of the lines

	mu    sync.Mutex
	walks map[string]*firstWalk // those that are not over; nil: the engine has not told of it yet
	over  chan struct{}         // closed when there are none

	stop  context.CancelFunc
	owned sync.WaitGroup
}

// firstWalk is what was told of one object.
type firstWalk struct {
	now       poll.Progress
	line      poll.Progress // as the last line had it
	told      bool          // there was a line
	estimated bool          // its end was, at least once
}

func newProgress(objects []entity.Object, metrics *pollMetrics, log *service.Logger) *progress {
	p := &progress{metrics: metrics, log: log, walks: map[string]*firstWalk{}, over: make(chan struct{})}
	for _, o := range objects {
		p.order = append(p.order, o.Name)
		p.walks[o.Name] = nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	p.owned.Go(func() { p.tell(ctx) })
	return p
}

// close ends it and waits for it.
func (p *progress) close() {
	p.stop()
	p.owned.Wait()
}

// FirstWalk is told by the engine.
func (p *progress) FirstWalk(object string, came poll.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.walks[object]
	if w == nil {
		w = &firstWalk{line: came}
		p.walks[object] = w
	}
	w.now = came
	w.estimated = w.estimated || came.Left > 0
	p.metrics.showFirstWalk(object, came, w.estimated)
	if !came.Done {
		return
	}
	if w.told {
		p.log.Infof("The first walk of %s is over: %s", object, counted(came))
		p.metrics.walkRate.SetFloat64(0, object)
	}
	delete(p.walks, object)
	if len(p.walks) == 0 {
		close(p.over)
	}
}

func (p *progress) tell(ctx context.Context) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.tellAll()
		case <-p.over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// tellAll writes a line for each walk that came on since its last one. Why one does not is told elsewhere.
func (p *progress) tellAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, object := range p.order {
		w := p.walks[object]
		if w == nil {
			continue
		}
		rate := max(0, float64(w.now.Records-w.line.Records)/progressEvery.Seconds()) // a walk may begin again
		p.metrics.walkRate.SetFloat64(rate, object)
		if w.now.Pages != w.line.Pages {
			p.log.Infof("%s", w.describe(object, rate))
			w.told = true
		}
		w.line = w.now
	}
}

// describe is one line: what was read, how fast, and how long the rest takes, where that can be said.
func (w *firstWalk) describe(object string, rate float64) string {
	var s strings.Builder
	fmt.Fprintf(&s, "First walk of %s: %s, %s records/s", object, counted(w.now), humanize.CommafWithDigits(rate, 1))
	if w.now.Left > 0 {
		fmt.Fprintf(&s, "; going by update_time %.0f%% is read, about %v to go", 100*w.now.Part, w.now.Left.Round(time.Second))
	}
	if w.now.Short {
		s.WriteString(", as today's tokens do not suffice")
	}
	return s.String()
}

func counted(p poll.Progress) string {
	return fmt.Sprintf("%s records in %s pages", humanize.Comma(p.Records), humanize.Comma(p.Pages))
}
