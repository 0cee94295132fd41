package simulator

import "fmt"

// Written is one record of the list as it is now, in one of the four schemas: rest_v1 and rest_v2 are the record, and
// webhook_v1 and webhook_v2 the whole body of a webhook that tells of a change after which it is so. It is nil where
// the object is not written in that schema. The id may be a number.
func (s *Simulator) Written(name string, id any, schema string) []byte {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tableOf(l)
	r := t.find(name, fmt.Sprint(id))
	switch schema {
	case "rest_v2":
		if t.obj.v1 {
			return nil
		}
		return r.append(nil)
	case "rest_v1":
		return s.inRESTv1(r)
	case "webhook_v1":
		return s.changeOf(r, version1)
	case "webhook_v2":
		return s.changeOf(r, version2)
	}
	panic(fmt.Sprintf("simulator: there is no schema %q", schema))
}

func (s *Simulator) inRESTv1(r record) []byte {
	obj := r.table.obj
	switch {
	case obj.v1:
		return r.append(nil)
	case obj.news == nil || obj.news.rest == nil:
		return nil
	}
	return s.view(obj, r.append(nil)).in(obj.news.rest)
}

func (s *Simulator) changeOf(r record, version string) []byte {
	t := r.table
	if t.obj.news == nil {
		return nil
	}
	after := row{n: r.n, body: r.append(nil), added: r.added, updated: r.updated, deleted: never}
	old := after
	old.body = edited(old.body).patch(old.body, t.obj.layout)
	before := t.of(&old)
	at := max(r.added, r.updated).time().Add(sampleDelay)
	e := s.eventOf(t, action{kind: changed, before: &before, after: &after}, at)
	if e.tells(version) == nil {
		return nil
	}
	return e.body(sampleHook(version), 1)
}

// Told makes the changes and returns the bodies of all webhooks that tell of them in the version, 2.0 or 1.0, in their
// order. It needs no subscription. What others change meanwhile is told too.
func (s *Simulator) Told(version string, changes func()) [][]byte {
	if actionWords[version] == nil {
		panic(fmt.Sprintf("simulator: there are no webhooks of version %q", version))
	}
	var bodies [][]byte
	s.setTap(func(e *event) {
		if e.tells(version) != nil {
			bodies = append(bodies, e.body(sampleHook(version), 1))
		}
	})
	func() {
		defer s.setTap(nil)
		changes()
	}()
	return bodies
}

func (s *Simulator) setTap(tap func(*event)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tap = tap
}
