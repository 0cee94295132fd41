package simulator

import (
	"net/http"
	"strings"
)

// route is what a path leads to.
type route struct {
	list   *list
	fields *fieldList // definitions of fields
	id     string     // of one record, or one field; "" is the list
	me     bool       // the owner of the credential
	hooks  bool       // webhooks, or the one of the id
	name   string     // the path without an id, for counting
	v2     bool
	known  bool
}

const (
	v2Root = "/api/v2/"
	mePath = "/v1/users/me"

	hooksPath = "/v1/webhooks"
)

// findRoute reads a path under /v1, /api/v1 or /api/v2; /v2 alone leads nowhere.
// https://pipedrive.readme.io/docs/core-api-concepts-requests
func findRoute(path string) route {
	plain := path
	if strings.HasPrefix(path, "/api/v1/") {
		plain = strings.TrimPrefix(path, "/api")
	}
	rt := route{v2: strings.HasPrefix(path, v2Root), name: "(unknown)"}
	if plain == mePath {
		rt.me, rt.known, rt.name = true, true, mePath
		return rt
	}
	if plain == hooksPath {
		return route{hooks: true, name: hooksPath, known: true}
	}
	if id, found := strings.CutPrefix(plain, hooksPath+"/"); found && id != "" {
		return route{hooks: true, id: id, name: hooksPath + "/{id}", known: true}
	}
	for _, l := range lists {
		if plain == l.path {
			return route{list: l, name: l.path, v2: rt.v2, known: true}
		}
	}
	if fields, found := findFields(plain, rt.v2); found {
		return fields
	}
	i := strings.LastIndexByte(plain, '/')
	for _, l := range lists {
		if l.single && i > 0 && plain[:i] == l.path && plain[i+1:] != "" {
			return route{list: l, id: plain[i+1:], name: l.path + "/{id}", v2: rt.v2, known: true}
		}
	}
	return rt
}

func findFields(plain string, v2 bool) (route, bool) {
	root := "/v1/"
	if v2 {
		root = v2Root
	}
	for _, l := range fieldLists {
		path := root + l.word
		if rest, found := strings.CutPrefix(plain, path); found && (v2 || !l.v2Only) {
			id := strings.TrimPrefix(rest, "/")
			switch {
			case rest == "":
				return route{fields: l, name: path, v2: v2, known: true}, true
			case id != rest && id != "" && !strings.Contains(id, "/"):
				return route{fields: l, id: id, name: path + "/{id}", v2: v2, known: true}, true
			}
		}
	}
	return route{}, false
}

// What costs tokens and is not in the table of lists.
const (
	meCost    = 2
	hooksCost = 10 // to list them or to make one
	hookCost  = 6  // to delete one
)

func (rt route) cost() int {
	switch {
	case rt.me:
		return meCost
	case rt.hooks && rt.id != "":
		return hookCost
	case rt.hooks:
		return hooksCost
	case !rt.known:
		return 0
	case rt.fields != nil:
		return rt.fields.cost(rt.v2, rt.id != "")
	case rt.id != "":
		return rt.list.singleCost
	}
	return rt.list.cost
}

// paths that api.pipedrive.com does not have under /api/v1 and that are not in the table.
var offAPI = []string{"/api/v1/leadLabels", "/api/v1/leadSources", "/api/v1/goals/find", "/api/v1/mailbox/"}

func (s *Simulator) offHost(path string, rt route) bool {
	if !s.quirks.APIHost || !strings.HasPrefix(path, "/api/v1/") {
		return false
	}
	if rt.known && rt.list != nil && rt.list.offAPI {
		return true
	}
	for _, prefix := range offAPI {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// single answers the GET of one record.
func (s *Simulator) single(rt route, now stamp) answer {
	t := s.tableOf(rt.list)
	n, ok := t.seeds.number(t.obj, rt.id)
	if !ok {
		return fail(t.obj.missing)
	}
	r, found := t.get(n)
	if !found || r.purged(now) || r.deleted() && (t.obj.v1 || s.quirks.DeletedNotFound) {
		return fail(t.obj.missing)
	}
	body := append(r.append([]byte(`{"success":true,"data":`)), '}')
	return answer{status: http.StatusOK, body: body, charset: rt.list.charset}
}

// me answers GET /v1/users/me: the first user and the company.
// https://developers.pipedrive.com/docs/api/v1/Users#getCurrentUser
func (s *Simulator) me() answer {
	r, found := s.tableOf(listNamed("users")).get(1)
	if !found {
		return fail(noUser)
	}
	body := Fields{
		"company_id": s.opts.CompanyID, "company_name": "Acme Sandbox", "company_domain": s.opts.CompanyDomain,
		"company_country": "EE", "company_industry": nil,
		"language": map[string]string{"language_code": "en", "country_code": "US"},
	}.patch(r.append(nil), layoutV1)
	return answer{status: http.StatusOK, body: append(append([]byte(`{"success":true,"data":`), body...), '}')}
}
