package simulator

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// answer serves one request that belongs to this company, or to none. The form is that of an OAuth request.
func (s *Simulator) answer(r *http.Request, shown credential, form url.Values) answer {
	s.mu.Lock()
	hook := s.onRequest
	s.mu.Unlock()
	if hook != nil {
		hook(r)
	}
	rt := findRoute(r.URL.Path)
	var w *wish // read, and its URL called, before the lock is taken
	if rt.hooks && r.Method == http.MethodPost && s.accepts(shown) {
		w = s.readWish(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	spent := s.budget.ours
	var a answer
	if isOAuth(r) {
		rt.name = r.URL.Path
		a = s.withFault(r, func() answer { return s.oauthAnswer(r, form, now) })
	} else {
		a = s.apiAnswer(r, rt, w, shown, now)
	}
	s.finish(&a)
	s.requests.note(Request{
		Time: now, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Headers: headerNames(r.Header),
		Status: a.status, Tokens: s.budget.ours - spent,
	}, rt.name)
	return a
}

// apiAnswer takes the gates in Pipedrive's order: Cloudflare, credential, burst, daily budget, scope, and only then
// the path.
func (s *Simulator) apiAnswer(r *http.Request, rt route, w *wish, shown credential, now time.Time) answer {
	if !s.keys.accept(shown, now) {
		return refused401()
	}
	if s.burst.isBlocked(shown, now) {
		return blocked()
	}
	fault, faulty := s.nextFault(r)
	s.budget.roll(now)
	if faulty && fault.early {
		a := fault.apply(answer{header: http.Header{}})
		if fault.burst || fault.daily {
			s.burst.refuse(shown, now)
		}
		s.setRateHeaders(&a, shown, s.budget.left(), fault)
		s.setRetryAfter(&a, fault.burst, fault.daily, now)
		return a
	}
	before := s.budget.left()
	entered := s.burst.enter(shown, now)
	var a answer
	switch {
	case !entered:
		s.burst.refuse(shown, now)
		a = fail(burstSpent)
	case s.budget.isSpent():
		s.burst.refuse(shown, now)
		a = fail(dailySpent)
	default:
		s.budget.charge(rt.cost())
		a = s.routed(r, rt, w, shown, stampOf(now))
		if faulty {
			a = fault.apply(a)
		}
	}
	s.setRateHeaders(&a, shown, before, Fault{})
	s.setRetryAfter(&a, !entered, entered && a.status == http.StatusTooManyRequests, now)
	return a
}

func (s *Simulator) routed(r *http.Request, rt route, w *wish, shown credential, now stamp) answer {
	switch {
	case s.isDenied(rt):
		return fail(scopeRefused)
	case !rt.known && shown.bearer: // no scope covers what does not exist
		return fail(scopeRefused)
	case s.offHost(r.URL.Path, rt), !rt.known && !rt.v2:
		return fail(noV1Path)
	case !rt.known:
		return fail(noPath)
	case rt.hooks:
		return s.manage(r.Method, rt.id, w, shown)
	case r.Method != http.MethodGet:
		return fail(noMethod)
	case rt.me:
		return s.me()
	case rt.fields != nil:
		return s.fieldAnswer(rt, r.URL.Query())
	case rt.id != "":
		return s.single(rt, now)
	}
	return s.listAnswer(rt.list, r.URL.Path, r.URL.Query(), now)
}

// isDenied tells whether a scope is missing; that of an object's records opens the definitions of its fields too.
func (s *Simulator) isDenied(rt route) bool {
	if rt.fields != nil {
		return s.denied[listNamed(rt.fields.object)]
	}
	return rt.list != nil && s.denied[rt.list]
}

func (s *Simulator) listAnswer(l *list, path string, values url.Values, now stamp) answer {
	key := pageKey(path, values)
	body, found := s.pages.get(key)
	if !found {
		var refused *failure
		if l.paging == byCursor {
			body, refused = s.listV2(l, values, now)
		} else {
			body = s.listV1(l, values, now)
		}
		if refused != nil {
			return fail(*refused)
		}
		s.pages.keep(key, body)
	}
	return answer{status: http.StatusOK, body: body, charset: l.charset}
}

func (s *Simulator) tableOf(l *list) *table { return s.tables[s.objects[l.object]] }

// definitionsOf are the fields of the list's object; nil when it has no list of them.
func (s *Simulator) definitionsOf(l *list) *definitions {
	t := s.tableOf(l)
	return t.seeds.definitions[cmp.Or(t.obj.fieldsOf, t.obj.name)]
}

func refused401() answer {
	a := fail(unauthorized)
	a.header = http.Header{}
	a.header.Set("x-401-by-gw", "true")
	a.bare = true
	return a
}

// setRateHeaders writes the five headers of every answer that came past the credential.
func (s *Simulator) setRateHeaders(a *answer, shown credential, daily int, f Fault) {
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.bare {
		return
	}
	burst := s.burst.left(shown)
	switch {
	case f.daily:
		daily = 0
	case f.burst:
		burst = 0
	}
	s.burst.setHeaders(a.header, shown, burst)
	s.budget.setHeaders(a.header, daily)
}

func (s *Simulator) setRetryAfter(a *answer, burst, daily bool, now time.Time) {
	switch {
	case daily && !s.quirks.NoRetryAfter:
		a.header.Set("Retry-After", strconv.Itoa(s.budget.secondsToReset(now)))
	case burst && s.quirks.BurstRetryAfter:
		a.header.Set("Retry-After", strconv.Itoa(int(burstWindow/time.Second)))
	}
}

func (s *Simulator) withFault(r *http.Request, usual func() answer) answer {
	fault, faulty := s.nextFault(r)
	var a answer
	if !faulty || !fault.early {
		a = usual()
	}
	if faulty {
		a = fault.apply(a)
	}
	return a
}

// finish adds what every answer has, and takes away what is hidden.
func (s *Simulator) finish(a *answer) {
	if a.header == nil {
		a.header = http.Header{}
	}
	s.answered++
	id := dashed(hex(s.opts.Seed, "correlation", s.answered, 32))
	a.header.Set("x-correlation-id", id)
	a.setContentHeaders()
	for name, hide := range s.hidden {
		if hide {
			a.header.Del(name)
			a.undated = a.undated || name == "Date"
		}
	}
}
