package webhook_test

import (
	"runtime"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

// A body may be as large as the door allows, and as malicious.
func TestHostileBodiesCostLittle(t *testing.T) {
	const size = 4 << 20
	fill := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	sound := `"action":"change","entity":"deal","entity_id":"7"`
	for _, c := range []struct {
		name, body  string
		errContains string // empty: it is a frame
	}{
		{"open arrays", fill("["), "nests more than"},
		{"open objects", fill(`{"a":`), "nests more than"},
		{"deep in a frame", v2(sound, `,"data":`+strings.Repeat("[", size/2)+strings.Repeat("]", size/2)), "nests more than"},
		{"just too deep", strings.Repeat("[", 201) + strings.Repeat("]", 201), "nests more than"},
		{"closed arrays", "[" + fill("[],") + "[]]", "got an array"},
		{"never ending string", `{"` + fill("[{"), "end early"},
		{"brackets in a note", v2(sound, `,"data":{"content":"`+fill(`\"{[`)+`"}`), ""},
		{"many fields", v2(sound, `,"data":{"x":[`+fill(`{"a":1},`)+`0]}`), ""},
		{"many keys", `{"meta":{` + fill(`"a":1,`) + `"a":1}}`, "expected meta.version"},
		{"many users", v2(sound+`,"permitted_user_ids":[`+fill(`"1",`)+`"1"]`, ``), ""},
		{"long number", v2(`"action":"change","entity":"deal","entity_id":`+fill("7"), ``), "expected meta.entity_id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := webhook.Parse(body)
			runtime.ReadMemStats(&after)
			if c.errContains == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.errContains)
			}
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(3*size), "heap") // a long number is copied twice
			assert.LessOrEqual(t, after.StackSys, before.StackSys+1<<20, "stack")
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, body := range []string{
		dealV2, dealV1, "", "{}", "[[", `{"meta":{}}`, dealV2[:700],
		v2(`"action":"change","entity":"user","entity_id":31,"id":"31","timestamp":1795007142`, `,"data":{"modified":"2026-11-01 01:02:03"}`),
		v1(`"action":"deleted","object":"activityType","id":"7"`, `,"current":[{}],"retry":"3"`),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		frame, err := webhook.Parse(body)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") || frame != (webhook.Frame{}) {
				t.Fatalf("%q with %+v", err, frame)
			}
			return
		}
		for _, word := range []string{frame.Object, frame.ID, frame.Action, frame.Key, frame.Lane} {
			if word == "" || len(word) > 2000 || strings.ContainsFunc(word, unicode.IsControl) {
				t.Fatalf("%q in %+v", word, frame)
			}
		}
		if frame.Lane != frame.Company+"/"+frame.Object+"/"+frame.ID || frame.Attempt < 1 {
			t.Fatalf("%+v", frame)
		}
	})
}
