package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Deliver has deliveries handed to the handler in process from now on, whatever host the webhook's URL names. As over
// a socket the request's context ends when nobody waits for the answer any more, and the handler has to end then:
// Close waits for it.
func (s *Simulator) Deliver(handler http.Handler) {
	s.DeliverTo(&called{handler: handler, running: &s.sender.tries})
}

// called hands requests to a handler. It starts a goroutine for each, which running counts.
type called struct {
	handler http.Handler
	running *sync.WaitGroup
}

var errHungUp = errors.New("the receiver closed the connection without an answer")

func (c *called) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	ctx, hangUp := context.WithCancel(r.Context())
	req := r.Clone(ctx)
	req.Body, req.RequestURI, req.Host = io.NopCloser(bytes.NewReader(body)), r.URL.RequestURI(), r.URL.Host
	req.URL.Scheme, req.URL.Host = "", "" // as a server sees it
	req.RemoteAddr = "127.0.0.1:41000"
	w := &written{header: http.Header{}}
	ended := make(chan error, 1)
	c.running.Go(func() {
		defer hangUp()
		ended <- w.servedBy(c.handler, req)
	})
	select {
	case err := <-ended:
		if err != nil {
			return nil, err
		}
		return w.answer(r), nil
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

// written is the answer that a handler writes; its body is thrown away.
type written struct {
	header http.Header
	sent   http.Header
	status int
}

func (w *written) servedBy(h http.Handler, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = errHungUp
		default:
			panic(p) // a mistake in the handler, which its test should see
		}
	}()
	h.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (w *written) Header() http.Header { return w.header }

func (w *written) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *written) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(b), nil
}

// SetReadDeadline and SetWriteDeadline are there for handlers that use http.ResponseController; a request in process
// arrives at once.
func (w *written) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing either.
func (w *written) SetWriteDeadline(time.Time) error { return nil }

func (w *written) answer(r *http.Request) *http.Response {
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status, Proto: "HTTP/1.1",
		ProtoMajor: 1, ProtoMinor: 1, Header: w.sent, Body: http.NoBody, Request: r,
	}
}
