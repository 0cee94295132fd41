package webhook

import "net/http"

// Result is how a request ended.
type Result uint8

// The results, in the order of the checks.
const (
	right Result = iota // so far
	NotFound
	Forbidden
	Unauthorized
	BadMethod
	BadMedia
	TooLarge
	BadFrame
	Taken
	Duplicate
	Refused

	Results // is how many there are
)

var results = [Results]struct {
	label  string // of a metric
	status int
}{
	NotFound:     {"not_found", http.StatusNotFound},
	Forbidden:    {"forbidden", http.StatusForbidden},
	Unauthorized: {"unauthorized", http.StatusUnauthorized},
	BadMethod:    {"bad_method", http.StatusMethodNotAllowed},
	BadMedia:     {"bad_media_type", http.StatusUnsupportedMediaType},
	TooLarge:     {"too_large", http.StatusRequestEntityTooLarge},
	BadFrame:     {"bad_frame", http.StatusBadRequest},
	Taken:        {"accepted", http.StatusOK},
	Duplicate:    {"duplicate", http.StatusOK},
	Refused:      {"refused", http.StatusServiceUnavailable},
}

func (r Result) String() string { return results[r].label }

// retryAfter is what a refused sender is told to wait, in seconds. Pipedrive has a schedule of its own.
const retryAfter = "5"

// answer says the result, and nothing of its reasons. A 200 needs nothing said: a header that is not asked for is not
// copied either.
func answer(w http.ResponseWriter, result Result) {
	status := results[result].status
	if status == http.StatusOK {
		return
	}
	h := w.Header()
	switch result {
	case Unauthorized:
		h.Set("WWW-Authenticate", `Basic realm="pipedrive", charset="UTF-8"`)
	case BadMethod:
		h.Set("Allow", http.MethodPost)
	case Refused:
		h.Set("Retry-After", retryAfter)
	case TooLarge:
		h.Set("Connection", "close")
	}
	h.Set("Content-Length", "0")
	w.WriteHeader(status)
}
