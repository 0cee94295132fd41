package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"

	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// retryPause is how long a full disk is left alone before removals are tried again without anybody asking.
const retryPause = time.Second

// batch is what one transaction writes: all that came while the one before was under way.
type batch struct {
	additions []addition
	bytes     int
	removals  []removal
	refusals  []refusal

	taken bool          // by the committer, who alone may change it from then on
	done  chan struct{} // closed when the errors below are set
	// Of a failed batch the removals are tried once more alone, so they have an error of their own.
	addErr, removeErr error
}

type addition struct {
	entry     *Entry
	buffer    *[]byte // what is written
	size      int     // of it
	lane      laneID
	key       digest
	seq       uint64 // given by the committer
	withdrawn bool
}

type removal struct {
	item
	key digest
}

type refusal struct {
	seq   uint64
	times uint32
}

// commitAll is the committer: the one goroutine that writes to the file. There is no timer: one who is alone waits
// for one commit, and all who come during a commit share the next. (bbolt's own Batch makes everyone wait for a timer,
// and commits in goroutines where a panic over a damaged page would end the process.)
func (j *Journal) commitAll() {
	defer close(j.stopped)
	for running := true; running; {
		select {
		case <-j.work:
		case <-j.stop:
			running = false
		}
		j.gather()
		for b := j.nextBatch(!running); b != nil; b = j.nextBatch(!running) {
			j.settle(b)
			j.gather()
		}
	}
}

// gather lets those go first who are about to come, as many of those do whom the last commit let go.
func (j *Journal) gather() {
	for before := int64(-1); ; {
		j.mu.Lock()
		now := j.reserved
		j.mu.Unlock()
		if now == before {
			return
		}
		before = now
		runtime.Gosched()
	}
}

// nextBatch returns nil when nothing is waiting. What an earlier commit could not remove goes with every next one,
// and before it: were a later entry of its lane removed alone, a crash would bring back the older as the newest.
func (j *Journal) nextBatch(last bool) *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.queue) == 0 {
		if !last || len(j.unremoved) == 0 || j.lastErr != nil {
			return nil
		}
		j.gathering()
	}
	b := j.queue[0]
	j.queue = j.queue[1:]
	b.taken = true
	b.removals = append(j.unremoved, b.removals...)
	j.unremoved = nil
	return b
}

// settle writes a batch, brings the index up to date and wakes those who wait for either.
func (j *Journal) settle(b *batch) {
	defer close(b.done)
	j.mu.Lock()
	lost := j.ended != nil && !errors.Is(j.ended, ErrClosed)
	j.mu.Unlock()
	if lost {
		b.addErr, b.removeErr = j.ended, j.ended
	} else {
		b.addErr = j.write(b.additions, b.removals, b.refusals)
		b.removeErr = b.addErr
		if b.addErr != nil && len(b.additions) > 0 && len(b.removals)+len(b.refusals) > 0 && undone(b.addErr) {
			// On a full disk removing may work where adding does not, and it is what makes room.
			b.removeErr = j.write(nil, b.removals, b.refusals)
		}
		b.addErr, b.removeErr = j.verdict(b.addErr), j.verdict(b.removeErr)
	}
	j.record(b)
	if b.removeErr == nil && len(b.removals) > 0 {
		if err := j.compact(); err != nil {
			j.end(fmt.Errorf("compacting the journal, path %q: %w", j.path, err))
		}
	}
}

// verdict words the error of a transaction, and ends the journal when nobody knows what it left behind.
func (j *Journal) verdict(err error) error {
	if err == nil {
		return nil
	}
	full := undone(err)
	err = fmt.Errorf("writing the journal, path %q: %w", j.path, inWords(err))
	if !full {
		j.end(err)
	}
	return err
}

// write is one transaction. It gives the additions their numbers.
func (j *Journal) write(additions []addition, removals []removal, refusals []refusal) error {
	return boltfile.Survive(func() error {
		return j.file.DB.Update(func(tx *bbolt.Tx) error {
			entries, refused := tx.Bucket(entriesBucket), tx.Bucket(refusalsBucket)
			entries.FillPercent = 1 // keys only ever grow: a page that is left behind takes nothing more
			for _, r := range refusals {
				if err := refused.Put(seqKey(r.seq), binary.BigEndian.AppendUint32(nil, r.times)); err != nil {
					return err
				}
			}
			for _, r := range removals {
				key := seqKey(r.seq)
				if err := entries.Delete(key); err != nil {
					return err
				}
				if err := refused.Delete(key); err != nil {
					return err
				}
			}
			for i := range additions {
				a := &additions[i]
				if a.withdrawn {
					continue
				}
				seq, err := entries.NextSequence()
				if err != nil {
					return err
				}
				if err := entries.Put(seqKey(seq), *a.buffer); err != nil {
					return err
				}
				a.seq = seq
			}
			return nil
		})
	})
}

// record tells the index what has become of a batch.
func (j *Journal) record(b *batch) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range b.additions {
		a := &b.additions[i]
		if a.withdrawn {
			continue
		}
		j.reserved -= int64(a.size)
		if b.addErr == nil {
			it := item{seq: a.seq, size: uint32(a.size)}
			j.index.add(a.lane, it, a.key)
			j.fresh.put(it, a.entry)
		}
		a.recycle()
	}
	if b.removeErr == nil {
		for _, r := range b.removals {
			j.index.forget(r.size, r.key)
		}
	} else {
		// The refusals are let go: they are numbers to look at, and the next one brings its own count.
		j.keepRemovals(b)
	}
	if len(b.additions) > 0 {
		signal(j.ready)
	}
}

// keepRemovals leaves what could not be removed to the next batch. The caller holds j.mu.
func (j *Journal) keepRemovals(b *batch) {
	j.unremoved = b.removals
	switch {
	case len(b.removals) == 0:
	case j.ended != nil:
		j.lastErr = b.removeErr
	case j.retry == nil:
		j.retry = time.AfterFunc(retryPause, j.removeAgain)
	default:
		j.retry.Reset(retryPause)
	}
}

func (j *Journal) removeAgain() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended == nil && len(j.unremoved) > 0 {
		j.gathering()
		signal(j.work)
	}
}

// signal leaves a token in a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
