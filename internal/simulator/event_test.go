package simulator_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func TestPrivateRecordsAreToldToThoseWhoSeeThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(4), simulator.Webhook{UserID: 3})
		s.Subscribe(simulator.Webhook{UserID: 2, URL: "https://hooks.example.com/other"})
		s.Update("deals", "1", simulator.Fields{"visible_to": 1, "owner_id": 2})
		drain(t, s)
		require.Len(t, r.got, 1)
		assert.Equal(t, "/other", r.got[0].path)
		assert.Equal(t, `["1","2"]`, r.got[0].body.Get("meta.permitted_user_ids").Raw)
		s.Update("deals", "1", simulator.Fields{"visible_to": 3})
		drain(t, s)
		assert.Len(t, r.got, 3)
	})
}

func TestAnnounceTellsOfWhatHasNoList(t *testing.T) {
	t.Parallel()
	got := told(t, "2.0", func(s *simulator.Simulator) {
		s.Announce("board", "change", "7", simulator.Fields{"id": 7, "name": "B"}, simulator.Fields{"name": "A"})
		assert.Panics(t, func() { s.Announce("board", "updated", "7", nil, nil) })
	})
	require.Len(t, got, 1)
	assert.JSONEq(t, `{"id":7,"name":"B"}`, got[0].Get("data").Raw)
	assert.Equal(t, "board", got[0].Get("meta.entity").Str)
	assert.Empty(t, told(t, "1.0", func(s *simulator.Simulator) { s.Announce("board", "delete", "7", nil, nil) }))
}

func TestSamplesOfEveryListAndAction(t *testing.T) {
	t.Parallel()
	for name := range paths {
		for version, actions := range map[string][]string{"2.0": {"create", "change", "delete"}, "1.0": {"added", "updated", "deleted", "merged"}} {
			for _, action := range actions {
				body := simulator.SampleWebhook(name, action, version)
				assert.Equal(t, body, simulator.SampleWebhook(name, action, version), "always the same")
				if body != nil {
					assert.True(t, gjson.ValidBytes(body), "%s %s", name, action)
				}
			}
		}
	}
	assert.Nil(t, simulator.SampleWebhook("files", "create", "2.0"))
	assert.Nil(t, simulator.SampleWebhook("leads", "added", "1.0"))
	assert.Equal(t, "deal", gjson.GetBytes(simulator.SampleWebhook("deals_archived", "change", "2.0"), "meta.entity").Str)
	assert.Panics(t, func() { simulator.SampleWebhook("deals", "change", "1.0") })
	assert.Equal(t, []string{"title"}, keysOf(gjson.GetBytes(simulator.SampleWebhook("deals", "change", "2.0"), "previous")))
}

// What people do in the account is told by itself, and every event of a record that the lists know is told as they
// know it.
func TestPlausibleChangesAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, r := hooked(t, everything(20), simulator.Webhook{})
		rng := rand.New(rand.NewPCG(1, 2))
		var lines []string
		for range 300 {
			lines = append(lines, s.Mutate(rng))
			drain(t, s)
		}
		got := r.all()
		require.Len(t, got, 300)
		for i, line := range lines {
			words := strings.Fields(line)
			assert.Equal(t, words[0], got[i].Get("meta.entity").Str+"s")
			assert.Equal(t, words[1], got[i].Get("meta.entity_id").Str)
		}
		assert.Equal(t, map[simulator.Outcome]int{simulator.Delivered: 300}, outcomes(s))
		assert.Equal(t, http.StatusOK, s.Webhooks()[0].LastStatus)
	})
}
