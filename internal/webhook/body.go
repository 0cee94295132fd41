package webhook

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

var errTooLarge = errors.New("the body is too large")

// isJSON says whether a body calls itself JSON and is not compressed in a way that nobody here undoes.
func isJSON(h http.Header) bool {
	switch strings.ToLower(h.Get("Content-Encoding")) {
	case "", "identity", "gzip":
	default:
		return false
	}
	media := h.Get("Content-Type")
	if media == "application/json" {
		return true
	}
	kind, _, err := mime.ParseMediaType(media)
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

func gzipped(h http.Header) bool { return strings.EqualFold(h.Get("Content-Encoding"), "gzip") }

// weight is how much room to set aside before a body is read, of at most so many bytes.
func weight(r *http.Request, most int64) int64 {
	if r.ContentLength >= 0 && !gzipped(r.Header) {
		return r.ContentLength
	}
	return most
}

// readBody reads a body of at most so many bytes, also after decompression; errTooLarge when there are more.
func readBody(w http.ResponseWriter, r *http.Request, most int64) (body []byte, err error) {
	if r.ContentLength >= 0 {
		body = make([]byte, r.ContentLength) // the caller has looked at the length
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = readUpTo(http.MaxBytesReader(w, r.Body, most), most)
	}
	if err == nil && gzipped(r.Header) {
		body, err = unzip(body, most)
	}
	if limit := (*http.MaxBytesError)(nil); errors.As(err, &limit) {
		err = errTooLarge
	}
	return body, err
}

// unzip unpacks twice, first to see how much it becomes: a bomb takes no room at all.
func unzip(zipped []byte, most int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, err
	}
	size, err := io.CopyN(io.Discard, z, most+1)
	switch {
	case err == nil:
		return nil, errTooLarge
	case err != io.EOF:
		return nil, err
	}
	if err := z.Reset(bytes.NewReader(zipped)); err != nil {
		return nil, err
	}
	body := make([]byte, size)
	_, err = io.ReadFull(z, body)
	return body, err
}

// firstRoom is what most webhooks need.
const firstRoom = 16 << 10

// readUpTo is io.ReadAll for at most so many bytes: it never makes room for more than one beyond them.
func readUpTo(from io.Reader, most int64) ([]byte, error) {
	body := make([]byte, 0, min(firstRoom, most+1))
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > most:
			return nil, errTooLarge
		case err == io.EOF:
			return body, nil
		case err != nil:
			return nil, err
		case len(body) == cap(body):
			body = append(make([]byte, 0, min(2*int64(cap(body)), most+1)), body...)
		}
	}
}
