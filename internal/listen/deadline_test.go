package listen

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newGuest is a connection, and the other end of it.
func newGuest(t *testing.T) (g *guest, sender net.Conn) {
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
	return &guest{TCPConn: conn.(*net.TCPConn), crowd: newCrowd(nil, 1)}, sender
}

// A connection keeps its deadlines as any other, though it hears of most of them late.
func TestDeadlinesHoldForReads(t *testing.T) {
	t.Parallel()
	g, sender := newGuest(t)
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
		g.deadline.mu.Lock()
		defer g.deadline.mu.Unlock()
		return g.deadline.reading
	}, 5*time.Second, time.Millisecond)
	require.NoError(t, g.SetReadDeadline(time.Now().Add(-time.Second)))
	require.ErrorIs(t, <-under, os.ErrDeadlineExceeded, "one that is set meanwhile")
	require.NoError(t, g.SetReadDeadline(time.Time{}))
	_, err = sender.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, read())
}

// What net/http does to see a sender leave reads nothing, and ends when net/http says so or the connection does.
func TestTheLookoutReadsNothing(t *testing.T) {
	t.Parallel()
	g, sender := newGuest(t)
	lookout := func() <-chan error {
		ended := make(chan error, 1)
		go func() {
			_, err := g.Read(make([]byte, 1))
			ended <- err
		}()
		return ended
	}

	ended := lookout()
	_, err := sender.Write([]byte("next"))
	require.NoError(t, err)
	require.NoError(t, g.SetReadDeadline(time.Now().Add(time.Hour)))
	require.NoError(t, g.SetReadDeadline(time.Time{}))
	assert.Empty(t, ended, "no deadline has passed")
	require.NoError(t, g.SetReadDeadline(time.Unix(1, 0)))
	require.ErrorIs(t, <-ended, os.ErrDeadlineExceeded)
	require.NoError(t, g.SetReadDeadline(time.Time{}))
	sent := make([]byte, 4)
	_, err = io.ReadFull(g, sent)
	require.NoError(t, err)
	assert.Equal(t, "next", string(sent), "of what was sent meanwhile nothing is lost")

	ended = lookout()
	require.NoError(t, g.Close())
	require.ErrorIs(t, <-ended, net.ErrClosed)
	_, err = g.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed, "nor does one begin")
}
