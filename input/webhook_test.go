package input_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

const (
	hookUser     = "hook"
	hookPassword = "hunter2"
)

const simpleWebhook = `
pipedrive_webhook:
  address: %ADDRESS
  credentials: [ { username: hook, password: hunter2 } ]
`

// newDoor is a pipeline with a pipedrive_webhook; it returns the URL of the door. The simulator sends to it.
func newDoor(t *testing.T, sim *simulator.Simulator, yaml string, refuse func(service.MessageBatch) error, folder ...string) (*pipeline, string) {
	t.Helper()
	address := freeAddress(t)
	p := newPipeline(t, sim, strings.ReplaceAll(yaml, "%ADDRESS", address), refuse, folder...)
	return p, "http://" + address
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// opened waits until the door at the URL serves.
func opened(t *testing.T, url string) {
	t.Helper()
	waitFor(t, func() bool {
		res, err := http.Get(url + "/healthz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// post sends one body with the right credentials; 0 is no answer.
func post(t *testing.T, url string, body []byte) int {
	t.Helper()
	return postWithin(t.Context(), t, url, body)
}

func postWithin(ctx context.Context, t *testing.T, url string, body []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(hookUser, hookPassword)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// event is the n-th change of a deal.
func event(deal, n int) []byte {
	return fmt.Appendf(nil, `{"data":{"id":%d,"title":"%d","update_time":"2026-11-20T09:15:00Z"},"previous":{"title":"x"},"meta":{"action":"change","entity":"deal","entity_id":"%d","company_id":"12345","id":"event-%d-%d","correlation_id":"c","is_bulk_edit":false,"timestamp":"2026-11-20T09:15:00.426Z","type":"general","user_id":"11","version":"2.0","webhook_id":"1900001","webhook_owner_id":"11","change_source":"app","permitted_user_ids":["11"],"attempt":1,"host":"acme.pipedrive.com"}}`,
		deal, n, deal, deal, n)
}

// What Pipedrive sends comes byte for byte, with what it says about itself as metadata and nothing else of the
// request; with a journal and without.
func TestWebhooksComeAsPipedriveSentThemWithTheirMetadata(t *testing.T) {
	for name, journal := range map[string]string{"answered after delivery": "", "journalled": "  journal: { path: %FOLDER/webhooks.db }\n"} {
		t.Run(name, func(t *testing.T) {
			sim := simulator.RunT(t, simulator.Options{Deals: 10})
			yaml := simpleWebhook + "  instance_id: \"20931\"\n" + strings.ReplaceAll(journal, "%FOLDER", t.TempDir())
			p, url := newDoor(t, sim, yaml, nil)
			p.start()
			opened(t, url)
			id := sim.Subscribe(simulator.Webhook{URL: url + "/events/pipedrive/MjA5MzE=", Username: hookUser, Password: hookPassword})
			sim.Update("deals", "7", simulator.Fields{"title": "Changed"})
			all := p.await(1)
			require.NoError(t, sim.Drain(t.Context()))
			p.stop()

			require.Len(t, all, 1)
			meta := all[0].meta
			delivery := sim.Deliveries()[0]
			assert.Equal(t, simulator.Delivered, delivery.Outcome)
			assert.Len(t, delivery.Tries, 1)
			assert.Equal(t, "Changed", gjson.Get(all[0].body, "data.title").String())
			received, err := time.Parse(time.RFC3339, meta["pipedrive_received_at"])
			require.NoError(t, err)
			assert.WithinDuration(t, time.Now(), received, time.Minute)
			assert.Equal(t, gjson.Get(all[0].body, "data.update_time").String(), meta["pipedrive_time"])
			assert.Equal(t, gjson.Get(all[0].body, "meta.correlation_id").String(), meta["pipedrive_correlation_id"])
			delete(meta, "pipedrive_received_at")
			delete(meta, "pipedrive_time")
			delete(meta, "pipedrive_correlation_id")
			assert.Equal(t, map[string]string{
				"pipedrive_via":           "webhook",
				"pipedrive_schema":        "webhook_v2",
				"pipedrive_object":        "deal",
				"pipedrive_id":            "7",
				"pipedrive_action":        "updated",
				"pipedrive_company_id":    "10400001",
				"pipedrive_host":          "acme-sandbox.pipedrive.com",
				"pipedrive_instance_id":   "20931",
				"pipedrive_event_id":      delivery.EventID,
				"pipedrive_webhook_id":    fmt.Sprint(id),
				"pipedrive_attempt":       "1",
				"pipedrive_user_id":       gjson.Get(all[0].body, "meta.user_id").String(),
				"pipedrive_change_source": gjson.Get(all[0].body, "meta.change_source").String(),
				"pipedrive_bulk":          "false",
			}, meta)
			assert.NotContains(t, p.log.String(), hookPassword)
			assert.NotContains(t, p.log.String(), "aG9vazpodW50ZXIy", "the Authorization header")
		})
	}
}

// assertDeal13AloneIsRefused posts one event of each deal. The output is busy with the first, as first says, until held is
// closed, and meanwhile the others come.
func assertDeal13AloneIsRefused(t *testing.T, url string, requests int, first <-chan struct{}, held chan<- struct{}) {
	t.Helper()
	statuses := make([]int, requests)
	var people sync.WaitGroup
	people.Go(func() { statuses[0] = post(t, url+"/events/pipedrive", event(0, 0)) })
	<-first
	var sent sync.WaitGroup
	sent.Add(requests - 1)
	for i := 1; i < requests; i++ {
		once := sync.OnceFunc(sent.Done)
		traced := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { once() }})
		people.Go(func() { statuses[i] = postWithin(traced, t, url+"/events/pipedrive", event(i, 0)) })
	}
	sent.Wait() // only then they come together
	close(held)
	people.Wait()
	for i, status := range statuses {
		want := http.StatusOK
		if i == 13 {
			want = http.StatusServiceUnavailable
		}
		assert.Equal(t, want, status, "deal %d", i)
	}
}

// Requests that wait at one moment are one batch, without a timer; one bad message does not fail the others.
func TestOneBadMessageDoesNotFailTheOthersOfItsBatch(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	const requests = 40
	first, held := make(chan struct{}), make(chan struct{})
	var batches atomic.Int64
	p, url := newDoor(t, sim, simpleWebhook, func(b service.MessageBatch) error {
		if batches.Add(1) == 1 {
			close(first)
			<-held
		}
		var refused *service.BatchError
		for i, m := range b {
			if id, _ := m.MetaGet("pipedrive_id"); id == "13" {
				refused = service.NewBatchError(b, errors.New("one is bad")).Failed(i, errors.New("db password=hunter3 rejected"))
			}
		}
		if refused != nil {
			return refused
		}
		return nil
	})
	p.start()
	opened(t, url)
	assertDeal13AloneIsRefused(t, url, requests, first, held)
	p.stop()
	assert.Less(t, batches.Load(), int64(requests), "some came together")
	assert.Contains(t, p.log.String(), "No journal is set")
}

// An outage of the output costs no event while the journal has room, and is seen by nobody outside. Afterwards each
// record's changes leave in the order in which they were accepted.
func TestWithAJournalAnOutageOfTheOutputCostsNothing(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	var down atomic.Bool
	down.Store(true)
	refused := make(chan struct{}, 1000)
	p, url := newDoor(t, sim, simpleWebhook+"  journal: { path: "+t.TempDir()+"/webhooks.db }\n", func(service.MessageBatch) error {
		if down.Load() {
			refused <- struct{}{}
			return errors.New("down")
		}
		return nil
	})
	p.start()
	opened(t, url)
	const deals, each = 10, 20
	var people sync.WaitGroup
	for deal := range deals {
		people.Go(func() {
			for n := range each {
				assert.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(deal, n)))
			}
		})
	}
	people.Wait()
	<-refused
	assert.Empty(t, p.got)
	down.Store(false)
	all := p.await(deals * each)
	p.stop()
	next := map[string]int{}
	for _, g := range all {
		assert.Equal(t, fmt.Sprint(next[g.meta["pipedrive_id"]]), gjson.Get(g.body, "data.title").String(), "deal %s", g.meta["pipedrive_id"])
		next[g.meta["pipedrive_id"]]++
	}
	assert.Len(t, all, deals*each, "and nothing twice")
}

// Without a journal a refused webhook is answered 503, and Pipedrive's own retry brings it.
func TestWithoutAJournalPipedrivesRetryBringsWhatWasRefused(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 10})
	var refusals atomic.Int64
	p, url := newDoor(t, sim, simpleWebhook, func(service.MessageBatch) error {
		if refusals.Add(1) <= 2 {
			return errors.New("db password=hunter3 rejected")
		}
		return nil
	})
	p.start()
	opened(t, url)
	sim.Subscribe(simulator.Webhook{URL: url + "/events/pipedrive", Username: hookUser, Password: hookPassword})
	sim.Update("deals", "7", simulator.Fields{"title": "Changed"})
	for try := 1; try <= 2; try++ {
		waitFor(t, func() bool { return len(sim.Deliveries()[0].Tries) == try })
		sim.Advance(30 * time.Second)
	}
	all := p.await(1)
	require.NoError(t, sim.Drain(t.Context()))
	p.stop()
	require.Len(t, all, 1)
	assert.Equal(t, "3", all[0].meta["pipedrive_attempt"])
	var statuses []int
	for _, try := range sim.Deliveries()[0].Tries {
		statuses = append(statuses, try.Status)
	}
	assert.Equal(t, []int{503, 503, 200}, statuses)
}

// What was accepted before a stop is delivered after the start; what is pending is recognised when it comes again.
func TestARestartGoesOnWithTheJournal(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	yaml := simpleWebhook + "  journal: { path: " + t.TempDir() + "/webhooks.db }\n"
	first, url := newDoor(t, sim, yaml, func(service.MessageBatch) error { return errors.New("down") })
	first.start()
	opened(t, url)
	for deal := range 5 {
		require.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(deal, 0)))
	}
	_ = first.stream.StopWithin(time.Second)
	<-first.ended

	held := make(chan struct{})
	second, url := newDoor(t, sim, yaml, func(service.MessageBatch) error { <-held; return nil })
	second.start()
	opened(t, url)
	assert.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(0, 0)), "it is pending already")
	require.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(5, 0)))
	close(held)
	require.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(0, 1)), "it would leave behind the repetition")
	all := second.await(7)
	second.stop()
	ids := map[string]int{}
	for _, g := range all {
		ids[g.meta["pipedrive_id"]]++
	}
	assert.Equal(t, map[string]int{"0": 2, "1": 1, "2": 1, "3": 1, "4": 1, "5": 1}, ids)
	assert.Equal(t, "1", gjson.Get(all[6].body, "data.title").String(), "the repetition is not delivered")
	assert.Contains(t, second.log.String(), "holds 5 webhooks")
}

// A webhook that the output refuses goes on flagged as failed after max_attempts, and holds back only its own record
// meanwhile.
func TestWhatIsRefusedTooOftenGoesOnAsFailed(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	var tries atomic.Int64
	p, url := newDoor(t, sim, simpleWebhook+"  journal: { path: "+t.TempDir()+"/webhooks.db, max_attempts: 2 }\n", func(b service.MessageBatch) error {
		for _, m := range b {
			if id, _ := m.MetaGet("pipedrive_id"); id != "13" || m.GetError() != nil {
				continue
			}
			if body, _ := m.AsBytes(); gjson.GetBytes(body, "data.title").String() == "0" {
				tries.Add(1)
			}
			return errors.New("no deals with 13")
		}
		return nil
	})
	p.start()
	opened(t, url)
	require.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(13, 0)))
	waitFor(t, func() bool { return tries.Load() == 1 })
	require.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(13, 1)))
	require.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(14, 0)))
	assert.Equal(t, "14", p.await(1)[0].meta["pipedrive_id"], "another record does not wait")
	all := p.await(2)
	assert.Equal(t, "0", gjson.Get(all[1].body, "data.title").String())
	assert.Equal(t, int64(2), tries.Load())
	_ = p.stream.StopWithin(time.Second) // its second change may be on its own two attempts
	<-p.ended
}

// At shutdown every request that is under way has its answer, also while the output is stuck.
func TestShutdownAnswersEveryRequest(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	stuck, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p, url := newDoor(t, sim, simpleWebhook, func(service.MessageBatch) error {
		once.Do(func() { close(stuck) })
		<-free
		return nil
	})
	p.start()
	opened(t, url)
	const requests = 30
	statuses := make(chan int, requests)
	for i := range requests {
		go func() { statuses <- post(t, url+"/events/pipedrive", event(i, 0)) }()
	}
	<-stuck
	began := time.Now()
	go func() { _ = p.stream.StopWithin(time.Second) }()
	for range requests {
		assert.Equal(t, http.StatusServiceUnavailable, <-statuses)
	}
	assert.Less(t, time.Since(began), 10*time.Second)
	close(free)
	<-p.ended
}

// Two inputs share an address, each with its own path and credentials.
func TestTwoInputsShareAnAddress(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	p, url := newDoor(t, sim, `
broker:
  inputs:
    - pipedrive_webhook: { address: %ADDRESS, path: /a, credentials: [ { username: hook, password: hunter2 } ] }
    - pipedrive_webhook: { address: %ADDRESS, path: /b, credentials: [ { username: hook, password: other } ] }
`, nil)
	p.start()
	opened(t, url)
	waitFor(t, func() bool { return post(t, url+"/b", event(1, 1)) == http.StatusUnauthorized })
	waitFor(t, func() bool { return post(t, url+"/a", event(1, 1)) == http.StatusOK })
	p.await(1)
	p.stop()
}

// The door keeps its own subscription: Pipedrive sends as soon as it serves, and after a ban.
func TestTheDoorRegistersItself(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 10})
	p, url := newDoor(t, sim, simpleWebhook+`
  registration:
    enabled: true
    public_url: http://%ADDRESS
    events: [ "*.deal" ]
    api_token: %TOKEN
    base_url: %URL
    check_interval: 50ms
    daily_token_share: 1
    remove_on_shutdown: true
`, nil)
	p.start()
	active := func() (all []simulator.Webhook) {
		for _, w := range sim.Webhooks() {
			if w.Removed.IsZero() && w.Active {
				all = append(all, w)
			}
		}
		return all
	}
	waitFor(t, func() bool { return len(active()) == 1 })
	assert.Equal(t, url+"/events/pipedrive", active()[0].URL)
	sim.Update("deals", "1", simulator.Fields{"title": "Changed"})
	p.await(1)
	banned := active()[0].ID
	sim.Ban(banned)
	waitFor(t, func() bool { now := active(); return len(now) == 1 && now[0].ID != banned })
	sim.Update("deals", "2", simulator.Fields{"title": "Changed"})
	assert.Equal(t, "2", p.await(2)[1].meta["pipedrive_id"])
	p.stop()
	assert.Empty(t, active(), "remove_on_shutdown")
	assert.NotContains(t, p.log.String(), hookPassword)
	assert.NotContains(t, p.log.String(), sim.Token())
}

// A password is rotated without a gap: with the new one in front the webhook is made anew to carry it, and then the old
// one can be taken away.
func TestAPasswordIsRotatedWithoutAGap(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{Deals: 10})
	address := freeAddress(t)
	door := func(passwords ...string) *pipeline {
		credentials := "credentials: ["
		for _, password := range passwords {
			credentials += "{ username: hook, password: " + password + " },"
		}
		p := newPipeline(t, sim, `
pipedrive_webhook:
  address: `+address+`
  `+credentials+`]
  registration:
    enabled: true
    public_url: http://`+address+`
    api_token: %TOKEN
    base_url: %URL
    check_interval: 50ms
    daily_token_share: 1
`, nil)
		p.start()
		return p
	}
	carries := func(password string) func() bool {
		return func() bool {
			var all []simulator.Webhook
			for _, w := range sim.Webhooks() {
				if w.Removed.IsZero() {
					all = append(all, w)
				}
			}
			return len(all) == 1 && all[0].Password == password
		}
	}
	p := door("old")
	waitFor(t, carries("old"))
	p.stop()

	p = door("new", "old")
	opened(t, "http://"+address)
	sim.Update("deals", "1", simulator.Fields{"title": "Changed"})
	assert.Equal(t, "1", p.await(1)[0].meta["pipedrive_attempt"], "the old one is still good")
	waitFor(t, carries("new"))
	p.stop()

	p = door("new")
	opened(t, "http://"+address)
	sim.Update("deals", "2", simulator.Fields{"title": "Changed"})
	assert.Equal(t, "1", p.await(1)[0].meta["pipedrive_attempt"])
	p.stop()
}

// While the API is down the door serves all the same.
func TestTheDoorServesWhileTheAPIIsDown(t *testing.T) {
	sim := simulator.RunT(t, simulator.Options{})
	sim.FailAlways(simulator.Status(500))
	p, url := newDoor(t, sim, simpleWebhook+`
  registration: { enabled: true, public_url: "http://%ADDRESS", api_token: %TOKEN, base_url: %URL }
`, nil)
	p.start()
	opened(t, url)
	assert.Equal(t, http.StatusOK, post(t, url+"/events/pipedrive", event(1, 1)))
	p.await(1)
	p.stop()
}
