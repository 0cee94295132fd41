package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
)

// event is one thing that happened to one record, as all webhooks tell it.
type event struct {
	at          time.Time
	id          string // a UUID; so is correlation
	correlation string
	entityID    string
	how         manner
	by          int64   // the user who did it
	permitted   []int64 // the users who may see the record; nil for a user's event
	person      bool
	company     int64
	host        string

	v2, v1 *telling // nil: nothing is told in that version
}

// telling is an event in the words of one version.
type telling struct {
	action, entity string
	data, previous json.RawMessage // "null" where there is none
}

// tells is the event in the version, nil when it has no words for it.
func (e *event) tells(version string) *telling {
	if version == version1 {
		return e.v1
	}
	return e.v2
}

// happening is what is told of a write. A merge is the winner's; its loser is gone.
type happening uint8

const (
	arrival happening = iota
	change
	gone
	merge
)

// The words for what happens, by version.
var actionWords = map[string][]string{
	version2: {arrival: "create", change: "change", gone: "delete", merge: "change"},
	version1: {arrival: "added", change: "updated", gone: "deleted", merge: "merged"},
}

// announce tells the sender of a write, under the lock.
func (s *Simulator) announce(t *table, a action) {
	if t.obj.news == nil || a.kind == purged || s.tap == nil && !s.sender.listening() {
		return
	}
	s.publish(s.eventOf(t, a, s.clock.now()))
}

func (s *Simulator) publish(e *event) {
	if s.tap != nil {
		s.tap(e)
	}
	s.sender.publish(e)
}

func (s *Simulator) eventOf(t *table, a action, now time.Time) *event {
	what := change
	switch {
	case a.kind == created:
		what = arrival
	case a.after.deleted != never && !a.before.deleted():
		what = gone
	case a.how.mergedFrom != "":
		what = merge
	}
	var before *view
	if a.before != nil {
		before = s.view(t.obj, a.before.append(nil))
	}
	after := s.view(t.obj, a.after.body)
	e := s.newEvent(now, t.seeds.id(t.obj, a.after.n))
	e.how, e.person = a.how, t.obj.news.person
	if !e.person {
		e.permitted = s.permitted(after)
	}
	e.v2, e.v1 = t.obj.news.inV2(what, before, after), t.obj.news.inV1(what, before, after)
	return e
}

func (s *Simulator) newEvent(now time.Time, id string) *event {
	s.events++
	return &event{
		at: now, id: dashed(hex(s.opts.Seed, "event", s.events, 32)),
		correlation: dashed(hex(s.opts.Seed, "cause", s.events, 32)),
		entityID:    id, by: 1, company: s.opts.CompanyID, host: s.opts.CompanyDomain + ".pipedrive.com",
	}
}

// inV2 is the event in version 2.0: of a change previous has what has changed, of a deletion all there was.
func (n *news) inV2(what happening, before, after *view) *telling {
	if n.entity == "" {
		return nil
	}
	if n.person && what == gone {
		what = change
	}
	t := &telling{action: actionWords[version2][what], entity: n.entity, data: none, previous: none}
	if what != gone {
		t.data = after.in(n.data)
	}
	switch what {
	case arrival:
		if !after.quirks.NewHasUpdateTime {
			nulls := Fields{}
			for _, name := range n.fresh {
				nulls[name] = nil
			}
			t.data = nulls.patch(t.data, layoutV2)
		}
	case gone:
		t.previous = before.in(n.data)
	case change, merge:
		t.previous = n.changes(before.in(n.data), t.data)
	}
	return t
}

// inV1 is the event in version 1.0, whose previous is the whole record.
func (n *news) inV1(what happening, before, after *view) *telling {
	if n.v1 == "" {
		return nil
	}
	t := &telling{action: actionWords[version1][what], entity: n.v1, data: none, previous: none}
	whole := func(v *view) json.RawMessage {
		body := v.in(n.current)
		if n.person {
			body = slices.Concat([]byte{'['}, body, []byte{']'})
		}
		return body
	}
	if before != nil {
		t.previous = whole(before)
	}
	if what != gone {
		t.data = whole(after)
	}
	return t
}

var none = json.RawMessage("null")

// changes are the old values of the fields that differ. Pipedrive does not name them all: some are quiet, unless
// nothing else has changed.
func (n *news) changes(old, data []byte) json.RawMessage {
	differing := func(skip []string) []byte {
		b := []byte{'{'}
		gjson.ParseBytes(old).ForEach(func(key, was gjson.Result) bool {
			is := gjson.GetBytes(data, key.Str)
			if was.Raw == is.Raw || slices.Contains(skip, key.Str) {
				return true
			}
			value := was.Raw
			if key.Str == customKey && was.IsObject() {
				value = changedMembers(was, is)
			}
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(append(append(b, key.Raw...), ':'), value...)
			return true
		})
		return append(b, '}')
	}
	quiet := n.quiet
	if n.loud != "" && gjson.GetBytes(old, n.loud).Raw != gjson.GetBytes(data, n.loud).Raw {
		quiet = quiet[1:]
	}
	b := differing(quiet)
	if len(b) == len("{}") {
		b = differing(nil)
	}
	return b
}

// changedMembers are those custom fields that differ; one that had no value is null.
func changedMembers(was, is gjson.Result) string {
	values := map[string]json.RawMessage{}
	was.ForEach(func(key, value gjson.Result) bool {
		if value.Raw != is.Get(key.Str).Raw {
			values[key.Str] = json.RawMessage(value.Raw)
		}
		return true
	})
	is.ForEach(func(key, value gjson.Result) bool {
		if !was.Get(key.Str).Exists() && value.Type != gjson.Null {
			values[key.Str] = none
		}
		return true
	})
	return string(appendJSON(nil, values))
}

// permitted are the users who may see the record: all, or of one that is visible to its owner alone the owner and
// the first user, who is the administrator. https://support.pipedrive.com/en/article/visibility-groups
func (s *Simulator) permitted(v *view) []int64 {
	users := []int64{}
	private := v.fields["visible_to"].String() == "1"
	owner := v.fields["owner_id"].Int()
	s.full(listNamed("users"), func(r record) {
		if !r.deleted() && (!private || r.n == owner || r.n == 1) {
			users = append(users, r.n)
		}
	})
	return users
}

// Announce sends the webhooks, of version 2.0 alone, of something that has no list here: a board, a phase, a product
// of a deal. The action is create, change or delete; nil fields are null.
func (s *Simulator) Announce(entity, action, id string, data, previous Fields) {
	if !slices.Contains(actionWords[version2], action) {
		panic(fmt.Sprintf("simulator: %q is no action of a webhook", action))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.newEvent(s.clock.now(), id)
	t := &telling{action: action, entity: entity, data: none, previous: none}
	if data != nil {
		t.data = data.patch([]byte("{}"), layoutMillis)
	}
	if previous != nil {
		t.previous = previous.patch([]byte("{}"), layoutMillis)
	}
	e.v2, e.permitted = t, s.permitted(s.view(s.objects["deals"], t.data))
	s.publish(e)
}

// dashed is 32 hexadecimal digits as a UUID.
func dashed(id string) string {
	return id[:8] + "-" + id[8:12] + "-4" + id[13:16] + "-a" + id[17:20] + "-" + id[20:]
}

// asWords are ids as version 2.0 writes them.
func asWords(ids []int64) []string {
	words := make([]string, 0, len(ids))
	for _, id := range ids {
		words = append(words, strconv.FormatInt(id, 10))
	}
	return words
}
