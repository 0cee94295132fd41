package event

import (
	"reflect"
	"slices"
)

// difference finds the old values of what changed, and names them. Of a record that is whole, fields that only one of
// the two has say nothing: their sets of fields differ for other reasons. Of one that has only what changed, some may
// be named although their value is the same.
func difference(now, before map[string]any, whole bool) (old map[string]any, names []string) {
	old, names = map[string]any{}, []string{}
	for name, was := range before {
		is, has := now[name]
		switch {
		case whole && !has:
		case name == customFields:
			if changed := changedCustoms(is, was, whole); len(changed) > 0 {
				old[name] = changed
				for key := range changed {
					names = append(names, customFields+"."+key)
				}
			}
		case !has || !same(is, was):
			old[name] = was
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return old, names
}

// changedCustoms are the old values of the custom fields that changed, null of those that had none.
func changedCustoms(now, before any, whole bool) map[string]any {
	is, _ := now.(map[string]any)
	was, _ := before.(map[string]any)
	changed := map[string]any{}
	for key, old := range was {
		v, has := is[key]
		if whole && !has || same(v, old) {
			continue
		}
		changed[key] = old
	}
	return changed
}

func same(a, b any) bool {
	switch a.(type) {
	case map[string]any, []any:
		return reflect.DeepEqual(a, b)
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}
