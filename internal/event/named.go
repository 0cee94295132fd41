package event

import "github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"

// named are the custom fields that have a value by what people call them, their options by label. A field without a
// definition has no name: it is in the record under its key. An option without a label, a deleted one, keeps its id.
func named(fields map[string]any, defined map[string]entity.Field) map[string]any {
	byName := make(map[string]any, len(fields))
	for key, v := range fields {
		if f, known := defined[key]; known && v != nil {
			byName[f.Name] = labelled(v, f.Options)
		}
	}
	return byName
}

func labelled(v any, options map[string]string) any {
	if len(options) == 0 {
		return v
	}
	if list, ok := v.([]any); ok {
		labels := make([]any, len(list))
		for i, id := range list {
			labels[i] = labelled(id, options)
		}
		return labels
	}
	if label, known := options[plain(v)]; known {
		return label
	}
	return v
}
