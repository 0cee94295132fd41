package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// The file holds two buckets. Entries: number -> the entry (entry.go). Refusals: number of an entry -> how often it
// was refused, 4 bytes. Numbers are 8 bytes, big-endian, so that they sort. None is used twice in the file: the last one
// that was given out before a commit is kept as the bucket's sequence. Another layout gets other names.
var (
	entriesBucket  = []byte("journal_v1_entries")
	refusalsBucket = []byte("journal_v1_refusals")
)

var (
	errNumber  = errors.New("its number was never given out")
	errMoved   = errors.New("the file was replaced meanwhile")
	errForeign = errors.New("the file belongs to something else, or to a newer version: a journal needs a file of its own")
)

// file is an open database.
type file struct{ *boltfile.File }

// openFile opens or creates the database and waits up to timeout for its lock. Errors are in the words of somebody
// who has to repair it.
func openFile(path string, timeout time.Duration, readOnly bool) (*file, error) {
	f, err := boltfile.Open(path, timeout, readOnly)
	switch {
	case errors.Is(err, boltfile.ErrHeld):
		return nil, fmt.Errorf("%w (waited %s)", ErrHeld, timeout)
	case boltfile.Damaged(err):
		return nil, damaged(err)
	case err != nil:
		return nil, err
	}
	return &file{f}, nil
}

// inWords adds to an error about the content what to do.
func inWords(err error) error {
	if errors.Is(err, errTorn) || errors.Is(err, errNumber) || errors.Is(err, boltfile.ErrPage) {
		return damaged(err)
	}
	return err
}

func damaged(err error) error {
	return fmt.Errorf("the file is not a journal, or damaged (restore it, or move it away to begin an empty one): %w", err)
}

// openCurrent opens the file that the path names once its lock is ours.
func openCurrent(path string, timeout time.Duration, readOnly bool) (*file, error) {
	for {
		f, err := openFile(path, timeout, readOnly)
		if err != nil {
			return nil, err
		}
		err = f.isAt(path)
		if err == nil {
			return f, nil
		}
		_ = f.DB.Close()
		if !errors.Is(err, errMoved) {
			return nil, err
		}
	}
}

// isAt returns errMoved when the path has come to mean another file, by a compaction in the process that held the
// lock before us: what one wrote to the old file would be lost.
func (f *file) isAt(path string) error {
	named, err := os.Stat(path)
	if err != nil {
		return err
	}
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(named, opened) {
		return errMoved
	}
	return nil
}

// prepare creates the buckets in a new file and refuses one with a content that is not ours.
func (f *file) prepare() error {
	return boltfile.Survive(func() error {
		ready := false
		err := f.DB.View(func(tx *bbolt.Tx) error {
			ready = tx.Bucket(entriesBucket) != nil && tx.Bucket(refusalsBucket) != nil
			return onlyOurs(tx)
		})
		if err != nil || ready {
			return err
		}
		return f.DB.Update(func(tx *bbolt.Tx) error {
			for _, name := range [][]byte{entriesBucket, refusalsBucket} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func onlyOurs(tx *bbolt.Tx) error {
	return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
		if !bytes.Equal(name, entriesBucket) && !bytes.Equal(name, refusalsBucket) {
			return fmt.Errorf("%w (it holds %.40q)", errForeign, name)
		}
		return nil
	})
}

// visit shows every entry in order, with how often it was refused.
func visit(tx *bbolt.Tx, do func(seq uint64, s stored, size int, refused uint32) error) error {
	entries, refusals := tx.Bucket(entriesBucket), tx.Bucket(refusalsBucket)
	if entries == nil || refusals == nil {
		return nil // never written to
	}
	return entries.ForEach(func(key, value []byte) error {
		if len(key) != seqSize {
			return errTorn
		}
		seq := binary.BigEndian.Uint64(key)
		s, err := readStored(value)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		if seq > entries.Sequence() {
			return fmt.Errorf("entry %d: %w", seq, errNumber)
		}
		var refused uint32
		if times := refusals.Get(key); len(times) == refusedSize {
			refused = binary.BigEndian.Uint32(times)
		}
		return do(seq, s, len(value), refused)
	})
}

const (
	seqSize     = 8
	refusedSize = 4
)

func seqKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, seqSize), seq)
}

// undone says whether a failed transaction has left the file as it was, so that the next may be tried: the disk was
// full, or a quota or limit was met, while writing or growing. After anything else, above all a failed sync, nobody
// knows what is on the disk (the system forgets the pages that it could not write), and to build on it is to lose it.
func undone(err error) bool {
	if failed, ok := errors.AsType[*fs.PathError](err); ok && failed.Op == "write" {
		return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
	}
	return strings.HasPrefix(err.Error(), "file resize error") // which bbolt does not wrap
}
