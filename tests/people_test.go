package tests

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
)

// slowly is an application that takes its time, and knows of each deal which changes came, in their order. While it is
// down it refuses everything.
type slowly struct {
	takes func() time.Duration
	down  atomic.Bool

	mu   sync.Mutex
	came map[int][]int
}

func (a *slowly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if a.down.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	a.mu.Lock()
	for line := range bytes.Lines(body) {
		var deal, n int
		_, _ = fmt.Sscanf(gjson.GetBytes(line, "meta.id").String(), "%d-%d", &deal, &n)
		a.came[deal] = append(a.came[deal], n)
	}
	a.mu.Unlock()
	pause(a.takes())
}

func pause(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

func (a *slowly) changes(deal int) []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.came[deal])
}

// people change deals, each one deal, one change after another.
type people struct {
	door     string
	client   *http.Client
	rest     func() time.Duration
	sent     []int        // of each deal the last change
	accepted [][]int      // of each deal the changes that were answered 200
	answered atomic.Int64 // so often was 200 the answer
	refused  atomic.Int64 // another
}

func newPeople(door string, deals int, rest func() time.Duration) *people {
	return &people{
		door: door, rest: rest, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: deals}},
		sent: make([]int, deals), accepted: make([][]int, deals),
	}
}

// work returns when the door has ended, or the context.
func (p *people) work(ctx context.Context) {
	var all sync.WaitGroup
	for deal := range p.sent {
		all.Go(func() {
			for ctx.Err() == nil {
				p.sent[deal]++
				switch hookBy(ctx, p.client, p.door, hookEvent(deal, p.sent[deal])) {
				case http.StatusOK:
					p.accepted[deal] = append(p.accepted[deal], p.sent[deal])
					p.answered.Add(1)
					pause(p.rest())
				case 0:
					return
				default:
					p.refused.Add(1)
				}
			}
		})
	}
	all.Wait()
}
