package instance

import (
	"regexp"
	"slices"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"
)

const (
	keyPoller   = "event.poller.configuration"
	keyURLs     = "event.poller.urls"
	keyInterval = "event.poller.refresh_interval"
)

var pollerKeys = []string{keyPoller, keyURLs, keyInterval}

// defaultInterval is that of Cloud Elements' poller.
const defaultInterval = 15 * time.Minute

func readPolling(conf *settings) *Polling {
	p := &Polling{Interval: defaultInterval}
	if said, ok := conf.text(keyInterval); ok {
		if p.Interval, p.IntervalSaid = minutes(said); !p.IntervalSaid {
			conf.problem(conf.at(keyInterval), keyInterval, "%s is not a number of minutes above 0, like 5", quoted(said))
		}
	}
	p.readResources(conf)
	return p
}

var decimal = regexp.MustCompile(`^[0-9]{1,7}(\.[0-9]{1,3})?$`)

func minutes(said string) (time.Duration, bool) {
	if !decimal.MatchString(said) {
		return 0, false
	}
	d, err := time.ParseDuration(said + "m")
	return d, err == nil && d >= time.Second
}

// readResources reads the resources to poll, in their newer or else in their older form.
func (p *Polling) readResources(conf *settings) {
	urls, hasURLs := conf.text(keyURLs)
	v := conf.find(keyPoller)
	switch {
	case v != nil && !isPlaceholder(v.scalar):
		p.readConfiguration(conf, v)
	case hasURLs:
		resources := resourcesInLines(urls)
		if len(resources) == 0 {
			conf.problem(conf.at(keyURLs), keyURLs, "names no resource; add one, like contacts")
		}
		for _, r := range resources {
			r.at = conf.at(keyURLs)
			p.add(conf.findings, r)
		}
	default:
		conf.required(keyPoller, "put in the resources to poll, as in the guide of the element")
	}
}

func (p *Polling) readConfiguration(conf *settings, v *value) {
	f := conf.findings
	if v.kind == text {
		f = &findings{text: []byte(v.scalar)}
		defer conf.adopt(f, v.at, keyPoller)
		if v = parse(f); v == nil {
			return
		}
	}
	if v.kind != object {
		f.problem(v.at, keyPoller, `%s and must be an object: { "contacts": { "url": … } }`, v.says())
		return
	}
	resources := slices.DeleteFunc(slices.Clone(v.members), func(m member) bool { return m.value.kind == null })
	for _, m := range resources {
		switch name := keyPoller + "." + m.key; {
		case m.value.kind != object:
			f.problem(m.value.at, name, `%s and must be an object: { "url": …, "idField": …, "datesConfiguration": … }`, m.value.says())
		default:
			p.add(f, readResource(newSettings(f, name, &m.value), m))
		}
	}
	if len(resources) == 0 {
		f.problem(v.at, keyPoller, `names no resource; add one, like "contacts": { … }`)
	}
}

// add takes up a resource: an object of the catalogue, or else a list that is described.
func (p *Polling) add(f *findings, r resource) {
	r.warnOfConditions(f)
	p.Tolerance = longest(p.Tolerance, r.tolerance)
	if r.delay != nil && *r.delay > 0 { // the edge is read twice in any case
		p.Overlap = longest(p.Overlap, r.delay)
	}
	o, known := r.catalogued()
	if !known {
		p.addCustom(f, r)
		return
	}
	r.warnOfDifferences(f, o)
	if slices.ContainsFunc(p.Objects, func(other Object) bool { return other.Name == o.Name }) {
		f.warn(r.at, r.key, "is %s, as another resource is; it is read once", o.Name)
		return
	}
	p.Objects = append(p.Objects, Object{Name: o.Name, Said: r.name, Unfiltered: o.Walk != entity.ByTime})
	p.PageSize = max(p.PageSize, r.pageSize)
}

func (p *Polling) addCustom(f *findings, r resource) {
	c, ok := r.custom(f)
	if !ok {
		return
	}
	if slices.ContainsFunc(p.Custom, func(other Custom) bool { return other.Name == c.Name }) {
		f.problem(r.at, r.key, "is called %s here, as another resource is; give it another name", c.Name)
		return
	}
	p.Custom = append(p.Custom, c)
}

// longest is the longer of two durations that may not be said.
func longest(a, b *time.Duration) *time.Duration {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
