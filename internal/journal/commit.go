package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// retryPause is how long a full disk is left alone before removals are tried again without anybody asking.
const retryPause = time.Second

// patience is how long an entry that comes may wait for its delivery instead of being written, as long as deliveries are
// quicker than that: an output that keeps up leaves the disk alone, and one that does not delays few answers by so much.
const patience = 5 * time.Millisecond

// batch is what one transaction writes.
type batch struct {
	additions []*addition
	removals  []removal
	refusals  map[uint64]uint32 // by number of the entry: how often it was refused
	wanted    bool              // also without additions
	last      uint64            // number that was given out

	done chan struct{} // closed when the errors below are set
	// Of a failed batch the removals are tried once more alone, so they have an error of their own.
	addErr, removeErr error
}

func newBatch() *batch { return &batch{refusals: map[uint64]uint32{}, done: make(chan struct{})} }

type removal struct {
	item
	key  digest
	lane *lane
}

// commitAll is the committer: the one goroutine that writes to the file. All who come during a commit share the next.
// (bbolt's own Batch makes everyone wait for a timer, and commits in goroutines where a panic over a damaged page would
// end the process.)
func (j *Journal) commitAll() {
	defer close(j.stopped)
	ripe := time.NewTimer(0)
	defer ripe.Stop()
	for running := true; running; {
		select {
		case <-j.work:
		case <-ripe.C:
		case <-j.stop:
			running = false
		}
		if wait := j.commitDue(!running); wait > 0 {
			ripe.Reset(wait)
		}
	}
}

// commitDue writes until nothing is due, and says how long until something is; 0: as long as nothing comes.
func (j *Journal) commitDue(last bool) time.Duration {
	for {
		j.letCome(func() uint64 { return j.last })
		b, wait := j.nextBatch(last)
		if b == nil {
			return wait
		}
		j.settle(b)
	}
}

// mostRounds bounds a letCome. When there is more to do than there are processors for, a round takes long, and somebody
// comes in each.
const mostRounds = 4

// letCome waits for those who are about to come, until the count of those who have stays the same: the more share a
// commit, or a batch, the less each costs. Many come at once when a commit or an acknowledgement lets them go.
func (j *Journal) letCome(count func() uint64) {
	counted := func() uint64 {
		j.mu.Lock()
		defer j.mu.Unlock()
		return count()
	}
	before := uint64(0)
	for range mostRounds {
		now := counted()
		if now == before {
			return
		}
		before = now
		runtime.Gosched()
	}
}

// nextBatch returns nil when nothing is to be written now. What an earlier commit could not remove goes with every next
// one: were a later entry of its lane removed without it, a crash would bring back the older as the newest.
func (j *Journal) nextBatch(last bool) (b *batch, wait time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	additions, wait := j.ripe(last)
	leftOver := last && len(j.unremoved) > 0 && j.lastErr == nil
	if len(additions) == 0 && !j.next.wanted && !leftOver {
		return nil, wait
	}
	b, j.next = j.next, newBatch()
	b.additions, b.last = additions, j.last
	for _, a := range additions {
		if a.lane.refused > 0 && a.lane.oldest.seq == a.seq {
			b.refusals[a.seq] = a.lane.refused
		}
	}
	b.removals = append(j.unremoved, b.removals...)
	j.unremoved = nil
	return b, 0
}

// ripe takes from the queue what is to be written now, and says how long until the next is; 0: there is none, or no
// room for it in this transaction. The caller holds j.mu.
func (j *Journal) ripe(last bool) (taken []*addition, wait time.Duration) {
	patience := patience
	if last || !j.swift {
		patience = 0
	}
	now := time.Since(j.opened)
	for size := 0; len(j.queue) > 0 && size < maxBatch; j.queue[0], j.queue = nil, j.queue[1:] {
		a := j.queue[0]
		if a.over {
			continue
		}
		if wait = patience - (now - a.came); wait > 0 {
			return taken, wait
		}
		j.swift = false // nobody delivered it in time
		a.writing = true
		taken = append(taken, a)
		size += int(a.size)
	}
	return taken, 0
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
		b.addErr = j.write(b, b.additions)
		b.removeErr = b.addErr
		if b.addErr != nil && len(b.additions) > 0 && len(b.removals)+len(b.refusals) > 0 && undone(b.addErr) {
			// On a full disk removing may work where adding does not, and it is what makes room.
			b.removeErr = j.write(b, nil)
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

// write is one transaction, with all or none of the batch's additions.
func (j *Journal) write(b *batch, additions []*addition) error {
	values := j.encode(additions)
	return boltfile.Survive(func() error {
		return j.file.DB.Update(func(tx *bbolt.Tx) error {
			entries, refused := tx.Bucket(entriesBucket), tx.Bucket(refusalsBucket)
			entries.FillPercent = 1 // keys only ever grow: a page that is left behind takes nothing more
			for _, r := range b.removals {
				key := seqKey(r.seq)
				if err := entries.Delete(key); err != nil {
					return err
				}
				if err := refused.Delete(key); err != nil {
					return err
				}
			}
			for i, a := range additions {
				if err := entries.Put(seqKey(a.seq), values[i]); err != nil {
					return err
				}
			}
			for seq, times := range b.refusals {
				key := seqKey(seq)
				if entries.Get(key) == nil {
					continue // there was no room for it
				}
				if err := refused.Put(key, binary.BigEndian.AppendUint32(nil, times)); err != nil {
					return err
				}
			}
			return entries.SetSequence(b.last)
		})
	})
}

// largestBuffer is what most batches need; the others' are not kept.
const largestBuffer = 1 << 20

// encode returns what is to be written, in memory that is used again for the next batch.
func (j *Journal) encode(additions []*addition) [][]byte {
	size := 0
	for _, a := range additions {
		size += int(a.size)
	}
	buffer := slices.Grow(j.buffer[:0], size)
	values := make([][]byte, len(additions))
	for i, a := range additions {
		begin := len(buffer)
		buffer = a.entry.appendTo(buffer)
		values[i] = buffer[begin:]
	}
	if j.buffer = buffer; cap(buffer) > largestBuffer {
		j.buffer = nil
	}
	return values
}

// record tells the index what has become of a batch.
func (j *Journal) record(b *batch) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, a := range b.additions {
		if b.addErr != nil && j.ended == nil && a.inFlight() {
			a.writing, a.failed = false, b.addErr
			continue
		}
		delete(j.unwritten, a.seq)
		switch {
		case a.over: // its removal is on the way
			continue
		case b.addErr != nil:
			j.index.drop(a.lane, a.item)
		default:
			j.index.wrote(a.lane, a.seq, a.key)
			if !a.handed {
				j.fresh.put(a.item, a.entry)
			}
		}
		a.done <- b.addErr
	}
	if b.removeErr == nil {
		for _, r := range b.removals {
			j.index.remove(r)
		}
	} else {
		// The refusals are let go: they are numbers to look at, and the next one brings its own count.
		j.keepRemovals(b)
	}
	j.wake()
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
		j.next.wanted = true
		signal(j.work)
	}
}

// wake tells somebody who waits that there is something to hand on, if so. The caller holds j.mu.
func (j *Journal) wake() {
	if len(j.index.ready) > 0 {
		signal(j.ready)
	}
}

// signal leaves a token in a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
