package pipedrive

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// Order is how a list is asked to be sorted.
type Order uint8

// The orders. The object's row in the catalogue says which parameters they are; without such parameters they are
// the same as Unordered.
const (
	Unordered Order = iota
	OldestFirst
	NewestFirst
)

// Query is one page of a list.
type Query struct {
	Since  time.Time // inclusive lower bound of update_time, in whole seconds; zero: none
	Order  Order
	Cursor string // of a cursor list; everything else has to be as it was for the page before
	Start  int    // of an offset list
	Limit  int    // rows; 0: the object's page size
}

// Page is the answer to one Query.
type Page struct {
	Records   []Record
	Next      string    // cursor of the next page; "" on the last page, and in offset lists
	NextStart int       // Start of the next page as Pipedrive says it; 0 on the last page, and in cursor lists
	More      bool      // there is a next page, of either sort
	Time      time.Time // what the server's clock said when it was asked, in whole seconds; zero: there was no Date header
	Size      int       // bytes of the body
}

// Record is one row of a list.
type Record struct {
	JSON    []byte    // the very bytes Pipedrive sent, a slice of the page's body: never to be written to
	ID      string    // a number or a string, as text; shares memory with the page's other ids, not with the body
	Updated time.Time // UTC; zero: there is none, or it is null
	Created time.Time // UTC; zero: there is none, or it is null
	Deleted bool      // Pipedrive itself says so
}

// List reads one page. Pages of one walk have to be asked for with the same Since, Order and Limit.
func (c *Client) List(ctx context.Context, obj *entity.Object, q Query) (*Page, error) {
	r, err := c.get(ctx, call{obj.Name, obj.Tokens}, obj.Path, q.encode(obj))
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", obj.Name, err)
	}
	page, err := slicePage(r.body, obj)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", obj.Name, garbled(r.Answer, err))
	}
	page.Time = r.at
	return &page, nil
}

// Record reads one record by its id. Objects whose row has no path of single records have none to read.
func (c *Client) Record(ctx context.Context, obj *entity.Object, id string) (Record, error) {
	if obj.Record == "" {
		return Record{}, fmt.Errorf("reading one of %s: Pipedrive has no such request", obj.Name)
	}
	path := fmt.Sprintf(obj.Record, url.PathEscape(id))
	r, err := c.get(ctx, call{obj.Name, obj.RecordTokens}, path, "")
	if err != nil {
		return Record{}, fmt.Errorf("reading one of %s: %w", obj.Name, err)
	}
	record, err := sliceRecord(r.body, obj)
	if err != nil {
		return Record{}, fmt.Errorf("reading one of %s: %w", obj.Name, garbled(r.Answer, err))
	}
	return record, nil
}

// encode writes the parameters of one request. Fractions of a second are cut off, Pipedrive refuses them.
// https://pipedrive.readme.io/docs/core-api-concepts-pagination
func (q Query) encode(obj *entity.Object) string {
	var parts []string
	add := func(part string) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	add(obj.Query)
	switch q.Order {
	case OldestFirst:
		add(obj.OldestFirst)
	case NewestFirst:
		add(obj.NewestFirst)
	}
	if !q.Since.IsZero() && obj.Since != "" {
		add(url.QueryEscape(obj.Since) + "=" + url.QueryEscape(q.Since.UTC().Format("2006-01-02T15:04:05Z")))
	}
	if limit := cmp.Or(q.Limit, obj.PageSize); limit > 0 && obj.Paging != entity.Whole {
		add("limit=" + strconv.Itoa(limit))
	}
	if q.Start > 0 && (obj.Paging == entity.Offset || obj.Paging == entity.AnyPaging) {
		add("start=" + strconv.Itoa(q.Start))
	}
	if q.Cursor != "" && (obj.Paging == entity.Cursor || obj.Paging == entity.AnyPaging) {
		add("cursor=" + url.QueryEscape(q.Cursor))
	}
	return strings.Join(parts, "&")
}
