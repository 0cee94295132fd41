package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// answer is what goes back to a client, on a socket or in process.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	charset bool // the content type names the character set
	html    bool
	delay   time.Duration // before it is sent; its Date is that of the sending
	lost    loss
	bare    bool // no rate headers: it never came to the counter
	undated bool
}

// loss is how the connection ends.
type loss uint8

const (
	kept   loss = iota
	reset       // before the first byte
	midway      // in the middle of the body
)

func fail(f failure) answer { return answer{status: f.status, body: []byte(f.body)} }

func blocked() answer {
	return answer{status: http.StatusForbidden, body: []byte(blockedPage), html: true, bare: true}
}

// setContentHeaders names type and length.
func (a *answer) setContentHeaders() {
	kind := "application/json"
	switch {
	case a.html:
		kind = "text/html; charset=UTF-8"
	case a.charset:
		kind = "application/json; charset=utf-8"
	}
	a.header.Set("Content-Type", kind)
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
}
