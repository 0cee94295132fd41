package unrest

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// Events are what was read from a queue so far, folded into the state that they tell: of each record what has the
// greatest order, as the recipes advise their readers.
type Events struct {
	// DropsEquals says that the queue drops what is equal to another event.
	DropsEquals bool

	state   State
	order   map[string]string    // of each record the greatest
	id      map[string]string    // and the event that had it
	seen    map[string]bool      // Pipedrive's ids of the events that came by webhook, and their records with the millisecond
	last    map[[2]string]string // of each record and door the order of the last event
	strayed map[string]int       // by door: how many were older than the one before them
	count   int
}

// NewEvents are none yet.
func NewEvents() *Events {
	return &Events{
		state: State{}, order: map[string]string{}, id: map[string]string{}, seen: map[string]bool{},
		last: map[[2]string]string{}, strayed: map[string]int{},
	}
}

// Take folds in one event; the order is its pipedrive_order.
func (all *Events) Take(body []byte, order string) {
	e := Decode(body)
	all.count++
	text := func(of map[string]any, key string) string { s, _ := of[key].(string); return s }
	source, _ := e["source"].(map[string]any)
	name, id, via := text(e, "object")+"/"+text(e, "object_id"), text(e, "id"), text(source, "via")
	if hook := text(source, "event_id"); hook != "" {
		all.seen[hook] = true
		all.seen[name+order[strings.LastIndex(order, "/"):]] = true
	}
	lane := [2]string{name, via}
	if order < all.last[lane] {
		all.strayed[via]++
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
	merged := map[string]any{}
	maps.Copy(merged, under)
	maps.Copy(merged, over)
	all.state[name] = Kept{Deleted: e["action"] == "deleted", Data: merged}
	all.order[name], all.id[name] = max(order, all.order[name]), id
}

// RequireEvents waits until the events that read takes in, folded, are the account, and each webhook is among them.
func RequireEvents(t *testing.T, sim *simulator.Simulator, all *Events, read func()) {
	t.Helper()
	RequireState(t, sim, func() State { read(); return all.state })
	RequireNone(t, "each webhook is there at least once", func() (missing []string) {
		read()
		for _, d := range sim.Deliveries() {
			written := d.Entity + "/" + d.EntityID + "/" + d.Time.UTC().Format("2006-01-02T15:04:05.000Z")
			if !all.seen[d.EventID] && !(all.DropsEquals && all.seen[written]) {
				missing = append(missing, strings.Join([]string{d.Action, d.Entity, d.EntityID}, " "))
			}
		}
		return missing
	})
	t.Logf("%d events of %d records; older than the one before of their record and door: %v", all.count, len(all.state), all.strayed)
	require.Zero(t, all.strayed["poll"], "what polling finds of a record leaves in its order")
}
