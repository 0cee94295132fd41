package event_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/Jeffail/gabs/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xeipuuv/gojsonschema"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/event"
)

const schemasFolder = "../../docs/schemas/"

func TestEveryFormKeepsToItsSchema(t *testing.T) {
	t.Parallel()
	for form, write := range forms {
		content, err := os.ReadFile(schemasFolder + form + ".json")
		require.NoError(t, err)
		schema, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(content))
		require.NoError(t, err, form)
		described := parse(t, content)
		for _, s := range scenes(t) {
			written, err := json.Marshal(write(read(t, s, event.Options{Resolve: true, Fields: definitions})))
			require.NoError(t, err)
			result, err := schema.Validate(gojsonschema.NewBytesLoader(written))
			require.NoError(t, err)
			assert.Empty(t, result.Errors(), "%s of %s", form, s.name)
			requireDescribed(t, described, parse(t, written), form)

			// What a reader relies on cannot go missing.
			for _, name := range described.Search("required").Children() {
				damaged := parse(t, written)
				require.NoError(t, damaged.Delete(name.Data().(string)))
				result, err := schema.Validate(gojsonschema.NewBytesLoader(damaged.Bytes()))
				require.NoError(t, err)
				assert.NotEmpty(t, result.Errors(), "%s without %s", form, name)
			}
		}
	}
}

// requireDescribed fails for a key that the schema does not describe, wherever it names keys at all. A record has more:
// what Pipedrive gives it.
func requireDescribed(t *testing.T, schema, value *gabs.Container, path string) {
	t.Helper()
	properties := schema.Search("properties").ChildrenMap()
	if len(properties) == 0 || properties["is_deleted"] != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(value.ChildrenMap())) {
		require.Contains(t, properties, name, "%s is not described", path)
		requireDescribed(t, properties[name], value.Search(name), path+"."+name)
	}
}
