package simulator

import (
	"strconv"
	"strings"
	"time"
)

// column is one field of an object and how its seeded value is made.
type column struct {
	name string
	put  func(b []byte, d *draw) []byte // appends the value as JSON
}

// draw is one record being made.
type draw struct {
	*seeds
	obj            *object
	n              int64
	added, updated stamp
	fresh          bool   // made while the simulator runs: an open deal, a task not done
	k              uint64 // the column, so that each has its own random value
}

// roll is the random value of a column; columns that ask for one k agree with each other.
func (d *draw) roll(k uint64) uint64 { return d.rollOf(d.obj.name, d.n, k) }

func (s *seeds) rollOf(object string, n int64, k uint64) uint64 {
	return mix(s.seed ^ s.salts[object] ^ mix(uint64(n)) ^ k*0x9e3779b97f4a7c15)
}

// Values that several columns of one record agree on. They lie above every column's own.
const (
	rollStatus uint64 = 1000 + iota
	rollPerson
	rollOrg
	rollDeal
	rollPlace
	rollStage
	rollProject
	rollDone
	rollUser
	rollFile
	rollCustom
)

func col(name string, put func([]byte, *draw) []byte) column { return column{name, put} }

func raw(json string) func([]byte, *draw) []byte {
	return func(b []byte, _ *draw) []byte { return append(b, json...) }
}

var null = raw("null")

func id(b []byte, d *draw) []byte { return d.appendID(b, d.obj, d.n) }

func (s *seeds) appendID(b []byte, obj *object, n int64) []byte {
	if obj.ids == number {
		return strconv.AppendInt(b, n, 10)
	}
	b = append(b, '"')
	b = append(b, s.id(obj, n)...)
	return append(b, '"')
}

// The record's own times, and others that follow from them.
func addedAt(b []byte, d *draw) []byte   { return d.added.append(b, d.obj.layout) }
func updatedAt(b []byte, d *draw) []byte { return d.updated.append(b, d.obj.layout) }

// changed is the last known change: update_time, or add_time when there was none.
func (d *draw) changed() stamp { return max(d.updated, d.added) }

// day is a date so many days after the record was created.
func day(from, to uint64) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		after := stamp(from+d.roll(d.k)%(to-from+1)) * stamp(24*time.Hour/time.Millisecond)
		return (d.added + after).append(b, layoutDate)
	}
}

func between(from, to uint64) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte { return strconv.AppendUint(b, from+d.roll(d.k)%(to-from+1), 10) }
}

// amount is money in steps of a quarter: 1250, 99.75.
func amount(from, to uint64) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		quarters := 4*from + d.roll(d.k)%(4*(to-from)+1)
		return strconv.AppendFloat(b, float64(quarters)/4, 'f', -1, 64)
	}
}

func chance(percent uint64) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte { return strconv.AppendBool(b, d.roll(d.k)%100 < percent) }
}

// some puts the value in so many of 100 records and null in the others.
func some(percent uint64, put func([]byte, *draw) []byte) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		if d.roll(d.k^1<<20)%100 < percent {
			return put(b, d)
		}
		return append(b, "null"...)
	}
}

func word(words ...string) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte { return appendWord(b, pick(words, d.roll(d.k))) }
}

func pick(words []string, roll uint64) string { return words[roll%uint64(len(words))] }

// appendWord writes text that needs no escaping as a JSON string.
func appendWord(b []byte, text string) []byte {
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// ref is the id of some record of another object, null when there is none.
func ref(object string) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte { return d.appendRef(b, object, d.roll(d.k)) }
}

// shared is a ref that other columns of the record agree on.
func shared(object string, k uint64) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte { return d.appendRef(b, object, d.roll(k)) }
}

func refs(object string) func([]byte, *draw) []byte {
	return func(b []byte, d *draw) []byte {
		b = append(b, '[')
		if d.counts[object] > 0 {
			b = d.appendRef(b, object, d.roll(d.k))
		}
		return append(b, ']')
	}
}

func (d *draw) appendRef(b []byte, object string, roll uint64) []byte {
	n := d.refNumber(object, roll)
	if n == 0 {
		return append(b, "null"...)
	}
	return d.appendID(b, d.objects[object], n)
}

// refNumber is the number of a seeded record, 0 when there is none.
func (s *seeds) refNumber(object string, roll uint64) int64 {
	count := uint64(s.counts[object])
	if count == 0 {
		return 0
	}
	return int64(1 + roll%count)
}

// has tells whether the word is one of those in the list, which are separated by spaces.
func has(words, word string) bool { return strings.Contains(" "+words+" ", " "+word+" ") }
