package input_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
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

// open waits until the door at the URL serves.
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
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
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
	statuses := make([]int, requests)
	var people sync.WaitGroup
	people.Go(func() { statuses[0] = post(t, url+"/events/pipedrive", event(0, 0)) })
	<-first // the output is busy with the first
	for i := 1; i < requests; i++ {
		people.Go(func() { statuses[i] = post(t, url+"/events/pipedrive", event(i, 0)) })
	}
	close(held)
	people.Wait()
	for i, status := range statuses {
		want := http.StatusOK
		if i == 13 {
			want = http.StatusServiceUnavailable
		}
		assert.Equal(t, want, status, "deal %d", i)
	}
	p.stop()
	assert.Less(t, batches.Load(), int64(requests), "some came together")
	assert.Contains(t, p.log.String(), "No journal is set")
}
