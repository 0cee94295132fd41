package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

const (
	// A compaction pays when all but a part this small of the file is holes.
	compactShare = 16
	// maxCompact is what may be left to copy, because those who append wait meanwhile.
	maxCompact  = 4 << 20
	compactName = ".compact"
)

// compact replaces a large file that is nearly empty by a copy of what is pending. Besides the room on the disk this
// is for speed, because each transaction writes the list of the free pages anew. An error means that nobody knows
// which of the two files the path names after a power cut; when there is merely no room for the copy, the old file
// stays and another attempt is made when it has doubled.
func (j *Journal) compact() error {
	size, err := j.file.size()
	if err != nil {
		return err
	}
	j.mu.Lock()
	pending := j.index.bytes
	j.mu.Unlock()
	if size < j.compactFrom || pending > min(size/compactShare, maxCompact) || runtime.GOOS == "windows" {
		return nil // Windows cannot rename over an open file
	}

	temporary := j.path + compactName
	fresh, err := j.file.copyTo(temporary)
	if err != nil {
		_ = os.Remove(temporary)
		j.compactFrom = 2 * size
		return nil
	}
	// Both files are locked while the name goes from one to the other, so nobody gets in between; one who waits for
	// the old one's lock finds out by isAt.
	if err := os.Rename(temporary, j.path); err != nil {
		_ = fresh.DB.Close()
		_ = os.Remove(temporary)
		j.compactFrom = 2 * size
		return nil
	}
	j.files.Lock()
	old := j.file
	j.file = fresh
	j.files.Unlock()
	j.compactFrom = j.minCompact
	// Closing what nobody can find any more has no error that concerns anybody.
	_ = boltfile.Survive(old.DB.Close)
	return boltfile.SyncFolder(filepath.Dir(j.path))
}

// size is what the transactions have used of the file at most.
func (f *file) size() (n int64, err error) {
	err = boltfile.Survive(func() error {
		return f.DB.View(func(tx *bbolt.Tx) error {
			n = tx.Size()
			return nil
		})
	})
	return n, err
}

// copyTo writes the entries to a new file in one transaction and leaves it open.
func (f *file) copyTo(path string) (*file, error) {
	// What an earlier attempt left behind may be half written.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	fresh, err := openFile(path, time.Millisecond, false)
	if err != nil {
		return nil, err
	}
	err = fresh.prepare()
	if err == nil {
		err = boltfile.Survive(func() error {
			return f.DB.View(func(from *bbolt.Tx) error {
				return fresh.DB.Update(func(to *bbolt.Tx) error { return copyEntries(from, to) })
			})
		})
	}
	if err != nil {
		fresh.Abandon()
		return nil, fmt.Errorf("copying to %s: %w", path, err)
	}
	return fresh, nil
}

func copyEntries(from, to *bbolt.Tx) error {
	for _, name := range [][]byte{entriesBucket, refusalsBucket} {
		source, target := from.Bucket(name), to.Bucket(name)
		target.FillPercent = 1
		if err := source.ForEach(target.Put); err != nil {
			return err
		}
		if err := target.SetSequence(source.Sequence()); err != nil {
			return err
		}
	}
	return nil
}
