package input

import (
	"errors"
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
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
	m.MetaSetMut(spec.MetaVia, viaWebhook)
	set(spec.MetaSchema, f.Schema)
	set(spec.MetaObject, f.Object)
	set(spec.MetaID, f.ID)
	set(spec.MetaAction, f.Action)
	if !f.Time.IsZero() {
		set(spec.MetaTime, f.Time.Format(spec.TimeLayout))
	}
	set(spec.MetaCompanyID, f.Company)
	set(spec.MetaHost, f.Host)
	set(spec.MetaInstanceID, instanceID)
	set(spec.MetaEventID, f.EventID)
	set(spec.MetaCorrelationID, f.CorrelationID)
	set(spec.MetaWebhookID, f.WebhookID)
	if f.Attempt > 0 {
		set(spec.MetaAttempt, strconv.Itoa(f.Attempt))
	}
	set(spec.MetaUserID, f.UserID)
	set(spec.MetaChangeSource, f.ChangeSource)
	if f.Schema != "" {
		set(spec.MetaBulk, strconv.FormatBool(f.Bulk))
	}
	set(spec.MetaReceivedAt, received.UTC().Format(spec.TimeLayout))
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
