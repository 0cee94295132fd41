package boltcache

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// ErrHeld is why a file cannot be opened while another process has it.
var ErrHeld = errors.New("another process holds the file")

// openDB opens or creates the database and says what is wrong in the words of somebody who has to repair it.
func openDB(path string, timeout time.Duration) (*bbolt.DB, error) {
	f, err := boltfile.Open(path, timeout, false)
	switch {
	case errors.Is(err, boltfile.ErrHeld):
		return nil, fmt.Errorf("%w (waited %s for it)", ErrHeld, timeout)
	case boltfile.Damaged(err):
		return nil, fmt.Errorf("the file is not a bolt database, or damaged (restore it or move it away): %w", err)
	case err != nil:
		return nil, err
	}
	return f.DB, nil
}
