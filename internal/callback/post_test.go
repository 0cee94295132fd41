package callback

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACallbackIsAPostOfTheBodyAsItIs(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, nil)
	client, _, _ := newClient(t, far.URL+"/events?key=s3cret&v=1")
	m := deal
	m.Header = http.Header{"X-Team": {"sales"}}
	require.NoError(t, client.Deliver(t.Context(), m))
	got := far.requests()[0]
	assert.Equal(t, http.MethodPost, got.method)
	assert.Equal(t, "/events?key=s3cret&v=1", got.path)
	assert.Equal(t, deal.Body, got.body)
	assert.Equal(t, "application/json", got.Get("Content-Type"))
	assert.Equal(t, "benthos-pipedrive/test", got.Get("User-Agent"))
	assert.Equal(t, "sales", got.Get("X-Team"))

	m.Header = http.Header{"content-type": {"application/cloudevents+json"}}
	require.NoError(t, client.Deliver(t.Context(), m))
	assert.Equal(t, []string{"application/cloudevents+json"}, far.requests()[1].Values("Content-Type"))
}

func TestCredentialsOfTheURLAreSentAsBasic(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "hook" || password != "p@ss" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	client, _, _ := newClient(t, strings.Replace(far.URL, "http://", "http://hook:p%40ss@", 1))
	require.NoError(t, client.Deliver(t.Context(), deal))
	assert.NotContains(t, client.target, "hook", "they are in the header alone")
	client, _, _ = newClient(t, far.URL, func(c *Config) { c.Username, c.Password = "hook", "p@ss" })
	require.NoError(t, client.Deliver(t.Context(), deal))
}

// 2xx is done; 408, 425, 429, 5xx come again; any other answer is final.
func TestEveryStatusHasItsVerdict(t *testing.T) {
	t.Parallel()
	var code atomic.Int64
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(code.Load())) })
	client, _, told := newClient(t, far.URL)
	for status := 200; status <= 599; status++ {
		code.Store(int64(status))
		err := client.Post(t.Context(), deal)
		result := told.results[len(told.results)-1]
		var later *LaterError
		var refused *RefusedError
		switch {
		case status <= 299:
			require.NoError(t, err, status)
			assert.Equal(t, Done, result, status)
		case status == 408 || status == 425 || status == 429 || status >= 500:
			require.ErrorAs(t, err, &later, status)
			assert.Equal(t, status, later.Status)
			want := Unavailable
			if status == 429 {
				want = Limited
			}
			assert.Equal(t, want, result, status)
		default:
			require.ErrorAs(t, err, &refused, status)
			assert.Equal(t, status, refused.Status)
			assert.Equal(t, Refused, result, status)
		}
	}
}

func TestARefusalIsFinalAndCarriesStatusAndExcerpt(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, "{\"error\":\"no such\r\nobject\x1b[31m\x00\"}\n")
	})
	client, clock, _ := newClient(t, far.URL)
	err := client.Deliver(t.Context(), deal)
	require.EqualError(t, err, fmt.Sprintf(`posting %s to %s: 422 Unprocessable Entity: {"error":"no such object [31m "}`, deal.ID, far.Listener.Addr()))
	assert.Len(t, far.requests(), 1)
	assert.Empty(t, clock.waits)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := newReceiver(t, nil)
	for _, code := range []int{301, 302, 303, 307, 308} {
		far := newReceiver(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/?token=s3cret", code)
		})
		client, _, _ := newClient(t, far.URL)
		err := client.Deliver(t.Context(), deal)
		require.ErrorContains(t, err, fmt.Sprintf(": %d %s: redirects are not followed; this one points to %s", code, http.StatusText(code), elsewhere.URL))
		assert.NotContains(t, err.Error(), "s3cret")
		assert.Len(t, far.requests(), 1)
	}
	assert.Empty(t, elsewhere.requests())
}

func TestASlowReceiverIsTriedAgain(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var came atomic.Int64
	far := newReceiver(t, func(http.ResponseWriter, *http.Request) {
		if came.Add(1) == 1 {
			<-release
		}
	})
	defer close(release)
	client, clock, told := newClient(t, far.URL, func(c *Config) { c.Timeout = 50 * time.Millisecond })
	require.NoError(t, client.Deliver(t.Context(), deal))
	assert.Equal(t, []time.Duration{4 * time.Second}, clock.waits)
	assert.Equal(t, Unreachable, told.results[0])
	assert.Contains(t, told.waiting[0], "no answer within 50ms")
}

// raw answers each connection's first request with bytes, and hangs up.
func raw(t *testing.T, answers ...string) (url string, connections func() int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	var n atomic.Int64
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer := answers[min(int(n.Add(1)), len(answers))-1]
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, req.Body)
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return "http://" + l.Addr().String(), n.Load
}

const taken = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// A receiver that dies before it has said what it makes of the message is asked again.
func TestAReceiverThatDiesMidAnswerIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]string{
		"before a word":             "",
		"in the status line":        "HTTP/1.1 2",
		"in the headers":            "HTTP/1.1 200 OK\r\nContent-Le",
		"something that is no HTTP": "220 smtp.example.com ESMTP\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, connections := raw(t, cut, taken)
			client, clock, told := newClient(t, url)
			require.NoError(t, client.Deliver(t.Context(), deal))
			assert.Equal(t, int64(2), connections())
			assert.Equal(t, []time.Duration{4 * time.Second}, clock.waits)
			assert.Equal(t, []Result{Unreachable, Done}, told.results)
			assert.NotContains(t, told.waiting[0], "EOF")
		})
	}
}

// What was said counts, though the rest of the answer never came.
func TestAVerdictWithACutBodyCounts(t *testing.T) {
	t.Parallel()
	url, connections := raw(t, "HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\ncut")
	client, _, _ := newClient(t, url)
	require.NoError(t, client.Deliver(t.Context(), deal))
	assert.Equal(t, int64(1), connections())

	url, _ = raw(t, "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nno such")
	client, _, _ = newClient(t, url)
	require.ErrorContains(t, client.Deliver(t.Context(), deal), "404 Not Found: no such")
}

// What follows a 101 is another protocol, which need not end.
func TestAReceiverThatSwitchesProtocolsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
			<-release
			_ = conn.Close()
		}
	})
	defer close(release)
	client, _, _ := newClient(t, far.URL)
	require.ErrorContains(t, client.Deliver(t.Context(), deal), "101 Switching Protocols")
}

func TestNobodyThereIsTriedAgain(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, nil)
	far.Close()
	client, clock, told := newClient(t, far.URL)
	err := client.Deliver(t.Context(), deal)
	require.ErrorContains(t, err, "given up after try 10")
	require.ErrorContains(t, err, "connection refused")
	assert.Len(t, clock.waits, 9)
	assert.Len(t, told.results, 10)
}

// An answer is read to its end, so that its connection serves the next message; one without an end is left.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	var chatter string
	far := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, chatter) }))
	far.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	far.Start()
	defer far.Close()
	chatter = strings.Repeat("thank you ", 5000) // 50 KB
	client, _, _ := newClient(t, far.URL)
	for range 20 {
		require.NoError(t, client.Deliver(t.Context(), deal))
	}
	assert.Equal(t, int64(1), opened.Load())
}

func TestAnEndlessAnswerCostsNeitherTimeNorMemory(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		for {
			if _, err := io.WriteString(w, strings.Repeat("no ", 1000)); err != nil {
				return
			}
		}
	})
	client, _, _ := newClient(t, far.URL)
	err := client.Deliver(t.Context(), deal)
	require.ErrorContains(t, err, "400 Bad Request: no no")
	assert.Less(t, len(err.Error()), 400)
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	far := httptest.NewUnstartedServer(http.NotFoundHandler())
	far.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	far.StartTLS()
	defer far.Close()
	client, _, told := newClient(t, far.URL, func(c *Config) { c.Retry.MaxAttempts = 1 })
	require.ErrorContains(t, client.Deliver(t.Context(), deal), "certificate")
	assert.Equal(t, []Result{Unreachable}, told.results)
	_, err := client.Probe(t.Context(), nil)
	require.ErrorContains(t, err, "certificate")

	known := x509.NewCertPool()
	known.AddCert(far.Certificate())
	client, _, _ = newClient(t, far.URL, func(c *Config) {
		c.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: known}}
	})
	require.ErrorContains(t, client.Deliver(t.Context(), deal), "404 Not Found")
	_, err = client.Probe(t.Context(), nil)
	require.NoError(t, err, "any answer will do")
	client.Close()
}

// flood is an answer that is too long to be read. It ends all the same, so that who reads all of it comes to an end.
type flood struct {
	status, read, left int
}

func (f *flood) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f.status, Header: http.Header{}, Body: io.NopCloser(f)}, nil
}

func (f *flood) Read(b []byte) (int, error) {
	n := min(len(b), f.left)
	f.read, f.left = f.read+n, f.left-n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestOfALongAnswerLittleIsRead(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400, 503} {
		answer := &flood{status: status, left: 10 << 20}
		client, _, _ := newClient(t, "https://app.example.com", func(c *Config) { c.Transport, c.Retry.MaxAttempts = answer, 1 })
		err := client.Deliver(t.Context(), deal)
		assert.Equal(t, status == 200, err == nil)
		assert.LessOrEqual(t, answer.read, mostRead)
	}
}

func TestAProbePostsNothing(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, status(http.StatusMethodNotAllowed))
	client, _, _ := newClient(t, far.URL)
	answer, err := client.Probe(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, "405 Method Not Allowed", answer.String())
	assert.Empty(t, answer.Redirect)
	assert.Equal(t, http.MethodHead, far.requests()[0].method)
	far.Close()
	_, err = client.Probe(t.Context(), nil)
	require.ErrorContains(t, err, "asking "+far.Listener.Addr().String())
}

func TestAProbeSaysWhitherARedirectPoints(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://app.example.com/events?token=hunter2")
		w.WriteHeader(http.StatusPermanentRedirect)
	})
	client, _, _ := newClient(t, far.URL)
	answer, err := client.Probe(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, "308 Permanent Redirect: redirects are not followed; this one points to https://app.example.com", answer.String())
}

// Waiting for an answer ends with the caller, and is no failure of the receiver's.
func TestTheCallersEndEndsAnAttempt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	release := make(chan struct{})
	far := newReceiver(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release })
	defer close(release)
	client, clock, told := newClient(t, far.URL)
	require.ErrorIs(t, client.Deliver(ctx, deal), context.Canceled)
	assert.Empty(t, clock.waits)
	assert.Empty(t, told.results)
}
