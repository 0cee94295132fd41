//go:build !unix || aix || solaris

package boltcache

import "os"

// unlock has nothing to do where closing the file ends its locks.
func unlock(*os.File) {}
