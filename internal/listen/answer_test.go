package listen

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthIsGoodWhileAllWhoShareItAre(t *testing.T) {
	t.Parallel()
	r, c := NewRegistry(), client(t)
	var sick atomic.Bool
	a := mount(t, r, Config{Address: loopback}, "/a", says("a"))
	b := mount(t, r, Config{Address: a.Addr().String()}, "/b", says("b"))
	require.NoError(t, a.Health("/healthz", func() bool { return true }))
	require.NoError(t, b.Health("/healthz", func() bool { return !sick.Load() }))
	assert.ErrorContains(t, a.Health("/b", func() bool { return true }), "path of an input")
	assert.ErrorContains(t, a.Health("healthz", func() bool { return true }), "slash")

	status := func() int {
		status, _ := get(t, c, url(a, "/healthz"))
		return status
	}
	assert.Equal(t, http.StatusOK, status())
	sick.Store(true)
	assert.Equal(t, http.StatusServiceUnavailable, status())
	require.NoError(t, b.Close(t.Context()))
	assert.Equal(t, http.StatusOK, status(), "who has left has no say")
	assert.Error(t, b.Health("/healthz", func() bool { return true }), "nor comes back")

	posted, err := c.Post(url(a, "/healthz"), "", nil)
	require.NoError(t, err)
	require.NoError(t, posted.Body.Close())
	assert.Equal(t, http.StatusMethodNotAllowed, posted.StatusCode)
	assert.Equal(t, "GET, HEAD", posted.Header.Get("Allow"))

	mount(t, r, Config{Address: a.Addr().String()}, "/c", says("c"))
	require.NoError(t, a.Close(t.Context()))
	assert.Equal(t, http.StatusNotFound, status(), "nobody asked for it any more")
}

func TestHealthIsBadWhileTheOnlyOneCloses(t *testing.T) {
	t.Parallel()
	c, g := client(t), newGate()
	m := mount(t, NewRegistry(), Config{Address: loopback}, "/", g)
	require.NoError(t, m.Health("/healthz", func() bool { return true }))
	under := send(c, url(m, "/"))
	<-g.in
	closed := make(chan error, 1)
	go func() { closed <- m.Close(t.Context()) }()
	assert.Eventually(t, func() bool {
		status, _ := get(t, c, url(m, "/healthz"))
		return status == http.StatusServiceUnavailable
	}, 5*time.Second, time.Millisecond)
	close(g.out)
	require.NoError(t, <-closed)
	assert.Equal(t, http.StatusOK, <-under)
}

func TestAPanicIsA500AndToldOnce(t *testing.T) {
	t.Parallel()
	var told, elsewhere book
	r, c := NewRegistry(), client(t)
	other := mount(t, r, Config{Address: loopback, OnError: elsewhere.write}, "/other", says("fine"))
	m := mount(t, r, Config{Address: other.Addr().String(), OnError: told.write}, "/", http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.RawQuery {
			case "begun":
				w.WriteHeader(http.StatusOK)
				_, _ = io.WriteString(w, "half")
			case "abort":
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("X-Inner", "secret")
			panic("the roof is on fire")
		},
	))
	for range 3 {
		answer, err := c.Get(url(m, "/"))
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
		assert.Empty(t, answer.Header.Get("X-Inner"))
	}
	for _, query := range []string{"?begun", "?abort"} {
		_, err := c.Get(url(m, "/") + query)
		assert.Error(t, err, "%s: a broken answer looks like a whole one", query)
	}
	require.Len(t, told.read(), 1)
	assert.Contains(t, told.read()[0], "the roof is on fire")
	assert.Contains(t, told.read()[0], "answer_test.go", "the place is not named")
	assert.Empty(t, elsewhere.read())
	_, body := get(t, c, url(other, "/other"))
	assert.Equal(t, "fine", body)

	require.NoError(t, m.Health("/healthz", func() bool { panic("ill") }))
	status, _ := get(t, c, url(m, "/healthz"))
	assert.Equal(t, http.StatusInternalServerError, status)
	require.Len(t, elsewhere.read(), 1, "what concerns the address goes to the longest mounted")
	assert.Contains(t, elsewhere.read()[0], "ill")
}

// A handler that refuses by the header leaves the body to net/http, which reads on in it before it answers.
func TestABodyThatTricklesHoldsNoConnection(t *testing.T) {
	t.Parallel()
	m := mount(t, NewRegistry(), Config{Address: loopback}, "/", says("seen"))
	for _, path := range []string{"/", "/unknown"} {
		conn := dial(t, m, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
		said := hungUp(t, conn, 4*time.Second)
		assert.Contains(t, said, "HTTP/1.1 ", path)
	}
}

func TestALargeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	m := mount(t, NewRegistry(), Config{Address: loopback, MaxHeaderBytes: 1000}, "/", says("it"))
	conn := dial(t, m, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("x", 10_000)+"\r\n\r\n")
	assert.Contains(t, hungUp(t, conn, 5*time.Second), " 431 ")
}
