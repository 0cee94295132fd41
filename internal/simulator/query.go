package simulator

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// query is what a list request asks for.
type query struct {
	list     *list
	limit    int
	start    int // v1
	sort     string
	desc     bool
	after    *position // v2
	from, to stamp     // of update_time, [from, to); never is unbounded
	statuses []string  // nil: all but deleted
	ids      []string  // nil: all
	keys     []string  // custom fields to show; nil: all
	deal     string    // whose person is asked for; "" is any
	tests    []test
}

// test is a field that must have a value.
type test struct{ field, value string }

const (
	mostIDs  = 100
	mostKeys = 15
)

// readV2 refuses what it does not know. https://pipedrive.readme.io/docs/pipedrive-api-v2-migration-guide
func readV2(l *list, values url.Values) (*query, *failure) {
	q := &query{list: l, limit: l.usual, sort: "id", from: never, to: never}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values.Get(name)
		var refused *failure
		switch {
		case name == "api_token":
		case name == "limit":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > l.most {
				return nil, invalid("limit must be an integer between 1 and %d", l.most)
			}
			q.limit = n
		case name == "cursor":
			if q.after = readPosition(value); q.after == nil {
				return nil, invalid("cursor is not valid")
			}
		case name == "sort_by" && len(l.sorts) > 0:
			if !slices.Contains(l.sorts, value) {
				return nil, invalid("sort_by must be one of %s", strings.Join(l.sorts, ", "))
			}
			q.sort = value
		case name == "sort_direction" && len(l.sorts) > 0:
			if value != "asc" && value != "desc" {
				return nil, invalid("sort_direction must be asc or desc")
			}
			q.desc = value == "desc"
		case name == "status" && l.statuses != nil:
			q.statuses = strings.Split(value, ",")
			for _, status := range q.statuses {
				if !slices.Contains(l.statuses, status) {
					return nil, invalid("status must be one of %s", strings.Join(l.statuses, ", "))
				}
			}
		default:
			i := slices.IndexFunc(l.params, func(p param) bool { return p.name == name })
			if i < 0 {
				return nil, invalid("%s is not allowed", name)
			}
			refused = q.readFilter(l.params[i], value)
		}
		if refused != nil {
			return nil, refused
		}
	}
	if q.after != nil && (q.after.Field != q.sort || (q.after.SortDirection == "desc") != q.desc) {
		return nil, invalid("cursor does not belong to this order")
	}
	if values.Get("filter_id") != "" { // the filter's own conditions hold instead
		q.tests, q.ids, q.statuses, q.deal = nil, nil, nil, ""
	}
	return q, nil
}

func (q *query) readFilter(p param, value string) *failure {
	switch p.kind {
	case integer, ofDeal:
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return invalid("%s must be an integer", p.name)
		}
	case boolean, checked:
		if value != "true" && value != "false" {
			return invalid("%s must be a boolean", p.name)
		}
	case since, until:
		t, err := time.Parse(layoutV2, value)
		if err != nil || len(value) != len(layoutV2) { // Parse would let a fraction pass
			return invalid("%s is not a valid datetime", p.name)
		}
		if p.kind == since {
			q.from = stampOf(t)
		} else {
			q.to = stampOf(t)
		}
		return nil
	case idList:
		q.ids = strings.Split(value, ",")
		for _, id := range q.ids {
			if _, err := strconv.ParseInt(id, 10, 64); err != nil || len(q.ids) > mostIDs {
				return invalid("%s must be at most %d integers", p.name, mostIDs)
			}
		}
		return nil
	case keyList:
		if q.keys = strings.Split(value, ","); len(q.keys) > mostKeys {
			return invalid("%s must name at most %d fields", p.name, mostKeys)
		}
		return nil
	}
	if p.kind == ofDeal {
		q.deal = value
		return nil
	}
	if p.kind != checked && !uncompared[p.name] {
		q.tests = append(q.tests, test{field: orName(p), value: value})
	}
	return nil
}

// uncompared parameters are read and change nothing here.
var uncompared = map[string]bool{"filter_id": true, "include_fields": true}

func orName(p param) string {
	if p.field != "" {
		return p.field
	}
	return p.name
}

// readV1 takes what it understands and passes over the rest.
func readV1(l *list, values url.Values) *query {
	q := &query{list: l, limit: l.usual, sort: "id", desc: l.newest, from: never, to: never}
	if l.paging == whole {
		return q
	}
	if n, err := strconv.Atoi(values.Get("limit")); err == nil && n > 0 {
		q.limit = min(n, l.most)
	}
	if n, err := strconv.Atoi(values.Get("start")); err == nil && n > 0 {
		q.start = n
	}
	if len(l.sorts) > 0 {
		q.sort = l.sorts[0]
	}
	word, direction, _ := strings.Cut(strings.TrimSpace(values.Get("sort")), " ")
	if slices.Contains(l.sorts, word) {
		q.sort, q.desc = word, strings.EqualFold(direction, "desc")
	}
	for _, p := range l.params {
		value := values.Get(p.name)
		switch {
		case value == "" || uncompared[p.name]:
		case p.kind == since:
			q.from = readStamp(gjson.Result{Type: gjson.String, Str: value})
		default:
			q.tests = append(q.tests, test{field: orName(p), value: value})
		}
	}
	return q
}
