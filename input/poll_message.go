package input

import (
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// labels is the metadata that all messages of an input share, boxed once.
type labels struct {
	company, host any
	instance      any // nil: none is configured
}

var (
	viaPoll any = "poll"
	// actions are all there are, boxed once.
	actions = map[poll.Action]any{
		poll.Created: string(poll.Created), poll.Updated: string(poll.Updated), poll.Deleted: string(poll.Deleted), poll.Snapshot: string(poll.Snapshot),
	}
)

func newLabels(account cursor.Account, instanceID string) labels {
	l := labels{company: account.Company, host: account.Host}
	if instanceID != "" {
		l.instance = instanceID
	}
	return l
}

// messages makes a batch of a page. When it was received stays with a message that is replayed, and is later in each copy
// of a record than in the one before. A settled record, which has no other copy to be told from, goes without: with eight
// entries or less a Go map does not grow, and on a first walk that is a sixth of all the work.
func (l labels) messages(page poll.Page, received time.Time) service.MessageBatch {
	var schema, object, at any = string(page.Object.Schema), page.Object.Kind, received.UTC().Format(spec.TimeLayout)
	batch := make(service.MessageBatch, len(page.Records))
	for i, rec := range page.Records {
		m := service.NewMessage(rec.JSON)
		m.MetaSetMut(spec.MetaVia, viaPoll)
		m.MetaSetMut(spec.MetaSchema, schema)
		m.MetaSetMut(spec.MetaObject, object)
		m.MetaSetMut(spec.MetaID, rec.ID)
		m.MetaSetMut(spec.MetaAction, actions[rec.Action])
		if !rec.Time.IsZero() {
			m.MetaSetMut(spec.MetaTime, rec.Time.Format(spec.TimeLayout))
		}
		m.MetaSetMut(spec.MetaCompanyID, l.company)
		m.MetaSetMut(spec.MetaHost, l.host)
		if !rec.Settled {
			m.MetaSetMut(spec.MetaReceivedAt, at)
		}
		if l.instance != nil {
			m.MetaSetMut(spec.MetaInstanceID, l.instance)
		}
		batch[i] = m
	}
	return batch
}
