package checkup

import (
	"cmp"
	"slices"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// Snapshot is what a process told of itself at a moment.
type Snapshot struct {
	At time.Time
	Running
}

// View is a snapshot as a person looks at it.
type View struct {
	Objects []ObjectView
	Tokens  *int64 // that are left of the share today; nil: not told
	Journal *int64 // webhooks that wait; nil: there is no journal
	// Webhooks that were accepted a second, since the snapshot before; nil: there is no door, or no such snapshot.
	Webhooks *float64
}

// ObjectView is one object that is polled.
type ObjectView struct {
	Where   string // the label of its input, else its path
	Object  string
	First   bool          // on its first walk
	Records int64         // read by a first walk, else handed on since the start of the process
	Pages   int64         // of a first walk
	Rate    float64       // records a second; below 0: not known
	Left    time.Duration // of a first walk, estimated; 0: nobody knows
	Lag     time.Duration // below 0: not told
	Every   time.Duration // the interval that the budget allows; 0: not told
}

// Look makes a view of a snapshot. before may be nil.
func Look(before *Snapshot, now Snapshot) View {
	m := now.Metrics
	var v View
	for _, s := range m {
		if s.Name == "pipedrive_first_walk_done" {
			v.Objects = append(v.Objects, objectView(before, now, s))
		}
	}
	slices.SortStableFunc(v.Objects, func(a, b ObjectView) int {
		return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.Object, b.Object))
	})
	v.Tokens = whole(m.least("pipedrive_tokens_remaining"))
	v.Journal = whole(m.Sum("pipedrive_journal_pending", nil))
	if before != nil {
		accepted := func(m Metrics) (float64, bool) {
			return m.total("pipedrive_webhook_requests_total", map[string]string{"result": webhook.Taken.String()})
		}
		if then, told := accepted(before.Metrics); told {
			if n, told := accepted(m); told {
				rate := perSecond(n-then, now.At.Sub(before.At))
				v.Webhooks = &rate
			}
		}
	}
	return v
}

func objectView(before *Snapshot, now Snapshot, s Sample) ObjectView {
	about := map[string]string{}
	for _, label := range []string{"object", "label", "path", "stream"} {
		if value, has := s.Labels[label]; has {
			about[label] = value
		}
	}
	value := func(name string, otherwise float64) float64 {
		if n, told := now.Metrics.total(name, about); told {
			return n
		}
		return otherwise
	}
	v := ObjectView{
		Where:  cmp.Or(about["label"], about["path"]),
		Object: about["object"],
		First:  s.Value == 0,
		Rate:   -1,
		Lag:    seconds(value("pipedrive_poll_lag_seconds", -1)),
		Every:  seconds(value("pipedrive_poll_interval_seconds", 0)),
	}
	if stream := about["stream"]; stream != "" {
		v.Where = stream + " " + v.Where
	}
	if v.First {
		v.Records = int64(value("pipedrive_first_walk_records", 0))
		v.Pages = int64(value("pipedrive_first_walk_pages", 0))
		v.Rate = value("pipedrive_first_walk_records_per_second", -1)
		v.Left = seconds(value("pipedrive_first_walk_seconds_left", 0))
		return v
	}
	v.Records = int64(value("pipedrive_records_total", 0))
	if before != nil {
		then, _ := before.Metrics.total("pipedrive_records_total", about)
		v.Rate = perSecond(float64(v.Records)-then, now.At.Sub(before.At))
	}
	return v
}

// total adds up the series of a name that have these labels.
func (m Metrics) total(name string, labels map[string]string) (sum float64, told bool) {
	for _, s := range m {
		if s.Name == name && s.has(labels) {
			sum, told = sum+s.Value, true
		}
	}
	return sum, told
}

func (m Metrics) least(name string) (least float64, told bool) {
	for _, s := range m {
		if s.Name == name && (!told || s.Value < least) {
			least, told = s.Value, true
		}
	}
	return least, told
}

func (s Sample) has(labels map[string]string) bool {
	for name, value := range labels {
		if s.Labels[name] != value {
			return false
		}
	}
	return true
}

func whole(n float64, told bool) *int64 {
	if !told {
		return nil
	}
	i := int64(n)
	return &i
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// perSecond of a counter that begins again with its process.
func perSecond(more float64, in time.Duration) float64 {
	if in <= 0 {
		return 0
	}
	return max(more, 0) / in.Seconds()
}
