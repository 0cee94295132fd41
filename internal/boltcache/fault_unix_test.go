//go:build unix

package boltcache

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/boltfile"
)

// A file that is cut while it is mapped, or a page number out of range, is met as a memory fault.
func TestAMemoryFaultIsAnErrorNotACrash(t *testing.T) {
	memory, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { assert.NoError(t, syscall.Munmap(memory)) }()

	var read byte
	err = boltfile.Survive(func() error {
		read = memory[100]
		return nil
	})
	require.ErrorContains(t, err, "a page of the file is damaged")
	assert.Zero(t, read)
}
