package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// asks reads a column of JSON from the recipe's database, row by row.
const asks = `
http: { enabled: false }
logger: { level: ERROR }
input:
  sql_raw:
    driver: sqlite
    dsn: file:%s?mode=ro&_pragma=busy_timeout(5000)
    query: %s
pipeline:
  processors: [ mapping: root = this.answer ]
output: { stdout: {} }
`

const (
	// keptRecords are those of the table, each with a row as differences wants it.
	keptRecords = `SELECT json_object('name', object || '/' || object_id, 'deleted', json(iif(deleted, 'true', 'false')), 'data', json(data)) AS answer FROM pipedrive_records`
	keptEvents  = `SELECT json_object('id', id) AS answer FROM pipedrive_events`
)

// ask returns nothing while there are no tables.
func (k *kitchen) ask(query string) []string {
	k.t.Helper()
	binary, err := buildOnce()
	require.NoError(k.t, err)
	config := filepath.Join(k.t.TempDir(), "ask.yaml")
	require.NoError(k.t, os.WriteFile(config, fmt.Appendf(nil, asks, filepath.Join(k.folder, "state/crm.db"), query), 0o600))
	// Without its table the host asks again and again.
	ctx, cancel := context.WithTimeout(k.t.Context(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, "run", config).Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func (k *kitchen) records() map[string]row {
	k.t.Helper()
	rows := map[string]row{}
	for _, text := range k.ask(keptRecords) {
		var kept struct {
			row
			Name string
		}
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.UseNumber()
		if d.Decode(&kept) == nil {
			rows[kept.Name] = kept.row
		}
	}
	return rows
}

func (k *kitchen) loggedEvents() []line {
	k.t.Helper()
	var all []line
	for _, text := range k.ask(keptEvents) {
		var l line
		if json.Unmarshal([]byte(text), &l) == nil {
			all = append(all, l)
		}
	}
	return all
}

// keptLists are those that the recipe keeps.
var keptLists = append([]string{"products", "pipelines", "stages"}, polledLists...)

// settlesInTheDatabase waits until both tables are right.
func (k *kitchen) settlesInTheDatabase() {
	k.t.Helper()
	told := k.mail.told(k.t)
	k.settles("every event is in the log", func() []string { return without(told, idsOf(k.loggedEvents())) })
	k.settles("the records are Pipedrive's", func() []string { return k.differences(k.records(), keptLists, true) })
	k.assertOnce(k.loggedEvents(), told)
}

// The tables are right in the end, although webhooks come twice, in any order and again, changes share a second, the API
// fails, and the database refuses the first three events.
func TestSQLiteKeepsEveryRecordAndEachEventOnce(t *testing.T) {
	k := newKitchen(t, 7)
	p := k.cook("sqlite.yaml", `output.switch.cases.0=
check: count("writes") <= 3
output: { reject: not yet }`)
	k.live(150)
	k.settlesInTheDatabase()
	p.stop()
}

// A webhook that comes late is in the log, and changes no record: neither one that changed since, be it in the same second,
// nor one that is deleted.
func TestSQLiteLateEventsOverwriteNothing(t *testing.T) {
	k := newKitchen(t, 10)
	k.sim.SetQuirks(func(q *simulator.Quirks) { q.SendTwice = false })
	k.cook("sqlite.yaml")
	k.mail.holdBack("Late")
	k.sim.Update("deals", "1", simulator.Fields{"title": "Late by a second"})
	k.sim.Update("deals", "2", simulator.Fields{"title": "Late in its second"})
	k.sim.Update("deals", "2", simulator.Fields{"title": "In time"})
	k.sim.Update("persons", "1", simulator.Fields{"name": "Late Person"})
	k.sim.Advance(2 * time.Second)
	k.sim.Update("deals", "1", simulator.Fields{"title": "In time"})
	k.sim.Delete("persons", "1")
	k.settles("the records are Pipedrive's", func() []string { return k.differences(k.records(), keptLists, true) })
	eventually(t, "the deals are polled", func() bool {
		return len(k.ask(`SELECT '{}' AS answer FROM pipedrive_records WHERE object = 'deal' AND object_id IN ('1', '2') AND via = 'poll' AND data ->> 'title' = 'In time'`)) == 2
	})

	k.mail.holdBack("")
	k.drain()
	told := k.mail.told(t)
	k.settles("the late events are in the log", func() []string { return without(told, idsOf(k.loggedEvents())) })
	assert.Empty(t, k.differences(k.records(), keptLists, true))
}

// Without polling too a webhook changes nothing that a later one of the same second has changed.
func TestSQLiteLateWebhookOfASecondOverwritesNothing(t *testing.T) {
	k := newKitchen(t, 12)
	k.sim.SetQuirks(func(q *simulator.Quirks) { q.SendTwice, q.SendOutOfOrder = false, false })
	k.cook("sqlite.yaml")
	k.settles("the records are Pipedrive's", func() []string { return k.differences(k.records(), keptLists, true) })
	k.sim.FailAlways(simulator.Status(http.StatusServiceUnavailable).On("/api/v2"))
	k.mail.holdBack("Late")
	k.sim.Advance(10*time.Second - time.Duration(k.sim.Now().Nanosecond()))
	k.sim.Update("deals", "1", simulator.Fields{"title": "Late in its second"})
	k.sim.Advance(time.Millisecond)
	k.sim.Update("deals", "1", simulator.Fields{"title": "In time"})
	eventually(t, "the later comes", func() bool { return k.records()["deal/1"].Data["title"] == "In time" })

	k.mail.holdBack("")
	k.drain()
	told := k.mail.told(t)
	k.settles("the late event is in the log", func() []string { return without(told, idsOf(k.loggedEvents())) })
	assert.Equal(t, "In time", k.records()["deal/1"].Data["title"])
}

// What an event does not carry stays; what it says is empty becomes so.
func TestSQLiteMergesKeyByKey(t *testing.T) {
	k := newKitchen(t, 11)
	field := k.sim.CustomFields("deals")[0].Key
	k.sim.Update("deals", "1", simulator.Fields{"lost_reason": "price", "custom_fields": simulator.Fields{field: 7}})
	k.sim.Update("persons", "1", simulator.Fields{"job_title": "Buyer"}) // no webhook has it
	k.cook("sqlite.yaml")
	k.settles("the records are Pipedrive's", func() []string { return k.differences(k.records(), keptLists, true) })
	before := k.records()
	require.Contains(t, before["deal/1"].Data["custom_fields"], field)
	require.Equal(t, "Buyer", before["person/1"].Data["job_title"])

	k.sim.FailAlways(simulator.Status(http.StatusServiceUnavailable).On("/api/v2")) // now there are webhooks only
	k.sim.Advance(2 * time.Second)
	k.sim.Update("deals", "1", simulator.Fields{"lost_reason": nil, "custom_fields": simulator.Fields{field: nil}})
	k.sim.Update("persons", "1", simulator.Fields{"name": "Ada Vale"})
	k.drain()
	eventually(t, "the change of the person comes", func() bool { return k.records()["person/1"].Data["name"] == "Ada Vale" })
	eventually(t, "the change of the deal comes", func() bool { return k.records()["deal/1"].Data["lost_reason"] == nil })
	after := k.records()
	assert.Equal(t, "Buyer", after["person/1"].Data["job_title"])
	assert.NotContains(t, after["deal/1"].Data["custom_fields"], field)
	assert.Contains(t, after["deal/1"].Data, "lost_reason", "null is known to be empty")
	assert.Equal(t, before["deal/1"].Data["origin_id"], after["deal/1"].Data["origin_id"])
}

// Killed in the middle, again and again, it loses nothing.
func TestSQLiteKilledLosesNothing(t *testing.T) {
	const rounds = 4
	k := newKitchen(t, 8)
	behind := 0
	for range rounds {
		p := k.cook("sqlite.yaml", "output.switch.cases.1.output.processors=[{sleep: {duration: 10ms}}]") // a slow disk
		k.live(50)
		p.kill()
		behind += len(without(k.mail.told(t), idsOf(k.loggedEvents())))
	}
	assert.Positive(t, behind, "no kill was in the middle")
	t.Logf("%d events were on their way in %d kills", behind, rounds)
	k.cook("sqlite.yaml")
	k.settlesInTheDatabase()
}

// What cannot be read becomes a dead letter, and can be sent again.
func TestSQLiteHasDeadLetters(t *testing.T) {
	k := newKitchen(t, 9)
	k.cook("sqlite.yaml")
	k.sim.Announce("deal", "change", "1", simulator.Fields{"id": 1, "custom_fields": simulator.Fields{
		"0123456789abcdef0123456789abcdef01234567": simulator.Fields{"type": "hologram", "value": 1},
	}}, nil)
	k.drain()
	folder := filepath.Join(k.folder, "state/dead_letters")
	eventually(t, "it is a letter", func() bool { return len(letters(t, folder)) == 1 })
	k.redrive("sqlite.yaml")
	assert.Len(t, letters(t, folder), 1, "it is one again")
	k.settlesInTheDatabase()
}
