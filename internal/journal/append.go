package journal

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// maxEntry bounds one entry. bbolt would take 2 GiB, but a transaction lives in memory until it is written.
	maxEntry = 64 << 20
	// maxBatch bounds the bytes that one transaction adds, but for the last entry in it.
	maxBatch = 16 << 20
)

// addition is an entry that is not yet known to be in the file.
type addition struct {
	item
	entry *Entry
	key   digest
	lane  *lane
	came  time.Duration // since the journal was opened
	done  chan error    // gets the verdict for which its Append waits; there is room for it

	handed  bool  // on
	writing bool  // the committer has taken it, who reads the entry from then on
	failed  error // why it cannot be written; it is in flight then, and its verdict decides
	over    bool  // it was delivered, or withdrawn in time
}

// inFlight says whether the addition is handed on and has no verdict yet.
func (a *addition) inFlight() bool {
	return a.lane.place == flying && a.lane.oldest.seq == a.seq
}

// Append returns nil when the entry is on disk, or was delivered before that: it is handed on meanwhile. Of two entries
// of one lane the one whose Append returned before the other's began is handed on first. The entry's memory is the
// journal's from then on: it may be handed on as it is, and nobody may change it.
//
// It returns ErrFull when the entry does not fit beside what is pending, ErrClosed after Close, and the error of a
// disk that has no room, if the entry is not just then in flight and gets delivered; in all of these the entry is not kept
// and the journal works on. Any other error of the file ends the journal: all calls return it from then on, and Close and
// Open are to be tried. When ctx ends first, an entry that is already being written may be kept. Whatever the error, the
// entry may have been handed on before.
func (j *Journal) Append(ctx context.Context, e Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("appending to the journal: %w", err)
	}
	a, err := j.enqueue(&e)
	if err != nil {
		return err
	}
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
		j.withdraw(a)
	}
	select {
	case err := <-a.done: // at the last moment
		return err
	default:
		return fmt.Errorf("appending to the journal: %w", ctx.Err())
	}
}

func (j *Journal) enqueue(e *Entry) (*addition, error) {
	size := e.size()
	if size > maxEntry {
		return nil, fmt.Errorf("appending to the journal: the entry has %d bytes, may have up to %d", size, maxEntry)
	}
	a := &addition{entry: e, key: digestOf(e.Key), done: make(chan error, 1)}
	id := laneOf(e.Lane)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended != nil {
		return nil, j.ended
	}
	if j.index.bytes+int64(size) > j.maxBytes {
		return nil, fmt.Errorf("%w: %d entries, %d of %d bytes", ErrFull, j.index.pending, j.index.bytes, j.maxBytes)
	}
	j.last++
	a.item = item{seq: j.last, size: uint32(size), unwritten: true}
	a.came = time.Since(j.opened)
	a.lane = j.index.add(id, a.item)
	j.unwritten[a.seq] = a
	if len(j.queue) == 0 {
		signal(j.work) // else the committer is about to look, when the first is ripe at the latest
	}
	j.queue = append(j.queue, a)
	if a.lane.place == ready {
		signal(j.ready)
	}
	return a, nil
}

// withdraw takes back what is not being written yet.
func (j *Journal) withdraw(a *addition) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !a.writing && !a.over {
		j.refuse(a)
	}
}

// refuse tells whoever waits for an addition that it is not kept. The caller holds j.mu.
func (j *Journal) refuse(a *addition) {
	if a.failed != nil {
		a.done <- a.failed
	}
	j.forgo(a)
	j.index.drop(a.lane, a.item)
	j.wake()
}

// fewGone is how many of what is over may lie in the queue whatever its length.
const fewGone = 1 << 10

// forgo lets an addition go that nobody has begun to write. The caller holds j.mu.
func (j *Journal) forgo(a *addition) {
	a.over, a.entry = true, nil
	delete(j.unwritten, a.seq)
	if len(j.queue) > 2*len(j.unwritten)+fewGone { // the disk stalls, else the committer would have passed over them
		j.queue = slices.DeleteFunc(j.queue, func(a *addition) bool { return a.over })
	}
}
