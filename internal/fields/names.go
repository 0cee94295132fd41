package fields

import "github.com/benthos-pipedrive/benthos-pipedrive/internal/entity"

// How many characters of its key tell a field from another of its name: some, and all if they do not.
const (
	someOfKey  = 6
	wholeOfKey = 1 << 10
)

// Names are the fields by key, each with a name that no other has: where several have one name, each gets the first
// characters of its key behind it, as in `Tier [a1b2c3]`. A field without a name is called by its key.
func Names(list []entity.Field) map[string]entity.Field {
	fields := make(map[string]entity.Field, len(list))
	called := make(map[string]string, len(list)) // by Pipedrive
	for _, f := range list {
		if f.Name == "" {
			f.Name = f.Key
		}
		fields[f.Key], called[f.Key] = f, f.Name
	}
	for _, length := range []int{someOfKey, wholeOfKey} {
		count := make(map[string]int, len(fields))
		for _, f := range fields {
			count[f.Name]++
		}
		for key, f := range fields {
			if count[f.Name] > 1 {
				f.Name = called[key] + " [" + key[:min(length, len(key))] + "]"
				fields[key] = f
			}
		}
	}
	return fields
}
