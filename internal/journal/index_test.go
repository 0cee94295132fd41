package journal

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// heapOf returns how many bytes a value keeps alive.
func heapOf[T any](build func() T) (kept T, bytes int64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept = build()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return kept, int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// A quarter of a million, of which each may take the share that it would have in 200 MB for a million. Not parallel, so that nobody else's memory is counted.
func TestAMillionPendingEntriesFitInMemory(t *testing.T) {
	const entries = 250_000
	for _, test := range []struct {
		name   string
		lanes  int
		atMost int64
	}{
		{"each in a lane of its own", entries, 200 * entries},
		{"ten to a lane", entries / 10, 100 * entries},
	} {
		x, bytes := heapOf(func() *index {
			x := newIndex()
			for i := range entries {
				lane := fmt.Appendf(nil, "12345/deal/%d", i%test.lanes)
				x.add(laneOf(lane), item{seq: uint64(i + 1), size: 1200})
				x.know(digestOf(fmt.Append(nil, "12345/", i)))
			}
			return x
		})
		t.Logf("%s: %d bytes an entry", test.name, bytes/entries)
		assert.Less(t, bytes, test.atMost, test.name)
		assert.Len(t, x.lanes, test.lanes)
	}
}
