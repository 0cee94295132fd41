package processor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/Jeffail/gabs/v2"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// read makes an event of one message of the batch, and says in the metadata of out when it has no names.
func (n *normalize) read(ctx context.Context, batch service.MessageBatch, i int, out *service.Message) (*event.Event, error) {
	raw, err := batch[i].AsBytes()
	if err != nil {
		return nil, err
	}
	body, err := decode(raw)
	if err != nil {
		return nil, err
	}
	about := aboutMetadata(batch[i])
	if about.Schema == "" {
		if about, err = n.recognise(batch, i, raw, body, about); err != nil {
			return nil, err
		}
	}
	options := event.Options{KnownOnly: n.conf.knownOnly}
	if n.resolve != nil {
		options.Resolve = true
		if options.Fields, err = n.resolve.fields(ctx, body, &about); err != nil {
			out.MetaSetMut(spec.MetaResolved, "false")
		}
	}
	return event.Read(body, about, options)
}

// decode reads numbers digit by digit. It starts from bytes, as a processor before, such as parse_json of Bloblang, may
// have left numbers of other types, which the event's id would not count.
func decode(raw []byte) (*gabs.Container, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	body, err := gabs.ParseJSONDecoder(d)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return body, nil
		}
	}
	return nil, errors.New("expected a Pipedrive record or webhook, got a message that is not JSON")
}

// aboutMetadata is what an input of ours said about the body.
func aboutMetadata(msg *service.Message) event.About {
	meta := func(name string) string {
		value, _ := msg.MetaGet(name)
		return value
	}
	return event.About{
		Via:           meta(spec.MetaVia),
		Schema:        meta(spec.MetaSchema),
		Object:        meta(spec.MetaObject),
		ObjectID:      meta(spec.MetaID),
		Action:        meta(spec.MetaAction),
		Time:          meta(spec.MetaTime),
		CompanyID:     meta(spec.MetaCompanyID),
		Host:          meta(spec.MetaHost),
		InstanceID:    meta(spec.MetaInstanceID),
		EventID:       meta(spec.MetaEventID),
		CorrelationID: meta(spec.MetaCorrelationID),
		WebhookID:     meta(spec.MetaWebhookID),
		Attempt:       meta(spec.MetaAttempt),
		UserID:        meta(spec.MetaUserID),
		ChangeSource:  meta(spec.MetaChangeSource),
		Bulk:          meta(spec.MetaBulk),
		ReceivedAt:    meta(spec.MetaReceivedAt),
	}
}

// recognise finds out about a body that says nothing in its metadata: a webhook tells all of itself, a record not even
// which object it is.
func (n *normalize) recognise(batch service.MessageBatch, i int, raw []byte, body *gabs.Container, about event.About) (event.About, error) {
	if body.Exists("meta") {
		frame, err := webhook.Parse(raw)
		if err != nil {
			return about, err
		}
		return aboutFrame(&frame, about), nil
	}
	object, err := batch.TryInterpolatedString(i, n.conf.object)
	if err != nil {
		return about, fmt.Errorf("%s: %w", pnFieldObject, err)
	}
	if object == "" || object == "null" { // metadata that is not there
		return about, fmt.Errorf("expected a webhook, or a record with the metadata %s or the field %s, got a message with neither", spec.MetaSchema, pnFieldObject)
	}
	about.Object = object
	if o, listed := entity.Lookup(object); listed {
		about.Object = o.Kind
	}
	about.Schema = event.RESTSchema(body, about.Object)
	return about, nil
}

// aboutFrame is what a webhook says about itself, with what only the metadata said before.
func aboutFrame(f *webhook.Frame, before event.About) event.About {
	about := event.About{
		Via:           "webhook",
		Schema:        f.Schema,
		Object:        f.Object,
		ObjectID:      f.ID,
		Action:        f.Action,
		CompanyID:     f.Company,
		Host:          f.Host,
		InstanceID:    before.InstanceID,
		EventID:       f.EventID,
		CorrelationID: f.CorrelationID,
		WebhookID:     f.WebhookID,
		Attempt:       fmt.Sprint(f.Attempt),
		UserID:        f.UserID,
		ChangeSource:  f.ChangeSource,
		Bulk:          fmt.Sprint(f.Bulk),
		ReceivedAt:    before.ReceivedAt,
	}
	if !f.Time.IsZero() {
		about.Time = f.Time.Format(spec.TimeLayout)
	}
	return about
}
