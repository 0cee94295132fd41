package entity

import (
	"slices"
	"strings"
	"time"
)

var (
	idField    = "id"
	updateTime = Stamp{Field: "update_time"}
	addTime    = Stamp{Field: "add_time"}

	isDeleted = Mark{"is_deleted", "true"}
	inactive  = Mark{"active_flag", "false"}
	deleted   = Mark{"status", `"deleted"`}
)

// What the sort parameters look like in the two versions of the API.
const (
	v2Oldest    = "sort_by=update_time&sort_direction=asc"
	v2NewlyMade = "sort_by=add_time&sort_direction=desc"
	v2ByID      = "sort_by=id&sort_direction=asc"
	v1Oldest    = "sort=update_time+ASC"
	v1NewlyMade = "sort=add_time+DESC"
)

// v2ByTime is what the lists that take updated_since and sort_by share.
func v2ByTime(o Object) Object {
	o.Schema, o.Walk, o.Paging, o.PageSize = RESTv2, ByTime, Cursor, 500
	o.RecordTokens = 1
	o.Since, o.OldestFirst = "updated_since", v2Oldest
	o.NewestFirst, o.NewestBy = v2NewlyMade, addTime
	o.ID, o.Updated, o.Created = idField, updateTime, addTime
	o.Deleted = append(o.Deleted, isDeleted)
	return o
}

// v2Full is what the v2 lists without a time filter share.
func v2Full(o Object) Object {
	o.Schema, o.Walk, o.Removals, o.Paging, o.PageSize = RESTv2, Full, true, Cursor, 500
	o.RecordTokens = 1
	o.ID, o.Updated, o.Created = idField, updateTime, addTime
	o.Deleted = append(o.Deleted, isDeleted)
	return o
}

// v1Paged is what the v1 lists with start and limit share.
func v1Paged(o Object) Object {
	o.Schema, o.Paging = RESTv1, Offset
	o.RecordTokens = 2
	o.ID, o.Updated, o.Created = idField, updateTime, addTime
	return o
}

// v1Whole is what the v1 lists without paging share.
func v1Whole(o Object) Object {
	o.Schema, o.Walk, o.Removals, o.Paging = RESTv1, Full, true, Whole
	o.RecordTokens = 2
	o.ID = idField
	return o
}

const docs = "https://developers.pipedrive.com/docs/api/v1/"

// catalogue is in the order in which the documentation names the objects. Token costs are those of
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting.
var catalogue = []Object{
	v2ByTime(Object{
		Name: "deals", Kind: "deal", Scope: "deals:read", Aliases: []string{"opportunities"},
		Path: "/api/v2/deals", Record: "/api/v2/deals/%s", Tokens: 10,
		Query: "status=open,won,lost,deleted", Deleted: []Mark{deleted}, Doc: docs + "Deals",
		Fields: "/api/v2/dealFields", FieldTokens: 10,
	}),
	v2ByTime(Object{
		Name: "deals_archived", Kind: "deal", Scope: "deals:read",
		Path: "/api/v2/deals/archived", Record: "/api/v2/deals/%s", Tokens: 20,
		Query: "status=open,won,lost,deleted", Deleted: []Mark{deleted}, Doc: docs + "Deals",
		Fields: "/api/v2/dealFields", FieldTokens: 10,
	}),
	v2ByTime(Object{
		Name: "persons", Kind: "person", Scope: "contacts:read", Aliases: []string{"contacts"},
		Path: "/api/v2/persons", Record: "/api/v2/persons/%s", Tokens: 10, Doc: docs + "Persons",
		Fields: "/api/v2/personFields", FieldTokens: 10,
	}),
	v2ByTime(Object{
		Name: "organizations", Kind: "organization", Scope: "contacts:read", Aliases: []string{"accounts"},
		Path: "/api/v2/organizations", Record: "/api/v2/organizations/%s", Tokens: 10, Doc: docs + "Organizations",
		Fields: "/api/v2/organizationFields", FieldTokens: 10,
	}),
	v2ByTime(Object{
		Name: "activities", Kind: "activity", Scope: "activities:read",
		Path: "/api/v2/activities", Record: "/api/v2/activities/%s", Tokens: 10, Doc: docs + "Activities",
		Fields: "/api/v2/activityFields", FieldTokens: 10,
	}),
	v2ByTime(Object{
		Name: "products", Kind: "product", Scope: "products:read",
		Path: "/api/v2/products", Record: "/api/v2/products/%s", Tokens: 10, Doc: docs + "Products",
		Fields: "/api/v2/productFields", FieldTokens: 10,
	}),
	v2Full(Object{
		Name: "pipelines", Kind: "pipeline", Query: v2ByID,
		Path: "/api/v2/pipelines", Record: "/api/v2/pipelines/%s", Tokens: 5, Doc: docs + "Pipelines",
	}),
	v2Full(Object{
		Name: "stages", Kind: "stage", Query: v2ByID,
		Path: "/api/v2/stages", Record: "/api/v2/stages/%s", Tokens: 5, Doc: docs + "Stages",
	}),
	v1Paged(Object{
		// Its custom fields are the deals'.
		Name: "leads", Kind: "lead", Scope: "leads:read", Walk: ByTime, PageSize: 500,
		Path: "/v1/leads", Record: "/v1/leads/%s", Tokens: 20,
		Since: "updated_since", OldestFirst: v1Oldest, NewestFirst: v1NewlyMade, NewestBy: addTime, Doc: docs + "Leads",
		Fields: "/api/v2/dealFields", FieldTokens: 10,
	}),
	v1Paged(Object{
		// No time filter, and whether archiving moves update_time is not documented: read whole. A lead that is
		// taken out of the archive is back among the leads, so vanishing means nothing.
		Name: "leads_archived", Kind: "lead", Scope: "leads:read", Walk: Full, PageSize: 500, Query: "sort=id+ASC",
		Path: "/v1/leads/archived", Record: "/v1/leads/%s", Tokens: 40, Doc: docs + "Leads",
		Fields: "/api/v2/dealFields", FieldTokens: 10,
	}),
	v1Paged(Object{
		Name: "notes", Kind: "note", Walk: ByTime, PageSize: 500,
		Path: "/v1/notes", Record: "/v1/notes/%s", Tokens: 20, Deleted: []Mark{inactive},
		Since: "updated_since", OldestFirst: v1Oldest, NewestFirst: v1NewlyMade, NewestBy: addTime, Doc: docs + "Notes",
	}),
	v1Whole(Object{
		// A deactivated user still exists: active_flag false is a change, not a deletion.
		Name: "users", Kind: "user", Scope: "users:read",
		Path: "/v1/users", Record: "/v1/users/%s", Tokens: 20,
		Updated: Stamp{Field: "modified"}, Created: Stamp{Field: "created"}, Doc: docs + "Users",
	}),
	v1Paged(Object{
		Name: "files", Kind: "file", Walk: Newest, PageSize: 100,
		Path: "/v1/files", Record: "/v1/files/%s", Tokens: 20, Deleted: []Mark{inactive},
		NewestFirst: "sort=update_time+DESC", NewestBy: updateTime, Doc: docs + "Files",
	}),
	v2Full(Object{
		Name: "projects", Kind: "project", Scope: "projects:read", Query: "status=open,completed,canceled,deleted",
		Path: "/api/v2/projects", Record: "/api/v2/projects/%s", Tokens: 10,
		Deleted: []Mark{deleted}, Doc: docs + "Projects",
		Fields: "/api/v2/projectFields", FieldTokens: 10,
	}),
	v2Full(Object{
		Name: "tasks", Kind: "task",
		Path: "/api/v2/tasks", Record: "/api/v2/tasks/%s", Tokens: 10, Doc: docs + "Tasks",
	}),
	callLogs(),
	v1Whole(Object{
		// There is no GET of one activity type.
		Name: "activity_types", Kind: "activity_type",
		Path: "/v1/activityTypes", Tokens: 20,
		Updated: updateTime, Created: addTime, Doc: docs + "ActivityTypes",
	}),
}

// callLogs takes no sort parameter, and no field says when one was written: only when the call began, and it is
// logged at its end or later.
func callLogs() Object {
	o := v1Paged(Object{
		Name: "call_logs", Kind: "call_log", Scope: "phone-integration", Walk: Newest, PageSize: 50,
		Path: "/v1/callLogs", Record: "/v1/callLogs/%s", Tokens: 20, Doc: docs + "CallLogs",
	})
	o.Updated, o.Created = Stamp{}, Stamp{Field: "start_time"}
	o.NewestBy, o.Late = o.Created, 24*time.Hour
	return o
}

// Lookup finds an object by its name or an alias.
func Lookup(word string) (Object, bool) {
	i := slices.IndexFunc(catalogue, func(o Object) bool {
		return o.Name == word || slices.Contains(o.Aliases, word)
	})
	if i < 0 {
		return Object{}, false
	}
	return catalogue[i], true
}

// OfKind finds the first row of a kind: deals for `deal`.
func OfKind(kind string) (Object, bool) {
	i := slices.IndexFunc(catalogue, func(o Object) bool { return o.Kind == kind })
	if i < 0 {
		return Object{}, false
	}
	return catalogue[i], true
}

// All returns the catalogue, in its own order.
func All() []Object { return slices.Clone(catalogue) }

// Known is every name that Lookup accepts, for a message: `deals (opportunities), deals_archived, …`.
func Known() string {
	words := make([]string, len(catalogue))
	for i, o := range catalogue {
		words[i] = o.Name
		if len(o.Aliases) > 0 {
			words[i] += " (" + strings.Join(o.Aliases, ", ") + ")"
		}
	}
	return strings.Join(words, ", ")
}
