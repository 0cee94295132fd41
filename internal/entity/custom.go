package entity

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Custom is a list that the catalogue does not have, as a user describes it.
type Custom struct {
	Name          string // free, but no name of the catalogue
	Path          string // /api/v2/…, /v1/… or /api/v1/…; may carry a query
	IDField       string
	UpdatedField  string
	UpdatedFormat string // Java pattern; empty: found by looks
	CreatedField  string
	CreatedFormat string
	TimeZone      string // IANA name, of times that do not name theirs; empty: UTC
	Since         string // parameter that takes the lower bound of UpdatedField
	Paging        string // auto, cursor, offset, none
	Tokens        int    // of one page; 0: 10 for v2, 20 for v1
	PageSize      int    // 0: 100, what every list allows
}

// PagingWords are the values of Custom.Paging.
var PagingWords = map[string]Paging{"auto": AnyPaging, "cursor": Cursor, "offset": Offset, "none": Whole}

var name = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// IsName tells whether a word may be the name of an object: it is in snake_case.
func IsName(word string) bool { return name.MatchString(word) }

// Object makes a row of it. Errors name the field as a user wrote it.
func (c Custom) Object() (Object, error) {
	if !IsName(c.Name) {
		return Object{}, fmt.Errorf("name: %q is not in snake_case, like call_logs", c.Name)
	}
	if _, taken := Lookup(c.Name); taken {
		return Object{}, fmt.Errorf("name: %q is an object of the catalogue, name it under `objects` or choose another name", c.Name)
	}
	o := Object{Name: c.Name, Kind: c.Name, Schema: RESTv1, Walk: Full, ID: cmp.Or(c.IDField, "id"), PageSize: cmp.Or(c.PageSize, 100)}
	if err := c.place(&o); err != nil {
		return Object{}, err
	}
	var known bool
	if o.Paging, known = PagingWords[cmp.Or(c.Paging, "auto")]; !known {
		return Object{}, fmt.Errorf("paging: %q is not auto, cursor, offset or none", c.Paging)
	}
	if err := c.stamps(&o); err != nil {
		return Object{}, err
	}
	if c.Since != "" {
		if o.Updated.Field == "" {
			return Object{}, fmt.Errorf("since_parameter: needs updated_field, the time it is compared with")
		}
		o.Walk, o.Since = ByTime, c.Since
	}
	return o, nil
}

// place reads the path, and what follows from the version of the API in it.
func (c Custom) place(o *Object) error {
	u, err := url.Parse(c.Path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return fmt.Errorf("path: %q is not a path like /api/v2/boards or /v1/filters", c.Path)
	}
	if u.Query().Has("api_token") {
		return fmt.Errorf("path: holds an api_token, which is sent in a header: leave it out")
	}
	tokens := 20
	if strings.HasPrefix(u.Path, "/api/v2/") {
		o.Schema, tokens = RESTv2, 10
	}
	// No order is asked for: which parameter a list takes is not known, and one that it does not know is ignored by
	// v1 and refused by v2. A user can put it into the path.
	o.Path, o.Query, o.Tokens = u.Path, u.RawQuery, cmp.Or(c.Tokens, tokens)
	return nil
}

func (c Custom) stamps(o *Object) error {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil || zone == time.Local { // "Local" is another one on each machine
		return fmt.Errorf("time_zone: %q is not an IANA name like Europe/Berlin", c.TimeZone)
	}
	if o.Updated, err = stamp(c.UpdatedField, c.UpdatedFormat, zone); err != nil {
		return fmt.Errorf("updated_format: %w", err)
	}
	if o.Created, err = stamp(c.CreatedField, c.CreatedFormat, zone); err != nil {
		return fmt.Errorf("created_format: %w", err)
	}
	return nil
}

func stamp(field, pattern string, zone *time.Location) (Stamp, error) {
	if pattern == "" {
		return Stamp{Field: field, Zone: zone}, nil
	}
	layout, err := JavaLayout(pattern)
	return Stamp{Field: field, Layout: layout, Zone: zone}, err
}
