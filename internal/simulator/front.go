package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// inProcess is the address while there is no socket: a name that leads nowhere, so that a client without Transport
// does not reach the real one.
const inProcess = "http://pipedrive.invalid"

// front is the address that companies share: it finds the company a request belongs to.
type front struct {
	clock  *clock
	closes bool // each connection, with its first answer

	mu        sync.Mutex
	companies []*Simulator
	server    *http.Server
	base      string        // the URL while the server runs
	closing   chan struct{} // closed to end slow answers
	ended     chan struct{} // closed when the server has ended
}

func newFront() *front { return &front{clock: &clock{}} }

func (f *front) add(s *Simulator) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.companies = append(f.companies, s)
}

func (f *front) all() []*Simulator {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.companies[:len(f.companies):len(f.companies)]
}

func (f *front) count() int { return len(f.all()) }

func (f *front) url() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.base == "" {
		return inProcess
	}
	return f.base
}

func (f *front) dropPages() {
	for _, s := range f.all() {
		s.mu.Lock()
		s.pages.drop()
		s.mu.Unlock()
	}
}

// answer finds the company by the credential; what fits none is the first one's to refuse.
func (f *front) answer(r *http.Request) answer {
	companies := f.all()
	shown := credentialOf(r)
	if isOAuth(r) {
		form := readForm(r)
		for _, s := range companies {
			if s.knows(form) {
				return s.answer(r, shown, form)
			}
		}
		return companies[0].answer(r, shown, form)
	}
	for _, s := range companies {
		if s.accepts(shown) {
			return s.answer(r, shown, nil)
		}
	}
	return companies[0].answer(r, shown, nil)
}

// URL is where the simulator can be reached: Pipedrive's base URL for a client.
func (s *Simulator) URL() string { return s.front.url() }

// Start serves on the address, host:port, until Close.
func (s *Simulator) Start(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	f := s.front
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.server != nil {
		return errors.Join(errors.New("the simulator runs already"), listener.Close())
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(f.serve),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // a client that goes away is no news
	}
	server.SetKeepAlivesEnabled(!f.closes)
	ended := make(chan struct{})
	f.server, f.closing, f.ended = server, make(chan struct{}), ended
	f.base = "http://" + listener.Addr().String()
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // ends with ErrServerClosed
	}()
	for _, company := range f.companies {
		company.sender.resume()
	}
	return nil
}

// Close ends the server and its requests, and the sending of webhooks: what is pending is sent after another Start.
// It may be called twice, and without Start.
func (s *Simulator) Close() error {
	f := s.front
	for _, company := range f.all() {
		company.sender.halt()
	}
	f.mu.Lock()
	server, closing, ended := f.server, f.closing, f.ended
	f.server, f.base = nil, ""
	f.mu.Unlock()
	if server == nil {
		return nil
	}
	close(closing)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		err = server.Close()
	}
	<-ended
	return err
}

// T is the part of testing.T that RunT needs.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// RunT serves an account on a free port of the loopback interface until the test ends.
func RunT(t T, o Options) *Simulator {
	t.Helper()
	s := New(o)
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatalf("starting the simulator: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// serve writes an answer to a socket.
func (f *front) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	closing := f.closing
	f.mu.Unlock()
	a := f.answer(r)
	if !a.wait(r.Context(), closing) {
		panic(http.ErrAbortHandler) // net/http's way to drop the connection
	}
	if a.lost == reset {
		hangUp(w)
		return
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header()["Date"] = []string{f.clock.now().Format(http.TimeFormat)}
	if a.undated {
		w.Header()["Date"] = nil // net/http would put its own
	}
	w.WriteHeader(a.status)
	if a.lost == midway {
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}

// hangUp ends the connection with a reset instead of an orderly close.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// wait sleeps through the answer's delay; false means that nobody waits for it any more.
func (a *answer) wait(ctx context.Context, closing <-chan struct{}) bool {
	if a.delay <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(a.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-closing:
	}
	return false
}
