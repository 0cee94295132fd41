package cursor

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// Window remembers records, by id, so that one that is read twice is handed on once.
type Window map[string]Sighting

// Sighting is a record as it was handed on.
type Sighting struct {
	At   time.Time `json:"at,omitzero"` // the time the walk is ordered by
	Hash Hash      `json:"hash"`
}

// Hash is a fingerprint of a record's bytes. Its lowest bit says that the record was handed on as deleted, so that
// its disappearance later is no second deletion.
type Hash uint64

// HashOf fingerprints the bytes of one record.
func HashOf(record []byte, deleted bool) Hash {
	sum := sha256.Sum256(record)
	h := Hash(binary.BigEndian.Uint64(sum[:8])) &^ 1
	if deleted {
		h |= 1
	}
	return h
}

// Deleted tells whether the record was handed on as deleted.
func (h Hash) Deleted() bool { return h&1 == 1 }

// MarshalText writes 16 hexadecimal digits: a JSON number would lose the low ones in other readers.
func (h Hash) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%016x", uint64(h)), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	*h = Hash(n)
	return err
}

// Seen is a record to remember.
type Seen struct {
	ID string
	Sighting
}

// remember adds what was handed on.
func (w Window) remember(seen []Seen) Window {
	if w == nil && len(seen) > 0 {
		w = Window{}
	}
	for _, s := range seen {
		// The id is a piece of a page's text: a copy lets the page go.
		w[strings.Clone(s.ID)] = s.Sighting
	}
	return w
}

// forget drops what is older than a moment.
func (w Window) forget(before time.Time) {
	maps.DeleteFunc(w, func(_ string, s Sighting) bool { return s.At.Before(before) })
}
