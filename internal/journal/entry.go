package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// Entry is one accepted webhook.
type Entry struct {
	// Lane names what must stay in order, like "12345/deal/101" for a record. Entries of different lanes may
	// overtake each other.
	Lane string
	// Key is what a repetition has in common with its original, for Has. Empty: Has does not know the entry.
	Key      string
	Accepted time.Time // kept to the microsecond, handed on in UTC
	Meta     map[string]string
	Body     []byte
	// Note is for whoever handles the delivery, to be spared work that was done before the entry was appended. It is not in
	// the file: a delivery has it that comes soon after in the same process, and no other.
	Note any
}

// An entry is stored as
//
//	checksum of all that follows    4 bytes, CRC-32C, big-endian
//	time of acceptance              8 bytes, microseconds since 1970, big-endian
//	lane, key                       each a length (uvarint) and its bytes
//	meta                            the number of pairs (uvarint); each name and value like a lane
//	body                            the rest
//
// The checksum is not bbolt's business: it guards its two head pages alone.
const (
	sumSize  = 4
	headSize = sumSize + 8
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errTorn    = errors.New("an entry does not match its checksum")
)

// size is how many bytes appendTo appends.
func (e *Entry) size() int {
	size := headSize + textSize(e.Lane) + textSize(e.Key) + uvarintSize(len(e.Meta)) + len(e.Body)
	for name, value := range e.Meta {
		size += textSize(name) + textSize(value)
	}
	return size
}

func textSize(text string) int { return uvarintSize(len(text)) + len(text) }

func uvarintSize(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }

// appendTo appends the entry as it is stored.
func (e *Entry) appendTo(b []byte) []byte {
	begin := len(b)
	b = append(b, make([]byte, sumSize)...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Accepted.UnixMicro()))
	b = appendText(b, e.Lane)
	b = appendText(b, e.Key)
	b = binary.AppendUvarint(b, uint64(len(e.Meta)))
	if len(e.Meta) > 0 {
		for _, name := range slices.Sorted(maps.Keys(e.Meta)) {
			b = appendText(b, name)
			b = appendText(b, e.Meta[name])
		}
	}
	b = append(b, e.Body...)
	seal(b[begin:])
	return b
}

// asStored returns the entry as it would come from the file, and with its note.
func (e *Entry) asStored() Entry {
	s := *e
	s.Accepted = time.UnixMicro(e.Accepted.UnixMicro()).UTC()
	return s
}

func seal(b []byte) { binary.BigEndian.PutUint32(b, crc32.Checksum(b[sumSize:], castagnoli)) }

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// stored is an entry as it lies in the file. Its slices belong to the transaction that read it.
type stored struct {
	accepted  time.Time
	lane, key []byte
	rest      []byte // meta and body
}

// readStored checks all of the entry and takes apart its beginning.
func readStored(b []byte) (s stored, err error) {
	if len(b) < headSize || crc32.Checksum(b[sumSize:], castagnoli) != binary.BigEndian.Uint32(b) {
		return stored{}, errTorn
	}
	s.accepted = time.UnixMicro(int64(binary.BigEndian.Uint64(b[sumSize:]))).UTC()
	r := reader{rest: b[headSize:]}
	s.lane, s.key = r.text(), r.text()
	s.rest = r.rest
	return s, r.err
}

// entry returns a copy that outlives the transaction.
func (s stored) entry() (Entry, error) {
	r := reader{rest: s.rest}
	e := Entry{Lane: string(s.lane), Key: string(s.key), Accepted: s.accepted}
	for range r.number() {
		if r.err != nil {
			break
		}
		if e.Meta == nil {
			e.Meta = map[string]string{}
		}
		name := string(r.text())
		e.Meta[name] = string(r.text())
	}
	e.Body = append([]byte{}, r.rest...)
	return e, r.err
}

// reader takes lengths and texts off the front of rest, until one of them is wrong.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest, r.err = nil, errTorn
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() []byte {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.rest, r.err = nil, errTorn
		return nil
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}
