package journal

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The test binary is its own second process: with childEnv set it plays a role on a file instead of testing.
const childEnv = "JOURNAL_TEST_CHILD"

// roles of a child. A role returns when it has nothing more to do.
var roles = map[string]func(path, argument string) error{
	"hold":    hold,
	"work":    workForEver,
	"compact": compactForEver,
}

func TestMain(m *testing.M) {
	role, rest, isChild := strings.Cut(os.Getenv(childEnv), ":")
	if !isChild {
		os.Exit(m.Run())
	}
	argument, path, _ := strings.Cut(rest, ":")
	if err := roles[role](path, argument); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// hold opens the file, says so, and keeps it until standard input ends.
func hold(path, _ string) error {
	_, err := Open(Options{Path: path})
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return err
}

// startChild returns the child's output and a function that kills it and waits for its end.
func startChild(t *testing.T, role, argument, path string) (*bufio.Scanner, func()) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+role+":"+argument+":"+path)
	child.Stderr = os.Stderr
	_, err := child.StdinPipe()
	require.NoError(t, err)
	// A pipe of our own, because Wait would close the child's end with lines still in it.
	out, in, err := os.Pipe()
	require.NoError(t, err)
	child.Stdout = in
	require.NoError(t, child.Start())
	require.NoError(t, in.Close())
	t.Cleanup(func() { _ = out.Close() })
	return bufio.NewScanner(out), func() {
		require.NoError(t, child.Process.Kill())
		_ = child.Wait() // says that it was killed
	}
}

func TestAFileHeldByAnotherProcessIsSaidSo(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	lines, kill := startChild(t, "hold", "", path)
	require.True(t, lines.Scan())
	require.Equal(t, "held", lines.Text())

	want := "path \"" + path + "\": it is held by another process, or by another input of this one (waited "
	for range 3 {
		_, err := Open(Options{Path: path, LockTimeout: 10 * time.Millisecond})
		require.ErrorIs(t, err, ErrHeld)
		require.ErrorContains(t, err, "opening the journal, "+want+"10ms)")
	}
	_, err := Read(path)
	require.ErrorIs(t, err, ErrHeld)
	require.ErrorContains(t, err, "reading the journal, "+want)

	opened := make(chan error)
	go func() {
		j, err := Open(Options{Path: path, LockTimeout: time.Minute})
		if err == nil {
			err = j.Close()
		}
		opened <- err
	}()
	kill()
	require.NoError(t, <-opened, "the wait ends with the other process")
}

func TestTwoInOneProcessAreRefusedLikeTwoProcesses(t *testing.T) {
	t.Parallel()
	path := journalPath(t)
	openAt(t, path)
	_, err := Open(Options{Path: path, LockTimeout: time.Millisecond})
	require.ErrorIs(t, err, ErrHeld)
}
