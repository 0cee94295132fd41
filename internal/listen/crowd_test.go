package listen

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const unfinished = "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "

func TestAHeaderHasItsTime(t *testing.T) {
	t.Parallel()
	m := mount(t, NewRegistry(), Config{Address: loopback, ReadHeaderTimeout: 50 * time.Millisecond}, "/", says("it"))
	conn := dial(t, m, unfinished)
	hungUp(t, conn, 3*time.Second)
}

func TestAnIdleConnectionHasItsTime(t *testing.T) {
	t.Parallel()
	m := mount(t, NewRegistry(), Config{Address: loopback, IdleTimeout: 50 * time.Millisecond}, "/", says("it"))
	conn := dial(t, m, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	assert.Contains(t, hungUp(t, conn, 3*time.Second), "200 OK")
}

func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	m := mount(t, NewRegistry(), Config{Address: loopback, MaxConns: 10, ReadHeaderTimeout: time.Hour}, "/", says("served"))
	var oldest net.Conn
	for n := range 20 {
		conn := dial(t, m, unfinished[:n%len(unfinished)])
		if n == 0 {
			oldest = conn
		}
	}
	status, body := get(t, client(t), url(m, "/"))
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "served", body)
	hungUp(t, oldest, 3*time.Second)
	m.listener.crowd.mu.Lock()
	defer m.listener.crowd.mu.Unlock()
	assert.LessOrEqual(t, m.listener.crowd.size, 10)
	assert.LessOrEqual(t, m.listener.crowd.fresh.Len(), 5, "half of the room")
}

// A connection that carried webhooks may have the next one on its way: it is the last to be closed for another's sake,
// however long it has been idle.
func TestWhoWasAnswered2xxIsTheLastToGo(t *testing.T) {
	t.Parallel()
	m := mount(t, NewRegistry(), Config{Address: loopback, MaxConns: 3}, "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "sesame" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	require.NoError(t, m.Health("/healthz", func() bool { return true }))

	good := keep(t, m)
	require.Equal(t, http.StatusOK, good.ask("/?sesame"))
	guesser, watcher := keep(t, m), keep(t, m)
	require.Equal(t, http.StatusUnauthorized, guesser.ask("/"))
	require.Equal(t, http.StatusOK, watcher.ask("/healthz"), "which anybody is told")

	require.Equal(t, http.StatusOK, keep(t, m).ask("/?sesame"))
	hungUp(t, guesser.conn, 3*time.Second)
	require.Equal(t, http.StatusOK, keep(t, m).ask("/?sesame"))
	hungUp(t, watcher.conn, 3*time.Second)
	require.Equal(t, http.StatusUnauthorized, good.ask("/"), "one wrong answer makes nobody a stranger")

	dial(t, m, unfinished)
	dial(t, m, unfinished)
	require.Equal(t, http.StatusOK, keep(t, m).ask("/?sesame"))
	assert.Equal(t, http.StatusOK, good.ask("/?sesame"), "who has asked for nothing yet has to lose our patience first")
}

func TestOfThoseWhoWereAnswered2xxTheLongestIdleGoes(t *testing.T) {
	t.Parallel()
	m := mount(t, NewRegistry(), Config{Address: loopback, MaxConns: 2}, "/", says("it"))
	first, second := keep(t, m), keep(t, m)
	require.Equal(t, http.StatusOK, first.ask("/"))
	require.Equal(t, http.StatusOK, second.ask("/"))
	require.Equal(t, http.StatusOK, first.ask("/"))
	require.Equal(t, http.StatusOK, keep(t, m).ask("/"))
	hungUp(t, second.conn, 3*time.Second)
	assert.Equal(t, http.StatusOK, first.ask("/"))
}

func TestWhoIsBeingServedIsNotClosedForOthers(t *testing.T) {
	t.Parallel()
	g := newGate()
	m := mount(t, NewRegistry(), Config{Address: loopback, MaxConns: 3}, "/", g)
	var statuses []<-chan int
	for range 20 { // 3 are served, 17 wait outside
		statuses = append(statuses, send(client(t), url(m, "/")))
	}
	for range 3 {
		<-g.in
	}
	select {
	case <-g.in:
		require.Fail(t, "more than 3 are served at once")
	case <-time.After(patience + 200*time.Millisecond):
	}
	close(g.out)
	for _, status := range statuses {
		assert.Equal(t, http.StatusOK, <-status)
	}
}

// Who waits because another has asked for nothing yet comes in as soon as that one asks.
func TestARequestLetsTheNextIn(t *testing.T) {
	t.Parallel()
	g := newGate()
	m := mount(t, NewRegistry(), Config{Address: loopback, MaxConns: 2}, "/", g)
	defer close(g.out)
	first := dial(t, m, unfinished)
	dial(t, m, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case <-g.in:
		require.Fail(t, "more than half of the room is given to those who have asked for nothing")
	case <-time.After(patience / 5):
	}
	_, err := first.Write([]byte("x\r\nContent-Length: 0\r\n\r\n"))
	require.NoError(t, err)
	began := time.Now()
	for range 2 {
		<-g.in
	}
	assert.Less(t, time.Since(began), patience/2)
}

func TestCloseEndsTheWaitingForRoom(t *testing.T) {
	t.Parallel()
	g := newGate()
	m, err := NewRegistry().Mount(t.Context(), Config{Address: loopback, MaxConns: 1}, "/", g)
	require.NoError(t, err)
	served := send(client(t), url(m, "/"))
	<-g.in
	outside := dial(t, m, unfinished)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.Error(t, m.Close(ctx))
	assert.Less(t, time.Since(began), 3*time.Second)
	assert.Equal(t, 0, <-served)
	hungUp(t, outside, 3*time.Second)
	c := m.listener.crowd
	assert.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.size == 0 && c.fresh.Len() == 0 && c.strange.Len() == 0 && c.known.Len() == 0
	}, 5*time.Second, time.Millisecond, "who has left is still counted")
}
