package simulator

import (
	"iter"
	"math/bits"
	"slices"
	"sort"
)

// table holds the records of one object: the seeded ones, which are derived when they are asked for, under the rows
// that have been written since.
type table struct {
	obj    *object
	seeds  *seeds
	seeded int
	next   int64 // the number of the next new record

	covered []uint64 // one bit a seeded record: it has a row, or is gone
	rows    map[int64]*row
	sorted  [orders][]*row // all rows, in each order
}

// order is one of the orders in which the seeded records lie as they are numbered.
type order uint8

const (
	byNumber order = iota
	byAdded
	byUpdated
	orders
)

// place is where a record stands in an order; the number decides ties.
type place struct {
	at stamp
	n  int64
}

func (p place) compare(q place) int {
	switch {
	case p == q:
		return 0
	case p.at < q.at, p.at == q.at && p.n < q.n:
		return -1
	}
	return 1
}

func placeOf(o order, n int64, added, updated stamp) place {
	return place{at: [orders]stamp{0, added, updated}[o], n: n}
}

func (r *row) place(o order) place   { return placeOf(o, r.n, r.added, r.updated) }
func (r record) place(o order) place { return placeOf(o, r.n, r.added, r.updated) }

func newTable(obj *object, s *seeds) *table {
	seeded := s.counts[obj.name]
	return &table{
		obj: obj, seeds: s, seeded: seeded, next: int64(seeded) + 1,
		covered: make([]uint64, (seeded+63)/64), rows: map[int64]*row{},
	}
}

// at is the seeded record at index i.
func (t *table) at(i int) record {
	added, updated := t.seeds.times(t.obj, i)
	return record{table: t, n: int64(i) + 1, added: added, updated: updated}
}

func (t *table) of(r *row) record {
	return record{table: t, n: r.n, added: r.added, updated: r.updated, row: r}
}

// get finds a record by its number.
func (t *table) get(n int64) (record, bool) {
	if r, found := t.rows[n]; found {
		return t.of(r), true
	}
	if n < 1 || n > int64(t.seeded) || t.isCovered(int(n-1)) {
		return record{}, false
	}
	return t.at(int(n - 1)), true
}

// put adds the row or replaces the record of its number.
func (t *table) put(r *row) {
	old := t.rows[r.n]
	if i := int(r.n - 1); i < t.seeded {
		t.covered[i/64] |= 1 << (i % 64)
	}
	t.rows[r.n] = r
	for o := range t.sorted {
		t.sorted[o] = replace(t.sorted[o], order(o), old, r)
	}
}

// remove forgets the record as if it had never been.
func (t *table) remove(n int64) {
	if i := int(n - 1); i < t.seeded {
		t.covered[i/64] |= 1 << (i % 64)
	}
	old := t.rows[n]
	delete(t.rows, n)
	for o := range t.sorted {
		t.sorted[o] = replace(t.sorted[o], order(o), old, nil)
	}
}

// replace takes one row out of a sorted slice and puts another in; either may be nil.
func replace(rows []*row, o order, old, r *row) []*row {
	if old != nil {
		i := search(rows, o, old.place(o))
		if r != nil && old.place(o) == r.place(o) {
			rows[i] = r
			return rows
		}
		rows = slices.Delete(rows, i, i+1)
	}
	if r != nil {
		rows = slices.Insert(rows, search(rows, o, r.place(o)), r)
	}
	return rows
}

// search is the index of the first row that stands at p or behind it.
func search(rows []*row, o order, p place) int {
	return sort.Search(len(rows), func(i int) bool { return rows[i].place(o).compare(p) >= 0 })
}

// searchSeeded does the same among the seeded records.
func (t *table) searchSeeded(o order, p place) int {
	return sort.Search(t.seeded, func(i int) bool { return t.at(i).place(o).compare(p) >= 0 })
}

func (t *table) isCovered(i int) bool { return t.covered[i/64]>>(i%64)&1 == 1 }

// uncovered is the first index from i on, going up or down, whose record has not been written; -1 when there is none
// before end.
func (t *table) uncovered(i, end int, desc bool) int {
	if desc {
		for i >= end {
			word := ^t.covered[i/64] << (63 - i%64)
			if word != 0 {
				if i -= bits.LeadingZeros64(word); i >= end {
					return i
				}
				return -1
			}
			i -= i%64 + 1
		}
		return -1
	}
	for i < end {
		word := ^t.covered[i/64] >> (i % 64)
		if word != 0 {
			if i += bits.TrailingZeros64(word); i < end {
				return i
			}
			return -1
		}
		i += 64 - i%64
	}
	return -1
}

// stretch is the part of a table that a walk goes through. Both ends are exclusive; nil is the end of the table.
type stretch struct {
	order    order
	desc     bool
	low      *place // in the stretch's order
	high     *place
	from, to stamp // seeded records whose update_time lies outside [from, to) are passed over at no cost
}

// walk yields the records of the stretch in its order: the seeded ones that have not been written, merged with the
// rows. It costs the length of what is taken from it, after a binary search.
func (t *table) walk(s stretch) iter.Seq[record] {
	lo, hi := t.searchSeeded(byUpdated, place{s.from, 0}), t.seeded
	if s.to != never {
		hi = t.searchSeeded(byUpdated, place{s.to, 0})
	}
	rows := t.sorted[s.order]
	if s.high != nil {
		hi = min(hi, t.searchSeeded(s.order, *s.high))
		rows = rows[:search(rows, s.order, *s.high)]
	}
	if s.low != nil {
		behind := place{s.low.at, s.low.n + 1}
		lo = max(lo, t.searchSeeded(s.order, behind))
		rows = rows[search(rows, s.order, behind):]
	}
	return func(yield func(record) bool) {
		step, first, end := 1, lo, hi
		j := 0 // the next row
		if s.desc {
			step, first, end = -1, hi-1, lo
			j = len(rows) - 1
		}
		i := t.uncovered(first, end, s.desc) // the next seeded record
		for i >= 0 || j >= 0 && j < len(rows) {
			var r record
			if i >= 0 {
				r = t.at(i)
			}
			rowFirst := i < 0
			if i >= 0 && j >= 0 && j < len(rows) {
				rowFirst = (rows[j].place(s.order).compare(r.place(s.order)) < 0) != s.desc
			}
			if rowFirst {
				r = t.of(rows[j])
				j += step
			} else {
				i = t.uncovered(i+step, end, s.desc)
			}
			if !yield(r) {
				return
			}
		}
	}
}
