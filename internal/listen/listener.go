package listen

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// writeTimeout frees what a client holds that does not read its answer. A handler that needs longer says so by
	// http.ResponseController.
	writeTimeout = time.Minute
	// farewell is for answers that are being written when the last mount has left. It is short because net/http takes a
	// new connection that has said nothing yet for a busy one, for 5 s.
	farewell = time.Second
)

var errStopping = errors.New("the listener is being closed")

// listener is one open address and who is mounted there.
type listener struct {
	address string
	cfg     Config
	server  *http.Server
	leave   func() // takes it out of the registry
	crowd   *crowd

	noise  notes // what net/http complains about; strangers write some of it
	panics notes

	served  chan struct{} // closed when nothing is accepted any more
	stopped chan struct{} // closed when the address is free again

	mu       sync.Mutex
	mounts   []*Mount          // the longest mounted first
	doors    map[string]*Mount // by path; one that is being closed may have been replaced
	stopping bool              // nobody may join
	dead     error             // why it accepts nothing any more
}

// newListener reads the certificates; nothing is open yet.
func newListener(cfg Config) (*listener, error) {
	l := &listener{
		cfg:     cfg,
		doors:   map[string]*Mount{},
		served:  make(chan struct{}),
		stopped: make(chan struct{}),
	}
	var protocols http.Protocols
	// HTTP/2 would give every stranger a megabyte of buffers and 250 requests a connection, and the senders of
	// webhooks nothing: they do not ask for it, or take HTTP/1.1 as well.
	protocols.SetHTTP1(true)
	l.server = &http.Server{
		Handler:                      l,
		Protocols:                    &protocols,
		ReadHeaderTimeout:            cfg.ReadHeaderTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  cfg.IdleTimeout,
		MaxHeaderBytes:               cfg.MaxHeaderBytes,
		DisableGeneralOptionsHandler: true, // else net/http itself would say 200 to OPTIONS *
		ErrorLog:                     log.New(complaints{l}, "", 0),
		ConnContext:                  withGuest,
		ConnState:                    watchGuest,
	}
	if cfg.TLS.Enabled {
		i, err := newIdentity(cfg.TLS, l.tell)
		if err != nil {
			return nil, err
		}
		l.server.TLSConfig = i.serverConfig()
	}
	return l, nil
}

// serve starts the one goroutine of a listener; stop waits for it.
func (l *listener) serve() {
	go func() {
		defer close(l.served)
		defer l.crowd.Close()
		var err error
		if l.cfg.TLS.Enabled {
			err = l.server.ServeTLS(l.crowd, "", "")
		} else {
			err = l.server.Serve(l.crowd)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			l.die(err)
		}
	}()
}

// die tells everybody that nothing is accepted any more. Requests under way are still answered; who mounts the address
// anew opens it anew.
func (l *listener) die(err error) {
	l.leave()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = fmt.Errorf("the listener on %s has died: %w", l.address, err)
	for _, m := range l.mounts {
		m.died <- l.dead
	}
}

// admit says why a path may not be mounted.
func (l *listener) admit(cfg Config, path string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusal(cfg, path)
}

// refusal wants the lock held.
func (l *listener) refusal(cfg Config, path string) error {
	switch there := l.doors[path]; {
	case l.stopping:
		return errStopping
	case l.dead != nil:
		return l.dead
	case there != nil && !there.closing:
		return errors.New("the path is mounted already: each input on an address needs a path of its own")
	case l.isHealth(path):
		return errors.New("the path is the health path of another input on the address")
	}
	return cfg.agree(l.cfg)
}

func (l *listener) join(cfg Config, path string, h http.Handler) (*Mount, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refusal(cfg, path); err != nil {
		return nil, err
	}
	m := &Mount{
		path: path, handler: h, onError: cfg.OnError, listener: l,
		died: make(chan error, 1), idle: make(chan struct{}), closed: make(chan struct{}),
	}
	l.mounts = append(l.mounts, m)
	l.doors[path] = m
	return m, nil
}

// part takes a mount out, and stops the listener behind the last one.
func (l *listener) part(ctx context.Context, m *Mount) {
	l.mu.Lock()
	l.mounts = slices.DeleteFunc(l.mounts, func(other *Mount) bool { return other == m })
	if l.doors[m.path] == m {
		delete(l.doors, m.path)
	}
	last := len(l.mounts) == 0 && !l.stopping
	l.stopping = l.stopping || last
	l.mu.Unlock()
	if last {
		l.stop(ctx)
	}
}

func (l *listener) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close() // of sockets that are given up
	}
	<-l.served
	l.leave()
	close(l.stopped)
}

// tell is for what concerns the whole address.
func (l *listener) tell(err error) {
	l.mu.Lock()
	var hears func(error)
	if i := slices.IndexFunc(l.mounts, func(m *Mount) bool { return m.onError != nil }); i >= 0 {
		hears = l.mounts[i].onError
	}
	l.mu.Unlock()
	if hears != nil {
		hears(fmt.Errorf("listener on %s: %w", l.address, err))
	}
}
