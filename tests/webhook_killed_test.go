package tests

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
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

func never() time.Duration { return 0 }

// output is one under load, with how long its application takes and how long people rest after each change.
type output struct {
	takes, rest func() time.Duration
	down        bool // until the last round
}

// what has become of the webhooks.
type outcome struct {
	answered, refused int64 // 200, and otherwise
	repeated          int   // by the output
	left              int   // in the file by the ends
	commits           int
}

// workInRounds has people work on as many deals while the binary is ended so often, and asserts that nothing is lost.
func (o output) workInRounds(t *testing.T, rounds, deals int, end func(*process)) (is outcome) {
	t.Helper()
	app := &slowly{takes: o.takes, came: map[int][]int{}}
	app.down.Store(o.down)
	server := httptest.NewServer(app)
	defer server.Close()
	folder, door := t.TempDir(), unrest.FreeAddress(t)
	open := func() *process {
		p := run(t, folder, fmt.Sprintf(killedWebhook, door, server.URL), "HOOK_PASSWORD=hunter2")
		eventually(t, "it serves", func() bool { status, _ := get("http://" + door + "/healthz"); return status == http.StatusOK })
		return p
	}
	people := newPeople(door, deals, o.rest)
	for range rounds {
		p := open()
		enough := people.answered.Load() + 100 + rand.N[int64](500)
		working := make(chan struct{})
		go func() {
			defer close(working)
			people.work(t.Context())
		}()
		eventually(t, "they have worked for a while", func() bool { return people.answered.Load() >= enough })
		end(p)
		<-working
		left, commits := lookInto(t, filepath.Join(folder, "state/webhooks.db"))
		is.left, is.commits = is.left+left, commits
	}
	app.down.Store(false)
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
	for deal, accepted := range people.accepted {
		is.repeated += assertInOrder(t, deal, app.changes(deal), accepted, rounds)
	}
	is.answered, is.refused = people.answered.Load(), people.refused.Load()
	t.Logf("%+v", is)
	return is
}

// A webhook that was answered 200 is never lost: the process dies under load, again and again, and at the end each of them
// has come through the output. Those of one record come in the order of their answers; after a crash some may come again,
// and then all that were newer come behind them. It is so whether the output has them before they would be written and the
// disk is left alone, or they are written first, or now this and now that.
func TestWebhookKilledAgainAndAgainLosesNothing(t *testing.T) {
	const rounds, deals = 7, 16
	t.Run("quick", func(t *testing.T) {
		is := output{takes: never, rest: never}.workInRounds(t, rounds, deals, (*process).kill)
		assert.Zero(t, is.refused)
		assert.Less(t, int64(is.commits*deals), is.answered, "a commit writes no more than one webhook of each deal, so many were not written")
	})
	t.Run("at the border", func(t *testing.T) {
		within := func(d time.Duration) func() time.Duration { return func() time.Duration { return rand.N(d) } }
		is := output{takes: within(8 * time.Millisecond), rest: within(20 * time.Millisecond)}.workInRounds(t, rounds, deals, (*process).kill)
		assert.Zero(t, is.refused)
		assert.Positive(t, is.left)
	})
	t.Run("slow", func(t *testing.T) {
		is := output{takes: func() time.Duration { return 20 * time.Millisecond }, rest: never}.workInRounds(t, rounds, deals, (*process).kill)
		assert.Zero(t, is.refused)
		assert.Positive(t, is.left)
	})
}

// An orderly stop under load is prompt and loses nothing either, also while the output is slow or down.
func TestWebhookStoppedUnderLoadLosesNothing(t *testing.T) {
	for name, o := range map[string]output{
		"quick": {takes: never, rest: never},
		"slow":  {takes: func() time.Duration { return 20 * time.Millisecond }, rest: never},
		"down":  {takes: never, rest: never, down: true},
	} {
		t.Run(name, func(t *testing.T) {
			longest := time.Duration(0)
			is := o.workInRounds(t, 2, 16, func(p *process) {
				begin := time.Now()
				p.stop()
				longest = max(longest, time.Since(begin))
			})
			t.Log(longest)
			assert.Less(t, longest, 5*time.Second)
			assert.Zero(t, is.repeated)
		})
	}
}

// lookInto returns how many webhooks are in a journal, and how many transactions there were.
func lookInto(t *testing.T, path string) (pending, commits int) {
	t.Helper()
	contents, err := journal.Read(path)
	require.NoError(t, err)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		commits = int(tx.ID())
		return nil
	}))
	return contents.Pending, commits
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
