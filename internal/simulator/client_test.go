package simulator_test

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// reply is an answer read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json(path string) gjson.Result { return gjson.Get(r.body, path) }

// send does one request in process; set changes it before it goes.
func send(t *testing.T, s *simulator.Simulator, method, path string, set func(*http.Request)) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, http.NoBody)
	require.NoError(t, err)
	set(req)
	res, err := s.Transport().RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return reply{res.StatusCode, res.Header, string(body)}
}

// get reads a path with the API token.
func get(t *testing.T, s *simulator.Simulator, path string) reply {
	t.Helper()
	return send(t, s, http.MethodGet, path, func(r *http.Request) { r.Header.Set("x-api-token", s.Token()) })
}

// walk reads a list to its end, by cursor or by start, whichever it answers with; between runs after each page.
func walk(t *testing.T, s *simulator.Simulator, path string, query url.Values, between func()) []gjson.Result {
	t.Helper()
	var all []gjson.Result
	for {
		page := get(t, s, path+"?"+query.Encode())
		require.Equal(t, http.StatusOK, page.status, page.body)
		require.True(t, gjson.Valid(page.body))
		all = append(all, page.json("data").Array()...)
		if between != nil {
			between()
		}
		cursor, start := page.json("additional_data.next_cursor"), page.json("additional_data.pagination.next_start")
		switch {
		case cursor.Type == gjson.String:
			query.Set("cursor", cursor.Str)
		case start.Exists():
			query.Set("start", start.Raw)
		default:
			return all
		}
	}
}

func ids(records []gjson.Result) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Get("id").String())
	}
	return all
}

// everything are lists with some of every object.
func everything(n int) simulator.Options {
	return simulator.Options{
		Deals: n, Persons: n, Organizations: n, Activities: n, Products: n, Leads: n, Notes: n, Files: n, CallLogs: n,
		Projects: n, Tasks: n, Users: n, Pipelines: n, Stages: n, ActivityTypes: n, DailyBudget: -1, Burst: -1,
	}
}

// paths of all lists, by name.
var paths = map[string]string{
	"deals": "/api/v2/deals", "deals_archived": "/api/v2/deals/archived", "persons": "/api/v2/persons",
	"organizations": "/api/v2/organizations", "activities": "/api/v2/activities", "products": "/api/v2/products",
	"pipelines": "/api/v2/pipelines", "stages": "/api/v2/stages", "leads": "/v1/leads",
	"leads_archived": "/v1/leads/archived", "notes": "/v1/notes", "users": "/v1/users", "files": "/v1/files",
	"projects": "/api/v2/projects", "projects_archived": "/api/v2/projects/archived", "tasks": "/api/v2/tasks",
	"call_logs": "/v1/callLogs", "activity_types": "/v1/activityTypes",
}

func itoa(n int) string { return strconv.Itoa(n) }
