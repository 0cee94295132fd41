package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// What the simulator sends of every list, action and version.
func TestFrameOfWhatIsSent(t *testing.T) {
	t.Parallel()
	actions := map[string]map[string]string{
		"2.0": {"create": "created", "change": "updated", "delete": "deleted"},
		"1.0": {"added": "created", "updated": "updated", "merged": "updated", "deleted": "deleted"},
	}
	schemas := map[string]string{"1.0": "webhook_v1", "2.0": "webhook_v2"}
	frames := 0
	for list, object := range map[string]string{
		"deals": "deal", "persons": "person", "organizations": "organization", "activities": "activity", "products": "product",
		"pipelines": "pipeline", "stages": "stage", "leads": "lead", "notes": "note", "users": "user", "projects": "project",
		"tasks": "task", "activity_types": "activity_type",
	} {
		for version, words := range actions {
			for does, action := range words {
				body := simulator.SampleWebhook(list, does, version)
				if body == nil {
					continue // the object has no webhooks of that version
				}
				frames++
				f, err := webhook.Parse(body)
				require.NoError(t, err, "%s %s %s", list, does, version)
				if object == "user" && action == "deleted" && version == "2.0" {
					action = "updated" // Pipedrive tells it as a change
				}
				assert.Equal(t, [...]string{schemas[version], object, action}, [...]string{f.Schema, f.Object, f.Action}, string(body))
				record := gjson.GetBytes(body, "data.id").String() + gjson.GetBytes(body, "current.id").String() +
					gjson.GetBytes(body, "current.0.id").String()
				if action == "deleted" {
					record = gjson.GetBytes(body, "previous.id").String() + gjson.GetBytes(body, "previous.0.id").String()
				}
				assert.Equal(t, record, f.ID, string(body))
				assert.Equal(t, f.Company+"/"+object+"/"+f.ID, f.Lane)
				assert.Equal(t, 1, f.Attempt)
				for _, word := range []string{f.Company, f.Host, f.WebhookID, f.UserID, f.ChangeSource, f.Key} {
					assert.NotEmpty(t, word, string(body))
				}
				assert.False(t, f.Time.IsZero(), string(body))
			}
		}
	}
	assert.Greater(t, frames, 60)
}
