package webhook

import (
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
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	zipped := gzipped(r.Header)
	if r.ContentLength >= 0 && !zipped {
		body := make([]byte, r.ContentLength) // the caller has looked at the length
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	var from io.Reader = http.MaxBytesReader(w, r.Body, most)
	if zipped {
		z, err := gzip.NewReader(from)
		if err != nil {
			return nil, err
		}
		from = io.LimitReader(z, most+1)
	}
	body, err := io.ReadAll(from)
	if limit := (*http.MaxBytesError)(nil); errors.As(err, &limit) || int64(len(body)) > most {
		return nil, errTooLarge
	}
	return body, err
}
