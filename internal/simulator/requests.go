package simulator

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is what is remembered of one request: enough to see that no secret was where it should not be, and no
// header's value.
type Request struct {
	Time    time.Time // of its arrival
	Method  string
	Path    string
	Query   url.Values
	Headers []string // canonical names, sorted
	Status  int      // 0: the connection was reset
	Tokens  int      // what it cost
}

// requestLog remembers the last requests, and counts all.
type requestLog struct {
	last   []Request // a ring once it is full
	oldest int
	most   int
	counts map[string]int // by path, records of one list together
}

func newRequestLog(most int) requestLog { return requestLog{most: most, counts: map[string]int{}} }

func (l *requestLog) note(r Request, name string) {
	l.counts[name]++
	if len(l.last) < l.most {
		l.last = append(l.last, r)
		return
	}
	l.last[l.oldest] = r
	l.oldest = (l.oldest + 1) % l.most
}

func headerNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

// Requests are the last requests in the order of their arrival: of this company, and of nobody if it is the first.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.requests.last[s.requests.oldest:], s.requests.last[:s.requests.oldest])
}

// Count is how many requests there have been since New, or ForgetRequests, for paths with the prefix; "" is all. It
// counts by the documentation's paths: /v1/leads, also for /api/v1/leads, and /api/v2/deals/{id} for one deal.
func (s *Simulator) Count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sum int
	for name, n := range s.requests.counts {
		if strings.HasPrefix(name, prefix) {
			sum += n
		}
	}
	return sum
}

// ForgetRequests begins the log and the counts anew.
func (s *Simulator) ForgetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = newRequestLog(s.requests.most)
}
