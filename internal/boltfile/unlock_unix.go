//go:build unix && !aix && !solaris

package boltfile

import (
	"os"
	"syscall"
)

// unlock lets go of bbolt's lock. Closing the file is not enough while a mapping of it is left, and bbolt leaves one
// when it panics while opening.
func unlock(handle *os.File) {
	_ = syscall.Flock(int(handle.Fd()), syscall.LOCK_UN)
}
