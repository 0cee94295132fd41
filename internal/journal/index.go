package journal

import (
	"cmp"
	"container/heap"
	"hash/maphash"
	"slices"
	"time"
)

// index is what memory holds of the pending entries: some 180 bytes an entry when every one has a lane of its own,
// less when they share lanes, and never a body. It knows no file and no clock; times are counted from any one moment.
type index struct {
	lanes map[laneID]*lane
	ready byAge
	held  byTime
	keys  map[digest]int32 // how many entries in the file have the key

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
	seq       uint64
	size      uint32 // bytes in the file
	unwritten bool   // it is not yet known to be there
}

type lane struct {
	id      laneID
	oldest  item   // seq 0: the lane is empty
	rest    []item // in order; mostly empty
	until   time.Duration
	refused uint32 // how often the oldest was
	leaving int32  // how many delivered entries are, or may be, still in the file
	at      int    // where in the heap of its place, if that has one
	place   place
	dropped bool // the oldest is in flight and no longer kept: whatever its verdict, the one behind it comes next
}

// place is where a lane is, at any time in exactly one.
type place uint8

const (
	// aside is a lane that is empty, or whose oldest entry is not written while one before it, delivered, may be in the
	// file: a crash would bring that one back, and as the newest once this one was delivered.
	aside place = iota
	ready
	held
	flying
)

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
func (x *index) add(id laneID, it item) *lane {
	x.pending++
	x.bytes += int64(it.size)
	l := x.lanes[id]
	switch {
	case l == nil:
		l = &lane{id: id, oldest: it}
		x.lanes[id] = l
		x.offer(l)
	case l.oldest.seq == 0:
		l.oldest = it
		x.offer(l)
	default:
		l.rest = append(l.rest, it)
	}
	return l
}

// offer is told when something has changed for a lane that is aside.
func (x *index) offer(l *lane) {
	switch {
	case l.oldest.seq == 0 && l.leaving == 0:
		delete(x.lanes, l.id)
		x.shrink()
	case l.oldest.seq == 0, l.oldest.unwritten && l.leaving > 0:
	default:
		l.place = ready
		heap.Push(&x.ready, l)
	}
}

// know counts a key that is in the file.
func (x *index) know(key digest) {
	if key != (digest{}) {
		x.keys[key]++
	}
}

// wrote is told when an entry has come into the file.
func (x *index) wrote(l *lane, seq uint64, key digest) {
	x.know(key)
	if i, found := l.find(seq); found {
		l.rest[i].unwritten = false
		return
	}
	l.oldest.unwritten = false
	if l.place == aside {
		x.offer(l)
	}
}

// drop is told when an entry has not come into the file, and will not.
func (x *index) drop(l *lane, it item) {
	x.uncount(it)
	if i, found := l.find(it.seq); found {
		l.rest = slices.Delete(l.rest, i, i+1)
		return
	}
	switch l.place {
	case flying:
		l.dropped = true
		return
	case ready:
		heap.Remove(&x.ready, l.at)
	case held:
		heap.Remove(&x.held, l.at)
	}
	x.advance(l)
}

// find returns where in rest an entry is.
func (l *lane) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(l.rest, seq, func(it item, seq uint64) int { return cmp.Compare(it.seq, seq) })
}

// take marks as in flight the lanes with the oldest entries that may be handed on: up to max, and up to maxBytes
// unless one alone is larger. When there are none, wake says when the next held lane becomes free; 0 is never.
func (x *index) take(now time.Duration, max int, maxBytes int64) (taken []*lane, wake time.Duration) {
	for len(x.held) > 0 && x.held[0].until <= now {
		l := heap.Pop(&x.held).(*lane)
		l.place = ready
		heap.Push(&x.ready, l)
	}
	for len(x.ready) > 0 && len(taken) < max {
		l := x.ready[0]
		maxBytes -= int64(l.oldest.size)
		if maxBytes < 0 && len(taken) > 0 {
			break
		}
		heap.Pop(&x.ready)
		l.place = flying
		taken = append(taken, l)
	}
	if len(x.held) > 0 {
		wake = x.held[0].until
	}
	return taken, wake
}

// advance lets the next entry of a lane come that is in no heap. The old one counts as pending until remove or uncount.
func (x *index) advance(l *lane) {
	if l.refused > 0 {
		x.stuck--
	}
	l.refused, l.dropped, l.place = 0, false, aside
	l.oldest = item{}
	if len(l.rest) > 0 {
		l.oldest, l.rest = l.rest[0], l.rest[1:]
	}
	x.offer(l)
}

// hold keeps the lane back until the time.
func (x *index) hold(l *lane, until time.Duration) {
	x.refuse(l, l.refused+1)
	l.place, l.until = held, until
	heap.Push(&x.held, l)
}

func (x *index) refuse(l *lane, times uint32) {
	if l.refused == 0 && times > 0 {
		x.stuck++
	}
	l.refused = times
}

// remove is told when a delivered entry has left the file.
func (x *index) remove(r removal) {
	if r.key != (digest{}) {
		if x.keys[r.key]--; x.keys[r.key] == 0 {
			delete(x.keys, r.key)
		}
	}
	if r.lane.leaving--; r.lane.place == aside {
		x.offer(r.lane)
	}
	x.uncount(r.item)
}

// uncount ends the pending of an entry.
func (x *index) uncount(it item) {
	x.pending--
	x.bytes -= int64(it.size)
}

// shrink gives back memory when nothing is left: a map keeps the room of its best days.
func (x *index) shrink() {
	if len(x.lanes) == 0 {
		x.lanes, x.keys = map[laneID]*lane{}, map[digest]int32{}
		x.ready, x.held = nil, nil
	}
}

// byAge is a heap of lanes, the one with the oldest entry first.
type byAge []*lane

func (h byAge) Len() int           { return len(h) }
func (h byAge) Less(i, k int) bool { return h[i].oldest.seq < h[k].oldest.seq }
func (h byAge) Swap(i, k int)      { swap(h, i, k) }
func (h *byAge) Push(l any)        { push((*[]*lane)(h), l.(*lane)) }
func (h *byAge) Pop() any          { return pop((*[]*lane)(h)) }

// byTime is a heap of lanes, the one that becomes free next first.
type byTime []*lane

func (h byTime) Len() int           { return len(h) }
func (h byTime) Less(i, k int) bool { return h[i].until < h[k].until }
func (h byTime) Swap(i, k int)      { swap(h, i, k) }
func (h *byTime) Push(l any)        { push((*[]*lane)(h), l.(*lane)) }
func (h *byTime) Pop() any          { return pop((*[]*lane)(h)) }

func swap(lanes []*lane, i, k int) {
	lanes[i], lanes[k] = lanes[k], lanes[i]
	lanes[i].at, lanes[k].at = i, k
}

func push(lanes *[]*lane, l *lane) {
	l.at = len(*lanes)
	*lanes = append(*lanes, l)
}

func pop(lanes *[]*lane) *lane {
	last := len(*lanes) - 1
	l := (*lanes)[last]
	(*lanes)[last] = nil
	*lanes = (*lanes)[:last]
	return l
}
