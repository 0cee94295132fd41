package tests

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// polledLists are those that the recipes read.
var polledLists = []string{"deals", "deals_archived", "persons", "organizations", "activities"}

// kitchen is an account with everything that goes wrong between it and a recipe of config/, which runs as it stands
// there.
type kitchen struct {
	t       *testing.T
	sim     *simulator.Simulator
	mail    *mail
	folder  string // holds the recipe's state
	address string // of its webhook door
	env     []string
	random  *rand.Rand
	pause   time.Duration   // how much later each change is than the one before
	born    map[string]bool // the ids of the events that the first walk can find
}

func newKitchen(t *testing.T, seed uint64) *kitchen {
	sim := simulator.RunT(t, simulator.Options{
		Seed: seed, Deals: 60, Persons: 30, Organizations: 20, Activities: 10, Products: 5, DailyBudget: plenty, Burst: plenty,
		Quirks: simulator.Quirks{SendTwice: true, SendOutOfOrder: true, AddTimeEarlier: true},
	})
	k := &kitchen{
		t: t, sim: sim, mail: &mail{via: &http.Transport{}}, folder: t.TempDir(), address: unrest.FreeAddress(t),
		random: rand.New(rand.NewPCG(seed, seed)), born: map[string]bool{},
	}
	sim.DeliverTo(k.mail)
	for _, list := range append([]string{"products", "pipelines", "stages"}, polledLists...) {
		for _, record := range sim.State(list) {
			k.born[polledEvent(t, list, record).ID] = true
		}
	}
	return k
}

// cook starts a recipe, with fields of it set to other values, and waits until its webhook is registered.
func (k *kitchen) cook(recipe string, set ...string) *process {
	k.t.Helper()
	p := k.start(recipe, set)
	eventually(k.t, "the door is open", func() bool {
		status, _ := get("http://" + k.address + "/healthz")
		return status == http.StatusOK
	})
	eventually(k.t, "the webhook is registered", func() bool { return len(k.sim.Webhooks()) == 1 })
	return p
}

// start runs the binary with options before the recipe.
func (k *kitchen) start(recipe string, set []string, options ...string) *process {
	k.t.Helper()
	arguments := append([]string{"run"}, options...)
	for _, field := range append([]string{"http.enabled=false"}, set...) {
		arguments = append(arguments, "--set", field)
	}
	return start(k.t, k.folder, append([]string{
		"PIPEDRIVE_BASE_URL=" + k.sim.URL(), "PIPEDRIVE_API_TOKEN=" + k.sim.Token(), "POLL_INTERVAL=200ms",
		"HOOK_ADDRESS=" + k.address, "HOOK_PASSWORD=hunter2", "PUBLIC_URL=http://" + k.address,
	}, k.env...), append(arguments, recipeFile(k.t, recipe))...)
}

// redrive sends the dead letters again, through a recipe, until there are none left.
func (k *kitchen) redrive(recipe string, set ...string) {
	k.t.Helper()
	from := filepath.Join(k.folder, "state/redrive")
	require.NoError(k.t, os.Rename(filepath.Join(k.folder, "state/dead_letters"), from))
	set = append(set, "input={resource: redrive}", "cache_resources=[]")
	p := k.start(recipe, set, "-r", recipeFile(k.t, "redrive.yaml"))
	p.ended()
	left, err := os.ReadDir(from)
	require.NoError(k.t, err)
	assert.Empty(k.t, left, "what was sent is gone")
}

func recipeFile(t *testing.T, recipe string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../config", recipe))
	require.NoError(t, err)
	return path
}

// live lets people make n changes while the API fails now and then, and waits until Pipedrive has no webhook left to
// send.
func (k *kitchen) live(n int) {
	k.t.Helper()
	for i := range n {
		switch i {
		case 3:
			k.sim.FailNext(simulator.Status(http.StatusServiceUnavailable).On("/api/v2"))
		case 15:
			k.sim.FailNext(simulator.Cut().On("/api/v2"))
		case 30:
			k.sim.FailNext(simulator.Burst429().On("/api/v2"))
		}
		k.change(i)
		k.sim.Advance(k.pause)
	}
	k.drain()
}

// change makes one change of those that are easily got wrong, or any other.
func (k *kitchen) change(i int) {
	deals := k.alive("deals")
	deal := deals[k.random.IntN(len(deals))]
	switch i % 8 {
	case 1: // there and back
		k.sim.Update("deals", deal, simulator.Fields{"title": "Moved", "lost_reason": "price"})
		k.sim.Advance(k.pause)
		k.sim.Update("deals", deal, simulator.Fields{"title": "Moved on", "lost_reason": nil})
	case 3: // a custom field is emptied
		if fields := k.sim.CustomFields("deals"); len(fields) > 0 {
			k.sim.Update("deals", deal, simulator.Fields{"custom_fields": simulator.Fields{fields[k.random.IntN(len(fields))].Key: nil}})
		}
	case 5:
		k.sim.Archive("deals", deal)
	case 7:
		if persons := k.alive("persons"); len(persons) > 2 {
			k.sim.Merge("persons", persons[0], persons[1])
		}
	default:
		k.sim.Mutate(k.random)
	}
}

func (k *kitchen) alive(list string) []string {
	var ids []string
	state := k.sim.State(list)
	for _, id := range k.sim.IDs(list) {
		if e := polledEvent(k.t, list, state[id]); e.Data != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// drain moves the clock to the retries until nothing is left to send.
func (k *kitchen) drain() {
	k.t.Helper()
	drained := func() bool {
		ctx, cancel := context.WithTimeout(k.t.Context(), 100*time.Millisecond)
		defer cancel()
		return k.sim.Drain(ctx) == nil
	}
	for until := time.Now().Add(time.Minute); !drained(); k.sim.Advance(time.Second) {
		require.True(k.t, time.Now().Before(until), "webhooks are pending")
	}
}

// settles waits until nothing is wrong any more.
func (k *kitchen) settles(why string, wrong func() []string) {
	k.t.Helper()
	var last atomic.Pointer[[]string]
	k.t.Cleanup(func() {
		if w := last.Load(); k.t.Failed() && w != nil && len(*w) > 0 {
			k.t.Logf("%s, but not so (%d):\n%s", why, len(*w), strings.Join((*w)[:min(len(*w), 20)], "\n"))
		}
	})
	eventually(k.t, why, func() bool { w := wrong(); last.Store(&w); return len(w) == 0 })
}
