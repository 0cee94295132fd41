package boltcache

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrHeld is why a file cannot be opened while another process has it.
var ErrHeld = errors.New("another process holds the file")

// openDB opens or creates the database and says what is wrong in the words of somebody who has to repair it.
func openDB(path string, timeout time.Duration) (*bbolt.DB, error) {
	var handle *os.File
	var db *bbolt.DB
	err := survive(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout: timeout,
			// Expiry leaves holes all over the file, which the default list of free pages is slow with.
			FreelistType: bbolt.FreelistMapType,
			OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
				handle, err = os.OpenFile(name, flag, mode)
				return handle, err
			},
		})
		if err != nil {
			return err
		}
		return whole(db, handle)
	})
	if err == nil {
		return db, nil
	}
	if db != nil {
		_ = db.Close()
	}
	if handle != nil {
		// After a panic bbolt still has the file, and its lock would shut out our own next attempt. What remains is
		// the address range of its mapping, some pages an attempt.
		unlock(handle)
		_ = handle.Close()
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w (waited %s for it)", ErrHeld, timeout)
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return nil, err
	}
	return nil, fmt.Errorf("the file is not a bolt database, or damaged (restore it or move it away): %w", err)
}

// whole refuses a file that was cut: bbolt checks its two head pages only and would fault on the rest later.
func whole(db *bbolt.DB, handle *os.File) error {
	info, err := handle.Stat()
	if err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
		}
		return nil
	})
}

// survive makes an error of the panics and memory faults with which bbolt answers a damaged page: one bad file must
// not end a process that runs other streams.
func survive(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("a page of the file is damaged: %v", cause)
		}
	}()
	return do()
}
