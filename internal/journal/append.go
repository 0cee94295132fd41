package journal

import (
	"context"
	"fmt"
	"sync"
)

const (
	// maxEntry bounds one entry. bbolt would take 2 GiB, but a transaction lives in memory until it is written.
	maxEntry = 64 << 20
	// maxBatch bounds the bytes that one transaction adds, but for the last entry in it.
	maxBatch = 16 << 20
)

// buffers are those of entries that were written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// largestBuffer is what most entries need; the others' are not kept.
const largestBuffer = 16 << 10

// Append returns nil when the entry is on disk. Of two entries of one lane the one whose Append returned before the
// other's began is handed on first. The entry's memory is the journal's from then on, as it may be handed on as it is.
//
// It returns ErrFull when the entry does not fit beside what is pending, ErrClosed after Close, and the error of a
// disk that has no room; in all of these the entry is not kept and the journal works on. Any other error of the file
// ends the journal: all calls return it from then on, and Close and Open are to be tried. When ctx ends first, an
// entry that is already being written may be kept.
func (j *Journal) Append(ctx context.Context, e Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("appending to the journal: %w", err)
	}
	a := newAddition(&e)
	if a.size > maxEntry {
		return fmt.Errorf("appending to the journal: the entry has %d bytes, may have up to %d", a.size, maxEntry)
	}
	b, at, err := j.enqueue(a)
	if err != nil {
		a.recycle()
		return err
	}
	select {
	case <-b.done:
		return b.addErr
	case <-ctx.Done():
		j.withdraw(b, at)
		return fmt.Errorf("appending to the journal: %w", ctx.Err())
	}
}

func newAddition(e *Entry) addition {
	buffer := buffers.Get().(*[]byte)
	*buffer = e.encode(*buffer)
	return addition{entry: e, buffer: buffer, size: len(*buffer), lane: laneOf(e.Lane), key: digestOf(e.Key)}
}

// recycle gives the buffer to another entry.
func (a *addition) recycle() {
	if cap(*a.buffer) <= largestBuffer {
		buffers.Put(a.buffer)
	}
	a.entry, a.buffer = nil, nil
}

// enqueue returns the batch that the addition is in, and its place there.
func (j *Journal) enqueue(a addition) (b *batch, at int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended != nil {
		return nil, 0, j.ended
	}
	if j.index.bytes+j.reserved+int64(a.size) > j.maxBytes {
		return nil, 0, fmt.Errorf("%w: %d entries, %d of %d bytes", ErrFull, j.index.pending, j.index.bytes, j.maxBytes)
	}
	j.reserved += int64(a.size)
	b = j.gathering()
	b.additions = append(b.additions, a)
	b.bytes += a.size
	signal(j.work)
	return b, len(b.additions) - 1, nil
}

func (j *Journal) withdraw(b *batch, at int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if a := &b.additions[at]; !b.taken {
		j.reserved -= int64(a.size)
		a.withdrawn, a.entry, a.buffer = true, nil, nil
	}
}

// gathering returns the batch that takes what comes now. The caller holds j.mu.
func (j *Journal) gathering() *batch {
	if n := len(j.queue); n > 0 && j.queue[n-1].bytes < maxBatch {
		return j.queue[n-1]
	}
	b := &batch{done: make(chan struct{})}
	j.queue = append(j.queue, b)
	return b
}
