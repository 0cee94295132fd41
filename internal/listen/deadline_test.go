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

// A connection keeps its deadlines as any other, though it hears of most of them late.
func TestDeadlinesHoldForReads(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", loopback)
	require.NoError(t, err)
	defer l.Close()
	sender, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer sender.Close()
	conn, err := l.Accept()
	require.NoError(t, err)
	g := &guest{TCPConn: conn.(*net.TCPConn)}
	defer g.TCPConn.Close()
	one := make([]byte, 1)
	read := func() error {
		_, err := g.Read(one)
		return err
	}

	require.NoError(t, g.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err = g.WriteTo(io.Discard)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "one that was set before")
	require.ErrorIs(t, read(), os.ErrDeadlineExceeded)
	require.NoError(t, g.SetReadDeadline(time.Time{}))
	_, err = sender.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, read(), "none any more")
	require.NoError(t, g.SetDeadline(time.Now().Add(10*time.Millisecond)))
	require.ErrorIs(t, read(), os.ErrDeadlineExceeded, "one that comes")
	require.NoError(t, g.SetDeadline(time.Now().Add(-time.Second)))
	_, err = g.Write(one)
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
