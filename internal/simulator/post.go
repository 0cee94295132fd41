package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// post is one request of a delivery.
type post struct {
	via                http.RoundTripper
	url                string
	username, password string
	body               []byte
	limit              time.Duration
}

// mostAnswer is how many bytes of an answer's body are read, so that the connection can be used again.
const mostAnswer = 64 << 10

// network is the way to real receivers: no proxy, no HTTP/2, no redirects (a transport follows none).
func network() http.RoundTripper {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Transport{
		Protocols: http1, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
	}
}

// DeliverTo has deliveries made through the transport from now on; nil is the network again. No redirect is followed.
func (s *Simulator) DeliverTo(via http.RoundTripper) {
	if via == nil {
		via = network()
	}
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	s.sender.via = via
}

// send returns the status of the answer; the error is that there was none in time.
func (p post) send(parent context.Context) (status int, err error) {
	ctx, cancel := context.WithTimeoutCause(parent, p.limit, fmt.Errorf("no answer within %v", p.limit))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return 0, fmt.Errorf("making the request: %w", err)
	}
	// https://pipedrive.readme.io/docs/guide-for-webhooks-v2; encodings as recorded.
	req.Header.Set("User-Agent", "Pipedrive Webhooks")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/plain, */*")
	req.Header.Set("Accept-Encoding", "gzip, compress, deflate, br")
	if p.username != "" || p.password != "" {
		req.SetBasicAuth(p.username, p.password)
	}
	res, err := p.via.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, mostAnswer) // the status says it all
	return res.StatusCode, nil
}
