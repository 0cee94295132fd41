package processor

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

const (
	pnFieldFormat           = "format"
	pnFieldObject           = "object"
	pnFieldUnknownFields    = "unknown_fields"
	pnFieldResolve          = "resolve"
	pnFieldResolveEnabled   = "enabled"
	pnFieldRefreshInterval  = "refresh_interval"
	pnFieldElements         = "elements"
	pnFieldEventsPerMessage = "events_per_message"
)

// formats are the forms of an event and what people are told of them.
var formats = map[string]string{
	event.FormEvent:       "The event described above.",
	event.FormCloudEvents: "CloudEvents 1.0 in structured JSON: the event is its `data`, without the keys that are attributes.",
	event.FormElements:    "The message that Cloud Elements posted to a callback URL, for an app that reads it today.",
	event.FormDebezium:    "The payload of a Debezium change event: `before`, `after`, `op`, `source`, `ts_ms`.",
}

// writers write the forms.
var writers = map[string]func(*event.Event) map[string]any{
	event.FormEvent:       (*event.Event).Plain,
	event.FormCloudEvents: (*event.Event).CloudEvent,
	event.FormElements:    (*event.Event).Elements,
	event.FormDebezium:    (*event.Event).Debezium,
}

const (
	keep = "keep"
	drop = "drop"
)

// The most events that Cloud Elements itself had in one notification were 20.
const maxEventsPerMessage = 1000

func normalizeFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringAnnotatedEnumField(pnFieldFormat, formats).
			Description("The form in which the event leaves. Whatever the form, the metadata `pipedrive_event_key` is the event's id.").
			Default(event.FormEvent),
		service.NewInterpolatedStringField(pnFieldObject).
			Description("Which object a record is, when it did not come from one of our inputs and so has no `pipedrive_schema` in its metadata: `deal`, `deals`, any name of the catalogue, or another word in snake_case for an object that has no row there. Empty takes the metadata `pipedrive_object`. Webhooks tell it themselves and do not need this. Give such a record the metadata `pipedrive_company_id` too, as its id is made with it.").
			Default("").
			Example("deals").
			Example(`${! metadata("kafka_topic") }`),
		service.NewStringAnnotatedEnumField(pnFieldUnknownFields, map[string]string{
			keep: "They stay in `data` under the name and value that they came with; times become RFC 3339.",
			drop: "`data` has the fields of REST v2 only.",
		}).
			Description("What becomes of fields that a record has beyond those of REST v2: the counters and formatted values of version 1, and what Pipedrive adds next year. Objects that the catalogue does not know keep all of theirs.").
			Default(keep),
		service.NewObjectField(pnFieldResolve, append(
			[]*service.ConfigField{
				service.NewBoolField(pnFieldResolveEnabled).
					Description("Whether custom fields are told by name too, options by label, in `named`; and, of records and webhooks of version 1, whether options, sets and times take the form of REST v2, which only the list of fields can tell from texts. `data.custom_fields` stays by key, and the event's id stays the same.").
					Default(false),
				service.NewDurationField(pnFieldRefreshInterval).
					Description("How old a list of fields may become, in which a field was renamed meanwhile. A key that is not in it has it read again at once, at most once a minute. One reading costs 10 tokens for each 500 fields.").
					Default("1h").
					Advanced(),
			},
			spec.ConnectionFields()...,
		)...).
			Description("Asks Pipedrive what custom fields are called. The credential has to be of the company whose events these are: events of another stay without names. When Pipedrive cannot be asked and nothing is known yet, the event goes through with `named: null` and the metadata `pipedrive_resolved` is `false`."),
		service.NewObjectField(
			pnFieldElements,
			service.NewIntField(pnFieldEventsPerMessage).
				Description("How many events that follow each other in a batch, of one object, may share one notification, 1 to 1,000. Cloud Elements had up to 10 when it polled. They stay messages of their own until `pipedrive_callback` sends them, which alone can say which of them were delivered; for other outputs this does nothing.").
				Default(1).
				LintRule(fmt.Sprintf(`root = if this < 1 || this > %d { ["must be from 1 to %d"] }`, maxEventsPerMessage, maxEventsPerMessage)),
		).
			Description("Of `format: elements` only.").
			Advanced(),
	}
}

type normalizeConfig struct {
	write     func(*event.Event) map[string]any
	object    *service.InterpolatedString
	knownOnly bool
	together  string // how many events may share a notification; empty: they may not

	resolve    bool
	connection spec.Connection
	refresh    time.Duration
}

// parseNormalizeConfig checks what lint rules say too: linting can be left out. What it refuses stops the program.
func parseNormalizeConfig(conf *service.ParsedConfig) (c normalizeConfig, err error) {
	format, err := oneOf(conf, pnFieldFormat, slices.Sorted(maps.Keys(formats))...)
	if err != nil {
		return c, err
	}
	c.write = writers[format]
	if c.object, err = conf.FieldInterpolatedString(pnFieldObject); err != nil {
		return c, err
	}
	unknown, err := oneOf(conf, pnFieldUnknownFields, keep, drop)
	if err != nil {
		return c, err
	}
	c.knownOnly = unknown == drop
	together, err := conf.FieldInt(pnFieldElements, pnFieldEventsPerMessage)
	if err != nil {
		return c, err
	}
	if together < 1 || together > maxEventsPerMessage {
		return c, fmt.Errorf("%s.%s: %d is not from 1 to %d", pnFieldElements, pnFieldEventsPerMessage, together, maxEventsPerMessage)
	}
	if format == event.FormElements && together > 1 {
		c.together = strconv.Itoa(together)
	}
	if c.resolve, err = conf.FieldBool(pnFieldResolve, pnFieldResolveEnabled); err != nil || !c.resolve {
		return c, err
	}
	resolve := conf.Namespace(pnFieldResolve)
	if c.refresh, err = spec.PositiveDuration(resolve, pnFieldRefreshInterval); err == nil {
		c.connection, err = spec.ParseConnection(resolve)
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", pnFieldResolve, err)
	}
	return c, nil
}

func oneOf(conf *service.ParsedConfig, field string, words ...string) (string, error) {
	word, err := conf.FieldString(field)
	if err == nil && !slices.Contains(words, word) {
		err = fmt.Errorf("%s: %q is not one of %s", field, word, strings.Join(words, ", "))
	}
	return word, err
}
