package pipedrive

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
)

// maxBody bounds an answer, after decompression. The largest page seen has some 3 MB.
const maxBody = 64 << 20

var errTooLarge = errors.New("answer larger than 64MiB")

// readBody reads an answer into a buffer of its own, that is as large as it has to be when the size was told or the
// hint is right. An io.ErrUnexpectedEOF means that the answer was cut.
func readBody(resp *http.Response, hint int, limit int) ([]byte, error) {
	const trusted = 8 << 20 // no more is set aside for a size that was merely claimed
	size := hint
	if resp.ContentLength >= 0 {
		if resp.ContentLength > int64(limit) {
			return nil, errTooLarge
		}
		size = int(resp.ContentLength)
	}
	// One byte more lets the last Read see the end without growing the buffer.
	buf := make([]byte, 0, min(max(size, 511), trusted)+1)
	for {
		n, err := resp.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > limit:
			return nil, errTooLarge
		case err == io.EOF && resp.ContentLength > int64(len(buf)):
			return nil, io.ErrUnexpectedEOF
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, len(buf))
		}
	}
}

// peek reads the beginning of an error's body and puts it back.
func peek(resp *http.Response) []byte {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	resp.Body = &peeked{Reader: io.MultiReader(bytes.NewReader(body), resp.Body), Closer: resp.Body}
	return body
}

type peeked struct {
	io.Reader
	io.Closer
}
