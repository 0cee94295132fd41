package input

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// A message says what its own webhook says: nothing of one before it, nor of what became of that.
func TestAMessageSaysNothingOfAnother(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 15, 0, 426_000_000, time.UTC)
	full := webhook.Frame{
		Schema: webhook.SchemaV2, Object: "deal", ID: "7", Action: "updated", Time: at, Company: "12345", Host: "acme.pipedrive.com",
		EventID: "e1", CorrelationID: "c1", WebhookID: "1900001", UserID: "11", ChangeSource: "app", Attempt: 2, Bulk: true,
	}
	other := full
	other.ID, other.EventID, other.Time, other.Bulk = "8", "e2", at.Add(time.Hour), false
	bare := webhook.Frame{Schema: webhook.SchemaV1, Object: "note", ID: "9", Action: "deleted", Attempt: 1}
	messages := webhookMessages{instanceID: "20931"}
	for i, f := range []webhook.Frame{full, other, full, bare, {}, bare, full, other} {
		body := []byte(f.ID)
		m := messages.message(&f, body, at.Add(time.Duration(i)*time.Second))
		want := map[string]string{"pipedrive_via": "webhook", "pipedrive_instance_id": "20931", "pipedrive_received_at": fmt.Sprintf("2026-11-20T09:15:0%d.426Z", i)}
		for name, value := range map[string]string{
			"schema": f.Schema, "object": f.Object, "id": f.ID, "action": f.Action, "company_id": f.Company, "host": f.Host,
			"event_id": f.EventID, "correlation_id": f.CorrelationID, "webhook_id": f.WebhookID, "user_id": f.UserID, "change_source": f.ChangeSource,
		} {
			if value != "" {
				want["pipedrive_"+name] = value
			}
		}
		if !f.Time.IsZero() {
			want["pipedrive_time"] = f.Time.Format("2006-01-02T15:04:05.000Z")
		}
		if f.Schema != "" {
			want["pipedrive_attempt"], want["pipedrive_bulk"] = fmt.Sprint(f.Attempt), fmt.Sprint(f.Bulk)
		}
		got := map[string]string{}
		require.NoError(t, m.MetaWalk(func(name, value string) error { got[name] = value; return nil }))
		assert.Equal(t, want, got, "message %d", i)
		said, err := m.AsBytes()
		require.NoError(t, err)
		assert.Equal(t, body, said)

		m.MetaSetMut("pipedrive_host", "elsewhere") // as a pipeline may
		m.MetaDelete("pipedrive_schema")
		m.SetError(errors.New("refused"))
	}
}

func BenchmarkWebhookMessage(b *testing.B) {
	f := webhook.Frame{
		Schema: webhook.SchemaV2, Object: "deal", ID: "10000000001", Action: "updated", Time: time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC),
		Company: "12345", Host: "acme-sandbox.pipedrive.com", EventID: "5f0e6a10-0000-4000-8000-000000000001", CorrelationID: "7b21c3d4-0000-4000-8000-000000000002",
		WebhookID: "1900001", UserID: "11", ChangeSource: "app", Attempt: 1,
	}
	received := time.Now()
	var messages webhookMessages
	ids, events, n := []string{"1", "2"}, []string{"5f0e6a10-0000-4000-8000-000000000001", "5f0e6a10-0000-4000-8000-000000000002"}, 0
	b.ReportAllocs()
	for b.Loop() {
		f.ID, f.EventID = ids[n%2], events[n%2]
		n++
		messages.message(&f, nil, received)
	}
}
