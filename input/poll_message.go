package input

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/cursor"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
)

// The metadata of both inputs.
const (
	metaVia        = "pipedrive_via"
	metaSchema     = "pipedrive_schema"
	metaObject     = "pipedrive_object"
	metaID         = "pipedrive_id"
	metaAction     = "pipedrive_action"
	metaTime       = "pipedrive_time"
	metaCompanyID  = "pipedrive_company_id"
	metaHost       = "pipedrive_host"
	metaInstanceID = "pipedrive_instance_id"
)

// timeLayout is RFC 3339 with the milliseconds that Pipedrive has for some objects.
const timeLayout = "2006-01-02T15:04:05.999Z07:00"

// labels is the metadata that all messages of an input share, boxed once.
type labels struct {
	company, host any
	instance      any // nil: none is configured
}

var viaPoll any = "poll"

func newLabels(account cursor.Account, instanceID string) labels {
	l := labels{company: account.Company, host: account.Host}
	if instanceID != "" {
		l.instance = instanceID
	}
	return l
}

// messages makes a batch of a page.
func (l labels) messages(page poll.Page) service.MessageBatch {
	var schema, object any = string(page.Object.Schema), page.Object.Kind
	batch := make(service.MessageBatch, len(page.Records))
	for i, rec := range page.Records {
		m := service.NewMessage(rec.JSON)
		m.MetaSetMut(metaVia, viaPoll)
		m.MetaSetMut(metaSchema, schema)
		m.MetaSetMut(metaObject, object)
		m.MetaSetMut(metaID, rec.ID)
		m.MetaSetMut(metaAction, string(rec.Action))
		if !rec.Time.IsZero() {
			m.MetaSetMut(metaTime, rec.Time.Format(timeLayout))
		}
		m.MetaSetMut(metaCompanyID, l.company)
		m.MetaSetMut(metaHost, l.host)
		if l.instance != nil {
			m.MetaSetMut(metaInstanceID, l.instance)
		}
		batch[i] = m
	}
	return batch
}
