package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tidwall/gjson"
)

// CustomField is the definition of one, as people see it.
type CustomField struct {
	Key     string // 40 hex digits, fixed for ever
	Name    string
	Type    string
	Options []Option
}

// Option is one of the choices of an enum or set field.
type Option struct {
	ID    int64
	Label string
}

// CustomFields are those of the list's object, in the order of their making; leads have the deals'.
func (s *Simulator) CustomFields(name string) []CustomField {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.definitionsOf(l)
	if d == nil {
		return nil
	}
	all := make([]CustomField, 0, len(d.ours))
	for _, f := range d.ours {
		c := CustomField{Key: f.key, Name: f.name, Type: string(f.kind)}
		for _, o := range f.options {
			c.Options = append(c.Options, Option{o.id, o.label})
		}
		all = append(all, c)
	}
	return all
}

// AddField defines a custom field and returns its key. In the records there are it has no value: REST v2 shows null,
// leads nothing. Their update_time does not move, here and in what follows.
func (s *Simulator) AddField(name, fieldName, kind string, options ...string) (key string) {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	obj := s.tableOf(l).obj
	if obj.fieldsOf == "" || !slices.Contains(customTypes, fieldType(kind)) {
		panic(fmt.Sprintf("simulator: %s have no custom field of type %q", name, kind))
	}
	seeds := s.tableOf(l).seeds
	f := seeds.addCustom(s.objects[obj.fieldsOf], customField{fieldName, fieldType(kind)}, s.nowStamp(), options...)
	f.late = true
	s.pages.drop()
	s.rewrite(obj.fieldsOf, func(t *table, body []byte) []byte {
		if t.obj.rooted {
			return body
		}
		return Fields{customKey: Fields{f.key: nil}}.patch(body, t.obj.layout)
	})
	return f.key
}

// RenameField changes what people call a field. Its key stays.
func (s *Simulator) RenameField(name, key, newName string) {
	s.define(name, key, func(_ *definitions, f *definition) { f.name = newName })
}

// DeleteField takes a custom field and its values out of the account.
func (s *Simulator) DeleteField(name, key string) {
	s.define(name, key, func(d *definitions, f *definition) {
		d.remove(f)
		s.rewrite(s.tableOf(listNamed(name)).obj.fieldsOf, func(t *table, body []byte) []byte {
			return f.takenFrom(body, t.obj.rooted)
		})
	})
}

// AddOption gives an enum or set field one more choice and returns its id.
func (s *Simulator) AddOption(name, key, label string) (id int64) {
	s.define(name, key, func(d *definitions, f *definition) {
		if f.kind != enum && f.kind != set {
			panic(fmt.Sprintf("simulator: a field of type %s has no options", f.kind))
		}
		id = d.addOption(f, label, s.nowStamp())
	})
	return id
}

// RemoveOption takes a choice away. Records that have it keep its id.
func (s *Simulator) RemoveOption(name, key string, id int64) {
	s.define(name, key, func(_ *definitions, f *definition) {
		i := slices.IndexFunc(f.options, func(o option) bool { return o.id == id })
		if i < 0 {
			panic(fmt.Sprintf("simulator: field %q has no option %d", f.name, id))
		}
		f.removed = append(f.removed, f.options[i])
		f.options = slices.Delete(f.options, i, i+1)
	})
}

// define changes the definition of a custom field.
func (s *Simulator) define(name, key string, edit func(*definitions, *definition)) {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.definitionsOf(l)
	if d != nil {
		for _, f := range d.ours {
			if f.key == key {
				edit(d, f)
				f.updated = s.nowStamp()
				s.pages.drop()
				return
			}
		}
	}
	panic(fmt.Sprintf("simulator: %s have no custom field %q", name, key))
}

// rewrite edits every record of the objects that have these custom fields, those that are derived from the seed apart.
func (s *Simulator) rewrite(fieldsOf string, edit func(t *table, body []byte) []byte) {
	for _, t := range s.tables {
		if t.obj.fieldsOf != fieldsOf {
			continue
		}
		for _, old := range t.rows {
			r := *old
			r.body = edit(t, r.body)
			t.put(&r)
		}
	}
}

// takenFrom is a record without the field.
func (f *definition) takenFrom(body []byte, rooted bool) []byte {
	if values := gjson.GetBytes(body, customKey); !rooted && values.IsObject() {
		rest := without([]byte(values.Raw), []string{f.key})
		return Fields{customKey: json.RawMessage(rest)}.patch(body, "")
	}
	var names []string
	f.kind.spread(f.key, gjson.Result{}, func(name, _ string) { names = append(names, name) })
	return without(body, names)
}

func without(object []byte, names []string) []byte {
	b := []byte{'{'}
	gjson.ParseBytes(object).ForEach(func(key, value gjson.Result) bool {
		if slices.Contains(names, key.Str) {
			return true
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, key.Raw...), ':'), value.Raw...)
		return true
	})
	return append(b, '}')
}

func (s *Simulator) nowStamp() stamp { return stampOf(s.clock.now().Truncate(time.Second)) }
