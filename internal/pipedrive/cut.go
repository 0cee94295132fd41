package pipedrive

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/scan"
)

// cutter gathers the records of one answer. Ids and times go to one text for all of them, so that they cost no
// allocation each and do not hold on to the body.
type cutter struct {
	scan.Scanner
	obj     *entity.Object
	fields  []field
	records []Record
	words   []byte
	ends    [][3]int // of id, update time and creation time in words; each begins where the one before ends

	found   [3][]byte // of the row at hand: its raw id, update time and creation time
	deleted bool      // and whether it is marked as deleted
}

// field is one that is looked for in each record.
type field struct {
	name string // of a top-level key
	path string // from there on; empty: the key itself
	role int    // index into cutter.found
	mark string // the raw JSON that says "deleted"; empty: it is no mark
}

func newCutter(body []byte, obj *entity.Object) *cutter {
	const typical = 1024 // bytes of a record: a guess for the first capacity
	rows := len(body)/typical + 1
	c := &cutter{
		Scanner: scan.Scanner{Text: body},
		obj:     obj,
		records: make([]Record, 0, rows),
		ends:    make([][3]int, 0, rows),
		words:   make([]byte, 0, 48*rows),
	}
	for role, name := range [3]string{obj.ID, obj.Updated.Field, obj.Created.Field} {
		c.look(name, role, "")
	}
	for _, m := range obj.Deleted {
		c.look(m.Field, 0, m.JSON)
	}
	return c
}

func (c *cutter) look(name string, role int, mark string) {
	if name != "" {
		key, path, _ := strings.Cut(name, ".")
		c.fields = append(c.fields, field{key, path, role, mark})
	}
}

// frame walks the body, hands the value of data to read, and returns the value of additional_data.
func (c *cutter) frame(read func(i, depth int) int) (additional []byte, err error) {
	var success, data bool
	err = c.Document(func(key []byte, i, depth int) int {
		if string(key) == "data" {
			data = true
			if i < len(c.Text) && c.Text[i] == 'n' {
				return c.Word(i, "null")
			}
			return read(i, depth)
		}
		end := c.Value(i, depth)
		if end < 0 {
			return -1
		}
		switch string(key) {
		case "success":
			success = string(c.Text[i:end]) == "true"
		case "additional_data":
			additional = c.Text[i:end]
		}
		return end
	})
	switch {
	case err != nil:
		return nil, err
	case !success:
		return nil, errors.New("success is not true")
	case !data:
		return nil, errors.New("there is no data")
	}
	return additional, nil
}

// rows reads a list of records.
func (c *cutter) rows(i, depth int) int {
	if i >= len(c.Text) || c.Text[i] != '[' {
		return c.Fail(i, "data is not a list")
	}
	return c.Array(i, depth, c.row)
}

// row reads one record.
func (c *cutter) row(i, depth int) int {
	if i >= len(c.Text) || c.Text[i] != '{' {
		return c.refuse(i, "is not an object")
	}
	c.found, c.deleted = [3][]byte{}, false
	end := c.Object(i, depth, c.member)
	if end < 0 {
		return -1
	}
	if !isID(c.found[0]) {
		return c.refuse(i, fmt.Sprintf("has no %s that is a whole number or a text", c.obj.ID))
	}
	var ends [3]int
	for role, value := range c.found {
		c.words = appendText(c.words, value)
		ends[role] = len(c.words)
	}
	c.ends = append(c.ends, ends)
	// The clipped capacity keeps an append to one record from writing into the next.
	c.records = append(c.records, Record{JSON: c.Text[i:end:end], Deleted: c.deleted})
	return end
}

// member looks at one key of a record.
func (c *cutter) member(key []byte, i, depth int) int {
	end := c.Value(i, depth)
	if end < 0 {
		return -1
	}
	for k := range c.fields {
		f := &c.fields[k]
		if f.name != string(key) {
			continue
		}
		value := c.Text[i:end]
		if f.path != "" {
			value = []byte(gjson.GetBytes(value, f.path).Raw)
		}
		if f.mark != "" {
			c.deleted = c.deleted || string(value) == f.mark
		} else {
			c.found[f.role] = value
		}
	}
	return end
}

func (c *cutter) refuse(i int, what string) int {
	return c.Fail(i, fmt.Sprintf("%s: row %d %s", c.obj.Name, len(c.records), what))
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

// isID tells whether a raw value can name a record: a text, or a whole number of any size.
func isID(raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	if raw[0] == '"' {
		return len(raw) > len(`""`)
	}
	return !bytes.ContainsFunc(raw, func(r rune) bool { return r < '0' || r > '9' })
}

// appendText appends what a raw string or number says; null and everything else say nothing.
func appendText(to, raw []byte) []byte {
	switch {
	case len(raw) == 0:
	case raw[0] != '"':
		if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
			to = append(to, raw...)
		}
	case bytes.IndexByte(raw, '\\') < 0:
		to = append(to, raw[1:len(raw)-1]...)
	default:
		to = append(to, gjson.ParseBytes(raw).Str...)
	}
	return to
}

// sound refuses what is not one whole JSON object, as every answer of Pipedrive is.
func sound(body []byte) error { return (&scan.Scanner{Text: body}).Document(nil) }
