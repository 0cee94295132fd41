// Package boltfile opens bbolt databases so that neither a power cut nor a damaged file costs more than an error.
package boltfile

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

var (
	// ErrHeld is why a file cannot be opened while another process, or this one, has it open.
	ErrHeld = errors.New("the file is held")
	// ErrPage is what Survive makes of a panic.
	ErrPage = errors.New("a page of the file is damaged")
)

// File is an open database with the handle that holds its lock.
type File struct {
	DB     *bbolt.DB
	handle *os.File
}

// Open opens or creates a database and waits up to timeout for its lock. What the system refused is its error; see
// Damaged for all others.
func Open(path string, timeout time.Duration, readOnly bool) (*File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > 0 && !readOnly {
		// Who opens it to write reads the list of free pages, at once, and of a file that was cut from the memory behind it.
		f, err := open(path, timeout, true)
		if err != nil {
			return nil, err
		}
		if err := f.DB.Close(); err != nil {
			return nil, err
		}
	}
	return open(path, timeout, readOnly)
}

func open(path string, timeout time.Duration, readOnly bool) (*File, error) {
	f := &File{}
	err := Survive(func() (err error) {
		f.DB, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:  timeout,
			ReadOnly: readOnly,
			// The list of free pages gives out the first ones, so that what is written at once lies together as far as it
			// can: the other kind takes any, which costs a journal a twentieth of its rate (two fifths where a backlog has
			// left holes all over the file, see its BenchmarkHoles). It is kept in the file: without it bbolt looks for them in
			// a goroutine where a panic would end the process.
			FreelistType: bbolt.FreelistArrayType,
			OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
				f.handle, err = os.OpenFile(name, flag, mode)
				return f.handle, err
			},
		})
		if err != nil {
			return err
		}
		return f.whole()
	})
	if err == nil {
		return f, nil
	}
	if f.DB != nil {
		_ = f.DB.Close() // it was opened, and is not whole
	}
	f.Abandon()
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = ErrHeld
	}
	return nil, err
}

// Damaged tells an error of Open about what is in the file from one about getting at it.
func Damaged(err error) bool {
	_, system := errors.AsType[syscall.Errno](err)
	return err != nil && !system && !errors.Is(err, ErrHeld)
}

// whole refuses a file that was cut: bbolt checks its two head pages only and would fault on the rest later.
func (f *File) whole() error {
	info, err := f.handle.Stat()
	if err != nil {
		return err
	}
	return f.DB.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("it has %d bytes of %d", info.Size(), tx.Size())
		}
		return nil
	})
}

// Stat is about the file that is open, whatever its path has come to mean.
func (f *File) Stat() (os.FileInfo, error) { return f.handle.Stat() }

// Abandon lets go of the lock and the handle of a database that can no longer be trusted to close itself: after a
// panic bbolt may hold its own locks for ever. What remains is the address range of its mapping.
func (f *File) Abandon() {
	if f.handle != nil {
		unlock(f.handle)
		_ = f.handle.Close()
	}
}

// Survive makes an error of the panics and memory faults with which bbolt answers a damaged page: one bad file must
// not end a process that runs other streams.
func Survive(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", ErrPage, cause)
		}
	}()
	return do()
}
