package tests

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// Every record comes as an event, then every change of one, and a restart repeats nothing.
func TestQuickstartBringsEventsByPolling(t *testing.T) {
	k := newKitchen(t, 1)
	out := filepath.Join(k.folder, "events.jsonl")
	lists := []string{"deals", "persons", "organizations"}
	settles := func() {
		k.settles("the state is Pipedrive's", func() []string { return k.differences(newest(t, eventLines(t, out)), lists, true) })
	}
	quick := []string{"output=" + toFile, "input.pipedrive_poll.interval=100ms"}
	p := k.start("quickstart.yaml", quick)
	settles()
	k.sim.Update("deals", "1", simulator.Fields{"title": "Changed"})
	settles()
	p.stop()
	before := lines(t, out)
	k.start("quickstart.yaml", quick)
	k.sim.Update("deals", "2", simulator.Fields{"title": "Changed"})
	settles()
	assert.Equal(t, before+1, lines(t, out))
}

// Every change comes as an event by webhook, deletions included, each once.
func TestWebhookRecipeBringsEventsByWebhook(t *testing.T) {
	k := newKitchen(t, 2)
	k.cook("webhook.yaml", "output="+toFile)
	k.live(40)
	out, told := filepath.Join(k.folder, "events.jsonl"), k.mail.told(t)
	k.settles("every event comes", func() []string { return without(told, idsOf(eventLines(t, out))) })
	deleted := 0
	for _, l := range eventLines(t, out) {
		if l.Action == "deleted" {
			deleted++
			assert.Nil(t, l.Data)
		}
	}
	assert.Positive(t, deleted)
	k.assertOnce(eventLines(t, out), told)
}
