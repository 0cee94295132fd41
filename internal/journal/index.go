package journal

import (
	"container/heap"
	"hash/maphash"
	"time"
)

// index is what memory holds of the pending entries: some 150 bytes an entry when every one has a lane of its own,
// less when they share lanes, and never a body. It knows no file and no clock; times are counted from any one moment.
//
// A lane is at any time in exactly one place: ready, held, or in flight (lane.flying).
type index struct {
	lanes map[laneID]*lane
	ready byAge
	held  byTime
	keys  map[digest]int32 // how many pending entries have the key

	pending int
	bytes   int64
	stuck   int // lanes whose oldest entry has been refused
}

// laneID is a hash. Should two lanes ever share one, they keep their order together, which harms neither.
type laneID uint64

// digest stands for a key; the zero one for none. It has to be beyond accidents: an entry that is wrongly taken for
// known is lost. Its seeds are this process's own, so nobody can make two keys that have the same.
type digest [2]uint64

var digestSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

type item struct {
	seq  uint64
	size uint32 // bytes in the file
}

type lane struct {
	id      laneID
	oldest  item
	rest    []item // in order; mostly empty
	until   time.Duration
	refused uint32 // how often the oldest was
	flying  bool
}

var laneSeed = maphash.MakeSeed()

func laneOf[text string | []byte](name text) laneID {
	return laneID(maphash.String(laneSeed, string(name)))
}

func digestOf[text string | []byte](key text) (d digest) {
	if len(key) > 0 {
		d = digest{maphash.String(digestSeeds[0], string(key)), maphash.String(digestSeeds[1], string(key))}
	}
	return d
}

func newIndex() *index {
	return &index{lanes: map[laneID]*lane{}, keys: map[digest]int32{}}
}

// add puts an entry behind all others: seq is greater than any before.
func (x *index) add(id laneID, it item, key digest) {
	x.pending++
	x.bytes += int64(it.size)
	if key != (digest{}) {
		x.keys[key]++
	}
	if l := x.lanes[id]; l != nil {
		l.rest = append(l.rest, it)
		return
	}
	l := &lane{id: id, oldest: it}
	x.lanes[id] = l
	heap.Push(&x.ready, l)
}

// take marks as in flight the lanes with the oldest entries that may be handed on: up to max, and up to maxBytes
// unless one alone is larger. When there are none, wake says when the next held lane becomes free; 0 is never.
func (x *index) take(now time.Duration, max int, maxBytes int64) (taken []*lane, wake time.Duration) {
	for len(x.held) > 0 && x.held[0].until <= now {
		heap.Push(&x.ready, heap.Pop(&x.held))
	}
	for len(x.ready) > 0 && len(taken) < max {
		maxBytes -= int64(x.ready[0].oldest.size)
		if maxBytes < 0 && len(taken) > 0 {
			break
		}
		l := heap.Pop(&x.ready).(*lane)
		l.flying = true
		taken = append(taken, l)
	}
	if len(x.held) > 0 {
		wake = x.held[0].until
	}
	return taken, wake
}

// advance lets the next entry of the lane come. The old one counts as pending until forget.
func (x *index) advance(l *lane) {
	if l.refused > 0 {
		x.stuck--
	}
	l.refused, l.flying = 0, false
	if len(l.rest) == 0 {
		delete(x.lanes, l.id)
		return
	}
	l.oldest, l.rest = l.rest[0], l.rest[1:]
	heap.Push(&x.ready, l)
}

// hold keeps the lane back until the time.
func (x *index) hold(l *lane, until time.Duration) {
	x.refuse(l, l.refused+1)
	l.flying, l.until = false, until
	heap.Push(&x.held, l)
}

func (x *index) refuse(l *lane, times uint32) {
	if l.refused == 0 && times > 0 {
		x.stuck++
	}
	l.refused = times
}

// forget is told when an entry has left the file.
func (x *index) forget(size uint32, key digest) {
	x.pending--
	x.bytes -= int64(size)
	if key != (digest{}) {
		if x.keys[key]--; x.keys[key] == 0 {
			delete(x.keys, key)
		}
	}
	if x.pending == 0 {
		// A map keeps the room of its best days.
		x.lanes, x.keys = map[laneID]*lane{}, map[digest]int32{}
		x.ready, x.held = nil, nil
	}
}

// byAge is a heap of lanes, the one with the oldest entry first.
type byAge []*lane

func (h byAge) Len() int           { return len(h) }
func (h byAge) Less(i, k int) bool { return h[i].oldest.seq < h[k].oldest.seq }
func (h byAge) Swap(i, k int)      { h[i], h[k] = h[k], h[i] }
func (h *byAge) Push(l any)        { *h = append(*h, l.(*lane)) }
func (h *byAge) Pop() any          { return pop((*[]*lane)(h)) }

// byTime is a heap of lanes, the one that becomes free next first.
type byTime []*lane

func (h byTime) Len() int           { return len(h) }
func (h byTime) Less(i, k int) bool { return h[i].until < h[k].until }
func (h byTime) Swap(i, k int)      { h[i], h[k] = h[k], h[i] }
func (h *byTime) Push(l any)        { *h = append(*h, l.(*lane)) }
func (h *byTime) Pop() any          { return pop((*[]*lane)(h)) }

func pop(lanes *[]*lane) *lane {
	last := len(*lanes) - 1
	l := (*lanes)[last]
	(*lanes)[last] = nil
	*lanes = (*lanes)[:last]
	return l
}
