package tests

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// killedWebhook has a journal, and posts what comes at one moment to an application together.
const killedWebhook = `
http: { enabled: false }
input:
  pipedrive_webhook:
    address: %s
    credentials: [ { username: hook, password: "${HOOK_PASSWORD}" } ]
    journal: { path: state/webhooks.db }
output:
  http_client: { url: %q, verb: POST, retries: 0 }
  processors: [ archive: { format: lines } ]
`

// slowly is an application that takes its time, and knows of each deal which changes came, in their order.
type slowly struct {
	takes func() time.Duration

	mu   sync.Mutex
	came map[int][]int
}

func (a *slowly) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
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

// A webhook that was answered 200 is never lost: the process dies under load, again and again, and at the end each of them
// has come through the output. Those of one record come in the order of their answers; after a crash some may come again,
// and then all that were newer come behind them. It is so whether the output has them before they would be written, when
// the disk is left alone, or they are written first, or now this and now that.
func TestWebhookKilledAgainAndAgainLosesNothing(t *testing.T) {
	const rounds, deals = 8, 16
	never := func() time.Duration { return 0 }
	for _, output := range []struct {
		name        string
		takes, rest func() time.Duration
		leaves      func(t *testing.T, left, commits int, answered int64)
	}{
		{
			"quick", never, never,
			func(t *testing.T, _, commits int, answered int64) {
				assert.Less(t, int64(commits*deals), answered, "a commit can write no more than one webhook of each, so many were not written")
			},
		},
		{
			"at the border", func() time.Duration { return rand.N(8 * time.Millisecond) }, func() time.Duration { return rand.N(20 * time.Millisecond) },
			func(t *testing.T, left, _ int, _ int64) { assert.Positive(t, left) },
		},
		{
			"slow", func() time.Duration { return 20 * time.Millisecond }, never,
			func(t *testing.T, left, _ int, _ int64) { assert.Positive(t, left) },
		},
	} {
		t.Run(output.name, func(t *testing.T) {
			app := &slowly{takes: output.takes, came: map[int][]int{}}
			server := httptest.NewServer(app)
			defer server.Close()
			folder, door := t.TempDir(), unrest.FreeAddress(t)
			open := func() *process {
				p := run(t, folder, fmt.Sprintf(killedWebhook, door, server.URL), "HOOK_PASSWORD=hunter2")
				eventually(t, "it serves", func() bool { status, _ := get("http://" + door + "/healthz"); return status == http.StatusOK })
				return p
			}
			people := newPeople(door, deals, output.rest)
			left, commits := 0, 0
			for range rounds {
				p := open()
				enough := people.answered.Load() + 100 + rand.N[int64](500)
				working := make(chan struct{})
				go func() {
					defer close(working)
					people.work(t.Context())
				}()
				eventually(t, "they have worked for a while", func() bool { return people.answered.Load() >= enough })
				p.kill()
				<-working
				n, at := lookInto(t, filepath.Join(folder, "state/webhooks.db"))
				left, commits = left+n, at
			}
			p := open()
			eventually(t, "the newest change of every deal comes last", func() bool {
				for deal, accepted := range people.accepted {
					came := app.changes(deal)
					if len(came) == 0 || came[len(came)-1] != max(slices.Max(came), accepted[len(accepted)-1]) {
						return false
					}
				}
				return true
			})
			assert.NotContains(t, p.stop(), "hunter2")
			assert.Zero(t, people.refused.Load())
			repeats := 0
			for deal, accepted := range people.accepted {
				repeats += assertInOrder(t, deal, app.changes(deal), accepted, rounds)
			}
			output.leaves(t, left, commits, people.answered.Load())
			t.Logf("%d accepted in %d rounds, %d repeated, %d left in the file by the kills, %d commits", people.answered.Load(), rounds, repeats, left, commits)
		})
	}
}

// lookInto returns how many webhooks are in a journal, and how many transactions there were.
func lookInto(t *testing.T, path string) (pending, commits int) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		commits = int(tx.ID())
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			if strings.HasSuffix(string(name), "entries") {
				pending = b.Stats().KeyN
			}
			return nil
		})
	}))
	return pending, commits
}

// assertInOrder asserts that everything accepted came, and that what follows a change is the next one that ever came, but
// for as many returns to an older one as there were kills. It returns how many changes came again.
func assertInOrder(t *testing.T, deal int, came, accepted []int, kills int) (repeats int) {
	t.Helper()
	known := map[int]bool{}
	for _, n := range came {
		known[n] = true
	}
	for _, n := range accepted {
		require.True(t, known[n], "deal %d: change %d is lost", deal, n)
	}
	next, last := map[int]int{}, 0
	for _, n := range slices.Sorted(maps.Keys(known)) {
		next[last], last = n, n
	}
	back := 0
	last = 0
	for _, n := range came {
		if n <= last {
			back++
		} else {
			require.Equal(t, next[last], n, "deal %d: what follows %d", deal, last)
		}
		last = n
	}
	require.LessOrEqual(t, back, kills, "deal %d", deal)
	require.Equal(t, slices.Max(came), last, "deal %d", deal)
	return len(came) - len(known)
}
