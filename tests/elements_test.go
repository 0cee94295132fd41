package tests

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/instance"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// importedPipeline is what import-instance makes of an instance, with retries that a test can wait for.
func importedPipeline(t *testing.T, kind, callback string) string {
	t.Helper()
	i, _, err := instance.Read(fmt.Appendf(nil, `{
		"id": 20931, "element": { "key": "pipedrive" },
		"configuration": {
			"event.notification.enabled": "true", "event.vendor.type": %q,
			"event.notification.callback.url": %q, "event.notification.signature.key": "s3cr3t",
			"event.poller.refresh_interval": "0.02",
			"event.poller.configuration": { "accounts": {}, "contacts": {}, "opportunities": {} }
		}
	}`, kind, callback))
	require.NoError(t, err)
	pipeline, _ := i.Pipeline()
	const signature = "                signature:\n"
	require.Contains(t, string(pipeline), signature)
	return strings.Replace(string(pipeline), signature,
		"                retry: { max_attempts: 1000, initial_interval: 20ms, max_interval: 100ms }\n"+signature, 1)
}

// Polled, in the form of Cloud Elements: up to ten events of one object in a notification, signed, each record's states
// in their order, and nothing is lost or repeated though the app refuses everything for a while, again and again.
func TestPolledElementsReachAnAppThatRefusesForAWhile(t *testing.T) {
	const deals, persons, organizations, rounds = 25, 12, 3, 3
	sim := simulator.RunT(t, simulator.Options{Deals: deals, Persons: persons, Organizations: organizations, DailyBudget: plenty, Burst: plenty})
	app := newElementsApp(t).inbox("/events", "s3cr3t")
	app.goDown()
	p := run(t, t.TempDir(), importedPipeline(t, "polling", app.url),
		"PIPEDRIVE_BASE_URL="+sim.URL(), "PIPEDRIVE_API_TOKEN="+sim.Token(), "SIGNING_KEY=s3cr3t", "START_FROM=beginning", "HTTP_ADDRESS=127.0.0.1:0")
	eventually(t, "the app is asked and asked", func() bool { return app.refusals() > 20 })
	app.comeBack()
	eventually(t, "all records come", func() bool { return len(app.events()) == deals+persons+organizations })

	sizes := map[string][]int{}
	for _, m := range app.messages() {
		kind := m.Get("message.raw.objectType").Str
		sizes[kind] = append(sizes[kind], int(m.Get("message.events.#").Int()))
	}
	assert.Equal(t, map[string][]int{"opportunities": {10, 10, 5}, "contacts": {10, 2}, "accounts": {3}}, sizes)

	changed := sim.IDs("deals")[:5]
	for round := range rounds {
		app.goDown()
		for _, id := range changed {
			sim.Update("deals", id, simulator.Fields{"value": round})
		}
		eventually(t, "the app is asked and asked", func() bool { return app.refusals() > 10 })
		app.comeBack()
		eventually(t, "the changes come", func() bool { return len(app.events()) == deals+persons+organizations+len(changed)*(round+1) })
	}
	states := map[string][]int64{}
	for _, e := range app.events()[deals+persons+organizations:] {
		assert.Equal(t, "opportunities", e.object)
		assert.Equal(t, "UPDATED", e.kind)
		states[e.id] = append(states[e.id], e.body.Get("value").Int())
	}
	for _, id := range changed {
		assert.Equal(t, []int64{0, 1, 2}, states[id], "deal %s", id)
	}

	id := sim.Add("deals", simulator.Fields{"title": "A < B & C", "value": json.RawMessage("9007199254740993.10")})
	eventually(t, "a new deal comes", func() bool { return len(app.events()) == deals+persons+organizations+len(changed)*rounds+1 })
	record, _ := sim.Get("deals", id)
	messages := app.messages()
	requireElementsMessage(t, messages[len(messages)-1], "CREATED", id, string(record))
	assert.NotContains(t, p.stop(), "s3cr3t")
}

// Pushed, in either version of webhooks: every webhook has its 200 at once though the app is down, and once that is back
// every event reaches it, those of each record in their order, deletions included.
func TestPushedElementsReachAnAppThatRefusesForAWhile(t *testing.T) {
	for version, record := range map[string]string{"1.0": "current", "2.0": "data"} {
		t.Run(version, func(t *testing.T) {
			const changes = 5
			sim := simulator.RunT(t, simulator.Options{Deals: 8})
			app := newElementsApp(t).inbox("/events", "s3cr3t")
			app.goDown()
			door := unrest.FreeAddress(t)
			p := run(t, t.TempDir(), importedPipeline(t, "webhook", app.url),
				"HOOK_ADDRESS="+door, "HOOK_USERNAME=hook", "HOOK_PASSWORD=hunter2", "SIGNING_KEY=s3cr3t", "HTTP_ADDRESS=127.0.0.1:0")
			eventually(t, "the door is open", func() bool { status, _ := get("http://" + door + "/healthz"); return status == http.StatusOK })
			way := newRecordingProxy(t, "http://"+door)
			sim.Subscribe(simulator.Webhook{URL: way.URL + "/events/pipedrive/MjA5MzE=", Version: version, Username: "hook", Password: "hunter2"})

			ids := sim.IDs("deals")
			for n := range changes {
				for _, id := range ids {
					sim.Update("deals", id, simulator.Fields{"title": fmt.Sprintf("Change %d", n)})
				}
			}
			for _, id := range ids {
				sim.Delete("deals", id)
			}
			assertAcceptedAtOnce(t, sim)
			eventually(t, "the app is asked and asked", func() bool { return app.refusals() > 20 })
			assert.Empty(t, app.messages())
			app.comeBack()
			eventually(t, "all events come", func() bool { return len(app.events()) == len(ids)*(changes+1) })

			told := map[string][]string{}
			var bodies []string
			for _, e := range app.events() {
				assert.Equal(t, "opportunities", e.object)
				told[e.id] = append(told[e.id], e.kind+" "+e.body.Get(record+".title").Str)
				bodies = append(bodies, canonical(t, e.body.Raw))
			}
			for _, id := range ids {
				assert.Equal(t, []string{
					"UPDATED Change 0", "UPDATED Change 1", "UPDATED Change 2", "UPDATED Change 3", "UPDATED Change 4", "DELETED ",
				}, told[id], "deal %s", id)
			}
			assert.ElementsMatch(t, way.bodies(t), bodies, "message.raw.object is the webhook as it came")
			first := app.messages()[0]
			requireElementsMessage(t, first, "UPDATED", first.Get("message.raw.objectId").Str, first.Get("message.raw.object").Raw)
			assert.NotContains(t, p.stop(), "s3cr3t")
		})
	}
}

// requireElementsMessage holds a message about one deal to the form that apps know, key by key.
func requireElementsMessage(t *testing.T, m gjson.Result, kind, id, object string) {
	t.Helper()
	number, date := m.Get("message.eventId").Raw, m.Get("message.events.0.date").Str
	_, err := time.Parse("2006-01-02T15:04:05Z", date)
	require.NoError(t, err)
	created := m.Get("createdDate").Int()
	assert.InDelta(t, time.Now().UnixMilli(), created, float64(time.Minute.Milliseconds()), "milliseconds")
	want := fmt.Sprintf(`{
		"id": %[1]s, "severity": "low", "topic": "pipedrive", "createdDate": %[2]d,
		"message": {
			"eventId": %[1]s, "instanceId": 20931, "instance_id": 20931,
			"events": [ { "date": %[3]q, "elementKey": "pipedrive", "hubKey": "crm", "eventType": %[4]q, "objectType": "opportunities", "objectId": %[5]q } ],
			"raw": { "date": %[3]q, "eventType": %[4]q, "objectType": "opportunities", "objectId": %[5]q, "object": %[6]s }
		}
	}`, number, created, date, kind, id, object)
	require.Equal(t, canonical(t, want), canonical(t, m.Raw))
}

// canonical is JSON in one form, its numbers digit by digit.
func canonical(t *testing.T, text string) string {
	t.Helper()
	var value any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&value), "%s", text)
	b, err := json.Marshal(value)
	require.NoError(t, err)
	return string(b)
}

// recordingProxy keeps the bodies of what goes through it.
type recordingProxy struct {
	*httptest.Server
	mu   sync.Mutex
	went []string
}

func newRecordingProxy(t *testing.T, to string) *recordingProxy {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	r := &recordingProxy{}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.went = append(r.went, string(body))
		r.mu.Unlock()
		req.Body = io.NopCloser(strings.NewReader(string(body)))
		proxy.ServeHTTP(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

// bodies are those that went through, in canonical form.
func (r *recordingProxy) bodies(t *testing.T) (all []string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.went {
		all = append(all, canonical(t, body))
	}
	return all
}
