// Package journal keeps accepted webhooks in one file until they are delivered.
//
// An entry is handed on by NextBatch, in the order of its lane, as often as it takes until Done says that it was
// delivered. It is on disk when Append returns, unless it was delivered before, and leaves the file with Done. A crash
// at any moment repeats what was handed on and not yet done; of what Append has returned for it loses nothing.
package journal

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

const (
	defaultLockTimeout = time.Second
	defaultMaxBytes    = 1 << 30
	defaultMinCompact  = 64 << 20
)

var (
	// ErrFull refuses an entry for which there is no room until others are delivered.
	ErrFull = errors.New("the journal is full")
	// ErrHeld is why a journal cannot be opened while another one is on the same file.
	ErrHeld = errors.New("it is held by another process, or by another input of this one")
	// ErrClosed is the answer of a journal after Close.
	ErrClosed = errors.New("the journal is closed")
)

// Options of a journal.
type Options struct {
	// Path of the file. It is created if there is none (0600), as are its folders (0700). The file belongs to the
	// journal alone. Next to it, with ".compact" behind its name, a second one comes and goes.
	Path string
	// LockTimeout is how long Open waits for a process that holds the file. Default 1s.
	LockTimeout time.Duration
	// MaxBytes of pending entries: lanes, keys, meta and bodies with a few bytes around them. Default 1 GiB. The
	// file is somewhat larger, by a tenth to a half, and by what was pending at worst (see Open).
	MaxBytes int64

	minCompact int64 // of the file; default 64 MiB, less in tests
}

// Journal is an open journal. All methods may be called by several goroutines at once.
type Journal struct {
	path     string
	maxBytes int64
	opened   time.Time // back-off is counted from here, by the monotonic clock

	mu        sync.Mutex
	index     *index
	last      uint64               // number that was given to an entry
	queue     []*addition          // what no commit has taken yet, oldest first
	unwritten map[uint64]*addition // by number: what is in the queue or being written
	next      *batch               // what else goes with the next commit
	unremoved []removal            // what a full disk kept from being removed; it goes with the next removals
	swift     bool                 // entries are delivered sooner than it pays to write them
	fresh     fresh                // what need not be read from the file
	retry     *time.Timer          // for unremoved; nil until needed
	ended     error                // why nothing more is taken: ErrClosed, or the file is lost; nil while it works
	stop      chan struct{}        // closed with ended

	work  chan struct{} // holds a token when the committer has something to do
	ready chan struct{} // holds a token when somebody should look into the index

	stopped chan struct{} // closed by the committer at its end
	release sync.Once
	lastErr error // what Close returns; the committer's until stopped

	files  sync.RWMutex // held for reading by readers of file; for writing by whoever replaces or closes it
	file   *file
	buffer []byte // the committer's own
	// The same: the size from which on a compaction may pay, and the same after one has failed.
	minCompact, compactFrom int64
}

// Open opens or creates a journal, checks every entry in it and begins where the last one ended. A damaged file is an
// error, with one exception that bbolt cannot tell from a power cut during a commit: of the two head pages, written by
// turns, the newer may be unreadable, and then the file is as it was one commit before.
//
// In the file, what is delivered leaves room for what comes; it does not shrink by that. When little is left in a
// large one (under a sixteenth of 64 MiB or more, and 4 MiB), at the latest at Open, that little is copied to a new
// file, which takes the old one's name. Not so on Windows.
func Open(o Options) (*Journal, error) {
	j, err := open(o)
	if err != nil {
		return nil, fmt.Errorf("opening the journal, path %q: %w", o.Path, err)
	}
	go j.commitAll()
	return j, nil
}

func open(o Options) (*Journal, error) {
	switch {
	case o.Path == "":
		return nil, errors.New("the path is empty")
	case o.LockTimeout < 0:
		return nil, fmt.Errorf("the lock timeout is %s, must be positive", o.LockTimeout)
	case o.MaxBytes < 0:
		return nil, fmt.Errorf("max bytes is %d, must be positive", o.MaxBytes)
	}
	path, err := boltfile.Make(o.Path)
	if err != nil {
		return nil, err
	}
	minCompact := cmp.Or(o.minCompact, defaultMinCompact)
	j := &Journal{
		path:        path,
		maxBytes:    cmp.Or(o.MaxBytes, defaultMaxBytes),
		opened:      time.Now(),
		index:       newIndex(),
		unwritten:   map[uint64]*addition{},
		next:        newBatch(),
		fresh:       fresh{entries: map[uint64]*Entry{}},
		stop:        make(chan struct{}),
		work:        make(chan struct{}, 1),
		ready:       make(chan struct{}, 1),
		stopped:     make(chan struct{}),
		minCompact:  minCompact,
		compactFrom: minCompact,
	}
	if j.file, err = openCurrent(path, cmp.Or(o.LockTimeout, defaultLockTimeout), false); err != nil {
		return nil, err
	}
	if err := j.load(); err != nil {
		j.file.Abandon()
		return nil, err
	}
	if err := j.compact(); err != nil {
		j.file.Abandon()
		return nil, err
	}
	return j, nil
}

// load reads the index from the file.
func (j *Journal) load() error {
	err := j.file.prepare()
	if err == nil {
		err = boltfile.Survive(func() error {
			return j.file.DB.View(func(tx *bbolt.Tx) error {
				j.last = tx.Bucket(entriesBucket).Sequence()
				return visit(tx, func(seq uint64, s stored, size int, refused uint32) error {
					l := j.index.add(laneOf(s.lane), item{seq: seq, size: uint32(size)})
					j.index.know(digestOf(s.key))
					if l.oldest.seq == seq {
						j.index.refuse(l, refused)
					}
					return nil
				})
			})
		})
	}
	return inWords(err)
}

// Close ends the waiting of all others, writes what they had asked for, and lets go of the file. What is in flight
// is handed on again after the next Open. Calling it again returns the same.
func (j *Journal) Close() error {
	j.end(ErrClosed)
	<-j.stopped
	j.release.Do(func() {
		j.files.Lock()
		defer j.files.Unlock()
		if !errors.Is(j.ended, ErrClosed) {
			j.file.Abandon()
			return
		}
		if err := j.file.DB.Close(); err != nil && j.lastErr == nil {
			j.lastErr = fmt.Errorf("closing the journal, path %q: %w", j.path, err)
		}
	})
	return j.lastErr
}

// end lets nobody begin anything new. The first reason stays.
func (j *Journal) end(reason error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended != nil {
		return
	}
	j.ended = reason
	for _, a := range j.unwritten {
		if a.failed != nil {
			j.refuse(a)
		}
	}
	if j.retry != nil {
		j.retry.Stop()
	}
	close(j.stop)
}

// Pending returns how many entries are not delivered, or not yet removed for it.
func (j *Journal) Pending() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.index.pending
}

// Bytes returns the size of the pending entries, as MaxBytes counts it.
func (j *Journal) Bytes() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.index.bytes
}

// Stuck returns how many lanes wait behind an entry that was refused at least once.
func (j *Journal) Stuck() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.index.stuck
}

// Has says whether an entry with this key is in the file.
func (j *Journal) Has(key string) bool {
	d := digestOf(key)
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.index.keys[d] > 0
}

// view runs do in a reading transaction. What it finds damaged ends the journal.
func (j *Journal) view(do func(*bbolt.Tx) error) error {
	j.files.RLock()
	defer j.files.RUnlock()
	j.mu.Lock()
	ended := j.ended
	j.mu.Unlock()
	if ended != nil {
		return ended
	}
	err := boltfile.Survive(func() error { return j.file.DB.View(do) })
	if err != nil {
		err = fmt.Errorf("reading the journal, path %q: %w", j.path, damaged(err))
		j.end(err)
	}
	return err
}
