package instance

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// Custom is a resource that the catalogue does not have.
type Custom struct {
	entity.Custom
	Said    string // the name in the instance
	Guessed bool   // the path follows from the hub's, which says little about Pipedrive's
}

// The bounds that pipedrive_poll has for a page.
const (
	minPageSize = 2
	maxPageSize = 500
)

// custom describes a resource as custom_objects does. What does not fit is a problem in f.
func (r resource) custom(f *findings) (Custom, bool) {
	c := Custom{Said: r.name}
	c.Name = snake(r.name)
	if c.Name != r.name {
		f.warn(r.at, r.key, "is called %s from now on, in its events too", printable(c.Name))
	}
	query, ok := r.place(f, &c)
	if !ok {
		return c, false
	}
	c.IDField = r.idField
	c.UpdatedField, c.UpdatedFormat = r.updated.field, r.updated.format
	c.CreatedField, c.CreatedFormat = r.created.field, cmp.Or(r.created.format, r.updated.format)
	if c.TimeZone, ok = r.zone(f); !ok {
		return c, false
	}
	c.Since = query.since
	if c.Since != "" {
		c.UpdatedField = cmp.Or(c.UpdatedField, "update_time")
	}
	if r.pageSize > 0 {
		c.PageSize = min(max(r.pageSize, minPageSize), maxPageSize)
	}
	if _, err := c.Object(); err != nil {
		field, why, _ := strings.Cut(err.Error(), ": ")
		f.problem(r.at, r.key+customKeys[field], "%s", why)
		return c, false
	}
	return c, true
}

// customKeys is where the fields of custom_objects come from.
var customKeys = map[string]string{
	"path":           ".url",
	"updated_format": ".datesConfiguration.updatedDateFormat",
	"created_format": ".datesConfiguration.createdDateFormat",
}

// zone is the one that both times have.
func (r resource) zone(f *findings) (string, bool) {
	if r.updated.zone != "" && r.created.zone != "" && r.updated.zone != r.created.zone {
		f.problem(r.at, r.key+".datesConfiguration", "has times in two zones, %s and %s; give both the same", quoted(r.updated.zone), quoted(r.created.zone))
		return "", false
	}
	said := cmp.Or(r.updated.zone, r.created.zone)
	if said == "" {
		return "", true
	}
	name, ok := ianaZone(said)
	if !ok {
		f.problem(r.at, r.key+".datesConfiguration", "has times in the zone %s, which is not known; write an IANA name like Europe/Berlin, or GMT", quoted(said))
	}
	return name, ok
}

var (
	hubPath  = regexp.MustCompile(`^(?:https?://[^/]+)?(?:/elements/api-v2)?/hubs/[^/]+/(.+?)/?$`)
	apiPath  = regexp.MustCompile(`^(?:https?://[^/]+\.pipedrive\.com)?(/(?:api/v1|api/v2|v1)/.+)$`)
	barePath = regexp.MustCompile(`^/?([^/:]+(?:/[^/:]+)*)$`)
	plain    = regexp.MustCompile(`^[0-9A-Za-z/_.~-]+$`)
)

// hubResource is what a path of a hub ends with: accounts of /hubs/crm/accounts.
func hubResource(path string) (string, bool) {
	found := hubPath.FindStringSubmatch(path)
	if found == nil {
		return "", false
	}
	return found[1], true
}

// place finds the path in Pipedrive's API, as far as it can be told.
func (r resource) place(f *findings, c *Custom) (urlQuery, bool) {
	if r.url == "" {
		f.problem(r.at, r.key, "is no object that is known, and has no url; take it out, or give its url. Known are %s", entity.Known())
		return urlQuery{}, false
	}
	path, query, _ := strings.Cut(r.url, "?")
	q := readQuery(query)
	switch hub, isHub := hubResource(path); {
	case isHub:
		c.Path, c.Guessed = "/v1/"+hub, true
	case apiPath.MatchString(path):
		c.Path = apiPath.FindStringSubmatch(path)[1]
	case barePath.MatchString(path):
		c.Path, c.Guessed = "/v1/"+barePath.FindStringSubmatch(path)[1], true
	}
	if !plain.MatchString(c.Path) {
		f.problem(r.at, r.key+".url", "is no path of a list, like /hubs/crm/accounts or /api/v2/boards")
		return urlQuery{}, false
	}
	if !c.Guessed && len(q.kept) > 0 {
		c.Path += "?" + strings.Join(q.kept, "&")
	} else if len(q.kept) > 0 {
		q.dropped = append(q.dropped, namesOf(q.kept)...)
	}
	if len(q.dropped) > 0 {
		f.warn(r.at, r.key+".url", "asks with %s, which is not carried over; add to the path in custom_objects what Pipedrive needs", printableList(q.dropped))
	}
	return q, true
}
