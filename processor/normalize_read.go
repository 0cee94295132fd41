package processor

import (
	"context"
	"errors"
	"fmt"

	"github.com/Jeffail/gabs/v2"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/scan"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// read makes an event of one message of the batch. The metadata of out says when it has no names, and all that an input of
// ours would have said.
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
	ours := about.Schema != ""
	if !ours {
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
	e, err := event.Read(body, about, options)
	if err == nil && !ours {
		tellMetadata(out, &e.About)
	}
	return e, err
}

// decode reads numbers digit by digit. It starts from bytes, as a processor before, such as parse_json of Bloblang, may
// have left numbers of other types, which the event's id would not count.
func decode(raw []byte) (*gabs.Container, error) {
	body, err := scan.Decode(raw)
	if err != nil {
		return nil, errors.New("expected a Pipedrive record or webhook, got a message that is not JSON")
	}
	return gabs.Wrap(body), nil
}

// metadata is where each of the inputs' metadata is in what is known of a body.
var metadata = []struct {
	name string
	in   func(*event.About) *string
}{
	{spec.MetaVia, func(a *event.About) *string { return &a.Via }},
	{spec.MetaSchema, func(a *event.About) *string { return &a.Schema }},
	{spec.MetaObject, func(a *event.About) *string { return &a.Object }},
	{spec.MetaID, func(a *event.About) *string { return &a.ObjectID }},
	{spec.MetaAction, func(a *event.About) *string { return &a.Action }},
	{spec.MetaTime, func(a *event.About) *string { return &a.Time }},
	{spec.MetaCompanyID, func(a *event.About) *string { return &a.CompanyID }},
	{spec.MetaHost, func(a *event.About) *string { return &a.Host }},
	{spec.MetaInstanceID, func(a *event.About) *string { return &a.InstanceID }},
	{spec.MetaEventID, func(a *event.About) *string { return &a.EventID }},
	{spec.MetaCorrelationID, func(a *event.About) *string { return &a.CorrelationID }},
	{spec.MetaWebhookID, func(a *event.About) *string { return &a.WebhookID }},
	{spec.MetaAttempt, func(a *event.About) *string { return &a.Attempt }},
	{spec.MetaUserID, func(a *event.About) *string { return &a.UserID }},
	{spec.MetaChangeSource, func(a *event.About) *string { return &a.ChangeSource }},
	{spec.MetaBulk, func(a *event.About) *string { return &a.Bulk }},
	{spec.MetaReceivedAt, func(a *event.About) *string { return &a.ReceivedAt }},
}

// aboutMetadata is what an input of ours said about the body.
func aboutMetadata(msg *service.Message) (about event.About) {
	for _, m := range metadata {
		*m.in(&about), _ = msg.MetaGet(m.name)
	}
	return about
}

// tellMetadata gives a message that came from elsewhere the metadata of the inputs.
func tellMetadata(msg *service.Message, about *event.About) {
	for _, m := range metadata {
		if value := *m.in(about); value != "" {
			msg.MetaSetMut(m.name, value)
		}
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
		object = about.Object
	}
	o, listed := entity.Lookup(object)
	switch {
	case listed:
		about.Object = o.Kind
	case object == "":
		return about, fmt.Errorf("expected a webhook, or a record with the metadata %s or the field %s, got a message with neither", spec.MetaSchema, pnFieldObject)
	case !entity.IsName(object):
		return about, fmt.Errorf("%s: %.60q is no name of the catalogue, and not in snake_case", pnFieldObject, object)
	default:
		about.Object = object
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
