//go:build !unix || aix || solaris

package boltfile

import "os"

// unlock has nothing to do where closing the file ends its locks.
func unlock(*os.File) {}
