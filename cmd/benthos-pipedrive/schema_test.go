//go:build !no_kafka

package main

import (
	"os"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Editors complete and check pipelines with config/schema.json.
func TestTheSchemaForEditorsIsFresh(t *testing.T) {
	const file = "../../config/schema.json"
	schema, err := service.GlobalEnvironment().FullConfigSchema("", "").MarshalJSONSchema()
	require.NoError(t, err)
	schema = append(schema, '\n')
	if *update {
		require.NoError(t, os.WriteFile(file, schema, 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err, "run make docs")
	assert.True(t, string(schema) == string(got), "%s is stale: run make docs", file)
}
