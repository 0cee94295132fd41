// Package instance reads what Cloud Elements kept of an instance of its Pipedrive element, and writes the pipeline
// that takes its place.
//
// The forms and keys are those of https://github.com/cloud-elements/devportal, docs/elements/pipedrive/events.md and
// docs/guides/elements/events.md.
package instance

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MaxBytes is the largest file that is read. An instance has some two thousand bytes.
const MaxBytes = 1 << 20

// Instance is what an instance asks for, checked. No secret is in it, only that there is one.
type Instance struct {
	ID   string // empty: the file does not say
	Name string // the same; made printable

	Polling  *Polling // nil: events come by webhook
	Callback Callback

	BaseURL  string // of the API
	HasLogin bool   // an email and a password, which Pipedrive does not take any more
	HasToken bool   // an API token of Pipedrive
}

// Polling is what is read, and how often.
type Polling struct {
	Interval     time.Duration
	IntervalSaid bool     // else it is what Cloud Elements did
	Objects      []Object // of the catalogue
	Custom       []Custom
	Overlap      *time.Duration // nil, like the next: not said
	Tolerance    *time.Duration
	PageSize     int // as it was said; 0: it was not
}

// Object is a resource that the catalogue has.
type Object struct {
	Name       string // as in `objects`
	Said       string // as in the instance
	Unfiltered bool   // its list cannot be asked for what changed since a time
}

// Callback is where the events go.
type Callback struct {
	URL     string // empty: it may hold a secret
	Signed  bool
	Basic   bool // with HTTP Basic
	Headers []Header
}

// Header is sent along with every event.
type Header struct {
	Name  string
	Value string // empty: it may be a secret
}

// Read reads the JSON of one instance: what was sent to make it, or what Cloud Elements answered. The error is a
// *Refusal that names everything that is missing or unusable. Warnings are for a person to read, in either case.
func Read(data []byte) (*Instance, []Problem, error) {
	f := &findings{text: data}
	if len(data) > MaxBytes {
		f.problem(-1, "", "is larger than %d bytes, too large for an instance", MaxBytes)
	} else if v := parse(f); v != nil {
		i := &Instance{}
		i.read(f, v)
		if len(f.problems) == 0 {
			return i, f.warnings, nil
		}
	}
	slices.SortStableFunc(f.problems, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return nil, f.warnings, &Refusal{f.problems}
}

// Members of an instance beside its configuration that say nothing about events.
var noConcern = []string{
	"elementId", "token", "tags", "providerData", "provisionInteractions", "valid", "maxCacheSize", "cacheTimeToLive", "cachingEnabled",
	"eventsEnabled", "traceLoggingEnabled", "externalAuthentication", "user", "description", "createdDate", "updatedDate",
}

func (i *Instance) read(f *findings, v *value) {
	switch {
	case v.kind == list:
		f.problem(v.at, "", "is a list of %d; one file holds one instance, so put each into its own", len(v.items))
		return
	case v.kind != object:
		f.problem(v.at, "", "%s and must be an object: { \"element\": …, \"configuration\": … }", v.says())
		return
	}
	root := newSettings(f, "", v)
	root.ignore(noConcern...)
	i.readName(root)
	i.readElement(root)
	if disabled, _ := root.text("disabled"); disabled == "true" {
		f.warn(root.at("disabled"), "disabled", "is true: Cloud Elements sent no events for this instance; the pipeline will")
	}
	i.readConfiguration(root)
	root.end()
	if len(f.unknown) > 0 {
		f.warn(-1, "", "not known, and not carried over: %s", printableList(f.unknown))
	}
}

var idForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

func (i *Instance) readName(root *settings) {
	id, said := root.text("id")
	if i.ID = id; said && !idForm.MatchString(id) {
		root.problem(root.at("id"), "id", "%s is not the id of an instance, which is a number like 20931", quoted(id))
	}
	name, _ := root.text("name")
	i.Name = strings.TrimSpace(printable(name))
}

func (i *Instance) readElement(root *settings) {
	const remedy = `add "element": { "key": "pipedrive" }`
	v := root.find("element")
	if v == nil {
		root.problem(-1, "element.key", "is missing; %s", remedy)
		return
	}
	if v.kind != object {
		root.problem(v.at, "element", "%s and must be an object; %s", v.says(), remedy)
		return
	}
	element := newSettings(root.findings, "element", v)
	if key, ok := element.required("key", remedy); ok && !strings.EqualFold(key, "pipedrive") {
		root.problem(element.at("key"), "element.key", "%s is another element; only instances of pipedrive can be imported", quoted(key))
	}
}

func (i *Instance) readConfiguration(root *settings) {
	v := root.find("configuration")
	if v == nil {
		remedy := "it holds the keys event.notification.enabled, event.vendor.type and so on"
		if root.find("event.notification.enabled") != nil || root.find("event.vendor.type") != nil {
			remedy = `the keys that begin with event. stand beside it: put them into "configuration": { … }`
		}
		root.problem(-1, "configuration", "is missing; %s", remedy)
		return
	}
	if v.kind != object {
		root.problem(v.at, "configuration", "%s and must be an object", v.says())
		return
	}
	conf := newSettings(root.findings, "", v)
	i.readEvents(conf)
	i.readAccess(conf)
	conf.end()
}

// readEvents reads what the keys that begin with event. say.
func (i *Instance) readEvents(conf *settings) {
	// What the platform needed for itself.
	conf.ignore("event.notification.instance.finder", "event.notification.subscription.id", "event.metadata", "event.helper.key")
	enabled, ok := conf.required("event.notification.enabled", `set it to "true"`)
	if ok && !strings.EqualFold(enabled, "true") {
		conf.problem(conf.at("event.notification.enabled"), "event.notification.enabled",
			`%s is not "true": this instance sends no events; set it to "true" if it should`, quoted(enabled))
	}
	i.Callback = readCallback(conf)

	kind, ok := conf.required("event.vendor.type", `add "event.vendor.type": "polling" or "event.vendor.type": "webhook"`)
	switch strings.ToLower(kind) {
	case "polling":
		i.Polling = readPolling(conf)
	case "webhook", "webhooks":
		conf.ignore(pollerKeys...) // an answer has them in any case
	default:
		conf.ignore(pollerKeys...) // they are not what is wrong
		if ok {
			conf.problem(conf.at("event.vendor.type"), "event.vendor.type", `%s is not known; write "polling" or "webhook"`, quoted(kind))
		}
	}
}

// everybodysURL is the API that all companies share, without the version that Cloud Elements put behind it.
const everybodysURL = "https://api.pipedrive.com"

var companyURL = regexp.MustCompile(`^(https://[a-z0-9-]+\.pipedrive\.com)(?:/(?:api/)?v1)?/?$`)

// readAccess reads how the API was asked.
func (i *Instance) readAccess(conf *settings) {
	for _, m := range conf.members {
		// Of requests and downloads by the user, which are no events.
		if strings.HasPrefix(m.key, "pagination.") || strings.HasPrefix(m.key, "bulk.") || m.key == "filter.response.nulls" {
			conf.ignore(m.key)
		}
	}
	email, password := conf.find("pipedrive.email"), conf.find("pipedrive.password")
	i.HasLogin = email != nil || password != nil
	i.HasToken = conf.find("pipedrive.api.token") != nil
	if i.HasLogin {
		conf.warn(-1, "pipedrive.email, pipedrive.password",
			"Pipedrive took this login away in 2019; an API token takes its place, in PIPEDRIVE_API_TOKEN")
	}
	i.BaseURL = everybodysURL
	if base, ok := conf.text("base.url"); ok {
		if found := companyURL.FindStringSubmatch(base); found != nil {
			i.BaseURL = found[1]
		} else {
			conf.warn(conf.at("base.url"), "base.url", "is not an address of Pipedrive and is not carried over; the pipeline asks %s", everybodysURL)
		}
	}
}

func printableList(names []string) string {
	const most = 20
	more := ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = printable(name)
	}
	return strings.Join(shown, ", ") + more
}
