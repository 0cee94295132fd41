// Package unrest is what goes on in a Pipedrive account and goes wrong on the way to a sink, for the tests of recipes: the
// account, the feed between the two, and the check that the sink knows in the end what the account knows.
package unrest

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// plenty is a budget that no test spends.
const plenty = 100_000_000

// Account is a simulated one with some of everything, that lets people read as much as they like.
func Account(t *testing.T) *simulator.Simulator {
	t.Helper()
	return simulator.RunT(t, simulator.Options{
		Deals: 300, Persons: 150, Organizations: 80, Activities: 80, Products: 20, Leads: 20, Notes: 20, DailyBudget: plenty, Burst: plenty,
	})
}

// Sink is the server behind a feed.
type Sink interface {
	Away() // ends it in order
	Back() // waits until it serves again
}

// Make makes it all happen within some seconds: people at work on many records, several changes of one record within one
// second, webhooks twice, in any order and late, an API that fails in every way, a sink that goes away twice, and a feed
// that is killed with much in its journal. No webhook is lost by it: fewer than ten are refused at first, which would be
// the ban. Where the door asks the sink before it answers, asked is true, and few webhooks come while it is away.
func Make(t *testing.T, f *Feed, sink Sink, asked bool) {
	t.Helper()
	sim := f.sim
	sim.SetQuirks(func(q *simulator.Quirks) { q.SendTwice, q.SendOutOfOrder = true, true })
	for _, fault := range []simulator.Fault{
		simulator.Burst429().Times(4), simulator.Status(http.StatusInternalServerError).Times(3), simulator.Reset(), simulator.Cut(),
		simulator.Truncated(), simulator.Status(http.StatusServiceUnavailable).Times(3), simulator.Empty(),
	} {
		sim.FailNext(fault.On("/api/v2/"))
	}
	Work(t, sim, 150, 3*time.Second)

	// The late ones are older than those that follow them.
	sim.SetQuirks(func(q *simulator.Quirks) { q.SendTwice, q.SendDelay = false, 2*time.Second })
	Hurry(sim, 1)
	sim.SetQuirks(func(q *simulator.Quirks) { q.SendDelay = 0 })
	Hurry(sim, 2)

	if asked {
		Drain(t, sim)
	}
	sink.Away()
	if !asked {
		Hurry(sim, 3)
	}
	Work(t, sim, 3, time.Second)
	sink.Back()

	Drain(t, sim)
	sink.Away()
	if !asked {
		Hurry(sim, 4)
		Drain(t, sim)
	}
	f.Kill()
	for _, list := range []string{"deals", "persons", "organizations"} { // three are refused, and come again 3 s later
		sim.Update(list, living(sim, list)[1], simulator.Fields{"owner_id": 2})
	}
	f.Start()
	sink.Back()
	sim.SetQuirks(func(q *simulator.Quirks) { q.SendOutOfOrder = false })
	Hurry(sim, 5)
	Drain(t, sim)
}

// Drain waits until every webhook was answered 200.
func Drain(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	require.NoError(t, sim.Drain(ctx))
	for _, d := range sim.Deliveries() {
		require.Equal(t, simulator.Delivered, d.Outcome, "%s %s: this test wants no webhook lost", d.Entity, d.EntityID)
	}
}

// Work has people make so many plausible changes a second.
func Work(t *testing.T, sim *simulator.Simulator, perSecond float64, long time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	sim.KeepChanging(ctx, perSecond, nil)
	<-ctx.Done()
}

// Hurry makes what one moment can bring: chains of changes of one record, all kinds of ends, numbers that no float64
// holds.
func Hurry(sim *simulator.Simulator, round int) {
	random := rand.New(rand.NewPCG(uint64(round), 3))
	for _, list := range []string{"deals", "persons", "organizations", "activities"} {
		ids := living(sim, list)
		for _, id := range ids[:12] {
			for range 4 {
				sim.Update(list, id, simulator.Fields{"owner_id": 1 + random.IntN(3)})
			}
		}
		random.Shuffle(len(ids)-12, func(i, j int) { ids[12+i], ids[12+j] = ids[12+j], ids[12+i] })
		sim.Delete(list, ids[12])
		sim.BulkUpdate(list, ids[13:23], simulator.Fields{"owner_id": 2})
		if list != "activities" {
			sim.Merge(list, ids[23], ids[24])
		}
		sim.Add(list, nil)
	}
	deals := living(sim, "deals")
	for i, id := range deals[30:36] {
		sim.Archive("deals", id)
		if i%2 == 0 {
			sim.Unarchive("deals", id)
		}
	}
	sim.Update("deals", deals[40], simulator.Fields{"value": json.Number("12345678901234567.25")})
	sim.Update("organizations", living(sim, "organizations")[40], simulator.Fields{"annual_revenue": json.Number("9007199254740993")})
}

// living are the ids of the list's records that are not deleted, oldest first.
func living(sim *simulator.Simulator, list string) []string {
	state := sim.State(list)
	return slices.DeleteFunc(sim.IDs(list), func(id string) bool { return isDeleted(Decode(state[id])) })
}
