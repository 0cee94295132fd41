package tests

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// toFile is an output that writes events to a file, and refusesThree one that refuses the first three before.
const (
	toFile = `
file:
  path: events.jsonl`
	refusesThree = `
switch:
  cases:
    - check: count("writes") <= 3
      output: { reject: not yet }
    - output: { file: { path: events.jsonl } }`
)

// line is an event as a consumer reads it.
type line struct {
	ID       string
	Object   string
	ObjectID string `json:"object_id"`
	Action   string
	Time     string
	Data     map[string]any
}

func eventLines(t *testing.T, path string) []line {
	t.Helper()
	return parseLines(t, read(t, path))
}

func parseLines(t *testing.T, texts []string) []line {
	t.Helper()
	var all []line
	for _, text := range texts {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var l line
		require.NoError(t, d.Decode(&l), text)
		all = append(all, l)
	}
	return all
}

// newest is what a consumer knows that keeps the newest event of each record.
func newest(t *testing.T, lines []line) map[string]row {
	t.Helper()
	rows, at := map[string]row{}, map[string]time.Time{}
	for _, l := range lines {
		when, err := time.Parse(time.RFC3339, l.Time)
		require.NoError(t, err)
		if name := l.Object + "/" + l.ObjectID; !when.Before(at[name]) {
			rows[name], at[name] = row{Deleted: l.Action == "deleted", Data: l.Data}, when
		}
	}
	return rows
}

// Both doors, each event once, although webhooks come twice, in any order and again, the API fails, and the output
// refuses the first three events.
func TestBothDoorsBringEachEventOnce(t *testing.T) {
	k := newKitchen(t, 3)
	p := k.cook("both_doors.yaml", "output.retry.output="+refusesThree)
	k.pause = 2 * time.Second
	k.live(120)
	out := filepath.Join(k.folder, "events.jsonl")
	told := k.mail.told(t)
	k.settles("every event comes", func() []string { return without(told, idsOf(eventLines(t, out))) })
	k.settles("the state is Pipedrive's", func() []string { return k.differences(newest(t, eventLines(t, out)), polledLists, false) })
	k.assertOnce(eventLines(t, out), told)
	assert.Contains(t, p.stop(), "not yet", "three were refused")
}

// What is on its way when the process is killed comes again, and is not taken for a copy.
func TestBothDoorsKilledLosesNothing(t *testing.T) {
	k := newKitchen(t, 4)
	p := k.cook("both_doors.yaml", "output.retry.output={reject: closed}")
	k.pause = 2 * time.Second
	k.live(40)
	p.kill()

	k.cook("both_doors.yaml", "output.retry.output="+toFile)
	out := filepath.Join(k.folder, "events.jsonl")
	told := k.mail.told(t)
	k.settles("every event comes", func() []string { return without(told, idsOf(eventLines(t, out))) })
	k.settles("the state is Pipedrive's", func() []string { return k.differences(newest(t, eventLines(t, out)), polledLists, false) })
}

// assertOnce looks for events that came twice, and for those that nobody told.
func (k *kitchen) assertOnce(lines []line, told map[string]bool) {
	k.t.Helper()
	seen := map[string]bool{}
	for _, l := range lines {
		assert.False(k.t, seen[l.ID], "%s of %s/%s came twice", l.ID, l.Object, l.ObjectID)
		assert.True(k.t, told[l.ID] || k.born[l.ID], "%s of %s/%s at %s is no state that there was", l.ID, l.Object, l.ObjectID, l.Time)
		seen[l.ID] = true
	}
	k.t.Logf("%d events, %d of them told by webhook", len(lines), len(told))
}

func idsOf(lines []line) map[string]bool {
	ids := map[string]bool{}
	for _, l := range lines {
		ids[l.ID] = true
	}
	return ids
}

// without is what is in a and not in b.
func without(a, b map[string]bool) []string {
	var missing []string
	for id := range a {
		if !b[id] {
			missing = append(missing, id)
		}
	}
	return missing
}
