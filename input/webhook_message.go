package input

import (
	"errors"
	"strconv"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// webhookMessages makes messages, for one goroutine. Most of what a webhook says about itself others have said before
// it. So a message begins as a copy of one that says what a former did, and only what differs is set: setting it all, name
// by name, takes three times as long and twice the memory, which is more than all else that is done for a webhook.
type webhookMessages struct {
	instanceID string

	said              webhookMetadata
	like              *service.Message // says it, and is handed to nobody
	changed, received timeText
}

// message makes one of a body and what its frame says; nothing of the request that brought it is in there.
func (w *webhookMessages) message(f *webhook.Frame, body []byte, received time.Time) *service.Message {
	says := w.metadata(f, received)
	if w.like == nil || says.differ(&w.said) > len(says)/2 {
		w.said, w.like = says, service.NewMessage(nil)
		says.set(w.like, &webhookMetadata{})
	}
	m := w.like.Copy()
	m.SetBytes(body)
	says.set(m, &w.said)
	return m
}

func (w *webhookMessages) metadata(f *webhook.Frame, received time.Time) webhookMetadata {
	var attempt, bulk string
	if f.Schema != "" { // else it could not be read
		attempt, bulk = strconv.Itoa(f.Attempt), strconv.FormatBool(f.Bulk)
	}
	return webhookMetadata{
		{spec.MetaVia, "webhook"},
		{spec.MetaSchema, f.Schema},
		{spec.MetaObject, f.Object},
		{spec.MetaID, f.ID},
		{spec.MetaAction, f.Action},
		{spec.MetaTime, w.changed.of(f.Time)},
		{spec.MetaCompanyID, f.Company},
		{spec.MetaHost, f.Host},
		{spec.MetaInstanceID, w.instanceID},
		{spec.MetaEventID, f.EventID},
		{spec.MetaCorrelationID, f.CorrelationID},
		{spec.MetaWebhookID, f.WebhookID},
		{spec.MetaAttempt, attempt},
		{spec.MetaUserID, f.UserID},
		{spec.MetaChangeSource, f.ChangeSource},
		{spec.MetaBulk, bulk},
		{spec.MetaReceivedAt, w.received.of(received.UTC())},
	}
}

// webhookMetadata is what a webhook says about itself; an empty value: it does not say it.
type webhookMetadata [17]struct{ name, value string }

func (m *webhookMetadata) differ(from *webhookMetadata) (times int) {
	for i := range m {
		if m[i].value != from[i].value {
			times++
		}
	}
	return times
}

// set makes a message say what is in here instead of what it said.
func (m *webhookMetadata) set(on *service.Message, said *webhookMetadata) {
	for i := range m {
		switch {
		case m[i].value == said[i].value:
		case m[i].value == "":
			on.MetaDelete(m[i].name)
		default:
			on.MetaSetMut(m[i].name, m[i].value)
		}
	}
}

// timeText writes times as metadata has them, and remembers the last: webhooks come in bursts.
type timeText struct {
	time time.Time
	text string
}

// of returns an empty text for the zero time.
func (t *timeText) of(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	if at = at.Truncate(time.Millisecond); !at.Equal(t.time) {
		t.time, t.text = at, at.Format(spec.TimeLayout)
	}
	return t.text
}

// verdicts are what the host said of the messages of a batch: one bad message does not fail the others.
type verdicts struct {
	all error         // nil: of those that have none of their own
	own map[int]error // of single messages
}

func (v verdicts) on(i int) error {
	if err, has := v.own[i]; has {
		return err
	}
	return v.all
}

// verdictsOf tells messages apart by the index, which is nil for a batch of one.
func verdictsOf(index *service.Indexer, err error) verdicts {
	partly := asPartly(err)
	if partly == nil || index == nil {
		return verdicts{all: err}
	}
	own := map[int]error{}
	partly.WalkMessagesIndexedBy(index, func(i int, _ *service.Message, err error) bool {
		if err != nil {
			own[i] = err
		}
		return true
	})
	if len(own) == 0 { // it is about none of ours
		return verdicts{all: err}
	}
	return verdicts{own: own}
}

// asPartly returns an error that tells messages apart, or nil.
func asPartly(err error) *service.BatchError {
	var partly *service.BatchError
	if errors.As(err, &partly) && partly.IndexedErrors() > 0 {
		return partly
	}
	return nil
}
