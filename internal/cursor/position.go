// Package cursor knows how far an object has been read: the position that a checkpoint holds, the window of records
// around its edge, and the ledger in which acknowledged pages move it, in order. It knows no network, no clock and
// no cache.
package cursor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Version of the stored form. A newer one is refused: what this program cannot read it must not guess.
const Version = 1

// ErrDamaged says that a stored position cannot be read. It is never taken for an empty one.
var ErrDamaged = errors.New("the stored position is damaged")

// Account is whose records a position speaks of.
type Account struct {
	Company string `json:"company_id"`
	Host    string `json:"host"`
}

// Position is how far one object has been read. Its JSON is what the checkpoint holds.
type Position struct {
	Version int `json:"v"`
	Account
	Object string `json:"object"`

	StartFrom string    `json:"start_from"`     // as configured when reading began; later edits are ignored
	Floor     time.Time `json:"floor,omitzero"` // changes before it were not asked for and never will be
	First     bool      `json:"first"`          // the first walk is not finished

	Main Track `json:"main"`           // the walk by update_time, or by the newest
	Look Track `json:"look,omitzero"`  // the look for records without an update_time, by add_time
	Full *Full `json:"full,omitempty"` // what full reads have found

	Walked time.Time `json:"walked,omitzero"` // server time at which the newest finished walk began
}

// Track is one way along an object's records.
type Track struct {
	Since  time.Time `json:"since,omitzero"`   // inclusive lower bound of the next walk; zero: from the beginning
	Walk   *Walk     `json:"walk,omitempty"`   // the walk under way
	Window Window    `json:"window,omitempty"` // handed on, and possibly met again

	pruned int // the window's size when it was last gone over
}

// Walk is a walk under way: the page that comes next.
type Walk struct {
	Since  time.Time `json:"since,omitzero"`  // its lower bound
	Began  time.Time `json:"began,omitzero"`  // server time of its first page
	Cursor string    `json:"cursor,omitzero"` // of the next page, where lists have cursors
	Start  int       `json:"start,omitzero"`  // of the next page, where lists have offsets: the last record read
	Edge   string    `json:"edge,omitzero"`   // the id of the last record read
	Last   time.Time `json:"last,omitzero"`   // the time of the last record read

	// Restarted: its cursor was refused or its rows shifted, and it went on from Last.
	Restarted bool `json:"restarted,omitzero"`
	// Disorderly: the list turned out not to be in the order that was asked for.
	Disorderly bool `json:"disorderly,omitzero"`

	// Counted on a first walk, so that people who wait for its end see how far it is, over restarts too.
	Records int64     `json:"records,omitzero"`
	Pages   int64     `json:"pages,omitzero"`
	From    time.Time `json:"from,omitzero"` // the first update_time read
}

// Full is the memory of full reads.
type Full struct {
	Known   map[string]Hash `json:"known"`             // id to content, as of the last reading
	Missing []string        `json:"missing,omitempty"` // known, but not in the last complete reading
}

// Clone returns a position that shares nothing that Apply changes.
func (p *Position) Clone() *Position {
	c := *p
	c.Main.Window = maps.Clone(p.Main.Window)
	c.Look.Window = maps.Clone(p.Look.Window)
	if p.Full != nil {
		c.Full = &Full{Known: maps.Clone(p.Full.Known), Missing: slices.Clone(p.Full.Missing)}
	}
	return &c
}

// Whence says to a person from where reading goes on.
func (p *Position) Whence() string {
	switch walk := p.Main.Walk; {
	case walk != nil && p.First:
		return fmt.Sprintf("in its first walk after %d records", walk.Records)
	case walk != nil:
		return "from " + walk.Since.Format(time.RFC3339)
	case p.Main.Since.IsZero():
		return "from the beginning"
	default:
		return "from " + p.Main.Since.Format(time.RFC3339)
	}
}

// Encode writes the stored form.
func (p *Position) Encode() ([]byte, error) {
	p.Version = Version
	return json.Marshal(p)
}

// Decode reads the stored form. Fields it does not know pass; a newer version, and anything that is no position, is
// refused in words.
func Decode(stored []byte) (*Position, error) {
	if err := checkVersion(stored); err != nil {
		return nil, err
	}
	p := &Position{}
	if err := json.Unmarshal(stored, p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if p.Company == "" || p.Object == "" {
		return nil, fmt.Errorf("%w: it names no company or no object", ErrDamaged)
	}
	if !p.First && p.Main.Since.IsZero() && p.Main.Walk == nil {
		return nil, fmt.Errorf("%w: it does not say from where to go on", ErrDamaged) // which is not "from the beginning"
	}
	return p, nil
}

func checkVersion(stored []byte) error {
	var head struct {
		Version int `json:"v"`
	}
	if len(stored) == 0 {
		return fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	if err := json.Unmarshal(stored, &head); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if head.Version < 1 {
		return fmt.Errorf("%w: it has no version", ErrDamaged)
	}
	if head.Version > Version {
		return fmt.Errorf("the stored position has version %d, written by a newer release: this one reads up to version %d", head.Version, Version)
	}
	return nil
}

// Belongs refuses what is stored of another company. The host may change its name, the company stays.
func (a Account) Belongs(to Account) error {
	if a.Company != to.Company {
		return fmt.Errorf("it belongs to company %s (%s), the credential to company %s (%s)", a.Company, a.Host, to.Company, to.Host)
	}
	return nil
}

// Belongs refuses a position of another company or another object.
func (p *Position) Belongs(to Account, object string) error {
	if p.Object != object {
		return fmt.Errorf("it is of %s, not of %s", p.Object, object)
	}
	return p.Account.Belongs(to)
}
