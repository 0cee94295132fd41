// Package listen shares HTTP listeners between the components of one process: who mounts a path on an address that is
// already open joins it, and the last one to leave closes it. It is hardened for the open internet: whatever is
// connected, and however slowly it talks, memory is bounded and those who talk properly are answered.
package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Registry knows the listeners of one process. All its methods may be called by several goroutines at once.
type Registry struct {
	// Holds a token while somebody mounts. Two who open one address at a time would take each other for a
	// stranger; a channel, because opening can hang (a name server, a certificate on a dead volume).
	turn chan struct{}

	mu   sync.Mutex
	open map[string]*listener // by address
}

// NewRegistry makes an empty one.
func NewRegistry() *Registry {
	return &Registry{turn: make(chan struct{}, 1), open: map[string]*listener{}}
}

// Mount answers requests for exactly this path with h: no prefixes, no redirects, any method; the path is compared
// without its percent encoding. The first mount on an address opens it, and there the context's work ends: what is
// mounted lives until Close. A port 0 is a new one, of the system's choice, each time (see Mount.Addr).
//
// Errors say in words what is wrong: a setting, a certificate and its field, an address that somebody else holds, a
// path that is mounted already, settings that differ from those of the others on the address.
func (r *Registry) Mount(ctx context.Context, cfg Config, path string, h http.Handler) (*Mount, error) {
	m, err := r.mount(ctx, cfg, path, h)
	if err != nil {
		return nil, fmt.Errorf("listening on %s%s: %w", cfg.Address, path, err)
	}
	return m, nil
}

func (r *Registry) mount(ctx context.Context, cfg Config, path string, h http.Handler) (*Mount, error) {
	cfg, err := cfg.resolve(ctx, path)
	if err != nil {
		return nil, err
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		r.mu.Lock()
		l := r.open[cfg.Address]
		r.mu.Unlock()
		if l == nil {
			return r.start(ctx, cfg, path, h)
		}
		m, err := l.join(cfg, path, h)
		if !errors.Is(err, errStopping) {
			return m, err
		}
		select {
		case <-l.stopped:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for its last user to leave: %w", ctx.Err())
		}
	}
}

// Probe says why Mount would fail now, without mounting anything: it reads the certificates, and binds an address that is
// not open for an instant.
func (r *Registry) Probe(ctx context.Context, cfg Config, path string) error {
	if err := r.probe(ctx, cfg, path); err != nil {
		return fmt.Errorf("listening on %s%s: %w", cfg.Address, path, err)
	}
	return nil
}

func (r *Registry) probe(ctx context.Context, cfg Config, path string) error {
	cfg, err := cfg.resolve(ctx, path)
	if err != nil {
		return err
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	l := r.open[cfg.Address]
	r.mu.Unlock()
	if l != nil {
		if err := l.admit(cfg, path); !errors.Is(err, errStopping) {
			return err
		}
		return nil // it will be free when it is wanted
	}
	if _, err := newListener(cfg); err != nil {
		return err
	}
	socket, err := r.bind(ctx, cfg.Address)
	if err != nil {
		return err
	}
	return socket.Close()
}

// start opens an address that nobody of this process has open under this name.
func (r *Registry) start(ctx context.Context, cfg Config, path string, h http.Handler) (*Mount, error) {
	l, err := newListener(cfg)
	if err != nil {
		return nil, err
	}
	socket, err := r.bind(ctx, cfg.Address)
	if err != nil {
		return nil, err
	}
	l.address = cfg.Address
	if _, port, err := net.SplitHostPort(cfg.Address); err == nil && port == "0" {
		l.address = socket.Addr().String()
	}
	l.leave = func() { r.forget(l) }
	l.crowd = newCrowd(socket.(*net.TCPListener), cfg.MaxConns)
	r.mu.Lock()
	r.open[l.address] = l
	r.mu.Unlock()
	m, err := l.join(cfg, path, h) // before it serves, so that there is somebody to stop it
	l.serve()
	return m, err
}

func (r *Registry) bind(ctx context.Context, address string) (net.Listener, error) {
	var system net.ListenConfig
	socket, err := system.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, r.explain(address, err)
	}
	return socket, nil
}

func (r *Registry) forget(l *listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[l.address] == l {
		delete(r.open, l.address)
	}
}

// explain adds who it is that holds an address: we ourselves, under another name for it, or somebody else.
func (r *Registry) explain(address string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	_, port, _ := net.SplitHostPort(address)
	r.mu.Lock()
	defer r.mu.Unlock()
	var ours []string
	for other := range r.open {
		if _, p, _ := net.SplitHostPort(other); p == port {
			ours = append(ours, other)
		}
	}
	if len(ours) > 0 {
		slices.Sort(ours)
		return fmt.Errorf("this process has the port open as %s: to share it, the address must be written the same: %w", strings.Join(ours, " and "), err)
	}
	return fmt.Errorf("another process or program holds the address: %w", err)
}
