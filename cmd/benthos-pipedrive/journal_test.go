package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
)

// journalOutput runs the command as the host would.
func journalOutput(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := appOf(journalCommand(), &out, &out).RunContext(t.Context(), append([]string{name, "journal"}, args...))
	return out.String(), err
}

// journalFile has three entries pending in two lanes, and is open.
func journalFile(t *testing.T) (string, *journal.Journal) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "webhooks.db")
	j, err := journal.Open(journal.Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	for i, lane := range []string{"12345/deal/101", "12345/deal/101", "12345/\x1b[2J\"/1"} {
		require.NoError(t, j.Append(t.Context(), journal.Entry{
			Lane: lane, Accepted: time.Date(2026, 11, 24, 12, i, 0, 0, time.UTC), Body: []byte("a secret of the CRM"),
		}))
	}
	batch, err := j.NextBatch(t.Context(), 1, 1)
	require.NoError(t, err)
	j.Later(time.Hour, batch...)
	return path, j
}

func TestJournalListsWhatIsPending(t *testing.T) {
	t.Parallel()
	path, j := journalFile(t)
	require.NoError(t, j.Close())
	out, err := journalOutput(t, path)
	require.NoError(t, err)
	for _, line := range []string{
		`file +` + path,
		`file size +\d+ bytes`,
		`pending +3 entries, \d+ bytes`,
		`oldest +2026-11-24T12:00:00Z`,
		`newest +2026-11-24T12:02:00Z`,
		`stuck +1 of 2 lanes`,
		`LANE +PENDING +BYTES +OLDEST +NEWEST +REFUSED`,
		`12345/deal/101 +2 +\d+ +2026-11-24T12:00:00Z +2026-11-24T12:01:00Z +1`,
		`12345/\\x1b\[2J\\"/1 +1 +\d+ +2026-11-24T12:02:00Z +2026-11-24T12:02:00Z +0`,
	} {
		assert.Regexp(t, `(?m)^`+line+` *$`, out)
	}
	assert.NotContains(t, out, "secret")

	out, err = journalOutput(t, "--lanes", "0", path)
	require.NoError(t, err)
	assert.NotContains(t, out, "LANE")
}

func TestJournalListsAsJSON(t *testing.T) {
	t.Parallel()
	path, j := journalFile(t)
	require.NoError(t, j.Close())
	out, err := journalOutput(t, "--json", "--lanes", "1", path)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	for _, size := range []string{"file_bytes", "pending_bytes"} {
		assert.Positive(t, got[size], size)
		delete(got, size)
	}
	lane := got["lanes"].([]any)[0].(map[string]any)
	assert.Positive(t, lane["pending_bytes"])
	delete(lane, "pending_bytes")
	assert.Equal(t, map[string]any{
		"file": path, "pending": 3.0, "oldest": "2026-11-24T12:00:00Z", "newest": "2026-11-24T12:02:00Z",
		"stuck": 1.0, "lanes_total": 2.0,
		"lanes": []any{map[string]any{
			"lane": "12345/deal/101", "pending": 2.0,
			"oldest": "2026-11-24T12:00:00Z", "newest": "2026-11-24T12:01:00Z", "refused": 1.0,
		}},
	}, got)
}

func TestJournalOfNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "webhooks.db")
	j, err := journal.Open(journal.Options{Path: path})
	require.NoError(t, err)
	require.NoError(t, j.Close())
	out, err := journalOutput(t, path)
	require.NoError(t, err)
	assert.Regexp(t, `pending +0 entries, 0 bytes`, out)
	out, err = journalOutput(t, "--json", path)
	require.NoError(t, err)
	assert.Contains(t, out, `"oldest": null`)
	assert.Contains(t, out, `"lanes": []`)
}

func TestJournalThatIsInUsePointsAtTheMetrics(t *testing.T) {
	t.Parallel()
	path, _ := journalFile(t)
	_, err := journalOutput(t, path)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "held by another process")
	require.ErrorContains(t, err, "pipedrive_journal_pending")
}

func TestJournalSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.db")
	for _, test := range []struct {
		args        []string
		errContains string
	}{
		{nil, "one FILE"},
		{[]string{"a", "b"}, "one FILE"},
		{[]string{"a", "--json"}, "its flags, then one FILE"},
		{[]string{"--lanes", "-1", "a"}, "--lanes is -1 and must be 0 or more"},
		{[]string{missing}, "reading the journal, path \"" + missing + "\""},
	} {
		_, err := journalOutput(t, test.args...)
		assert.ErrorContains(t, err, test.errContains, strings.Join(test.args, " "))
	}
	assert.NoFileExists(t, missing)
}
