package simulator

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidwall/gjson"
)

// sampleDelay is how long after the change of its record a sample says that it happened.
const sampleDelay = 426 * time.Millisecond

// SampleWebhook is the body of one webhook about a record of the list, always the same: a seed for fuzzing, a load for
// a benchmark. The version is 2.0 or 1.0 and what the record does in its words; where the object has no webhooks of that version
// it is nil.
func SampleWebhook(list, does, version string) []byte {
	words := actionWords[version]
	what := slices.Index(words, does)
	if what < 0 {
		panic(fmt.Sprintf("simulator: webhooks of version %q have no action %q", version, does))
	}
	f := newFront()
	f.clock.move(time.Until(lastSafe.Add(time.Hour))) // the seeded times depend on nothing else
	s := newCompany(Options{
		Seed: 1, Deals: 3, Persons: 3, Organizations: 3, Activities: 3, Products: 3, Leads: 3, Notes: 3, Projects: 3, Tasks: 3,
		Pipelines: 2, Stages: 6, ActivityTypes: 7,
	}, f)
	t := s.tableOf(listNamed(list))
	if t.obj.news == nil {
		return nil
	}
	before := t.at(t.seeded - 1) // of an account as it is born the first records have no update_time
	now := before.updated.time().Add(time.Hour + sampleDelay)
	next := stampOf(now)
	old := row{n: before.n, body: before.append(nil), deleted: never}
	after := row{n: old.n, body: s.moved(t, edited(old.body), next).patch(old.body, t.obj.layout), deleted: never}
	a := action{kind: changed, before: &before, after: &after}
	switch happening(what) {
	case arrival:
		a.kind, a.before = created, nil
		after.body = Fields{t.obj.added: now}.patch(after.body, t.obj.layout)
	case gone:
		after = s.deleted(old, t, next)
	case merge:
		a.how.mergedFrom = t.seeds.id(t.obj, 1)
	}
	e := s.eventOf(t, a, now)
	if e.tells(version) == nil {
		return nil
	}
	return e.body(sampleHook(version), 1)
}

func sampleHook(version string) *Webhook {
	return &Webhook{ID: firstWebhook, OwnerID: 1, Type: general, Version: version}
}

// edited is another text for the field that people know a record by.
func edited(body []byte) Fields {
	for _, field := range []string{"title", "subject", "name", "content"} {
		if was := gjson.GetBytes(body, field); was.Exists() {
			return Fields{field: was.Str + ", changed"}
		}
	}
	return nil
}
