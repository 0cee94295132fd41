package boltcache

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test binary is its own second process: with childEnv set it plays a role on a file instead of testing.
const childEnv = "BOLTCACHE_TEST_CHILD"

func TestMain(m *testing.M) {
	role, path, isChild := strings.Cut(os.Getenv(childEnv), ":")
	if !isChild {
		os.Exit(m.Run())
	}
	c := &cache{path: path, timeout: 10 * time.Second}
	switch role {
	case "hold":
		hold(c)
	default:
		writeForEver(c, role)
	}
}

// hold opens the file, says so, and keeps it until standard input ends.
func hold(c *cache) {
	if err := c.Set(context.Background(), "holder", []byte("was here"), nil); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// writeForEver sets new keys from several goroutines and prints each key after its Set returned.
func writeForEver(c *cache, round string) {
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprint(round, "/", worker, "/", i)
				if err := c.Set(context.Background(), key, []byte(valueOf(key)), nil); err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				_, _ = os.Stdout.WriteString(key + "\n")
			}
		}()
	}
	select {}
}

// valueOf is long enough to span pages.
func valueOf(key string) string {
	return strings.Repeat(key+" ", 500)
}

// startChild returns the child's output and a function that kills it and waits for its end.
func startChild(t *testing.T, role, path string) (*bufio.Scanner, func()) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+role+":"+path)
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

func TestEverySetThatReturnedSurvivesKill9(t *testing.T) {
	path := statePath(t)
	var written []string
	for round := range 12 {
		lines, kill := startChild(t, fmt.Sprint(round), path)
		// Another moment each round: during the first write, in the middle, after many.
		for range 1 + round*round/2 {
			require.True(t, lines.Scan(), "the child ended by itself")
			written = append(written, lines.Text())
		}
		kill()
		for lines.Scan() { // what it had said before the end
			written = append(written, lines.Text())
		}

		c := &cache{path: path, timeout: time.Second}
		for _, key := range written {
			require.True(t, strings.Contains(key, "/"), "the child said: %s", key)
			assertValue(t, c, key, valueOf(key))
		}
		require.NoError(t, c.Close(t.Context()))
	}
	t.Logf("%d keys in 12 rounds", len(written))
}

func TestAFileHeldByAnotherProcessIsSaidSoAndTriedAgain(t *testing.T) {
	path := statePath(t)
	lines, kill := startChild(t, "hold", path)
	require.True(t, lines.Scan())
	require.Equal(t, "held", lines.Text())

	c := openCache(t, path)
	c.timeout = 10 * time.Millisecond
	for range 3 {
		_, err := c.Get(t.Context(), "holder")
		require.ErrorContains(t, err, "path \""+path+"\": another process holds the file (waited 10ms for it)")
		require.Error(t, c.Set(t.Context(), "k", nil, nil))
	}
	assert.Equal(t, 0, registered(path), "a failed attempt leaves nothing behind")

	kill()
	assertValue(t, c, "holder", "was here")
	require.NoError(t, c.Set(t.Context(), "k", nil, nil))
}

func TestWaitingForAnotherProcessIsBoundedByTimeout(t *testing.T) {
	path := statePath(t)
	lines, kill := startChild(t, "hold", path)
	require.True(t, lines.Scan())

	c := openCache(t, path)
	c.timeout = time.Minute
	got := make(chan error, 1)
	go func() {
		_, err := c.Get(t.Context(), "holder")
		got <- err
	}()
	kill()
	require.NoError(t, <-got, "the wait ends with the other process")
}
