package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The official SDK takes what pipedrive_normalize writes as CloudEvents. It is asked here, as its dependencies are not
// for those who build with the library alone.
func TestCloudEventsAreWhatTheOfficialSDKReads(t *testing.T) {
	files, err := filepath.Glob("../../internal/event/testdata/cloudevents/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		e := cloudevents.NewEvent()
		require.NoError(t, json.Unmarshal(content, &e), file)
		assert.NoError(t, e.Validate(), file)
		assert.Empty(t, e.Extensions(), "%s: an attribute that the standard does not name", file)
		assert.Equal(t, "application/json", e.DataContentType())
		assert.NotEmpty(t, e.Subject())
		var data map[string]any
		require.NoError(t, e.DataAs(&data), file)
		assert.Equal(t, "com.pipedrive."+data["object"].(string)+"."+data["action"].(string), e.Type())
	}
}
