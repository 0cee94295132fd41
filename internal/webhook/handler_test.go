package webhook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pass lets time go by, in a bubble.
func pass(d time.Duration) { <-time.After(d) }

// notebook keeps what a handler tells.
type notebook struct {
	mu      sync.Mutex
	lines   []string
	results map[Result]int
}

func (n *notebook) Warnf(format string, args ...any) { n.write(format, args...) }
func (n *notebook) Infof(format string, args ...any) { n.write(format, args...) }

func (n *notebook) write(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notebook) Answered(r Result, _ time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.results == nil {
		n.results = map[Result]int{}
	}
	n.results[r]++
}

func (n *notebook) log() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, "\n")
}

// door is a handler with a hall behind it; the test plays the host.
type door struct {
	*Handler
	hall  *Hall
	notes *notebook
}

func newDoor(change ...func(*Config)) *door {
	d := &door{hall: NewHall(nil), notes: &notebook{}}
	cfg := Config{
		Path: "/hook", Credentials: []Credential{{"hook", "hunter2"}},
		MaxBodySize: 1 << 20, MaxInFlight: 16, ResponseTimeout: 8 * time.Second,
		Acceptor: d.hall, Deduper: newTestDeduper(), Observer: d.notes, Log: d.notes,
	}
	for _, c := range change {
		c(&cfg)
	}
	d.Handler = NewHandler(cfg)
	return d
}

// frameOf is the n-th change of a deal.
func frameOf(deal, n int) string {
	return fmt.Sprintf(`{"data":{"id":%d,"update_time":"2026-11-20T09:15:00Z"},"previous":{},"meta":{"action":"change","entity":"deal","entity_id":"%d","company_id":"12345","id":"event-%d-%d","timestamp":"2026-11-20T09:15:00.426Z","version":"2.0","attempt":1}}`,
		deal, deal, deal, n)
}

func request(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1:4711"
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("hook", "hunter2")
	return r
}

func (d *door) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// send sends from another goroutine; the channel has the status.
func (d *door) send(body string) <-chan int {
	status := make(chan int, 1)
	go func() { status <- d.answer(request(body)).Code }()
	return status
}

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// The checks come in the order of the design: each request here has everything wrong that is checked later as well.
func TestAnswersComeInTheirOrder(t *testing.T) {
	d := newDoor(func(c *Config) { c.AllowedIPs = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	d.hall.Close()
	right := []func(*http.Request){
		func(r *http.Request) { r.URL.Path = "/hook" },
		func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4711" },
		func(r *http.Request) { r.SetBasicAuth("hook", "hunter2") },
		func(r *http.Request) { r.Method = http.MethodPost },
		func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
		func(r *http.Request) { r.ContentLength, r.Body = 8, io.NopCloser(strings.NewReader("no frame")) },
		func(r *http.Request) { r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(frameOf(1, 1))) },
	}
	for i, want := range []struct {
		status int
		result Result
		header string
	}{
		{http.StatusNotFound, NotFound, ""},
		{http.StatusForbidden, Forbidden, ""},
		{http.StatusUnauthorized, Unauthorized, "Www-Authenticate"},
		{http.StatusMethodNotAllowed, BadMethod, "Allow"},
		{http.StatusUnsupportedMediaType, BadMedia, ""},
		{http.StatusRequestEntityTooLarge, TooLarge, ""},
		{http.StatusBadRequest, BadFrame, ""},
		{http.StatusServiceUnavailable, Refused, "Retry-After"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/elsewhere", untouched{t})
		r.RemoteAddr, r.ContentLength = "198.51.100.1:4711", 200<<20
		r.SetBasicAuth("hook", "wrong")
		for _, mend := range right[:i] {
			mend(r)
		}
		w := d.answer(r)
		assert.Equal(t, want.status, w.Code)
		assert.Equal(t, 1, d.notes.results[want.result], want.result)
		assert.Zero(t, w.Body.Len(), "an answer has no text")
		if want.header != "" {
			assert.NotEmpty(t, w.Header().Get(want.header))
		}
	}
	assert.Empty(t, d.slots)
}

// Neither the output's error nor the password is in an answer; the log has the error and no secret.
func TestAnAnswerTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		answered := make(chan *httptest.ResponseRecorder)
		go func() { answered <- d.answer(request(frameOf(1, 1))) }()
		taken, err := d.hall.Next(t.Context(), 1)
		require.NoError(t, err)
		d.hall.Verdict(taken[0], errors.New("the table is locked"))
		w := <-answered
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Zero(t, w.Body.Len())
		for _, values := range w.Header() {
			assert.NotContains(t, strings.Join(values, ""), "locked")
		}
		assert.Contains(t, d.notes.log(), "the table is locked")
		assert.NotContains(t, d.notes.log(), "hunter2")
	})
}

// A thousand wrong passwords are one line a minute.
func TestRefusalsDoNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		knock := func() {
			r := request(frameOf(1, 1))
			r.SetBasicAuth("hook", "guess")
			d.answer(r)
		}
		for range 1000 {
			knock()
		}
		assert.Len(t, d.notes.lines, 1)
		pass(time.Minute)
		knock()
		assert.Len(t, d.notes.lines, 2)
		assert.Contains(t, d.notes.lines[1], "1000 webhooks")
		assert.Equal(t, 1001, d.notes.results[Unauthorized])
	})
}

// Copies that come while the first is under way wait for its verdict, are answered 200 and not delivered again. What was
// refused is welcome again.
func TestDuplicatesAreAnsweredAndNotDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		first, second := d.send(frameOf(1, 1)), d.send(frameOf(1, 1))
		synctest.Wait()
		taken, err := d.hall.Next(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, taken, 1)
		d.hall.Verdict(taken[0], errors.New("no"))
		taken, err = d.hall.Next(t.Context(), 10)
		require.NoError(t, err, "the copy takes the place of the refused")
		third := d.send(frameOf(1, 1))
		synctest.Wait()
		d.hall.Verdict(taken[0], nil)
		assert.ElementsMatch(t, []int{503, 200, 200}, []int{<-first, <-second, <-third})
		assert.Equal(t, 200, <-d.send(frameOf(1, 1)))
		assert.Equal(t, map[Result]int{Refused: 1, Taken: 1, Duplicate: 2}, d.notes.results)
		assert.Empty(t, d.hall.waiting)
		assert.Empty(t, d.slots)
	})
}

// caretaker keeps what it is told.
type caretaker []string

func (c *caretaker) Refused()             { *c = append(*c, "refused") }
func (c *caretaker) Outdated(hook string) { *c = append(*c, "outdated "+hook) }

// Whoever looks after the webhooks hears of those that carry credentials which are wrong, or no longer the first.
func TestTheCaretakerHearsOfCredentials(t *testing.T) {
	for _, test := range []struct {
		name, password, agent, body string
		want                        []string
	}{
		{"the first password", "new", "Pipedrive Webhooks", frameOf(1, 1), nil},
		{"an older one", "old", "Pipedrive Webhooks", strings.Replace(frameOf(1, 2), `"attempt"`, `"webhook_id":"1900001","attempt"`, 1), []string{"outdated 1900001"}},
		{"an older one with nonsense", "old", "Pipedrive Webhooks", "{}", nil},
		{"a wrong one", "wrong", "Pipedrive Webhooks", frameOf(1, 3), []string{"refused"}},
		{"a stranger's", "wrong", "curl/8.0", frameOf(1, 4), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var told caretaker
			d := newDoor(func(c *Config) {
				c.Credentials, c.Caretaker = []Credential{{"hook", "new"}, {"hook", "old"}}, &told
			})
			d.hall.Close()
			r := request(test.body)
			r.SetBasicAuth("hook", test.password)
			r.Header.Set("User-Agent", test.agent)
			d.answer(r)
			assert.Equal(t, test.want, []string(told))
		})
	}
}

func TestWithoutDeduperDuplicatesAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(func(c *Config) { c.Deduper = nil })
		for range 2 {
			status := d.send(frameOf(1, 1))
			taken, err := d.hall.Next(t.Context(), 10)
			require.NoError(t, err)
			d.hall.Verdict(taken[0], nil)
			assert.Equal(t, 200, <-status)
		}
	})
}

// The answer does not come later than response_timeout. A verdict that comes after it is not lost: Pipedrive's retry is
// recognised.
func TestALateVerdictCountsForTheRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		began := time.Now()
		first := d.send(frameOf(1, 1))
		taken, err := d.hall.Next(t.Context(), 10)
		require.NoError(t, err)
		assert.Equal(t, 503, <-first)
		assert.LessOrEqual(t, time.Since(began), 8*time.Second)
		assert.Len(t, d.slots, 1, "it still counts")
		retry := d.send(frameOf(1, 1))
		synctest.Wait()
		d.hall.Verdict(taken[0], nil)
		assert.Equal(t, 200, <-retry)
		assert.Equal(t, 1, d.notes.results[Duplicate])
		d.late.Wait()
		assert.Empty(t, d.slots)
	})
}

// A body that comes in drops has no longer than response_timeout, as its sender might have the right password.
func TestABodyThatTricklesIsRefusedInTime(t *testing.T) {
	d := newDoor(func(c *Config) { c.ResponseTimeout = 200 * time.Millisecond })
	server := httptest.NewServer(d)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "POST /hook HTTP/1.1\r\nHost: door\r\nContent-Type: application/json\r\nAuthorization: Basic aG9vazpodW50ZXIy\r\nContent-Length: 1000\r\n\r\n{")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	assert.Contains(t, d.notes.log(), "did not arrive within response_timeout")
	assert.Empty(t, d.slots)
}

func TestALateRefusalLetsTheRetryIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		first := d.send(frameOf(1, 1))
		taken, err := d.hall.Next(t.Context(), 10)
		require.NoError(t, err)
		assert.Equal(t, 503, <-first)
		d.hall.Verdict(taken[0], errors.New("no"))
		d.late.Wait()
		retry := d.send(frameOf(1, 1))
		taken, err = d.hall.Next(t.Context(), 10)
		require.NoError(t, err)
		d.hall.Verdict(taken[0], nil)
		assert.Equal(t, 200, <-retry)
	})
}

// Beyond max_in_flight requests wait with their bodies unread, and are refused in time. The door says so to who asks for
// its health.
func TestNoMoreThanMaxInFlightAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(func(c *Config) { c.MaxInFlight = 2 })
		var under []<-chan int
		for i := range 2 {
			under = append(under, d.send(frameOf(i, 1)))
		}
		synctest.Wait()
		taken, err := d.hall.Next(t.Context(), 10)
		require.NoError(t, err)
		assert.True(t, d.Healthy())
		waiting := request("")
		waiting.Body, waiting.ContentLength = io.NopCloser(untouched{t}), 10
		began := time.Now()
		w := d.answer(waiting)
		assert.Equal(t, 503, w.Code)
		assert.LessOrEqual(t, time.Since(began), 8*time.Second)
		assert.Contains(t, d.notes.log(), "is the output down?")
		for _, status := range under {
			assert.Equal(t, 503, <-status)
		}
		pass(time.Second)
		assert.False(t, d.Healthy(), "nobody has got a verdict for too long")
		for _, delivery := range taken {
			d.hall.Verdict(delivery, nil)
		}
		d.late.Wait()
		assert.True(t, d.Healthy())
		d.hall.Close()
		assert.False(t, d.Healthy(), "it is closed")
	})
}

// Bodies held together stay under their limit: who finds no room waits.
func TestBodiesTogetherAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(func(c *Config) { c.MaxBodySize = BodiesTogether })
		first := d.send(frameOf(1, 1))
		taken, err := d.hall.Next(t.Context(), 10)
		require.NoError(t, err)
		pass(time.Second) // the one must not time out with the other
		large := request("")
		large.Body, large.ContentLength = io.NopCloser(untouched{t}), BodiesTogether
		assert.Equal(t, 503, d.answer(large).Code)
		assert.Contains(t, d.notes.log(), "no room for its body")
		<-first
		d.hall.Verdict(taken[0], nil)
		d.late.Wait()
		assert.True(t, d.bodies.TryAcquire(BodiesTogether), "all is given back")
	})
}

// At the end every request has its answer.
func TestCloseAnswersEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(func(c *Config) { c.MaxInFlight = 20 })
		var all []<-chan int
		for i := range 20 {
			all = append(all, d.send(frameOf(i%10, i)))
		}
		synctest.Wait()
		_, err := d.hall.Next(t.Context(), 5)
		require.NoError(t, err)
		d.hall.Close()
		for _, status := range all {
			assert.Equal(t, 503, <-status)
		}
		d.late.Wait()
		assert.Empty(t, d.slots)
	})
}

func TestWhatAnotherReplicaHasUnderWayIsRefused(t *testing.T) {
	d := newDoor(func(c *Config) {
		c.Deduper = NewDeduper(&lentStore{state: UnderWay}, 8*time.Second, time.Minute, c.Log)
	})
	assert.Equal(t, 503, d.answer(request(frameOf(1, 1))).Code)
	assert.Empty(t, d.slots)
}

// While the shared store does not work every webhook is taken, and a copy that comes to this process recognised.
func TestASharedStoreThatIsDownRefusesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(func(c *Config) {
			c.Deduper = NewDeduper(&lentStore{err: errors.New("connection refused")}, 8*time.Second, time.Minute, c.Log)
		})
		for i := range 3 {
			first := d.send(frameOf(1, i))
			synctest.Wait()
			taken, err := d.hall.Next(t.Context(), 1)
			require.NoError(t, err)
			d.hall.Verdict(taken[0], nil)
			assert.Equal(t, 200, <-first)
			assert.Equal(t, 200, <-d.send(frameOf(1, i)))
		}
		assert.Equal(t, map[Result]int{Taken: 3, Duplicate: 3}, d.notes.results)
		assert.Equal(t, 1, strings.Count(d.notes.log(), "dedupe.cache does not work."))
		assert.Contains(t, d.notes.log(), "connection refused")
	})
}

// What a client sent that hangs up is accepted all the same, and its retry recognised.
func TestAClientThatHangsUpIsStillHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		ctx, hangUp := context.WithCancel(t.Context())
		go d.answer(request(frameOf(1, 1)).WithContext(ctx))
		synctest.Wait()
		hangUp()
		taken, err := d.hall.Next(t.Context(), 1)
		require.NoError(t, err)
		d.hall.Verdict(taken[0], nil)
		assert.Equal(t, 200, <-d.send(frameOf(1, 1)))
		assert.Equal(t, 1, d.notes.results[Duplicate])
	})
}

// A panic on the way, which its listener survives, costs the door no room, and the retry is welcome.
func TestAPanicGivesBackWhatItHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(func(c *Config) { c.Acceptor = panicking{} })
		for range 2 {
			assert.PanicsWithValue(t, "a page is damaged", func() { d.answer(request(frameOf(1, 1))) })
			assert.Empty(t, d.slots)
			assert.True(t, d.bodies.TryAcquire(BodiesTogether), "all is given back")
			d.bodies.Release(BodiesTogether)
		}
		ill := request("")
		ill.Body, ill.ContentLength = io.NopCloser(panicking{}), 10
		assert.Panics(t, func() { d.answer(ill) })
		assert.Empty(t, d.slots)
	})
}

type panicking struct{}

func (panicking) Accept(context.Context, *Delivery) error { panic("a page is damaged") }
func (panicking) Read([]byte) (int, error)                { panic("a page is damaged") }
func (panicking) Healthy() bool                           { return true }

func BenchmarkHandler(b *testing.B) {
	d := newDoor(func(c *Config) { c.Acceptor = anything{} })
	pad := strings.Repeat("x", 700)
	bodies := make([][]byte, 1000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i%len(bodies) == 0 {
			b.StopTimer()
			for k := range bodies {
				bodies[k] = []byte(strings.Replace(frameOf(i, k), `"data":{`, `"data":{"title":"`+pad+`",`, 1))
			}
			b.StartTimer()
		}
		r := request("")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(bodies[i%len(bodies)])), int64(len(bodies[0]))
		d.ServeHTTP(httptest.NewRecorder(), r)
		i++
	}
}

// anything accepts at once.
type anything struct{}

func (anything) Accept(_ context.Context, d *Delivery) error {
	d.Settle(nil)
	return nil
}

func (anything) Healthy() bool { return true }
