package journal

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// Contents is what lies in a journal that nobody holds.
type Contents struct {
	FileBytes int64 // on the disk
	Pending   int
	Bytes     int64 // of the pending entries, as Options.MaxBytes counts them
	Oldest    time.Time
	Newest    time.Time // zero, as Oldest, when nothing is pending
	Stuck     int       // lanes whose oldest entry was refused
	Lanes     []LaneContents
}

// LaneContents is what is pending in one lane.
type LaneContents struct {
	Lane    string
	Pending int
	Bytes   int64
	Oldest  time.Time
	Newest  time.Time
	Refused int // how often the oldest entry was
}

// Read looks into a journal without changing it, and holds it meanwhile. The lanes come with the most refused first,
// then those with the most entries. It returns ErrHeld when the journal is in use.
func Read(path string) (Contents, error) {
	c, err := read(path)
	if err != nil {
		return Contents{}, fmt.Errorf("reading the journal, path %q: %w", path, err)
	}
	return c, nil
}

func read(path string) (c Contents, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return c, err
	case !info.Mode().IsRegular():
		return c, errors.New("it is not a file")
	case info.Size() == 0:
		return c, nil // made and not yet used; bbolt would want to write its beginning
	}
	f, err := openCurrent(path, defaultLockTimeout, true)
	if err != nil {
		return c, err
	}
	lanes := map[string]*LaneContents{}
	err = boltfile.Survive(func() error {
		return f.DB.View(func(tx *bbolt.Tx) error {
			if err := onlyOurs(tx); err != nil {
				return err
			}
			return visit(tx, func(_ uint64, s stored, size int, refused uint32) error {
				c.count(lanes, s, int64(size), int(refused))
				return nil
			})
		})
	})
	if err != nil {
		f.Abandon()
		return c, inWords(err)
	}
	c.FileBytes = info.Size()
	for _, l := range lanes {
		if l.Refused > 0 {
			c.Stuck++
		}
		c.Lanes = append(c.Lanes, *l)
	}
	slices.SortFunc(c.Lanes, func(a, b LaneContents) int {
		return cmp.Or(cmp.Compare(b.Refused, a.Refused), cmp.Compare(b.Pending, a.Pending), cmp.Compare(a.Lane, b.Lane))
	})
	return c, f.DB.Close()
}

// count is shown the entries in order.
func (c *Contents) count(lanes map[string]*LaneContents, s stored, size int64, refused int) {
	l := lanes[string(s.lane)]
	if l == nil {
		l = &LaneContents{Lane: string(s.lane), Oldest: s.accepted, Refused: refused}
		lanes[l.Lane] = l
	}
	l.Pending++
	l.Bytes += size
	l.Newest = s.accepted
	if c.Pending == 0 {
		c.Oldest = s.accepted
	}
	c.Pending++
	c.Bytes += size
	c.Newest = s.accepted
}
