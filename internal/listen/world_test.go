package listen

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const loopback = "127.0.0.1:0"

// says answers every request with one word.
func says(word string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, word)
	})
}

// mount leaves the mount to be closed at the end of the test.
func mount(t *testing.T, r *Registry, cfg Config, path string, h http.Handler) *Mount {
	t.Helper()
	m, err := r.Mount(t.Context(), cfg, path, h)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close(context.Background())) })
	return m
}

// client keeps connections of its own, which end with the test.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get returns status and body.
func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	answer, err := c.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

func url(m *Mount, path string) string { return "http://" + m.Addr().String() + path }

// gate is a handler that tells when a request is in and lets it out when it is opened.
type gate struct{ in, out chan struct{} }

func newGate() *gate { return &gate{make(chan struct{}, 100), make(chan struct{})} }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.in <- struct{}{}
	select {
	case <-g.out:
		_, _ = io.WriteString(w, "out")
	case <-r.Context().Done():
	}
}

// send asks in the background. The channel gives the status, or 0 when no answer came.
func send(c *http.Client, url string) <-chan int {
	status := make(chan int, 1)
	go func() {
		answer, err := c.Get(url)
		if err != nil {
			status <- 0
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		status <- answer.StatusCode
	}()
	return status
}

// dial opens a connection that the test writes to itself.
func dial(t *testing.T, m *Mount, say string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", m.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, say)
	require.NoError(t, err)
	return conn
}

// kept is a connection that is used for one request after another.
type kept struct {
	t      *testing.T
	crowd  *crowd
	conn   net.Conn
	answer *bufio.Reader
}

func keep(t *testing.T, m *Mount) *kept {
	conn := dial(t, m, "")
	return &kept{t, m.listener.crowd, conn, bufio.NewReader(conn)}
}

// ask returns the status of the answer, once all connections are idle; 0: there was none.
func (k *kept) ask(path string) int {
	k.t.Helper()
	require.NoError(k.t, k.conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, _ = io.WriteString(k.conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	answer, err := http.ReadResponse(k.answer, nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	require.Eventually(k.t, func() bool {
		k.crowd.mu.Lock()
		defer k.crowd.mu.Unlock()
		return k.crowd.fresh.Len()+k.crowd.strange.Len()+k.crowd.known.Len() == k.crowd.size
	}, 5*time.Second, time.Millisecond)
	return answer.StatusCode
}

// hungUp waits until the other side closes a connection, and returns what it said before.
func hungUp(t *testing.T, conn net.Conn, within time.Duration) string {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(within)))
	said, err := io.ReadAll(conn)
	var timeout net.Error
	require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the connection is still open after %s", within)
	return string(said)
}

// book collects what OnError is told.
type book struct {
	mu    sync.Mutex
	lines []string
}

func (b *book) write(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, err.Error())
}

func (b *book) read() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.lines...)
}
