package event

import (
	"slices"
	"strings"
)

// reader turns records of one schema and kind into the shape of REST v2.
type reader struct {
	*schema
	kind *kind
	Options
}

// record returns nil for none. Unset custom fields are null.
func (r reader) record(from map[string]any) (map[string]any, error) {
	if from == nil {
		return nil, nil
	}
	to := make(map[string]any, len(from)+1)
	for name, v := range from {
		if name == customFields || r.rooted && isCustom(name) {
			continue
		}
		p, listed := r.kind.names[name]
		switch {
		case !listed:
			if !r.KnownOnly || !r.kind.known {
				to[name] = readUnlisted(name, v)
			}
		case p.part:
		case !slices.ContainsFunc(p.before, func(other string) bool { return has(from, other) }):
			to[p.name] = p.read(v, from, name)
		}
	}
	custom, err := r.custom(from, r.Fields)
	if err != nil {
		return nil, err
	}
	// At the root there is no object that could be empty: kinds that may have custom fields have one all the same.
	if custom != nil && (!r.rooted || r.kind.custom || len(custom) > 0) {
		to[customFields] = custom
	}
	return to, nil
}

func (p *place) read(v any, from map[string]any, name string) any {
	if p.shape == address {
		v = gatherAddress(v, from, name)
	}
	if p.shape.read != nil {
		v = p.shape.read(v)
	}
	if p.opposite {
		v = opposite(v)
	}
	return v
}

// readUnlisted reads what no table has: times are known by their name.
func readUnlisted(name string, v any) any {
	if strings.HasSuffix(name, "_time") {
		return readMoment(v)
	}
	return v
}

func has(record map[string]any, name string) bool {
	_, has := record[name]
	return has
}
