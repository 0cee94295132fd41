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

// Hash is a fingerprint of a record's bytes.
type Hash uint64

// HashOf fingerprints the bytes of one record.
func HashOf(record []byte) Hash {
	sum := sha256.Sum256(record)
	return Hash(binary.BigEndian.Uint64(sum[:8]))
}

// MarshalText writes 16 hexadecimal digits: a JSON number would lose the low ones in other readers.
func (h Hash) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%016x", uint64(h)), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	*h = Hash(n)
	return err
}

// Has tells whether this very content of the record was handed on.
func (w Window) Has(id string, content Hash) bool {
	s, ok := w[id]
	return ok && s.Hash == content
}

// Seen is a record to remember.
type Seen struct {
	ID string
	Sighting
}

// Keep is the part of the window that may still be met again: from a moment on, and at one moment exactly.
type Keep struct{ From, At time.Time }

// Holds tells whether a record of that time is to be remembered. One without a time always is.
func (k Keep) Holds(at time.Time) bool {
	return at.IsZero() || !at.Before(k.From) || at.Equal(k.At)
}

func (w Window) remember(seen []Seen, keep Keep) Window {
	if w == nil {
		w = Window{}
	}
	for _, s := range seen {
		// The id is a piece of a page's text: a copy lets the page go.
		w[strings.Clone(s.ID)] = s.Sighting
	}
	maps.DeleteFunc(w, func(_ string, s Sighting) bool { return !keep.Holds(s.At) })
	return w
}
