package pipedrive

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// cutter gathers the records of one answer. Ids and times go to one text for all of them, so that they cost no
// allocation each and do not hold on to the body.
type cutter struct {
	obj     *entity.Object
	body    []byte
	records []Record
	words   []byte
	ends    [][3]int // of id, update time and creation time in words; each begins where the one before ends
}

// answer takes the frame of an answer apart: what is in data goes to read, what says where the next page is comes
// back.
func answer(body []byte, read func(data gjson.Result) error) (additional gjson.Result, err error) {
	if err := sound(body); err != nil {
		return additional, err
	}
	// A view instead of a copy of the page: nobody writes to a body, and nothing that is kept is a piece of the view.
	view := unsafe.String(unsafe.SliceData(body), len(body))
	var success, data gjson.Result
	gjson.Parse(view).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "success":
			success = value
		case "data":
			data = value
		case "additional_data":
			additional = value
		}
		return true
	})
	switch {
	case success.Type != gjson.True:
		return additional, errors.New("success is not true")
	case !data.Exists():
		return additional, errors.New("there is no data")
	case data.Type == gjson.Null:
		return additional, nil
	}
	return additional, read(data)
}

func newCutter(body []byte, obj *entity.Object) *cutter {
	const typical = 1024 // bytes of a record: a guess for the first capacity
	rows := len(body)/typical + 1
	return &cutter{obj: obj, body: body, records: make([]Record, 0, rows), ends: make([][3]int, 0, rows), words: make([]byte, 0, 64*rows)}
}

// rows reads a list of records.
func (c *cutter) rows(data gjson.Result) error {
	if !data.IsArray() {
		return errors.New("data is not a list")
	}
	var err error
	data.ForEach(func(_, row gjson.Result) bool {
		err = c.row(row)
		return err == nil
	})
	return err
}

// row reads one record.
func (c *cutter) row(row gjson.Result) error {
	if !row.IsObject() {
		return c.refuse("is not an object")
	}
	id := row.Get(c.obj.ID)
	if !isID(id) {
		return c.refuse(fmt.Sprintf("has no %s that is a whole number or a text", c.obj.ID))
	}
	var ends [3]int
	for i, value := range [3]string{id.String(), text(row, c.obj.Updated.Field), text(row, c.obj.Created.Field)} {
		c.words = append(c.words, value...)
		ends[i] = len(c.words)
	}
	c.ends = append(c.ends, ends)
	from, to := row.Index, row.Index+len(row.Raw)
	// The clipped capacity keeps an append to one record from writing into the next.
	c.records = append(c.records, Record{JSON: c.body[from:to:to], Deleted: c.deleted(row)})
	return nil
}

func (c *cutter) deleted(row gjson.Result) bool {
	for _, mark := range c.obj.Deleted {
		if row.Get(mark.Field).Raw == mark.JSON {
			return true
		}
	}
	return false
}

func (c *cutter) refuse(what string) error {
	return fmt.Errorf("%s: row %d %s", c.obj.Name, len(c.records), what)
}

// finish gives every record its id and times.
func (c *cutter) finish() []Record {
	words, from := string(c.words), 0
	for i, ends := range c.ends {
		r := &c.records[i]
		r.ID = words[from:ends[0]]
		r.Updated, _ = c.obj.Updated.Parse(words[ends[0]:ends[1]])
		r.Created, _ = c.obj.Created.Parse(words[ends[1]:ends[2]])
		from = ends[2]
	}
	return c.records
}

// text is a field as text; null, and what is not there, say nothing.
func text(row gjson.Result, field string) string {
	if field == "" {
		return ""
	}
	return row.Get(field).String()
}

// isID tells whether a value can name a record: a text, or a whole number of any size.
func isID(value gjson.Result) bool {
	switch value.Type {
	case gjson.String:
		return value.Str != ""
	case gjson.Number:
		return !strings.ContainsAny(value.Raw, "-.eE")
	default:
		return false
	}
}
