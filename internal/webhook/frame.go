package webhook

import (
	"fmt"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/scan"
)

// The schemas of webhooks, in the words of the metadata.
const (
	SchemaV1 = "webhook_v1"
	SchemaV2 = "webhook_v2"
)

// What happened to a record. Other actions keep their own word.
const (
	created = "created"
	updated = "updated"
	deleted = "deleted"
)

// Frame is what a webhook says about itself: everything that is decided on. The body stays as it came. Ids are digit by
// digit as Pipedrive wrote them; what a webhook does not say, or says in no usable form, is empty.
type Frame struct {
	Schema string // SchemaV1 or SchemaV2
	Object string // snake_case singular: deal, activity_type, deal_product, whatever comes
	ID     string // of the record
	Action string // created, updated, deleted; an action nobody knows: as it came, in snake_case

	// Time is the record's time of update, else of creation; of a deletion, or a record with neither, that of the event.
	// UTC, zero where nothing tells.
	Time time.Time

	Company       string
	Host          string // acme.pipedrive.com
	EventID       string // of version 2.0; users' events have none
	CorrelationID string // of version 2.0
	WebhookID     string
	UserID        string // who did it
	ChangeSource  string // app or api
	Attempt       int    // 1 is the first try; Pipedrive makes four
	Bulk          bool

	Key  string // equal for all attempts of one delivery, different otherwise
	Lane string // company/object/id: order is kept per lane
}

// Parse reads the frame of a webhook of either version, with any entity and any action. The error says in one line
// what was expected and what came, and of the body no more than names of keys. The frame shares no memory with the
// body.
func Parse(body []byte) (Frame, error) {
	f, err := parse(body)
	if err != nil {
		return Frame{}, fmt.Errorf("reading the frame of a webhook: %w", err)
	}
	return f, nil
}

func parse(body []byte) (Frame, error) {
	p := parts{Scanner: scan.Scanner{Text: body, Deepest: deepest}}
	if err := p.read(); err != nil {
		return Frame{}, err
	}
	m := &p.meta
	f := Frame{
		Company: m.company, Host: m.host, WebhookID: m.webhook, UserID: m.user, ChangeSource: m.source, Bulk: m.bulk,
	}
	var occasion string
	var err error
	switch {
	case strings.HasPrefix(m.version, "2"):
		occasion, err = f.readV2(&p)
	case p.v.word() == "1":
		occasion, err = f.readV1(&p)
	default:
		err = fmt.Errorf("expected meta.version 2.0 or v 1, got neither in %s with meta, %s", outline(p.whole), outline(m.raw))
	}
	if err != nil {
		return Frame{}, err
	}
	f.Object = snake(f.Object)
	f.Time = p.moment()
	// The action as it came: version 1.0 merges and updates one record in one go.
	f.Key = strings.Join([]string{f.Schema, f.Company, f.Object, f.ID, m.action, occasion}, "/")
	f.Action = actionOf(m.action)
	f.own()
	return f, nil
}

// actionOf is the word for what the action of either version did.
func actionOf(action string) string {
	switch action {
	case "create", "added":
		return created
	case "change", "updated", "merged":
		return updated
	case "delete", "deleted":
		return deleted
	}
	return snake(action)
}

// own makes the lane, and gives the frame strings of its own, all in one piece of memory. The key is another one, as it
// may live longer.
func (f *Frame) own() {
	words := [...]*string{
		&f.Company, &f.Object, &f.ID, // the lane
		&f.Action, &f.Host, &f.EventID, &f.CorrelationID, &f.WebhookID, &f.UserID, &f.ChangeSource,
	}
	size := 0
	for _, w := range words {
		size += len(*w) + len("/")
	}
	var all strings.Builder
	all.Grow(size)
	for _, w := range words {
		all.WriteString(*w)
		all.WriteByte('/')
	}
	f.Lane = all.String()[:len(f.Company)+len(f.Object)+len(f.ID)+len("//")]
	at := 0
	for _, w := range words {
		n := len(*w)
		*w = all.String()[at : at+n]
		at += n + len("/")
	}
}
