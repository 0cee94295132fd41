package simulator

import (
	"net/http"
	"strings"
	"time"
)

// Fault is one way to go wrong. It happens once to the next request, whatever that is, unless On, Times and After say
// otherwise; the OAuth endpoint is only meant when On names it.
type Fault struct {
	path  string
	times int
	delay time.Duration

	early  bool                 // comes from before the counters: nothing is charged
	needs  string               // a query parameter the request must have
	change func(*answer) answer // nil: the usual answer
	daily  bool
	burst  bool
}

// On limits the fault to requests whose path has the prefix, in the form the client uses: /api/v2/deals.
func (f Fault) On(prefix string) Fault { f.path = prefix; return f }

// Times lets the fault happen n times in a row.
func (f Fault) Times(n int) Fault { f.times = n; return f }

// After sends the answer so much later.
func (f Fault) After(d time.Duration) Fault { f.delay = d; return f }

// Status answers with the status and the usual frame: 500 and 501 come from the application, 502 to 504 from the edge.
// 429 is Burst429, 403 is Scope403.
func Status(code int) Fault {
	switch code {
	case http.StatusTooManyRequests:
		return Burst429()
	case http.StatusForbidden:
		return Scope403()
	}
	text := map[int]string{
		http.StatusPaymentRequired:      "Company account is not open (possible reason: trial expired, payment details not entered)",
		http.StatusUnsupportedMediaType: "Feature is not enabled",
		http.StatusServiceUnavailable:   "Scheduled maintenance",
	}[code]
	if text == "" {
		text = http.StatusText(code)
	}
	return Fault{early: code >= http.StatusBadGateway, change: func(*answer) answer { return fail(standard(code, text)) }}
}

// Burst429 says that the credential was too fast.
func Burst429() Fault {
	return Fault{early: true, burst: true, change: func(*answer) answer { return fail(burstSpent) }}
}

// Daily429 says that the company's tokens of today are spent.
func Daily429() Fault {
	return Fault{early: true, daily: true, change: func(*answer) answer { return fail(dailySpent) }}
}

// Scope403 says that the OAuth scopes do not cover the path.
func Scope403() Fault {
	return Fault{early: true, change: func(*answer) answer { return fail(scopeRefused) }}
}

// Unauthorized401 refuses the credential this once.
func Unauthorized401() Fault {
	return Fault{early: true, change: func(*answer) answer { return refused401() }}
}

// Cloudflare403 is the HTML page that clients get who do not heed a 429.
func Cloudflare403() Fault {
	return Fault{early: true, change: func(*answer) answer { return blocked() }}
}

// Truncated is a 200 whose JSON ends in the middle, over a connection that is fine.
func Truncated() Fault {
	return Fault{change: func(a *answer) answer { b := *a; b.body = b.body[:len(b.body)/2]; return b }}
}

// Empty is a 200 without a body.
func Empty() Fault {
	return Fault{change: func(a *answer) answer { b := *a; b.body = nil; return b }}
}

// Unsuccessful is a 200 that says success false.
func Unsuccessful() Fault {
	return Fault{change: func(a *answer) answer { b := *a; b.body = []byte(standard(0, "Something went wrong").body); return b }}
}

// Reset closes the connection before the first byte of the answer.
func Reset() Fault {
	return Fault{early: true, change: func(*answer) answer { return answer{lost: reset} }}
}

// Cut closes the connection in the middle of the body.
func Cut() Fault { return Fault{change: func(a *answer) answer { b := *a; b.lost = midway; return b }} }

// BadCursor refuses the next page cursor that comes.
func BadCursor() Fault {
	return Fault{needs: "cursor", change: func(*answer) answer { return fail(*invalid("cursor is not valid")) }}
}

// Slow gives the usual answer, d later: what it says was so when the request came, its Date is that of the end.
func Slow(d time.Duration) Fault { return Fault{delay: d} }

// scripted is a Fault that waits for its turn.
type scripted struct {
	Fault
	left   int
	always bool
}

// FailNext has the fault happen once, or as many Times as it says. Faults that fit the same request happen one after
// the other, in the order of the calls.
func (s *Simulator) FailNext(f Fault) { s.script(&scripted{Fault: f, left: max(f.times, 1)}) }

// FailAlways has the fault happen until Heal.
func (s *Simulator) FailAlways(f Fault) { s.script(&scripted{Fault: f, always: true}) }

func (s *Simulator) script(f *scripted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// Heal forgets all faults that have not happened.
func (s *Simulator) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// nextFault takes the fault whose turn it is. It is called under the lock.
func (s *Simulator) nextFault(r *http.Request) (Fault, bool) {
	for i, f := range s.faults {
		if !f.fits(r) {
			continue
		}
		if f.left--; !f.always && f.left == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return f.Fault, true
	}
	return Fault{}, false
}

func (f Fault) fits(r *http.Request) bool {
	if f.path == "" && strings.HasPrefix(r.URL.Path, "/oauth/") {
		return false
	}
	return strings.HasPrefix(r.URL.Path, f.path) && (f.needs == "" || r.URL.Query().Has(f.needs))
}

func (f Fault) apply(a answer) answer {
	if f.change != nil {
		header := a.header
		if a = f.change(&a); a.header == nil {
			a.header = header
		}
	}
	a.delay += f.delay
	return a
}

// EmptyList is a list answer without a row, as if everything were gone.
func EmptyList() Fault {
	return Fault{change: func(a *answer) answer { b := *a; b.body = []byte(`{"success":true,"data":[]}`); return b }}
}
