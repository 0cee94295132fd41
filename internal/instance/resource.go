package instance

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

// resource is one of those to poll, as it was written. What was not said is empty.
type resource struct {
	at   int    // where it stands
	key  string // how it is called in messages
	name string // of the resource, which is the objectType of its events
	url  string // of the hub of Cloud Elements, with a placeholder for the time

	idField    string
	updated    stamp
	created    stamp
	unfiltered bool // filterByUpdatedDate is false
	tolerance  *time.Duration
	delay      *time.Duration
	pageSize   int // 0: not said
}

// stamp is a field with a time, a Java date pattern and a zone as Java writes it.
type stamp struct{ field, format, zone string }

func readResource(s *settings, m member) resource {
	r := resource{at: m.at, key: s.path, name: m.key}
	r.url, _ = s.text("url")
	r.idField, _ = s.text("idField")
	for _, key := range []string{"filterByUpdatedDate", "filterByUpdateDate"} {
		if said, _ := s.text(key); strings.EqualFold(said, "false") {
			r.unfiltered = true
		}
	}
	s.ignore("filterByCurrentDate", "name", "objectName", "batchSize")
	r.delay = s.seconds("pollDelay")
	r.pageSize = max(s.count("pageSize"), 0)
	r.tolerance = s.seconds("createdCheckTolerance")
	// It stands there in some of the old guides.
	outerZone, _ := s.text("updatedDateTimezone")

	if v := s.find("datesConfiguration"); v != nil && v.kind != object {
		s.problem(v.at, s.name("datesConfiguration"), `%s and must be an object: { "updatedDateField": …, "updatedDateFormat": … }`, v.says())
	} else if v != nil {
		dates := newSettings(s.findings, s.name("datesConfiguration"), v)
		r.updated, r.created = dates.stamp("updated"), dates.stamp("created")
		if inner := dates.seconds("createdCheckTolerance"); r.tolerance == nil {
			r.tolerance = inner
		}
		dates.end()
	}
	if r.updated.zone == "" {
		r.updated.zone = outerZone
	}
	s.end()
	return r
}

func (s *settings) stamp(which string) (t stamp) {
	t.field, _ = s.text(which + "DateField")
	t.format, _ = s.text(which + "DateFormat")
	t.zone, _ = s.text(which + "DateTimezone")
	return t
}

// resourcesInLines reads the older form: either the names of resources, or on each line
//
//	resource|url|filter|updated field|its format|its zone|created field|its format|its zone
//
// of which everything behind the url may be missing.
func resourcesInLines(said string) (found []resource) {
	for line := range strings.Lines(said) {
		steps := strings.Split(strings.TrimSpace(line), "|")
		for i := range steps {
			steps[i] = strings.TrimSpace(steps[i])
		}
		if len(steps) < 2 || !strings.Contains(steps[1], "/") {
			for name := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune("|, \t\r\n", r) }) {
				found = append(found, resource{key: keyURLs + ": " + name, name: name})
			}
			continue
		}
		steps = append(steps, make([]string, 9)...)
		found = append(found, resource{
			key: keyURLs + ": " + steps[0], name: steps[0], url: steps[1],
			updated: stamp{steps[3], steps[4], steps[5]},
			created: stamp{steps[6], steps[7], steps[8]},
		})
	}
	return found
}

// catalogued finds the object that a resource is: by its name, or by the name it has at the hub.
func (r resource) catalogued() (entity.Object, bool) {
	if o, known := entity.Lookup(snake(r.name)); known {
		return o, true
	}
	path, _, _ := strings.Cut(r.url, "?")
	if step, isHub := hubResource(path); isHub {
		return entity.Lookup(snake(step))
	}
	return entity.Object{}, false
}

// warnOfDifferences tells what the description of a resource says and its object does not do.
func (r resource) warnOfDifferences(f *findings, o entity.Object) {
	if events := hubName(o); r.name != events {
		f.warn(r.at, r.key, "is %s; its events will say %s instead", o.Name, events)
	}
	for _, d := range []struct{ said, real string }{
		{r.idField, o.ID}, {r.updated.field, o.Updated.Field}, {r.created.field, o.Created.Field},
	} {
		if d.said != "" && d.said != d.real {
			f.warn(r.at, r.key, "is described with the field %s; %s are known by %s", quoted(d.said), o.Name, fieldsOf(o))
			break
		}
	}
	if r.unfiltered {
		f.warn(r.at, r.key, "has filterByUpdatedDate false, which is not carried over: every change is read")
	}
}

// hubName is what the events of an object say.
func hubName(o entity.Object) string {
	if len(o.Aliases) > 0 {
		return o.Aliases[0]
	}
	return o.Name
}

func fieldsOf(o entity.Object) string {
	fields := slices.DeleteFunc([]string{o.ID, o.Updated.Field, o.Created.Field}, func(field string) bool { return field == "" })
	return strings.Join(fields, ", ")
}

// warnOfConditions tells which records were left out.
func (r resource) warnOfConditions(f *findings) {
	_, query, _ := strings.Cut(r.url, "?")
	if others := readQuery(query).conditions; len(others) > 0 {
		f.warn(r.at, r.key, "asks only for some records, by %s, which is not carried over; drop the others with a `mapping` processor", printableList(others))
	}
}

var capital = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// snake makes call_logs of callLogs and call-logs.
func snake(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "_", " ", "_", "/", "_").Replace(capital.ReplaceAllString(name, "${1}_${2}")))
}
