package input

import (
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

const (
	ppFieldCustomName          = "name"
	ppFieldCustomPath          = "path"
	ppFieldCustomIDField       = "id_field"
	ppFieldCustomUpdatedField  = "updated_field"
	ppFieldCustomUpdatedFormat = "updated_format"
	ppFieldCustomCreatedField  = "created_field"
	ppFieldCustomCreatedFormat = "created_format"
	ppFieldCustomTimeZone      = "time_zone"
	ppFieldCustomSince         = "since_parameter"
	ppFieldCustomPaging        = "paging"
	ppFieldCustomTokens        = "tokens"
	ppFieldCustomPageSize      = "page_size"
)

func customObjectsField() *service.ConfigField {
	return service.NewObjectListField(
		ppFieldCustomObjects,
		service.NewStringField(ppFieldCustomName).
			Description("What to call it, in snake_case: the `pipedrive_object` of its records, and its label in metrics."),
		service.NewStringField(ppFieldCustomPath).
			Description("The path of the list, with a query if it needs one.").
			Example("/api/v2/boards").
			Example("/v1/filters?type=deals"),
		service.NewStringField(ppFieldCustomIDField).
			Description("The field that identifies a record; a dot leads into an object.").
			Default("id"),
		service.NewStringField(ppFieldCustomUpdatedField).
			Description("The field with the time of the last change.").
			Default("update_time"),
		service.NewStringField(ppFieldCustomUpdatedFormat).
			Description("How `updated_field` is written, as a Java date pattern. Empty understands RFC 3339 and `yyyy-MM-dd HH:mm:ss`.").
			Default("").
			Example("yyyy-MM-dd HH:mm:ss"),
		service.NewStringField(ppFieldCustomCreatedField).
			Description("The field with the time of the creation.").
			Default("add_time"),
		service.NewStringField(ppFieldCustomCreatedFormat).
			Description("How `created_field` is written, as `updated_format`.").
			Default(""),
		service.NewStringField(ppFieldCustomTimeZone).
			Description("The IANA name of the zone of times that do not name theirs.").
			Default("UTC").
			Example("Europe/Berlin"),
		service.NewStringField(ppFieldCustomSince).
			Description("The parameter that takes the earliest `updated_field` to list, like `updated_since`; it is sent in RFC 3339, UTC, in whole seconds. With it the object is walked every `interval`, without it the whole list is read every `full_read_interval` and compared; records that vanish from it are not reported.").
			Default(""),
		service.NewStringEnumField(ppFieldCustomPaging, "auto", "cursor", "offset", "none").
			Description("How the list is cut into pages: `cursor` (`additional_data.next_cursor`), `offset` (`start` and `limit`), `none`, or `auto`, which goes by the first answer that has more than one page.").
			Default("auto"),
		service.NewIntField(ppFieldCustomTokens).
			Description("What one request costs of the daily budget. 0 means 10 below `/api/v2/` and 20 elsewhere, the cost of most lists.").
			Default(0),
		service.NewIntField(ppFieldCustomPageSize).
			Description("The most records a page of this list may have.").
			Default(100),
	).
		Description("Lists of the Pipedrive API that the catalogue does not have.").
		Default([]any{}).
		Advanced()
}

func parseCustomObjects(conf *service.ParsedConfig) ([]entity.Object, error) {
	list, err := conf.FieldObjectList(ppFieldCustomObjects)
	if err != nil {
		return nil, err
	}
	objects := make([]entity.Object, len(list))
	for i, item := range list {
		custom, err := parseCustomObject(item)
		if err == nil {
			objects[i], err = custom.Object()
		}
		if err != nil {
			return nil, fmt.Errorf("%s[%d].%w", ppFieldCustomObjects, i, err)
		}
	}
	return objects, nil
}

func parseCustomObject(conf *service.ParsedConfig) (c entity.Custom, err error) {
	for _, f := range []struct {
		field string
		into  *string
	}{
		{ppFieldCustomName, &c.Name},
		{ppFieldCustomPath, &c.Path},
		{ppFieldCustomIDField, &c.IDField},
		{ppFieldCustomUpdatedField, &c.UpdatedField},
		{ppFieldCustomUpdatedFormat, &c.UpdatedFormat},
		{ppFieldCustomCreatedField, &c.CreatedField},
		{ppFieldCustomCreatedFormat, &c.CreatedFormat},
		{ppFieldCustomTimeZone, &c.TimeZone},
		{ppFieldCustomSince, &c.Since},
		{ppFieldCustomPaging, &c.Paging},
	} {
		if *f.into, err = conf.FieldString(f.field); err != nil {
			return c, err
		}
	}
	if c.Tokens, err = conf.FieldInt(ppFieldCustomTokens); err != nil {
		return c, err
	}
	if c.PageSize, err = conf.FieldInt(ppFieldCustomPageSize); err != nil {
		return c, err
	}
	switch {
	case c.Tokens < 0:
		return c, fmt.Errorf("%s: %d is below zero", ppFieldCustomTokens, c.Tokens)
	case c.PageSize < minPageSize || c.PageSize > maxPageSize:
		return c, fmt.Errorf("%s: %d is not between %d and %d", ppFieldCustomPageSize, c.PageSize, minPageSize, maxPageSize)
	}
	return c, nil
}
