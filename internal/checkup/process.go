package checkup

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Running is a process that answers where the configuration says that its own would.
type Running struct {
	URL     string   // of its metrics, without a password
	Ready   bool     // its inputs and outputs are connected
	Reasons []string // why it is not, in its own words
	Metrics Metrics
}

// ErrNobody says that nothing answers there.
var ErrNobody = errors.New("nothing answers")

const metricPrefix = "pipedrive_"

// Metrics are what a process tells of itself.
type Metrics []Sample

// Sample is one series.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
}

// Sum adds up the series of a name, of one component or of all (nil), and tells whether there is any.
func (m Metrics) Sum(name string, of *Where) (sum float64, told bool) {
	for _, s := range m {
		if s.Name == name && (of == nil || of.is(s.Labels)) {
			sum, told = sum+s.Value, true
		}
	}
	return sum, told
}

// is tells whether labels are a component's. The path of a resource is not the same everywhere, its label is.
func (w Where) is(labels map[string]string) bool {
	if stream := labels["stream"]; stream != "" && w.Stream != "" && stream != w.Stream {
		return false
	}
	if w.Label != "" {
		return labels["label"] == w.Label
	}
	return labels["label"] == "" && labels["path"] == w.Path
}

// ours tells whether any component of ours runs there.
func (m Metrics) ours() bool {
	for _, s := range m {
		if strings.HasPrefix(s.Name, metricPrefix) {
			return true
		}
	}
	return false
}

func (r *run) isRunning() bool { return r.running != nil }

// isOfOthers tells whether what runs there is another configuration. Without a label a component cannot be told from
// that of another, and metrics without labels may be anybody's.
func (r *run) isOfOthers(m Metrics) bool {
	where := r.cfg.places()
	if slices.ContainsFunc(where, func(w Where) bool { return w.Label == "" }) {
		return false
	}
	for _, s := range m {
		if !strings.HasPrefix(s.Name, metricPrefix) {
			continue
		}
		if s.Labels["label"] == "" || slices.ContainsFunc(where, func(w Where) bool { return w.is(s.Labels) }) {
			return false
		}
	}
	return true
}

// besideAnother is what to do about a port that is taken: the host goes on without it.
const besideAnother = "end it, or give this pipeline another http.address: beside it this one runs without /metrics and /ready"

// checkProcess finds out whether the pipeline runs.
func (r *run) checkProcess(ctx context.Context) {
	l := Line{State: OK, About: AboutProcess}
	if r.cfg.Running == nil {
		l.Found = "http is switched off: whether the pipeline runs cannot be seen"
		r.add(l)
		return
	}
	found, err := r.cfg.Running(ctx)
	switch {
	case errors.Is(err, ErrNobody):
		l.Found = "not running: " + err.Error()
	case err != nil:
		l.State = Warning
		l.Found = "the metrics of the process that runs cannot be read: " + err.Error()
		l.Remedy = "say where they are with --metrics-url, with a user and password if they ask for them"
	case !found.Metrics.ours():
		l.State = Warning
		l.Found = "another program answers at " + found.URL
		l.Remedy = besideAnother
	case r.isOfOthers(found.Metrics):
		l.State = Warning
		l.Found = "another pipeline answers at " + found.URL + ": no component of ours there has a label of this configuration"
		l.Remedy = besideAnother
	case !found.Ready:
		r.running = &found
		l.State = Problem
		l.Found = "running, but not ready: " + strings.Join(found.Reasons, "; ")
		l.Remedy = "repair what it says; it goes on by itself then"
	default:
		r.running = &found
		l.Found = "running and ready, metrics at " + found.URL
	}
	r.add(l)
}
