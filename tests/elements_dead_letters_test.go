package tests

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// What an imported instance cannot read is one dead letter, and everything else reaches the app: polled or pushed, with
// strict error handling and without. Sent again it is a dead letter once more, or an event if it can be read by then.
func TestWhatAnImportedInstanceCannotReadIsADeadLetter(t *testing.T) {
	const field = "0123456789abcdef0123456789abcdef01234567"
	reasons := map[string]string{"polling": "custom_fields: expected a JSON object", "webhook": `the type "hologram" is not known`}
	for kind, reason := range reasons {
		for _, strict := range []string{"error_handling.strict=false", "error_handling.strict=true"} {
			t.Run(kind+" "+strict, func(t *testing.T) {
				t.Parallel()
				sim := simulator.RunT(t, simulator.Options{Deals: 5, DailyBudget: plenty, Burst: plenty})
				app := newElementsApp(t).inbox("/events", "s3cr3t")
				folder, door := t.TempDir(), unrest.FreeAddress(t)
				dead := filepath.Join(folder, "state", "dead_letters_20931.jsonl")
				pipeline := filepath.Join(folder, "pipeline.yaml")
				require.NoError(t, os.WriteFile(pipeline, []byte(importedPipeline(t, kind, app.url)), 0o600))
				env := []string{
					"PIPEDRIVE_BASE_URL=" + sim.URL(), "PIPEDRIVE_API_TOKEN=" + sim.Token(), "SIGNING_KEY=s3cr3t", "START_FROM=beginning",
					"HTTP_ADDRESS=127.0.0.1:0", "HOOK_ADDRESS=" + door, "HOOK_USERNAME=hook", "HOOK_PASSWORD=hunter2",
				}
				deals := sim.IDs("deals")
				titles := func() (all []string) {
					for _, e := range app.events() {
						all = append(all, e.body.Get("title").Str+e.body.Get("data.title").Str)
					}
					return all
				}

				if kind == "polling" { // in a page with others
					sim.Update("deals", deals[2], simulator.Fields{"custom_fields": "none"})
				}
				p := start(t, folder, env, "run", "--set", strict, pipeline)
				if kind == "webhook" {
					eventually(t, "the door is open", func() bool { status, _ := get("http://" + door + "/healthz"); return status == http.StatusOK })
					sim.Subscribe(simulator.Webhook{URL: "http://" + door + "/events/pipedrive/MjA5MzE=", Version: "2.0", Username: "hook", Password: "hunter2"})
					sim.Announce("deal", "change", deals[2], simulator.Fields{
						"id": 3, "custom_fields": simulator.Fields{field: simulator.Fields{"type": "hologram", "value": "x"}},
					}, nil)
				} else {
					eventually(t, "the others come", func() bool { return len(app.events()) == len(deals)-1 })
				}
				eventually(t, "what cannot be read is a dead letter", func() bool { return len(read(t, dead)) == 1 })
				for n := range 3 { // behind which it would come again
					sim.Update("deals", deals[0], simulator.Fields{"title": fmt.Sprintf("Change %d", n)})
					eventually(t, "a change comes", func() bool { return strings.Contains(strings.Join(titles(), "\n")+"\n", fmt.Sprintf("Change %d\n", n)) })
				}
				p.stop()
				require.Len(t, read(t, dead), 1, "it came once")
				letter := gjson.Parse(read(t, dead)[0])
				assert.Contains(t, letter.Get("error").Str, reason)
				assert.Equal(t, "deal", letter.Get("metadata.pipedrive_object").Str)
				assert.False(t, letter.Get("metadata.unreadable").Exists())
				assert.Equal(t, 1, strings.Count(letter.Get("body").Str, `"custom_fields":`), "its bytes")
				known := len(app.events())

				redrive := func(line string) {
					require.NoError(t, os.WriteFile(filepath.Join(folder, "redrive.jsonl"), []byte(line+"\n"), 0o600))
					require.NoError(t, os.Remove(dead))
					p := start(t, folder, env, "run", "-r", recipeFile(t, "elements_redrive.yaml"), "--set", strict, "--set", "input={resource: redrive}",
						"--set", "pipeline={}", "--set", "cache_resources=[]", "--set", "http.enabled=false", pipeline)
					p.ended()
				}
				redrive(letter.Raw)
				require.Len(t, read(t, dead), 1, "it is a dead letter once more")
				again := gjson.Parse(read(t, dead)[0])
				assert.Equal(t, letter.Get("body").Str, again.Get("body").Str)
				assert.Equal(t, letter.Get("metadata").String(), again.Get("metadata").String())
				assert.Len(t, app.events(), known)

				readable := strings.NewReplacer(`\"none\"`, `{}`, `\"hologram\"`, `\"varchar\"`).Replace(again.Raw)
				require.NotEqual(t, again.Raw, readable)
				redrive(readable)
				require.Len(t, app.events(), known+1)
				assert.Equal(t, deals[2], app.events()[known].id)
			})
		}
	}
}
