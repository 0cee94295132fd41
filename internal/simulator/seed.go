package simulator

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"
	"time"
)

// seeds derives the seeded records: record n of an object is a pure function of the seed, the object and n. (How
// many of the other objects there are only decides which of them it may refer to, and a custom field that was deleted
// since is left out.)
type seeds struct {
	seed    uint64
	opts    *Options
	objects map[string]*object
	counts  map[string]int // of seeded records, by object
	oldest  stamp          // update_time of the first record of each object
	salts   map[string]uint64

	definitions map[string]*definitions // by the object that they are of; they change, under the simulator's lock
}

// The seeded records were changed one after the other, stride apart, and all of them well before now.
const (
	stride = 47 * time.Second
	age    = 20 * 24 * time.Hour // how long before its last change a seeded record was created
	bulk   = 4                   // of 16 neighbours so many were changed in the very same second
)

// begin is the first change in the account. Simulators whose clock runs before lastSafe, as in a synctest bubble,
// begin correspondingly earlier.
var (
	begin    = time.Date(2025, 1, 6, 8, 0, 0, 0, time.UTC)
	lastSafe = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
)

func newSeeds(o *Options, now time.Time) *seeds {
	s := &seeds{
		seed: o.Seed, opts: o,
		objects: make(map[string]*object, len(objects)),
		counts:  make(map[string]int, len(objects)),
		salts:   make(map[string]uint64, len(objects)),

		definitions: make(map[string]*definitions, len(objects)),
	}
	var most int
	for _, obj := range objects {
		count := max(obj.seeded(o), 0)
		s.objects[obj.name] = obj
		s.counts[obj.name] = count
		s.salts[obj.name] = saltOf(obj.name)
		most = max(most, count)
	}
	oldest := begin
	if now.Before(lastSafe) {
		oldest = now.Truncate(time.Second).Add(begin.Sub(lastSafe))
	}
	if over := time.Duration(most)*stride - lastSafe.Sub(begin); over > 0 {
		oldest = oldest.Add(-over)
	}
	s.oldest = stampOf(oldest)
	s.define()
	return s
}

// times of the record at index i (from 0) of the base order. Both ascend with i, so that the orders by id, add_time
// and update_time are one; neighbours may tie.
func (s *seeds) times(obj *object, i int) (added, updated stamp) {
	first := i
	if i%16 < bulk {
		first -= i % 16
	}
	updated = s.oldest + stamp(first)*stamp(stride/time.Millisecond)
	updated += stamp(mix(uint64(first))%40) * 1000
	added = updated - stamp(age/time.Millisecond)
	if obj.layout == layoutMillis {
		updated += 20 + stamp(i%16)*7
		added += 3 + stamp(i%16)*7
	}
	switch {
	case obj.updated == "", i < obj.born:
		updated = never
	}
	return added, updated
}

// saltOf tells the random values of one object from those of another.
func saltOf(word string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(word)) // never fails
	return h.Sum64()
}

// mix is a bijection whose output looks random: the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hex is a made-up hexadecimal word of the given length.
func hex(seed uint64, what string, n uint64, length int) string {
	return string(appendHex(nil, seed^saltOf(what)^mix(n), length))
}

func appendHex(b []byte, x uint64, length int) []byte {
	const digits = "0123456789abcdef"
	var word [8]byte
	for i := range length {
		if i%16 == 0 {
			x = mix(x)
			binary.BigEndian.PutUint64(word[:], x)
		}
		half := word[i%16/2]
		if i%2 == 0 {
			half >>= 4
		}
		b = append(b, digits[half&15])
	}
	return b
}

// idForm is how the id of a record is written.
type idForm uint8

const (
	number idForm = iota
	uuid
	token // 32 hex digits
)

// The last 12 digits of a uuid or token hold the record's number, so that an id is found without an index.
const (
	idDigits = 12
	idMask   = 1<<(4*idDigits) - 1
)

func (s *seeds) id(obj *object, n int64) string {
	if obj.ids == number {
		return strconv.FormatInt(n, 10)
	}
	salt := s.seed ^ s.salts[obj.name]
	b := appendHex(make([]byte, 0, 36), salt^uint64(n), 32-idDigits)
	last := strconv.AppendUint(nil, (uint64(n)^mix(salt))&idMask, 16)
	for range idDigits - len(last) {
		b = append(b, '0')
	}
	b = append(b, last...)
	if obj.ids == token {
		return string(b)
	}
	b[12] = '1' // leads have ids of version 1
	word := string(b)
	return word[:8] + "-" + word[8:12] + "-" + word[12:16] + "-" + word[16:20] + "-" + word[20:]
}

// number undoes id.
func (s *seeds) number(obj *object, id string) (int64, bool) {
	var n int64
	if obj.ids == number {
		n, _ = strconv.ParseInt(id, 10, 64)
	} else if len(id) > idDigits {
		last, err := strconv.ParseUint(id[len(id)-idDigits:], 16, 64)
		if err != nil {
			return 0, false
		}
		n = int64((last ^ mix(s.seed^s.salts[obj.name])) & idMask)
	}
	return n, n > 0 && s.id(obj, n) == id
}
