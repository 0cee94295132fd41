package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const (
	alertsFile    = "../deploy/prometheus/alerts.yaml"
	dashboardFile = "../deploy/grafana/benthos-pipedrive.json"
	runbook       = "https://github.com/benthos-pipedrive/benthos-pipedrive/blob/main/docs/operations.md#"
)

// query is PromQL and where it stands.
type query struct{ where, text string }

type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	content, err := os.ReadFile(alertsFile)
	require.NoError(t, err)
	var file struct{ Groups []struct{ Rules []alert } }
	require.NoError(t, yaml.Unmarshal(content, &file))
	require.Len(t, file.Groups, 1)
	require.NotEmpty(t, file.Groups[0].Rules)
	return file.Groups[0].Rules
}

func alertQueries(t *testing.T) (queries []query) {
	t.Helper()
	for _, a := range alerts(t) {
		queries = append(queries, query{where: "alert " + a.Alert, text: a.Expr})
	}
	return queries
}

type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ UID string }
	GridPos                  struct{ H, W, X, Y int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct{ RefID, Expr, LegendFormat string }
}

func dashboardOf(t *testing.T) dashboard {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(content, &d))
	require.NotEmpty(t, d.Panels)
	return d
}

func dashboardQueries(t *testing.T) (queries []query) {
	t.Helper()
	for _, p := range dashboardOf(t).Panels {
		for _, target := range p.Targets {
			queries = append(queries, query{where: "panel " + p.Title + " " + target.RefID, text: target.Expr})
		}
	}
	return queries
}

// hostMetrics are those of the host that queries use, and its labels beside those that every metric has. That they
// are there is asked of the real binary in TestMetricsCountWhatHappened.
var hostMetrics = map[string][]string{
	"input_connection_up":           {"label", "path"},
	"input_connection_lost":         {"label", "path"},
	"output_sent":                   {"label", "path"},
	"output_error":                  {"label", "path"},
	"output_connection_failed":      {"label", "path"},
	"output_latency_ns":             {"label", "path", "quantile"},
	"process_start_time_seconds":    {},
	"process_cpu_seconds_total":     {},
	"process_resident_memory_bytes": {},
	"process_open_fds":              {},
	"go_goroutines":                 {},
}

// knownMetrics are all that a query may use, with all their labels.
func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	known := map[string][]string{}
	for name, row := range metricTable(t) {
		known[name] = append([]string{"label", "path"}, row.labels...)
		if strings.HasSuffix(name, "_ns") {
			known[name] = append(known[name], "quantile")
		}
	}
	for name, labels := range hostMetrics {
		known[name] = labels
	}
	return known
}

var (
	metricUse   = regexp.MustCompile(`\b((?:pipedrive|input|output|process|go)_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	matcherName = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	grouping    = regexp.MustCompile(`\b(?:by|on|without|ignoring)\s*\(([^)]*)\)`)
	legendLabel = regexp.MustCompile(`\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}`)
)

// assertKnown holds a query to the metrics that exist, and to their labels.
func assertKnown(t *testing.T, q query, known map[string][]string) {
	t.Helper()
	labels := []string{"job", "instance", "stream"} // Prometheus' own, and the host's in streams mode
	uses := metricUse.FindAllStringSubmatch(q.text, -1)
	assert.NotEmpty(t, uses, "%s asks for no metric: %s", q.where, q.text)
	for _, use := range uses {
		has, exists := known[use[1]]
		if !assert.True(t, exists, "%s asks for %s, which does not exist", q.where, use[1]) {
			continue
		}
		has = append(slices.Clone(labels[:3]), has...)
		for _, matcher := range matcherName.FindAllStringSubmatch(use[2], -1) {
			assert.Contains(t, has, matcher[1], "%s asks for a label that %s does not have", q.where, use[1])
		}
		labels = append(labels, has...)
	}
	for _, by := range grouping.FindAllStringSubmatch(q.text, -1) {
		for name := range strings.SplitSeq(by[1], ",") {
			assert.Contains(t, labels, strings.TrimSpace(name), "%s groups by a label that none of its metrics has", q.where)
		}
	}
}

func TestEveryQueryAsksForMetricsThatExist(t *testing.T) {
	known := knownMetrics(t)
	for _, q := range append(alertQueries(t), dashboardQueries(t)...) {
		assertKnown(t, q, known)
	}
	for _, variable := range dashboardOf(t).Templating.List {
		if variable.Type == "query" && !strings.Contains(variable.Definition, `pipedrive_.+`) {
			assertKnown(t, query{where: "variable " + variable.Name, text: variable.Definition}, known)
		}
	}
}

// What nobody looks at need not be counted.
func TestEveryMetricIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, q := range dashboardQueries(t) {
		for _, use := range metricUse.FindAllStringSubmatch(q.text, -1) {
			shown[use[1]] = true
		}
	}
	for name := range metricTable(t) {
		assert.True(t, shown[name], "%s is on no panel of the dashboard", name)
	}
}

func TestEveryAlertSaysWhatToDo(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	tests, err := os.ReadFile(filepath.Join(filepath.Dir(alertsFile), "alerts_test.yaml"))
	require.NoError(t, err)
	var names []string
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		assert.Regexp(t, `^Pipedrive[A-Z]`, a.Alert)
		assert.Contains(t, []string{"critical", "warning"}, a.Labels["severity"], a.Alert)
		assert.NotEmpty(t, a.Annotations["summary"], a.Alert)
		assert.NotEmpty(t, a.Annotations["description"], a.Alert)
		assert.Equal(t, runbook+strings.ToLower(a.Alert), a.Annotations["runbook_url"])
		assert.Contains(t, string(tests), `alertname="`+a.Alert+`"`, "no test of the rules has it fire")
	}
	var explained []string
	for _, heading := range regexp.MustCompile(`(?m)^### (Pipedrive[A-Za-z]+)$`).FindAllStringSubmatch(string(page), -1) {
		explained = append(explained, heading[1])
	}
	assert.Equal(t, names, explained, "docs/operations.md has a part for each alert, in their order")
}

func TestTheDashboardCanBeRead(t *testing.T) {
	d := dashboardOf(t)
	assert.NotEmpty(t, d.UID)
	assert.NotEmpty(t, d.Title)
	var names []string
	for _, variable := range d.Templating.List {
		names = append(names, variable.Name)
	}
	assert.Equal(t, []string{"datasource", "job", "instance", "label", "object"}, names)

	ids, titles := map[int]bool{}, map[string]bool{}
	taken := map[[2]int]string{} // the panel of each cell of the grid
	known := knownMetrics(t)
	for _, p := range d.Panels {
		assert.False(t, ids[p.ID], "%s has the id of another panel", p.Title)
		ids[p.ID] = true
		assert.NotEmpty(t, p.Title)
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				assert.Less(t, x, 24, p.Title)
				assert.Empty(t, taken[[2]int{x, y}], "%s lies on another panel", p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		assert.False(t, titles[p.Title], "two panels are called %s", p.Title)
		titles[p.Title] = true
		assert.NotEmpty(t, p.Description, p.Title)
		assert.NotEmpty(t, p.FieldConfig.Defaults.Unit, p.Title)
		assert.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
		assert.NotEmpty(t, p.Targets, p.Title)
		refs := map[string]bool{}
		for _, target := range p.Targets {
			assert.False(t, refs[target.RefID], "%s has two queries %s", p.Title, target.RefID)
			refs[target.RefID] = true
			assert.NotEmpty(t, target.LegendFormat, p.Title)
			for _, label := range legendLabel.FindAllStringSubmatch(target.LegendFormat, -1) {
				kept := grouping.FindStringSubmatch(target.Expr)
				if kept != nil && strings.Contains(target.Expr, " by ") {
					assert.Contains(t, kept[1], label[1], "%s: the legend names a label that the query adds up over", p.Title)
				} else {
					assert.Equal(t, "instance", label[1], p.Title)
				}
			}
			assertKnown(t, query{where: p.Title, text: target.Expr}, known)
		}
	}
}
