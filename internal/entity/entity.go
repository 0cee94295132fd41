// Package entity is the catalogue of Pipedrive objects: where each is listed, how it is walked, what a request
// costs, and which of its fields say who it is and when it changed. What differs between objects is a row here;
// no other package asks for an object by name.
package entity

import "time"

// Walk is how the changes of an object are found.
type Walk uint8

const (
	// ByTime objects have a list that filters on update_time: changes are asked for, oldest first.
	ByTime Walk = iota
	// Newest objects have no filter: the list is read from its newest record down to what is already known.
	Newest
	// Full objects have small lists without a filter: they are read whole and compared with the last reading.
	Full
)

// Paging is how a list is cut into pages.
type Paging uint8

const (
	// Cursor lists answer with additional_data.next_cursor, a position that survives inserts and deletes.
	Cursor Paging = iota
	// Offset lists take start and limit: rows shift under the reader when others come or go.
	Offset
	// Whole lists have one page and ignore start and limit.
	Whole
	// AnyPaging is for custom objects: the first answer tells which of the above it is.
	AnyPaging
)

// Schema says in which of Pipedrive's shapes the records of a list are written.
type Schema string

// The two shapes of the REST API; the two of webhooks are not listed anywhere and have no row.
const (
	RESTv1 Schema = "rest_v1"
	RESTv2 Schema = "rest_v2"
)

// Object is one row of the catalogue. Its zero values mean "Pipedrive has no such thing".
type Object struct {
	Name    string   // the word in `objects`, plural: deals
	Kind    string   // the word in events, singular: deal. Two lists may hold one kind (deals, deals_archived)
	Aliases []string // other words for Name: the CRM-hub name

	Schema Schema
	Path   string // of the list
	Record string // of one record, with %s for its id
	Doc    string // the documentation page the row was read from

	Walk     Walk
	Removals bool // Full only: a record that vanishes was deleted, the list hides nothing else

	Paging   Paging
	PageSize int // the most rows a page may have

	Scope string // that an app needs to list it, where that is documented

	Tokens       int // daily budget tokens of one page
	RecordTokens int // of one record

	Fields      string // path of the list of its field definitions; lists of API v2 all, by cursor, 500 a page
	FieldTokens int    // of one page of them

	Query       string // parameters of every list request, URL-encoded
	Since       string // parameter that takes the inclusive lower bound of update_time
	OldestFirst string // parameters that order by update_time ascending
	NewestFirst string // parameters that order by NewestBy descending
	NewestBy    Stamp  // the time the newest-first order is by

	Late time.Duration // how long after its NewestBy a record may still appear

	ID      string // field of the id, a gjson path
	Updated Stamp
	Created Stamp
	Deleted []Mark // any of them says the record was deleted
}

// Stamp is a field that holds a time.
type Stamp struct {
	Field  string         // gjson path; empty: there is none
	Layout string         // Go layout; empty: RFC 3339 or `yyyy-MM-dd HH:mm:ss`, whichever it looks like
	Zone   *time.Location // of times that do not name theirs; nil is UTC
}

// Mark is a field whose raw JSON value says something, like is_deleted = true.
type Mark struct{ Field, JSON string }

// sqlTime is how REST v1 writes a time: UTC, unmarked, with or without a fraction.
// https://pipedrive.readme.io/docs/core-api-concepts-date-format
const sqlTime = "2006-01-02 15:04:05"

// Parse reads a time as this field writes it, in UTC. A value that is empty, null-like (`0000-00-00 00:00:00`) or
// unreadable is no time.
func (s Stamp) Parse(text string) (time.Time, bool) {
	layout := s.Layout
	if layout == "" {
		if layout = sqlTime; len(text) > 10 && text[10] == 'T' {
			layout = time.RFC3339
		}
	}
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation(layout, text, zone)
	return t.UTC(), err == nil
}
