package listen

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMountsOnOneAddressShareAListenerAndLeaveItOneByOne(t *testing.T) {
	t.Parallel()
	r, c := NewRegistry(), client(t)
	a := mount(t, r, Config{Address: loopback}, "/a", says("a"))
	b := mount(t, r, Config{Address: a.Addr().String(), TLS: TLS{CertFile: "not enabled"}}, "/b", says("b"))
	require.Equal(t, a.Addr(), b.Addr())

	_, body := get(t, c, url(a, "/a"))
	assert.Equal(t, "a", body)
	require.NoError(t, a.Close(t.Context()))
	status, _ := get(t, c, url(b, "/a"))
	assert.Equal(t, http.StatusNotFound, status)
	_, body = get(t, c, url(b, "/b"))
	assert.Equal(t, "b", body)

	require.NoError(t, b.Close(t.Context()))
	_, err := net.Dial("tcp", b.Addr().String())
	assert.Error(t, err, "the address is open though nobody is mounted")
}

func TestMountAnswersItsPathExactly(t *testing.T) {
	t.Parallel()
	c := client(t)
	m := mount(t, NewRegistry(), Config{Address: loopback}, "/events/MjA5MzE=", says("it"))
	for path, want := range map[string]int{
		"/events/MjA5MzE=":           http.StatusOK,
		"/events/MjA5MzE%3D":         http.StatusOK, // the same path in other letters
		"/events/MjA5MzE=?x=1":       http.StatusOK,
		"/events/MjA5MzE=/":          http.StatusNotFound,
		"/events/MjA5MzE=/more":      http.StatusNotFound,
		"//events/MjA5MzE=":          http.StatusNotFound,
		"/events/../events/MjA5MzE=": http.StatusNotFound,
		"/events":                    http.StatusNotFound,
		"/":                          http.StatusNotFound,
	} {
		status, _ := get(t, c, url(m, path))
		assert.Equal(t, want, status, path)
	}
}

func TestMountRefusesInWords(t *testing.T) {
	t.Parallel()
	stranger, err := net.Listen("tcp", loopback)
	require.NoError(t, err)
	defer stranger.Close()
	r := NewRegistry()
	cfg := Config{Address: loopback, ReadHeaderTimeout: 5 * time.Second}
	m := mount(t, r, cfg, "/a", says("a"))
	require.NoError(t, m.Health("/healthz", func() bool { return true }))
	cfg.Address = m.Addr().String()
	_, port, err := net.SplitHostPort(cfg.Address)
	require.NoError(t, err)

	for _, test := range []struct {
		name, path  string
		change      func(*Config)
		errContains []string
	}{
		{"same path", "/a", func(*Config) {}, []string{cfg.Address + "/a", "mounted already"}},
		{"health path", "/healthz", func(*Config) {}, []string{"health path of another"}},
		{"no slash", "a", func(*Config) {}, []string{`"a"`, "slash"}},
		{"timeout", "/b", func(c *Config) { c.ReadHeaderTimeout = time.Minute }, []string{"read_header_timeout is 1m0s here and 5s"}},
		{"negative", "/b", func(c *Config) { c.ReadHeaderTimeout = -1 }, []string{"negative"}},
		{"tls", "/b", func(c *Config) { c.TLS = TLS{Enabled: true, CertFile: "x"} }, []string{"tls.enabled is true here and false"}},
		{"stranger", "/b", func(c *Config) { c.Address = stranger.Addr().String() }, []string{stranger.Addr().String(), "another process or program"}},
		{"other spelling", "/b", func(c *Config) { c.Address = "0.0.0.0:" + port }, []string{"as " + cfg.Address, "written the same"}},
		{"no port", "/b", func(c *Config) { c.Address = "localhost" }, []string{"listening on localhost/b", "missing port"}},
		{"bad port", "/b", func(c *Config) { c.Address = "localhost:no-such-port" }, []string{"no-such-port"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := cfg
			test.change(&changed)
			_, err := r.Mount(t.Context(), changed, test.path, says("b"))
			require.Error(t, err)
			for _, want := range test.errContains {
				assert.ErrorContains(t, err, want)
			}
			assert.EqualError(t, r.Probe(t.Context(), changed, test.path), err.Error(), "a probe says the same")
		})
	}
	_, body := get(t, client(t), url(m, "/a"))
	assert.Equal(t, "a", body, "the refused ones have harmed the mounted one")
}

func TestAProbeMountsNothing(t *testing.T) {
	t.Parallel()
	r, c := NewRegistry(), client(t)
	address := func() string {
		l, err := net.Listen("tcp", loopback)
		require.NoError(t, err)
		defer l.Close()
		return l.Addr().String()
	}()
	require.NoError(t, r.Probe(t.Context(), Config{Address: address}, "/"))
	_, err := net.Dial("tcp", address)
	require.Error(t, err, "it is closed again")
	assert.ErrorContains(t, r.Probe(t.Context(), Config{Address: address, TLS: TLS{Enabled: true, CertFile: "nowhere"}}, "/"), "cert_file")

	m := mount(t, r, Config{Address: address}, "/a", says("a"))
	require.NoError(t, r.Probe(t.Context(), Config{Address: address}, "/b"))
	status, _ := get(t, c, url(m, "/b"))
	assert.Equal(t, http.StatusNotFound, status)
	mount(t, r, Config{Address: address}, "/b", says("b"))
}

func TestMountOutlivesTheContextOfItsOpening(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	m, err := NewRegistry().Mount(ctx, Config{Address: loopback}, "/", says("here"))
	require.NoError(t, err)
	defer m.Close(context.Background())
	cancel()
	_, body := get(t, client(t), url(m, "/"))
	assert.Equal(t, "here", body)
}

func TestCloseWaitsForTheRequestsOfItsOwnMount(t *testing.T) {
	t.Parallel()
	r, c := NewRegistry(), client(t)
	own, other := newGate(), newGate()
	m := mount(t, r, Config{Address: loopback}, "/own", own)
	o := mount(t, r, Config{Address: m.Addr().String()}, "/other", other)
	ownStatus, otherStatus := send(c, url(m, "/own")), send(c, url(o, "/other"))
	<-own.in
	<-other.in

	closed := make(chan error, 1)
	go func() { closed <- m.Close(context.Background()) }()
	require.Eventually(t, func() bool {
		status, _ := get(t, c, url(m, "/own")+"?late")
		return status == http.StatusServiceUnavailable
	}, 5*time.Second, time.Millisecond, "new requests are not refused")
	select {
	case <-closed:
		require.Fail(t, "closed while a request was under way")
	default:
	}
	close(own.out)
	require.NoError(t, <-closed, "the request of the other mount has kept it")
	assert.Equal(t, http.StatusOK, <-ownStatus)
	close(other.out)
	assert.Equal(t, http.StatusOK, <-otherStatus)
}

func TestCloseOfTheLastMountAnswersWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	g := newGate()
	m := mount(t, NewRegistry(), Config{Address: loopback}, "/", g)
	var statuses []<-chan int
	for range 20 {
		statuses = append(statuses, send(client(t), url(m, "/")))
		<-g.in
	}
	closed := make(chan error, 1)
	go func() { closed <- m.Close(context.Background()) }()
	close(g.out)
	require.NoError(t, <-closed)
	for _, status := range statuses {
		assert.Equal(t, http.StatusOK, <-status)
	}
}

// A handler has returned when net/http still reads the rest of a body, behind which the answer waits.
func TestCloseLetsTheLastAnswerOut(t *testing.T) {
	t.Parallel()
	g := newGate()
	m := mount(t, NewRegistry(), Config{Address: loopback}, "/", g)
	conn := dial(t, m, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
	<-g.in
	closed := make(chan error, 1)
	go func() { closed <- m.Close(context.Background()) }()
	close(g.out)
	untilStopping(t, m)
	_, err := io.WriteString(conn, "body")
	require.NoError(t, err)
	assert.Contains(t, hungUp(t, conn, 5*time.Second), "200 OK")
	require.NoError(t, <-closed)
}

func TestASilentConnectionHoldsUpNeitherCloseNorTheNextMount(t *testing.T) {
	t.Parallel()
	r := NewRegistry()
	m := mount(t, r, Config{Address: loopback}, "/", says("old"))
	dial(t, m, "")
	get(t, client(t), url(m, "/")) // by now the silent one is accepted
	began := time.Now()
	closed := make(chan error, 1)
	go func() { closed <- m.Close(context.Background()) }()
	untilStopping(t, m)
	early, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := r.Mount(early, Config{Address: m.Addr().String()}, "/", says("new"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	fresh := mount(t, r, Config{Address: m.Addr().String()}, "/", says("new"))
	require.NoError(t, <-closed)
	assert.Less(t, time.Since(began), 3*time.Second)
	_, body := get(t, client(t), url(fresh, "/"))
	assert.Equal(t, "new", body)
}

func untilStopping(t *testing.T, m *Mount) {
	t.Helper()
	require.Eventually(t, func() bool {
		m.listener.mu.Lock()
		defer m.listener.mu.Unlock()
		return m.listener.stopping
	}, 5*time.Second, time.Millisecond)
}

func TestCloseIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	g := newGate()
	m, err := NewRegistry().Mount(t.Context(), Config{Address: loopback}, "/", g)
	require.NoError(t, err)
	status := send(client(t), url(m, "/"))
	<-g.in
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err = m.Close(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "1 requests under way")
	assert.Equal(t, 0, <-status, "cut off, as the address is closed")
	assert.Equal(t, err, m.Close(context.Background()), "the same again")
}

func TestMountWaitsForAnAddressThatIsBeingClosed(t *testing.T) {
	t.Parallel()
	r, c := NewRegistry(), client(t)
	for range 50 {
		old := mount(t, r, Config{Address: loopback}, "/", says("old"))
		closed := make(chan error, 1)
		go func() { closed <- old.Close(context.Background()) }()
		// Before, while or after: the path may still be the old one's, the address never a stranger's.
		var fresh *Mount
		require.Eventually(t, func() (mounted bool) {
			var err error
			fresh, err = r.Mount(t.Context(), Config{Address: old.Addr().String()}, "/", says("new"))
			if err != nil {
				assert.ErrorContains(t, err, "mounted already")
			}
			return err == nil
		}, 5*time.Second, time.Millisecond)
		require.NoError(t, <-closed)
		_, body := get(t, c, url(fresh, "/"))
		require.Equal(t, "new", body)
		require.NoError(t, fresh.Close(t.Context()))
	}
}

func TestAPathIsFreeWhileItsFormerMountEnds(t *testing.T) {
	t.Parallel()
	r, c, g := NewRegistry(), client(t), newGate()
	old := mount(t, r, Config{Address: loopback}, "/", g)
	status := send(c, url(old, "/"))
	<-g.in
	closed := make(chan error, 1)
	go func() { closed <- old.Close(context.Background()) }()
	require.Eventually(t, func() bool {
		old.listener.mu.Lock()
		defer old.listener.mu.Unlock()
		return old.closing
	}, 5*time.Second, time.Millisecond)

	fresh := mount(t, r, Config{Address: old.Addr().String()}, "/", says("new"))
	close(g.out)
	require.NoError(t, <-closed)
	assert.Equal(t, http.StatusOK, <-status)
	_, body := get(t, c, url(fresh, "/"))
	assert.Equal(t, "new", body, "the old one has taken the new one's path along")
}

func TestADiedListenerIsReportedToAllAndOpenedAnew(t *testing.T) {
	t.Parallel()
	r := NewRegistry()
	a := mount(t, r, Config{Address: loopback}, "/a", says("a"))
	b := mount(t, r, Config{Address: a.Addr().String()}, "/b", says("b"))
	require.NoError(t, a.listener.crowd.TCPListener.Close())
	for _, m := range []*Mount{a, b} {
		assert.ErrorContains(t, <-m.Err(), a.Addr().String()+" has died")
	}
	again := mount(t, r, Config{Address: a.Addr().String()}, "/a", says("again"))
	require.NoError(t, a.Close(t.Context()))
	require.NoError(t, b.Close(t.Context()))
	_, body := get(t, client(t), url(again, "/a"))
	assert.Equal(t, "again", body, "closing the dead has harmed the living")
	select {
	case err := <-again.Err():
		assert.NoError(t, err)
	default:
	}
}

func TestNoGoroutineIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	r := NewRegistry()
	for range 20 {
		a, err := r.Mount(t.Context(), Config{Address: loopback}, "/a", says("a"))
		require.NoError(t, err)
		b, err := r.Mount(t.Context(), Config{Address: a.Addr().String()}, "/b", says("b"))
		require.NoError(t, err)
		get(t, &http.Client{}, url(a, "/a")) // leaves a connection open
		silent, err := net.Dial("tcp", a.Addr().String())
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		require.NoError(t, b.Close(ctx))
		require.NoError(t, a.Close(ctx))
		cancel()
		require.NoError(t, silent.Close())
	}
	assert.Empty(t, r.open)
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) { // assert.Eventually has goroutines of its own
			all := make([]byte, 1<<20)
			require.Fail(t, "goroutines are left", "%s", all[:runtime.Stack(all, true)])
		}
	}
}
