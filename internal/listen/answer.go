package listen

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// leftoverTimeout bounds how long net/http goes on reading, up to 256 KiB, what a handler left of a body.
const leftoverTimeout = time.Second

// ServeHTTP finds who is mounted on the path of a request.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := guestOf(r.Context())
	g.attend()
	defer func() {
		// The answer waits behind that reading. The next request has deadlines of its own.
		_ = g.SetReadDeadline(time.Now().Add(leftoverTimeout))
	}()
	switch m, checks, known := l.find(r.URL.Path); {
	case m != nil:
		defer m.exit()
		// That the health is good is told to anybody.
		g.welcome = l.guard(w, r, m.handler, m.onError) || g.welcome
	case checks != nil:
		l.guard(w, r, checks, l.tell)
	case known:
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// find returns the mount, which has counted the request in, or what decides about health, or only that the path is
// known, or that nobody is there any more to know it.
func (l *listener) find(path string) (_ *Mount, _ checks, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.doors[path]; m != nil {
		if m.closing {
			return nil, nil, true
		}
		m.underWay++
		return m, nil, true
	}
	var found checks
	for _, m := range l.mounts {
		for _, h := range m.health {
			if h.path != path {
				continue
			}
			known = true
			if !m.closing {
				found = append(found, h.healthy)
			}
		}
	}
	return nil, found, known || l.stopping
}

// checks decide about a health path.
type checks []func() bool

func (c checks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	for _, healthy := range c {
		if !healthy() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}

// guard says whether a handler answered 2xx, and survives its panic. Who has got nothing yet is told 500; an answer that
// was begun is cut off, so that nobody takes it for a whole one.
func (l *listener) guard(w http.ResponseWriter, r *http.Request, h http.Handler, tell func(error)) (welcome bool) {
	seen := &witness{ResponseWriter: w}
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v)
		}
		if tell != nil && l.panics.isNew(fmt.Sprint(r.URL.Path, " ", v), time.Now()) {
			tell(fmt.Errorf("answering a request for %s: panic: %v\n%s", r.URL.Path, v, debug.Stack()))
		}
		if seen.status != 0 {
			panic(http.ErrAbortHandler)
		}
		clear(w.Header())
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusInternalServerError)
	}()
	h.ServeHTTP(seen, r)
	return seen.status < http.StatusMultipleChoices // 0: nothing was said, which net/http makes a 200
}

// witness sees how an answer begins.
type witness struct {
	http.ResponseWriter
	status int // 0: it was not begun
}

func (w *witness) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }
