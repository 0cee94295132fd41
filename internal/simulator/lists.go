package simulator

import (
	"fmt"
	"slices"
)

// list is one row of what can be listed.
type list struct {
	name     string
	object   string
	path     string // as the documentation writes it: /v1/..., /api/v2/...
	single   bool   // one record can be read under this path
	archived bool   // shows the archived records; the others hide them

	cost, singleCost int // tokens

	paging   paging
	most     int      // rows a page may have
	usual    int      // rows a page has when nobody says
	params   []param  // filters; v2 refuses any other parameter
	sorts    []string // the fields it sorts by, the default first
	statuses []string // words of its status parameter; "deleted" shows deleted records

	scope     string // the OAuth scope that opens it
	offAPI    bool   // 404 under /api/v1 of api.pipedrive.com
	charset   bool   // names the character set in its content type
	companyID bool   // says whose it is beside the data
	flatWhen  bool   // the quirk FlatLeadPaging is about it
	newest    bool   // newest first, unless the quirk OldestCallsFirst turns it
}

type paging uint8

const (
	byCursor paging = iota
	byOffset
	whole
)

// param is a query parameter of a list.
type param struct {
	name  string
	kind  kind
	field string // the field it is compared with; "" is the field of its own name
}

type kind uint8

const (
	integer kind = iota
	boolean
	words
	idList  // at most 100
	since   // update_time >= value
	until   // update_time < value
	keyList // custom_fields: the keys to show, at most 15
	checked // a boolean that changes nothing here
	ofDeal  // the id of a deal: the persons of it
)

func with(more ...param) []param { return more }

var (
	timed   = with(param{name: "updated_since", kind: since}, param{name: "updated_until", kind: until})
	labeled = with(param{name: "include_option_labels", kind: checked}, param{name: "include_labels", kind: checked})
	common  = with(param{name: "filter_id", kind: integer}, param{name: "ids", kind: idList},
		param{name: "owner_id", kind: integer}, param{name: "include_fields", kind: words},
		param{name: "custom_fields", kind: keyList})
	ofDeals = slices.Concat(common, timed, with(param{name: "person_id"}, param{name: "org_id"},
		param{name: "pipeline_id"}, param{name: "stage_id"}))
	ofProjects = with(param{name: "filter_id"}, param{name: "phase_id"})
	ofTasks    = with(param{name: "is_done", kind: boolean}, param{name: "is_milestone", kind: boolean},
		param{name: "assignee_id", field: "assignee_ids"}, param{name: "project_id"},
		param{name: "parent_task_id", kind: words})
	ofLeads = with(param{name: "owner_id"}, param{name: "person_id"}, param{name: "organization_id"}, param{name: "filter_id"})

	byTimes       = []string{"id", "update_time", "add_time"}
	leadSorts     = []string{"add_time", "id", "title", "owner_id", "creator_id", "was_seen", "expected_close_date", "next_activity_id", "update_time"}
	dealStatuses  = []string{"open", "won", "lost", "deleted"}
	projectStates = []string{"open", "completed", "canceled", "deleted"}
)

// lists are all there are. Costs: https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
var lists = []*list{
	{
		name: "deals", object: "deals", path: "/api/v2/deals", single: true, cost: 10, singleCost: 1, most: 500, usual: 100,
		params: slices.Concat(ofDeals, labeled), sorts: byTimes, statuses: dealStatuses, scope: "deals:read",
	},
	{
		name: "deals_archived", object: "deals", path: "/api/v2/deals/archived", archived: true, cost: 20, most: 500, usual: 100,
		params: ofDeals, sorts: byTimes, statuses: dealStatuses, scope: "deals:read",
	},
	{
		name: "persons", object: "persons", path: "/api/v2/persons", single: true, cost: 10, singleCost: 1, most: 500, usual: 100,
		params: slices.Concat(common, timed, labeled, with(param{name: "org_id"}, param{name: "deal_id", kind: ofDeal})),
		sorts:  byTimes, scope: "contacts:read",
	},
	{
		name: "organizations", object: "organizations", path: "/api/v2/organizations", single: true, cost: 10, singleCost: 1,
		most: 500, usual: 100, params: slices.Concat(common, timed, labeled), sorts: byTimes, scope: "contacts:read",
	},
	{
		name: "activities", object: "activities", path: "/api/v2/activities", single: true, cost: 10, singleCost: 1,
		most: 500, usual: 100, sorts: append(slices.Clone(byTimes), "due_date"), scope: "activities:read",
		params: slices.Concat(timed, with(param{name: "filter_id"}, param{name: "ids", kind: idList}, param{name: "owner_id"},
			param{name: "deal_id"}, param{name: "lead_id", kind: words}, param{name: "person_id"}, param{name: "org_id"},
			param{name: "done", kind: boolean}, param{name: "include_fields", kind: words})),
	},
	{
		name: "products", object: "products", path: "/api/v2/products", single: true, cost: 10, singleCost: 1,
		most: 500, usual: 100, sorts: append(slices.Clone(byTimes), "name"), scope: "products:read",
		params: with(param{name: "owner_id"}, param{name: "ids", kind: idList}, param{name: "filter_id"},
			param{name: "updated_since", kind: since}, param{name: "custom_fields", kind: keyList}),
	},
	{
		name: "pipelines", object: "pipelines", path: "/api/v2/pipelines", single: true, cost: 5, singleCost: 1,
		most: 500, usual: 100, sorts: byTimes, scope: "deals:read",
	},
	{
		name: "stages", object: "stages", path: "/api/v2/stages", single: true, cost: 5, singleCost: 1, most: 500, usual: 100,
		params: with(param{name: "pipeline_id"}), sorts: append(slices.Clone(byTimes), "order_nr"), scope: "deals:read",
	},
	{
		name: "leads", object: "leads", path: "/v1/leads", single: true, cost: 20, singleCost: 2, paging: byOffset,
		most: 500, usual: 100, params: append(slices.Clone(ofLeads), param{name: "updated_since", kind: since}),
		sorts: leadSorts, scope: "leads:read", offAPI: true, charset: true, flatWhen: true,
	},
	{
		name: "leads_archived", object: "leads", path: "/v1/leads/archived", archived: true, cost: 40, paging: byOffset,
		most: 500, usual: 100, params: ofLeads, sorts: leadSorts, scope: "leads:read", offAPI: true, charset: true, flatWhen: true,
	},
	{
		name: "notes", object: "notes", path: "/v1/notes", single: true, cost: 20, singleCost: 2, paging: byOffset,
		most: 500, usual: 100, scope: "deals:read",
		params: with(param{name: "user_id"}, param{name: "lead_id", kind: words}, param{name: "deal_id"}, param{name: "person_id"},
			param{name: "org_id"}, param{name: "updated_since", kind: since}),
		sorts: []string{"id", "user_id", "deal_id", "person_id", "org_id", "content", "add_time", "update_time"},
	},
	{
		name: "users", object: "users", path: "/v1/users", single: true, cost: 20, singleCost: 2, paging: whole, scope: "users:read", companyID: true,
	},
	{
		name: "files", object: "files", path: "/v1/files", single: true, cost: 20, singleCost: 2, paging: byOffset,
		most: 100, usual: 100, sorts: []string{"id", "update_time"}, scope: "deals:read",
	},
	{
		name: "projects", object: "projects", path: "/api/v2/projects", single: true, cost: 10, singleCost: 1, most: 500, usual: 100,
		params: append(slices.Clone(ofProjects), param{name: "deal_id", field: "deal_ids"},
			param{name: "person_id", field: "person_ids"}, param{name: "org_id", field: "org_ids"}),
		statuses: projectStates, scope: "projects:read",
	},
	{
		name: "projects_archived", object: "projects", path: "/api/v2/projects/archived", archived: true, cost: 10,
		most: 500, usual: 100, params: ofProjects, statuses: projectStates, scope: "projects:read",
	},
	{
		name: "tasks", object: "tasks", path: "/api/v2/tasks", single: true, cost: 10, singleCost: 1, most: 500, usual: 100,
		params: ofTasks, scope: "projects:read",
	},
	{
		name: "call_logs", object: "call_logs", path: "/v1/callLogs", single: true, cost: 20, singleCost: 2, paging: byOffset,
		most: 50, usual: 50, scope: "phone-integration", newest: true,
	},
	{
		name: "activity_types", object: "activity_types", path: "/v1/activityTypes", cost: 20, paging: whole, scope: "base",
	},
}

func listNamed(name string) *list {
	for _, l := range lists {
		if l.name == name {
			return l
		}
	}
	panic(fmt.Sprintf("simulator: there is no list of %q", name))
}
