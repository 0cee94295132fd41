//go:build integration

package integration

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// events are what was read from a queue so far, folded into the state that they tell: of each record what has the
// greatest order, as the recipes advise their readers.
type events struct {
	state   state
	order   map[string]string    // of each record the greatest
	id      map[string]string    // and the event that had it
	seen    map[string]bool      // Pipedrive's ids of the events that came by webhook, and their records with the millisecond
	equals  bool                 // the server drops what is equal to another event
	last    map[[2]string]string // of each record and door the order of the last event
	strayed map[[2]string]int    // and how often one came that was older than the last
	count   int
}

func newEvents() *events {
	return &events{
		state: state{}, order: map[string]string{}, id: map[string]string{}, seen: map[string]bool{},
		last: map[[2]string]string{}, strayed: map[[2]string]int{},
	}
}

// take folds in one event.
func (all *events) take(body []byte, order string) {
	e := decode(body)
	all.count++
	text := func(of map[string]any, key string) string { s, _ := of[key].(string); return s }
	source, _ := e["source"].(map[string]any)
	name, id := text(e, "object")+"/"+text(e, "object_id"), text(e, "id")
	if hook := text(source, "event_id"); hook != "" {
		all.seen[hook] = true
		all.seen[name+order[strings.LastIndex(order, "/"):]] = true
	}
	lane := [2]string{name, text(source, "via")}
	if order < all.last[lane] {
		all.strayed[lane]++
	}
	all.last[lane] = order

	newer := order >= all.order[name]
	if !newer && id != all.id[name] {
		return
	}
	data, _ := e["data"].(map[string]any)
	if data == nil {
		data, _ = e["previous"].(map[string]any)
	}
	under, over := all.state[name].Data, data
	if !newer {
		under, over = over, under
	}
	merged := maps.Clone(under)
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, over)
	all.state[name] = kept{Deleted: e["action"] == "deleted", Data: merged}
	all.order[name], all.id[name] = max(order, all.order[name]), id
}

// requireEvents waits until the events that read brings, folded, are the account, and each webhook is among them.
func requireEvents(t *testing.T, sim *simulator.Simulator, all *events, read func()) {
	t.Helper()
	requireState(t, sim, func() state { read(); return all.state })
	requireNone(t, "each webhook is there at least once", func() (missing []string) {
		read()
		for _, d := range sim.Deliveries() {
			written := d.Entity + "/" + d.EntityID + "/" + d.Time.UTC().Format("2006-01-02T15:04:05.000Z")
			if !all.seen[d.EventID] && !(all.equals && all.seen[written]) {
				missing = append(missing, strings.Join([]string{d.Action, d.Entity, d.EntityID}, " "))
			}
		}
		return missing
	})
	strayed := map[string]int{}
	for lane, n := range all.strayed {
		strayed[lane[1]] += n
	}
	t.Logf("%d events of %d records; later than a newer one of their record and door: %v", all.count, len(all.state), strayed)
	require.Zero(t, strayed["poll"], "what polling finds of a record leaves in its order")
}
