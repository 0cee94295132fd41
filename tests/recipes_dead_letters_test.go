package tests

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// letter is a dead letter.
type letter struct {
	Error    string
	Metadata map[string]string
	Content  string
}

func letters(t *testing.T, folder string) []letter {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	var all []letter
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		var l letter
		if json.Unmarshal(content, &l) == nil { // else it is being written
			all = append(all, l)
		}
	}
	return all
}

func (l letter) bytes(t *testing.T) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(l.Content)
	require.NoError(t, err)
	return string(b)
}

// keys are the ids of the events in letters that could be read.
func keys(all []letter) map[string]bool {
	ids := map[string]bool{}
	for _, l := range all {
		if id := l.Metadata["pipedrive_event_key"]; id != "" {
			ids[id] = true
		}
	}
	return ids
}

// notRead are the letters of what could not be read.
func notRead(all []letter) []letter {
	return slices.DeleteFunc(slices.Clone(all), func(l letter) bool { return l.Metadata["pipedrive_event_key"] != "" })
}

// What cannot be read and what the endpoint refuses for good becomes a dead letter, everything else arrives, although the
// endpoint is down at first: with strict error handling and without. Sent again, the letters are what they were.
func TestDeadLettersKeepWhatIsRefusedAndNothingElse(t *testing.T) {
	for name, strict := range map[string]string{"strict": "true", "not strict": "false"} {
		t.Run(name, func(t *testing.T) {
			k := newKitchen(t, 5)
			k.pause = 2 * time.Second
			app := newEndpoint(t, k)
			app.findsFaultWith("Moved on")
			p := k.cook("dead_letters.yaml", "error_handling.strict="+strict)
			k.sim.Announce("deal", "change", "77", simulator.Fields{
				"id": 77, "custom_fields": simulator.Fields{"0123456789abcdef0123456789abcdef01234567": simulator.Fields{"type": "hologram", "value": "x"}},
			}, nil)
			k.live(60)
			folder := filepath.Join(k.folder, "state/dead_letters")
			told, unreadable := k.mail.told(t), k.mail.unreadable(t)
			require.NotEmpty(t, unreadable) // once for each attempt

			k.settles("every event arrives or is a letter", func() []string {
				known := idsOf(parseLines(t, app.took()))
				for id := range keys(letters(t, folder)) {
					known[id] = true
				}
				return without(told, known)
			})
			k.settles("what is refused is a letter", func() []string { return without(app.refusals(), keys(letters(t, folder))) })
			assert.Empty(t, without(keys(letters(t, folder)), app.refusals()), "neither an outage nor a refusal makes letters of others")
			require.NotEmpty(t, app.refusals())
			eventually(t, "what cannot be read is a letter", func() bool { return len(notRead(letters(t, folder))) == 1 })
			cannot := notRead(letters(t, folder))[0]
			assert.Contains(t, unreadable, cannot.bytes(t), "to the byte")
			assert.Contains(t, cannot.Error, "hologram")
			assert.Equal(t, "77", cannot.Metadata["pipedrive_id"])

			// The fault is mended, the letters are sent again; the recipe goes on running.
			refused := keys(letters(t, folder))
			app.findsFaultWith("")
			k.redrive("dead_letters.yaml", "error_handling.strict="+strict)
			assert.Empty(t, without(refused, idsOf(parseLines(t, app.took()))))
			k.settles("the state is Pipedrive's", func() []string { return k.differences(newest(t, parseLines(t, app.took())), polledLists, false) })
			again := notRead(letters(t, folder))
			require.Len(t, again, 1, "what still cannot be read is a letter again")
			assert.Equal(t, cannot.bytes(t), again[0].bytes(t))
			p.stop()
		})
	}
}

// Stopped while the endpoint is down, it makes no letters of what waits: that arrives after the next start.
func TestDeadLettersAreNotMadeByAStop(t *testing.T) {
	k := newKitchen(t, 6)
	k.pause = 2 * time.Second
	app := newEndpoint(t, k)
	app.goesDown(1 << 30)
	p := k.cook("dead_letters.yaml", "shutdown_timeout=2s")
	k.live(20)
	began := time.Now()
	p.stop()
	t.Logf("stopped in %v", time.Since(began))
	folder := filepath.Join(k.folder, "state/dead_letters")
	assert.Empty(t, letters(t, folder))

	app.goesDown(0)
	k.cook("dead_letters.yaml")
	told := k.mail.told(t)
	k.settles("every event arrives", func() []string { return without(told, idsOf(parseLines(t, app.took()))) })
	k.settles("the state is Pipedrive's", func() []string { return k.differences(newest(t, parseLines(t, app.took())), polledLists, false) })
	assert.Empty(t, letters(t, folder))
}
