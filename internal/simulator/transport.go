package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Transport reaches the simulator without a socket, whatever host the request names. It starts no goroutine, so that
// it can be used inside testing/synctest; a slow answer ends with the request's context.
func (s *Simulator) Transport() http.RoundTripper { return transport{s.front} }

type transport struct{ front *front }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	a := t.front.answer(r.Clone(ctx)) // a transport may not change the request
	if !a.wait(ctx, nil) {
		return nil, context.Cause(ctx)
	}
	if a.lost == reset {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	if !a.undated {
		a.header.Set("Date", t.front.clock.now().Format(http.TimeFormat))
	}
	var body io.Reader = bytes.NewReader(a.body)
	if a.lost == midway {
		body = io.MultiReader(bytes.NewReader(a.body[:len(a.body)/2]), brokenOff{})
	}
	if r.Method == http.MethodHead {
		body = http.NoBody
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(body), ContentLength: int64(len(a.body)), Request: r,
	}, nil
}

// brokenOff is the rest of a body whose connection was closed.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
