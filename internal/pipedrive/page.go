package pipedrive

import (
	"errors"

	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// slicePage cuts the body of a list answer into its records without decoding them: a few allocations a page, whatever
// its size. The records are slices of body. Pages of the two versions:
//
//	{"success":true,"data":[…],"additional_data":{"next_cursor":"…"}}
//	{"success":true,"data":[…],"additional_data":{"pagination":{"start":0,"limit":100,"more_items_in_collection":true,"next_start":100}}}
//
// next_cursor, additional_data and pagination may be null or missing on the last page, and data null when there is
// nothing. A row that is no object (null too: no list in the catalogue has such rows, and one that was skipped would
// look like a removal), or that has no id, makes the whole page unusable: the error says where.
// https://pipedrive.readme.io/docs/core-api-concepts-pagination
func slicePage(body []byte, obj *entity.Object) (Page, error) {
	c := newCutter(body, obj)
	additional, err := c.frame(c.rows)
	if err != nil {
		return Page{}, err
	}
	page := Page{Records: c.finish(), Size: len(body)}
	page.turn(additional, obj.Paging)
	return page, nil
}

// sliceRecord does the same with the answer to a GET of one record, whose data is an object.
func sliceRecord(body []byte, obj *entity.Object) (Record, error) {
	c := newCutter(body, obj)
	if _, err := c.frame(c.row); err != nil {
		return Record{}, err
	}
	records := c.finish()
	if len(records) != 1 {
		return Record{}, errors.New("data is null")
	}
	return records[0], nil
}

// turn reads where the next page is. The flat form of pagination is what the specification says for leads.
func (p *Page) turn(additionalData []byte, paging entity.Paging) {
	additional := gjson.ParseBytes(additionalData)
	if paging == entity.Cursor || paging == entity.AnyPaging {
		if next := additional.Get("next_cursor"); next.Type == gjson.String && next.Str != "" {
			p.Next, p.More = next.Str, true
			return
		}
	}
	if paging == entity.Offset || paging == entity.AnyPaging {
		at := additional.Get("pagination")
		if !at.IsObject() {
			at = additional
		}
		if p.More = at.Get("more_items_in_collection").Type == gjson.True; p.More {
			p.NextStart = int(at.Get("next_start").Int())
		}
	}
}
