package listen

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connected is a connection, and the other end of it.
func connected(t *testing.T) (g *guest, sender net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", loopback)
	require.NoError(t, err)
	defer l.Close()
	sender, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { sender.Close() })
	conn, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return newGuest(conn.(*net.TCPConn), newCrowd(nil, 1)), sender
}

// A connection keeps its deadlines as any other, though it hears of most of them late.
func TestDeadlinesHoldForReads(t *testing.T) {
	t.Parallel()
	g, sender := connected(t)
	two := make([]byte, 2)
	read := func() error {
		_, err := g.Read(two)
		return err
	}

	require.NoError(t, g.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err := g.WriteTo(io.Discard)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "one that was set before")
	require.ErrorIs(t, read(), os.ErrDeadlineExceeded)
	require.NoError(t, g.SetReadDeadline(time.Time{}))
	_, err = sender.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, read(), "none any more")
	require.NoError(t, g.SetDeadline(time.Now().Add(10*time.Millisecond)))
	require.ErrorIs(t, read(), os.ErrDeadlineExceeded, "one that comes")
	require.NoError(t, g.SetDeadline(time.Now().Add(-time.Second)))
	_, err = g.Write(two)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "for writes too")

	require.NoError(t, g.SetDeadline(time.Time{}))
	under := make(chan error, 1)
	go func() { under <- read() }()
	assert.Eventually(t, func() bool {
		g.reads.mu.Lock()
		defer g.reads.mu.Unlock()
		return g.reads.busy
	}, 5*time.Second, time.Millisecond)
	require.NoError(t, g.SetReadDeadline(time.Now().Add(-time.Second)))
	require.ErrorIs(t, <-under, os.ErrDeadlineExceeded, "one that is set meanwhile")
	require.NoError(t, g.SetReadDeadline(time.Time{}))
	_, err = sender.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, read())
}

// A deadline that is put off is not at the socket: it ends nothing before its time.
func TestADeadlineMayBePutOff(t *testing.T) {
	t.Parallel()
	g, sender := connected(t)
	const room = 64 << 10 // of the system on the way; left alone, it grows with what is sent
	require.NoError(t, g.SetWriteBuffer(room))
	require.NoError(t, sender.(*net.TCPConn).SetReadBuffer(room))
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	for name, off := range map[string]time.Time{"later": time.Now().Add(time.Hour), "for ever": {}} {
		require.NoError(t, g.SetReadDeadline(in(time.Millisecond)))
		_, err := g.Read(make([]byte, 2))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "it is at the socket")
		require.NoError(t, g.SetReadDeadline(off))
		word := make([]byte, 2)
		read := make(chan error, 1)
		go func() {
			_, err := io.ReadFull(g, word)
			read <- err
		}()
		_, err = sender.Write([]byte("so"))
		require.NoError(t, err)
		require.NoError(t, <-read, name)
		assert.Equal(t, "so", string(word))

		// A gap in the reading of the other end that is longer than the first of two deadlines.
		require.NoError(t, g.SetWriteDeadline(in(500*time.Millisecond)))
		_, err = g.Write([]byte("f"))
		require.NoError(t, err)
		require.NoError(t, g.SetWriteDeadline(off))
		large := bytes.Repeat([]byte("large "), room)
		wrote := make(chan error, 1)
		go func() {
			_, err := g.Write(large)
			wrote <- err
		}()
		assert.Eventually(t, func() bool {
			g.writes.mu.Lock()
			defer g.writes.mu.Unlock()
			return g.writes.armed.Equal(off)
		}, 5*time.Second, time.Millisecond, "the first has passed")
		got := make([]byte, 1+len(large))
		_, err = io.ReadFull(sender, got)
		require.NoError(t, err)
		require.NoError(t, <-wrote, name)
		assert.True(t, bytes.Equal(large, got[1:]), "each byte once")
	}
}

// While a request is answered nothing is read to see its sender leave, and nothing of what is sent meanwhile lost.
func TestNothingIsReadToSeeASenderLeave(t *testing.T) {
	t.Parallel()
	g, sender := connected(t)
	_, err := sender.Write([]byte("next"))
	require.NoError(t, err)
	g.attend()
	n, err := g.Read(make([]byte, 1))
	require.NoError(t, err)
	assert.Zero(t, n)
	g.release()
	for _, letter := range "next" {
		one := make([]byte, 1)
		n, err := g.Read(one)
		require.NoError(t, err)
		assert.Equal(t, 1, n, "a single byte is like others before the next request: net/http's buffer may have room for one")
		assert.Equal(t, string(letter), string(one))
	}
}
