package listen

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Mount is a path that is answered.
type Mount struct {
	path     string
	handler  http.Handler
	onError  func(error)
	listener *listener

	died   chan error
	close  sync.Once
	closed chan struct{} // closed when closeErr stands
	// What the first Close returned.
	closeErr error

	// The listener's lock guards these.
	closing  bool
	underWay int           // requests
	idle     chan struct{} // closed when it is closing and no request is under way
	health   []health
}

type health struct {
	path    string
	healthy func() bool
}

// Addr is what the listener is bound to, with the port that the system chose for 0.
func (m *Mount) Addr() net.Addr { return m.listener.crowd.Addr() }

// Err gives the reason, once, when the listener has died and nothing is accepted any more. What remains is to Close.
func (m *Mount) Err() <-chan error { return m.died }

// Health answers a path with 200 while healthy says so, else with 503, to GET and HEAD, until the mount is closed.
// Several mounts on one address may have the same health path: it is 200 while all of them are healthy. One that is
// being closed has no say while others remain; alone, it is 503. healthy must not block; several goroutines call it.
func (m *Mount) Health(path string, healthy func() bool) error {
	l := m.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("answering %s: the health path %q does not begin with a slash", l.address, path)
	case m.closing:
		return fmt.Errorf("answering %s%s: the mount is closed", l.address, path)
	case l.doors[path] != nil:
		return fmt.Errorf("answering %s%s: the health path is the path of an input on the address", l.address, path)
	}
	m.health = append(m.health, health{path, healthy})
	return nil
}

// Close refuses new requests with 503, waits until those under way are answered, and takes the path away (404). The
// last mount on an address also closes the address, and its connections. When the context ends first, an error says
// how many requests were still under way: they are cut off if the address is closed, else left to end by themselves.
// Calling it again waits for the first call and returns the same.
func (m *Mount) Close(ctx context.Context) error {
	first := false
	m.close.Do(func() { first = true })
	if !first {
		select {
		case <-m.closed:
			return m.closeErr
		case <-ctx.Done():
			return fmt.Errorf("closing %s%s: %w", m.listener.address, m.path, ctx.Err())
		}
	}
	defer close(m.closed)
	l := m.listener
	l.mu.Lock()
	m.closing = true
	if m.underWay == 0 {
		close(m.idle)
	}
	l.mu.Unlock()

	select {
	case <-m.idle:
	case <-ctx.Done():
		l.mu.Lock()
		if m.underWay > 0 {
			m.closeErr = fmt.Errorf("closing %s%s with %d requests under way: %w", l.address, m.path, m.underWay, ctx.Err())
		}
		l.mu.Unlock()
	}
	l.part(ctx, m)
	return m.closeErr
}

// exit is the end of a request that find has counted in.
func (m *Mount) exit() {
	m.listener.mu.Lock()
	defer m.listener.mu.Unlock()
	m.underWay--
	if m.closing && m.underWay == 0 {
		close(m.idle)
	}
}

// isHealth tells whether a path is somebody's health path. The lock is held.
func (l *listener) isHealth(path string) bool {
	return slices.ContainsFunc(l.mounts, func(m *Mount) bool {
		return slices.ContainsFunc(m.health, func(h health) bool { return h.path == path })
	})
}
