package webhook

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/journal"
)

const smallJournal = 256 << 10

func openJournal(t *testing.T, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(journal.Options{Path: path, MaxBytes: smallJournal})
	require.NoError(t, err)
	return j
}

// 200 means that the webhook is on disk: the journal has it, and has it after a restart, where the same webhook is
// recognised and not kept twice.
func TestJournalledAcceptsWhatIsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhooks.db")
	for restart := range 3 {
		j := openJournal(t, path)
		d := newDoor(func(c *Config) { c.Acceptor = NewJournalled(j, smallJournal, true, time.Second) })
		assert.True(t, d.Healthy())
		assert.Equal(t, 200, d.answer(request(frameOf(1, 1))).Code)
		assert.Equal(t, 200, d.answer(request(frameOf(1, 1))).Code)
		assert.Equal(t, 1, j.Pending(), "restart %d", restart)
		require.NoError(t, j.Close())
	}
	j := openJournal(t, path)
	defer j.Close()
	batch, err := j.NextBatch(t.Context(), 10, 1<<20)
	require.NoError(t, err)
	require.Len(t, batch, 1)
	assert.Equal(t, frameOf(1, 1), string(batch[0].Body))
	assert.WithinDuration(t, time.Now(), batch[0].Accepted, time.Minute)
}

func TestJournalledWithoutDedupeKeepsCopies(t *testing.T) {
	j := openJournal(t, filepath.Join(t.TempDir(), "webhooks.db"))
	defer j.Close()
	d := newDoor(func(c *Config) {
		c.Acceptor, c.Deduper = NewJournalled(j, smallJournal, false, time.Second), nil
	})
	for range 2 {
		assert.Equal(t, 200, d.answer(request(frameOf(1, 1))).Code)
	}
	assert.Equal(t, 2, j.Pending())
}

// A full journal refuses rather than forgets, says so to who asks for its health, and takes what was refused when there is
// room again.
func TestAFullJournalRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openJournal(t, filepath.Join(t.TempDir(), "webhooks.db"))
		defer j.Close()
		d := newDoor(func(c *Config) { c.Acceptor = NewJournalled(j, smallJournal, true, time.Second) })
		n := 0
		for d.answer(request(frameOf(n, 1))).Code == 200 {
			n++
		}
		assert.Equal(t, n, j.Pending())
		assert.Contains(t, d.notes.log(), "the journal is full")
		assert.False(t, d.Healthy())
		pass(2 * time.Second)
		assert.False(t, d.Healthy(), "nothing has changed")
		for j.Pending() > 0 {
			batch, err := j.NextBatch(t.Context(), 100, 1<<20)
			require.NoError(t, err)
			require.NoError(t, j.Done(t.Context(), batch...))
		}
		assert.Equal(t, 200, d.answer(request(frameOf(n, 1))).Code, "what was refused is welcome again")
		assert.True(t, d.Healthy())
	})
}

// A disk that takes nothing shows in nothing but failed attempts: the door is unhealthy for a while after each.
func TestAFailedAttemptMakesTheDoorUnhealthyForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openJournal(t, filepath.Join(t.TempDir(), "webhooks.db"))
		d := newDoor(func(c *Config) { c.Acceptor = NewJournalled(j, smallJournal, true, 8*time.Second) })
		pass(time.Minute)
		assert.True(t, d.Healthy())
		require.NoError(t, j.Close())
		assert.Equal(t, 503, d.answer(request(frameOf(1, 1))).Code)
		assert.False(t, d.Healthy())
		pass(8*time.Second + time.Nanosecond)
		assert.True(t, d.Healthy())
	})
}

func TestRetryAfter(t *testing.T) {
	for refused, longest := range map[int]time.Duration{
		0: time.Second, 1: 2 * time.Second, 2: 4 * time.Second, 5: 32 * time.Second, 6: time.Minute, 7: time.Minute, 1 << 30: time.Minute,
	} {
		for range 100 {
			wait := RetryAfter(refused)
			assert.LessOrEqual(t, wait, longest)
			assert.Greater(t, wait, longest*4/5-1)
		}
	}
}
