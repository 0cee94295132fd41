package simulator

import (
	"encoding/base64"
	"encoding/json"
	"net/url"

	"github.com/tidwall/gjson"
)

// position is what a cursor holds: where the last row of the page stands.
// https://pipedrive.readme.io/docs/core-api-concepts-pagination
type position struct {
	Field         string          `json:"field"`
	FieldValue    json.RawMessage `json:"fieldValue"`
	SortDirection string          `json:"sortDirection"`
	ID            int64           `json:"id"`
}

func (p *position) String() string { return base64.RawURLEncoding.EncodeToString(appendJSON(nil, p)) }

// readPosition is nil when the word is no cursor.
func readPosition(cursor string) *position {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil
	}
	var p position
	if json.Unmarshal(text, &p) != nil || p.Field == "" || p.ID < 1 || p.FieldValue == nil {
		return nil
	}
	return &p
}

func (p *position) place(o order) place {
	at := place{n: p.ID}
	if o != byNumber {
		at.at = readStamp(gjson.ParseBytes(p.FieldValue))
	}
	return at
}

func (q *query) positionAt(r record) *position {
	p := &position{Field: q.sort, SortDirection: "asc", ID: r.n}
	if q.desc {
		p.SortDirection = "desc"
	}
	if p.FieldValue = json.RawMessage(gjson.GetBytes(r.append(nil), q.sort).Raw); len(p.FieldValue) == 0 {
		p.FieldValue = json.RawMessage("null")
	}
	return p
}

func (s *Simulator) listV2(l *list, values url.Values, now stamp) ([]byte, *failure) {
	q, refused := readV2(l, values)
	if refused != nil {
		return nil, refused
	}
	if q.deal != "" {
		q.tests = append(q.tests, test{field: "id", value: s.personOf(q.deal, now)})
	}
	page := s.tableOf(l).page(q, now)
	body := make([]byte, 0, len(page.json)+256)
	body = append(append(body, `{"success":true,"data":[`...), page.json...)
	next := ""
	if page.more {
		next = q.positionAt(page.last).String()
	}
	return append(s.appendCursor(append(body, ']'), next), '}'), nil
}

// appendCursor appends what a v2 list says beside its data; "" is the last page.
func (s *Simulator) appendCursor(b []byte, next string) []byte {
	switch {
	case next != "":
		return append(append(append(b, `,"additional_data":{"next_cursor":"`...), next...), `"}`...)
	case s.quirks.NullAdditionalData:
		return append(b, `,"additional_data":null`...)
	case s.quirks.NoLastCursor:
		return append(b, `,"additional_data":{}`...)
	}
	return append(b, `,"additional_data":{"next_cursor":null}`...)
}

// personOf is the id of the deal's person, "none" when there is no such deal or it has none.
func (s *Simulator) personOf(deal string, now stamp) string {
	t := s.tableOf(listNamed("deals"))
	if n, ok := t.seeds.number(t.obj, deal); ok {
		if r, found := t.get(n); found && !r.purged(now) {
			if person := gjson.GetBytes(r.append(nil), "person_id"); person.Type == gjson.Number {
				return person.Raw
			}
		}
	}
	return "none"
}
