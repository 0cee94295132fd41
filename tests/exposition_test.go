package tests

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample is one line of /metrics.
type sample struct {
	family string // the metric's name, without _sum and _count of a summary
	name   string
	labels map[string]string
	value  float64
}

// exposition is what /metrics says at one moment.
type exposition []sample

var (
	sampleLine = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? (\S+)$`)
	labelPair  = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
)

// scrape reads /metrics; nil: there was no answer.
func scrape(t *testing.T, address string) exposition {
	t.Helper()
	_, text := get("http://" + address + "/metrics")
	var e exposition
	summaries := map[string]bool{}
	for line := range strings.Lines(text) {
		if named, ok := strings.CutPrefix(strings.TrimSpace(line), "# TYPE "); ok {
			name, kind, _ := strings.Cut(named, " ")
			summaries[name] = kind == "summary"
			continue
		}
		found := sampleLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue
		}
		value, err := strconv.ParseFloat(found[3], 64)
		require.NoError(t, err, line)
		s := sample{family: found[1], name: found[1], labels: map[string]string{}, value: value}
		for _, suffix := range []string{"_sum", "_count"} {
			if of, cut := strings.CutSuffix(found[1], suffix); cut && summaries[of] {
				s.family = of
			}
		}
		for _, pair := range labelPair.FindAllStringSubmatch(found[2], -1) {
			s.labels[pair[1]] = pair[2]
		}
		e = append(e, s)
	}
	return e
}

// sum adds up what has a name and these labels: sum("pipedrive_requests_total", "code", "200").
func (e exposition) sum(name string, labels ...string) int {
	total := 0.0
	for _, s := range e {
		if s.name == name && s.has(labels) {
			total += s.value
		}
	}
	return int(total)
}

// series is how many there are of a name.
func (e exposition) series(name string) (n int) {
	for _, s := range e {
		if s.name == name {
			n++
		}
	}
	return n
}

// labelNames are the labels of each metric that begins with a prefix, sorted, but for those that are common to many.
func (e exposition) labelNames(prefix string, common ...string) map[string][]string {
	labels := map[string][]string{}
	for _, s := range e {
		if !strings.HasPrefix(s.family, prefix) || labels[s.family] != nil {
			continue
		}
		names := []string{}
		for name := range s.labels {
			if !slices.Contains(common, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		labels[s.family] = names
	}
	return labels
}

func (s sample) has(labels []string) bool {
	for pair := range slices.Chunk(labels, 2) {
		if s.labels[pair[0]] != pair[1] {
			return false
		}
	}
	return true
}

// metricRow is a row of the table in docs/architecture.md.
type metricRow struct {
	labels  []string // sorted
	meaning string
}

// metricTable reads that table, by the metric's name.
func metricTable(t *testing.T) map[string]metricRow {
	t.Helper()
	section := docsSection(t, "architecture.md", "Metrics")
	rows := map[string]metricRow{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`pipedrive_.+`) \\| (.+) \\|$").FindAllStringSubmatch(section, -1) {
		for _, named := range regexp.MustCompile("`(pipedrive_[a-z_]+)(?:\\{([a-z,]+)\\})?`").FindAllStringSubmatch(row[1], -1) {
			_, twice := rows[named[1]]
			require.False(t, twice, "%s has two rows", named[1])
			labels := strings.FieldsFunc(named[2], func(r rune) bool { return r == ',' })
			slices.Sort(labels)
			rows[named[1]] = metricRow{labels: labels, meaning: row[2]}
		}
	}
	require.NotEmpty(t, rows)
	return rows
}
