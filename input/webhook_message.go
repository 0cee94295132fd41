package input

import (
	"errors"
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// The metadata that only webhooks have.
const (
	metaEventID       = "pipedrive_event_id"
	metaCorrelationID = "pipedrive_correlation_id"
	metaWebhookID     = "pipedrive_webhook_id"
	metaAttempt       = "pipedrive_attempt"
	metaUserID        = "pipedrive_user_id"
	metaChangeSource  = "pipedrive_change_source"
	metaBulk          = "pipedrive_bulk"
	metaReceivedAt    = "pipedrive_received_at"
)

var viaWebhook any = "webhook"

// webhookMessage makes a message of a body and what it says about itself. What it does not say has no metadata, and
// nothing of the request that brought it has.
func webhookMessage(f *webhook.Frame, body []byte, received time.Time, instanceID string) *service.Message {
	m := service.NewMessage(body)
	set := func(name, value string) {
		if value != "" {
			m.MetaSetMut(name, value)
		}
	}
	m.MetaSetMut(metaVia, viaWebhook)
	set(metaSchema, f.Schema)
	set(metaObject, f.Object)
	set(metaID, f.ID)
	set(metaAction, f.Action)
	if !f.Time.IsZero() {
		set(metaTime, f.Time.Format(timeLayout))
	}
	set(metaCompanyID, f.Company)
	set(metaHost, f.Host)
	set(metaInstanceID, instanceID)
	set(metaEventID, f.EventID)
	set(metaCorrelationID, f.CorrelationID)
	set(metaWebhookID, f.WebhookID)
	if f.Attempt > 0 {
		set(metaAttempt, strconv.Itoa(f.Attempt))
	}
	set(metaUserID, f.UserID)
	set(metaChangeSource, f.ChangeSource)
	if f.Schema != "" {
		set(metaBulk, strconv.FormatBool(f.Bulk))
	}
	set(metaReceivedAt, received.UTC().Format(timeLayout))
	return m
}

// verdicts returns each message's own error: one bad message does not fail the others of its batch. The index is nil for
// a batch of one.
func verdicts(batch int, index *service.Indexer, err error) []error {
	each := make([]error, batch)
	if err == nil {
		return each
	}
	failed := 0
	if partly := asPartly(err); partly != nil && index != nil {
		partly.WalkMessagesIndexedBy(index, func(i int, _ *service.Message, err error) bool {
			if err != nil {
				each[i] = err
				failed++
			}
			return true
		})
	}
	if failed == 0 {
		for i := range each {
			each[i] = err
		}
	}
	return each
}

// asPartly returns an error that tells messages apart, or nil.
func asPartly(err error) *service.BatchError {
	var partly *service.BatchError
	if errors.As(err, &partly) && partly.IndexedErrors() > 0 {
		return partly
	}
	return nil
}
