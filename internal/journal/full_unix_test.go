//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

func init() {
	roles["fill"] = fill
	roles["removeOnFullDisk"] = removeOnFullDisk
	roles["both"] = both
}

// limitFiles is how long the files may become that this process writes.
func limitFiles(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: math.MaxUint64})
}

// fill lets the process write files of 1 MiB only, appends until that is too little, delivers, and goes on with the
// limit lifted. It leaves the entries "behind 0" to "behind 9" pending. (A disk without room says ENOSPC where this limit
// says EFBIG, at the same calls. Here it is a process of its own because the limit would hold for all tests.)
func fill(path, _ string) error {
	ctx := context.Background()
	j, err := Open(Options{Path: path})
	if err != nil {
		return err
	}
	appendOne := func(key string) error { return j.Append(ctx, Entry{Lane: key, Key: key, Body: make([]byte, 1200)}) }
	if err := limitFiles(1 << 20); err != nil {
		return err
	}
	accepted := 0
	for ; err == nil; accepted++ {
		err = appendOne(fmt.Sprint(accepted))
	}
	accepted--
	fmt.Println("full:", err)
	for range 3 {
		if err := appendOne("refused"); err == nil {
			return errors.New("the limit is no limit")
		}
	}
	if j.Pending() != accepted || j.Has("refused") {
		return fmt.Errorf("%d entries are pending, %d were accepted", j.Pending(), accepted)
	}

	// Removing works in a full file, and makes room in it.
	for range 2 {
		batch, err := j.NextBatch(ctx, accepted/3, 1<<30)
		if err != nil {
			return err
		}
		if err := j.Done(ctx, batch...); err != nil {
			return err
		}
	}
	for i := range accepted / 4 {
		if err := appendOne(fmt.Sprint("into the room ", i)); err != nil {
			return err
		}
	}
	if err := limitFiles(math.MaxUint64); err != nil {
		return err
	}
	for i := range 10 {
		if err := appendOne(fmt.Sprint("behind ", i)); err != nil {
			return err
		}
	}
	want := accepted - accepted/3*2 + accepted/4 + 10
	if j.Pending() != want {
		return fmt.Errorf("%d entries are pending, want %d", j.Pending(), want)
	}
	if err := j.Close(); err != nil {
		return err
	}

	j, err = Open(Options{Path: path})
	if err != nil {
		return err
	}
	batch, err := j.NextBatch(ctx, want-10, 1<<30)
	if err == nil && len(batch) != want-10 {
		err = fmt.Errorf("%d entries came, want %d", len(batch), want-10)
	}
	if err == nil {
		err = j.Done(ctx, batch...)
	}
	if err == nil {
		err = j.Close()
	}
	fmt.Println("well")
	return err
}

func TestAFullDiskRefusesAndTheJournalWorksOn(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	lines, _ := startChild(t, "fill", "", path)
	require.True(t, lines.Scan())
	assert.Regexp(t, `^full: writing the journal, path "`+path+`": .*file too large`, lines.Text())
	require.True(t, lines.Scan())
	require.Equal(t, "well", lines.Text())

	j := openAt(t, path)
	left := []string{}
	for i := range 10 {
		left = append(left, fmt.Sprint("behind ", i))
	}
	assert.Equal(t, left, drain(t, j))
}

// removeOnFullDisk delivers three entries of one lane: the first two while nothing can be written.
func removeOnFullDisk(path, _ string) error {
	ctx := context.Background()
	j, err := Open(Options{Path: path})
	if err != nil {
		return err
	}
	for i := range 4 {
		if err := j.Append(ctx, Entry{Lane: "a", Key: fmt.Sprint(i)}); err != nil {
			return err
		}
	}
	deliver := func() error {
		batch, err := j.NextBatch(ctx, 10, 1)
		if err != nil {
			return err
		}
		fmt.Println("delivered", batch[0].Key)
		return j.Done(ctx, batch...)
	}
	for range 2 {
		if err := limitFiles(0); err != nil {
			return err
		}
		if err := deliver(); err == nil {
			return errors.New("the limit is no limit")
		}
		fmt.Println("pending", j.Pending())
	}
	if err := limitFiles(math.MaxUint64); err != nil {
		return err
	}
	for range time.Tick(time.Millisecond) { // it tries again by itself
		if j.Pending() == 2 {
			break
		}
	}
	if err := limitFiles(0); err != nil {
		return err
	}
	if err := deliver(); err == nil {
		return errors.New("the limit is no limit")
	}
	fmt.Println("closing:", j.Close())
	return nil
}

func TestWhatAFullDiskKeepsFromBeingRemovedIsRemovedLater(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	lines, _ := startChild(t, "removeOnFullDisk", "", path)
	for _, want := range []string{
		"delivered 0", "pending 4", "delivered 1", "pending 4", "delivered 2",
		`closing: writing the journal, path "` + path + `": write ` + path + `: file too large`,
	} {
		require.True(t, lines.Scan())
		require.Equal(t, want, lines.Text())
	}
	assert.Equal(t, []string{"2", "3"}, drain(t, openAt(t, path)))
}

// both has one transaction append what there is no room for and remove what was delivered. It plays the committer
// itself, so that the two meet.
func both(path, _ string) error {
	j, err := open(Options{Path: path})
	if err != nil {
		return err
	}
	settle := func(e Entry, done []Delivery) (*batch, error) {
		if _, err := j.enqueue(&e); err != nil {
			return nil, err
		}
		_, err := j.depart(done)
		j.swift = false // so that the addition goes along
		b, _ := j.nextBatch(false)
		j.settle(b)
		return b, err
	}
	small, large := entryOf("a", "small"), Entry{Lane: "b", Key: "large", Body: make([]byte, 2<<20)}
	if _, err := settle(small, nil); err != nil {
		return err
	}
	batch, _, err := j.takeBatch(1, 1)
	if err != nil {
		return err
	}
	if err := limitFiles(1 << 20); err != nil {
		return err
	}
	b, err := settle(large, batch)
	fmt.Println("append refused:", b.addErr != nil, "removed:", b.removeErr == nil, "pending:", j.Pending())
	return err
}

func TestAFullDiskDoesNotKeepTheDeliveredFromMakingRoom(t *testing.T) {
	t.Parallel()
	lines, _ := startChild(t, "both", "", journalPath(t))
	require.True(t, lines.Scan())
	require.Equal(t, "append refused: true removed: true pending: 0", lines.Text())
}

// An output that works takes what the disk does not.
func TestAFullDiskRefusesNothingThatIsDelivered(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	for _, test := range []struct {
		name  string
		judge func(*Journal, *addition, Delivery)
		want  error
	}{
		{"delivered", func(j *Journal, _ *addition, d Delivery) { assert.NoError(t, j.Done(t.Context(), d)) }, nil},
		{"refused", func(j *Journal, _ *addition, d Delivery) { j.Later(time.Hour, d) }, full},
		{"nobody waits any more", func(j *Journal, a *addition, _ Delivery) { j.withdraw(a) }, full},
		{"the journal is closed", func(j *Journal, _ *addition, _ Delivery) { j.end(ErrClosed) }, full},
	} {
		j, b := byHand(t, entryOf("a", "aloft"), entryOf("a", "behind"))
		aloft, behind := b.additions[0], b.additions[1]
		batch := next(t, j)
		require.Equal(t, []string{"aloft"}, keys(batch))
		b.addErr, b.removeErr = full, full
		j.record(b)
		require.Equal(t, full, <-behind.done, test.name)
		require.Empty(t, aloft.done, test.name)

		test.judge(j, aloft, batch[0])
		require.Equal(t, test.want, <-aloft.done, test.name)
		assert.Zero(t, j.Pending(), test.name)
		assert.Zero(t, j.Stuck(), test.name)
		assert.Empty(t, j.unwritten, test.name)
	}
}

// What each failure of bbolt looks like, and whether the file is as it was before.
func TestOnlyAFullDiskLeavesTheFileAsItWas(t *testing.T) {
	t.Parallel()
	written := func(err error) error { return &os.PathError{Op: "write", Path: "journal.db", Err: err} }
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"no room for a page", written(syscall.ENOSPC), true},
		{"no quota for a page", written(syscall.EDQUOT), true},
		{"a page beyond the limit", written(syscall.EFBIG), true},
		{"no room to grow", errors.New("file resize error: truncate journal.db: no space left on device"), true},
		{"a bad disk", written(syscall.EIO), false},
		{"half a page", io.ErrShortWrite, false},
		{"a sync that met a bad disk", syscall.EIO, false},
		{"a sync that found no room", syscall.ENOSPC, false},
		{"a sync of the growth", errors.New("file sync error: sync journal.db: input/output error"), false},
		{"a sync elsewhere than on Linux", &os.PathError{Op: "sync", Path: "journal.db", Err: syscall.ENOSPC}, false},
		{"a damaged page", fmt.Errorf("%w: page 7", boltfile.ErrPage), false},
	} {
		assert.Equal(t, test.want, undone(test.err), test.name)
	}
}
