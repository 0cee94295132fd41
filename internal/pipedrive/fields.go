package pipedrive

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

const (
	fieldsObject   = "fields"
	fieldsPerPage  = 500
	mostFieldPages = 100 // more than any account has: something turns in a circle
)

// Fields reads the definitions of the object's custom fields, all pages of them. Built-in fields, which stand between
// them, are left out.
// https://developers.pipedrive.com/docs/api/v1/DealFields#getDealFields
func (c *Client) Fields(ctx context.Context, o entity.Object) ([]entity.Field, error) {
	if o.Fields == "" {
		return nil, fmt.Errorf("listing fields of %s: Pipedrive has no such list", o.Name)
	}
	fields, err := c.fields(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("listing fields of %s: %w", o.Name, err)
	}
	return fields, nil
}

func (c *Client) fields(ctx context.Context, o entity.Object) ([]entity.Field, error) {
	query := "limit=" + strconv.Itoa(fieldsPerPage)
	var fields []entity.Field
	for page, cursor := 1, ""; ; page++ {
		r, err := c.get(ctx, call{fieldsObject, o.FieldTokens}, o.Fields, query+cursor)
		if err != nil {
			return nil, err
		}
		more, next, err := readFields(r.body)
		if err == nil && next != "" && page == mostFieldPages {
			err = fmt.Errorf("more than %d pages", mostFieldPages)
		}
		if err != nil {
			return nil, garbled(r.Answer, err)
		}
		if fields = append(fields, more...); next == "" {
			return fields, nil
		}
		cursor = "&cursor=" + url.QueryEscape(next)
	}
}

// readFields reads one page and the cursor of the next one, "" on the last:
//
//	{"success":true,"data":[{"field_code":"a1b2…","field_name":"Tier","field_type":"enum","is_custom_field":true,
//	"options":[{"id":17,"label":"Gold"}]},…],"additional_data":{"next_cursor":"…"}}
//
// A row that names no key can be of use to nobody and is passed over.
func readFields(body []byte) (fields []entity.Field, next string, err error) {
	frame, err := successful(body)
	if err != nil {
		return nil, "", err
	}
	data := frame.Get("data")
	if !data.IsArray() && (data.Type != gjson.Null || !data.Exists()) {
		return nil, "", errors.New("data is no list")
	}
	var page Page
	page.turn([]byte(frame.Get("additional_data").Raw), entity.Cursor)
	for _, row := range data.Array() {
		key := row.Get("field_code").String()
		if key == "" || row.Get("is_custom_field").Type != gjson.True {
			continue
		}
		fields = append(fields, entity.Field{
			// Copies, that do not hold on to the page.
			Key:     strings.Clone(key),
			Name:    strings.Clone(row.Get("field_name").String()),
			Type:    strings.Clone(row.Get("field_type").String()),
			Options: options(row.Get("options")),
		})
	}
	return fields, page.Next, nil
}

// options are nil when there are none. An id is a number of any size, or a word.
func options(list gjson.Result) map[string]string {
	if !list.IsArray() {
		return nil
	}
	labels := map[string]string{}
	for _, o := range list.Array() {
		if id := string(appendText(nil, []byte(o.Get("id").Raw))); id != "" {
			labels[id] = strings.Clone(o.Get("label").String())
		}
	}
	return labels
}
