package webhook

import "net/http"

// Result is how a request ended. Its text is the value of a metric's label.
type Result string

// The results, in the order of the checks.
const (
	NotFound     Result = "not_found"
	Forbidden    Result = "forbidden"
	Unauthorized Result = "unauthorized"
	BadMethod    Result = "bad_method"
	BadMedia     Result = "bad_media_type"
	TooLarge     Result = "too_large"
	BadFrame     Result = "bad_frame"
	Taken        Result = "accepted"
	Duplicate    Result = "duplicate"
	Refused      Result = "refused"
)

var statuses = map[Result]int{
	NotFound:     http.StatusNotFound,
	Forbidden:    http.StatusForbidden,
	Unauthorized: http.StatusUnauthorized,
	BadMethod:    http.StatusMethodNotAllowed,
	BadMedia:     http.StatusUnsupportedMediaType,
	TooLarge:     http.StatusRequestEntityTooLarge,
	BadFrame:     http.StatusBadRequest,
	Taken:        http.StatusOK,
	Duplicate:    http.StatusOK,
	Refused:      http.StatusServiceUnavailable,
}

// retryAfter is what a refused sender is told to wait, in seconds. Pipedrive has a schedule of its own.
const retryAfter = "5"

// answer says the result, and nothing of its reasons. A 200 needs nothing said: a header that is not asked for is not
// copied either.
func answer(w http.ResponseWriter, result Result) {
	if statuses[result] == http.StatusOK {
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
	w.WriteHeader(statuses[result])
}
