package input

import (
	"fmt"
	"slices"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/poll"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

const (
	ppFieldObjects          = "objects"
	ppFieldCustomObjects    = "custom_objects"
	ppFieldInterval         = "interval"
	ppFieldStartFrom        = "start_from"
	ppFieldCheckpointCache  = "checkpoint_cache"
	ppFieldCheckpointKey    = "checkpoint_cache_key"
	ppFieldCheckpointLimit  = "checkpoint_limit"
	ppFieldOverlap          = "overlap"
	ppFieldPageSize         = "page_size"
	ppFieldFullReadInterval = "full_read_interval"
	ppFieldCreatedTolerance = "created_tolerance"
	ppFieldInstanceID       = "instance_id"
)

// The bounds of page_size. A walk along offsets repeats one record of each page, so a page has to have two.
const (
	minPageSize = 2
	maxPageSize = 500
)

func pollFields() []*service.ConfigField {
	fields := spec.ConnectionFields()
	return append(
		fields,
		service.NewStringListField(ppFieldObjects).
			Description("What to read: "+entity.Known()+". The words in brackets are the names of the CRM hub of Cloud Elements and mean the same. Objects are read side by side within one budget. Pipedrive's lists do not show deletions of persons, organizations, products, activities, leads and notes; these come by webhook only. Archived deals and leads leave the normal lists: read `deals_archived` and `leads_archived` as well.").
			Default([]any{"deals", "persons", "organizations"}).
			Example([]any{"deals", "deals_archived", "activities"}),
		service.NewDurationField(ppFieldInterval).
			Description("How long after the beginning of one walk the next begins, for objects that can be asked for what changed since a time. One walk without news costs one list request an object (10 tokens for most, 20 for leads, notes and archived deals). It becomes longer when `daily_token_share` would not last otherwise; the effective interval is logged once and is the metric `pipedrive_poll_interval_seconds`.").
			Default("1m"),
		service.NewStringField(ppFieldStartFrom).
			Description("Where reading begins when there is no checkpoint yet: `beginning` (every record first, each with action `snapshot`), `now`, or an RFC 3339 time that is past. Once a checkpoint exists it decides, and an edit of this field is ignored with one line in the log. An object that is added later begins here.").
			Default(poll.Beginning).
			Example(poll.Now).
			Example("2026-11-20T09:15:00Z"),
		service.NewStringField(ppFieldCheckpointCache).
			Description("The label of a cache resource that keeps how far each object has been read. Use one that survives a restart, like `bolt`. Empty means in memory: every start begins at `start_from` again.").
			Default("").
			Example("state"),
		service.NewStringField(ppFieldCheckpointKey).
			Description("The key in `checkpoint_cache`; each object gets its own, with the object's name behind a dot. Two inputs that share a cache need two keys. A checkpoint names its company: that of another company is refused.").
			Default("pipedrive_poll"),
		service.NewIntField(ppFieldCheckpointLimit).
			Description("How many pages of one object may be in flight: handed on and not acknowledged, or acknowledged and not yet in the stored checkpoint. It bounds the memory, and what is repeated after a crash. An output with a `batching.count` needs a `batching.period` as well: while it waits for more records, later changes of the records of the same page wait behind them.").
			Default(4).
			Advanced().
			LintRule(`root = if this < 1 { ["must be at least 1"] }`),
		service.NewDurationField(ppFieldOverlap).
			Description("How far before its own beginning the next walk begins. Pipedrive's times have whole seconds and its lists may lag behind its writes, so the edge is read twice; what was handed on already is recognised by id and content and not repeated.").
			Default("1m").
			Advanced(),
		service.NewIntField(ppFieldPageSize).
			Description("How many records to ask for in one request, 2 to 500. A request costs the same tokens whatever its size, so smaller pages cost more. Some lists allow fewer (files 100, call logs 50).").
			Default(maxPageSize).
			Advanced().
			LintRule(`root = if this < 2 || this > 500 { ["must be between 2 and 500"] }`),
		service.NewDurationField(ppFieldFullReadInterval).
			Description("How often lists without a time filter are read (pipelines, stages, users, files, projects, tasks, call logs, activity types, archived leads), how often the others are looked through for new records that have no `update_time`, and how often an object that was refused is asked for again.").
			Default("15m").
			Advanced(),
		service.NewDurationField(ppFieldCreatedTolerance).
			Description("How far `update_time` may lie after `add_time` for a record to count as created and not as updated. Pipedrive often writes them a second apart.").
			Default("5s").
			Advanced(),
		service.NewStringField(ppFieldInstanceID).
			Description("An id that is only carried along, as metadata `pipedrive_instance_id`: the instance id that consumers of Cloud Elements' events expect.").
			Default("").
			Advanced(),
		customObjectsField(),
		service.NewAutoRetryNacksToggleField(),
	)
}

// pollConfig is what a user wrote, checked.
type pollConfig struct {
	connection spec.Connection
	objects    []entity.Object

	interval         time.Duration
	overlap          time.Duration
	fullReadInterval time.Duration
	createdTolerance time.Duration
	pageSize         int
	startFrom        string
	instanceID       string

	cache string
	key   string
	limit int
}

func parsePollConfig(conf *service.ParsedConfig) (c pollConfig, err error) {
	if c.connection, err = spec.ParseConnection(conf); err != nil {
		return
	}
	if c.objects, err = parseObjects(conf); err != nil {
		return
	}
	if c.interval, err = spec.PositiveDuration(conf, ppFieldInterval); err != nil {
		return
	}
	if c.overlap, err = spec.PositiveDuration(conf, ppFieldOverlap); err != nil {
		return
	}
	if c.fullReadInterval, err = spec.PositiveDuration(conf, ppFieldFullReadInterval); err != nil {
		return
	}
	if c.createdTolerance, err = conf.FieldDuration(ppFieldCreatedTolerance); err != nil {
		return
	}
	if c.createdTolerance < 0 {
		return c, fmt.Errorf("%s: %v is below zero", ppFieldCreatedTolerance, c.createdTolerance)
	}
	if c.pageSize, err = conf.FieldInt(ppFieldPageSize); err != nil {
		return
	}
	if c.pageSize < minPageSize || c.pageSize > maxPageSize {
		return c, fmt.Errorf("%s: %d is not between %d and %d", ppFieldPageSize, c.pageSize, minPageSize, maxPageSize)
	}
	if c.startFrom, err = conf.FieldString(ppFieldStartFrom); err != nil {
		return
	}
	if err = poll.CheckStartFrom(c.startFrom); err != nil {
		return
	}
	if c.instanceID, err = conf.FieldString(ppFieldInstanceID); err != nil {
		return
	}
	return c, c.parseCheckpoint(conf)
}

func (c *pollConfig) parseCheckpoint(conf *service.ParsedConfig) (err error) {
	if c.cache, err = conf.FieldString(ppFieldCheckpointCache); err != nil {
		return err
	}
	if c.key, err = conf.FieldString(ppFieldCheckpointKey); err != nil {
		return err
	}
	if c.key == "" {
		return fmt.Errorf("%s: must not be empty", ppFieldCheckpointKey)
	}
	if c.limit, err = conf.FieldInt(ppFieldCheckpointLimit); err != nil {
		return err
	}
	if c.limit < 1 {
		return fmt.Errorf("%s: %d is not at least 1", ppFieldCheckpointLimit, c.limit)
	}
	return nil
}

// parseObjects reads objects and custom_objects into rows of the catalogue.
func parseObjects(conf *service.ParsedConfig) ([]entity.Object, error) {
	words, err := conf.FieldStringList(ppFieldObjects)
	if err != nil {
		return nil, err
	}
	var objects []entity.Object
	for _, word := range words {
		o, known := entity.Lookup(word)
		if !known {
			return nil, fmt.Errorf("%s: %q is unknown, allowed are %s", ppFieldObjects, word, entity.Known())
		}
		objects = append(objects, o)
	}
	custom, err := parseCustomObjects(conf)
	if err != nil {
		return nil, err
	}
	objects = append(objects, custom...)
	if len(objects) == 0 {
		return nil, fmt.Errorf("%s: names nothing to read, allowed are %s", ppFieldObjects, entity.Known())
	}
	for i, o := range objects {
		if slices.ContainsFunc(objects[:i], func(p entity.Object) bool { return p.Name == o.Name }) {
			return nil, fmt.Errorf("%s: %q is named twice", ppFieldObjects, o.Name)
		}
	}
	return objects, nil
}
