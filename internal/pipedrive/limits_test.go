package pipedrive

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inProcess serves a handler without a socket, so that synctest's clock can pass.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// script answers each request with the next of its handlers, the last one for ever.
type script struct {
	mu      sync.Mutex
	answers []http.HandlerFunc
	asked   int
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	answer := s.answers[min(s.asked, len(s.answers)-1)]
	s.asked++
	s.mu.Unlock()
	answer(w, r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

var fine = say(200, `{"success":true,"data":[]}`)

func via(h http.Handler) func(*Config) {
	return func(cfg *Config) { cfg.Transport = inProcess{h} }
}

func list(t *testing.T, c *Client) error {
	t.Helper()
	_, err := c.List(t.Context(), row("deals"), Query{})
	return err
}

func requireLater(t *testing.T, err error, kind Kind) *LaterError {
	t.Helper()
	var later *LaterError
	require.ErrorAs(t, err, &later)
	require.Equal(t, kind, later.Kind)
	return later
}

func TestWhatClosesWhileARequestWaitsHoldsForIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		kind   Kind
	}{
		"blocked": {say(403, `<html>`, "Content-Type: text/html"), KindBlocked},
		"daily":   {say(429, `{"success":false,"error":"daily request budget exceeded"}`), KindDaily},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
					<-time.After(time.Second)
					test.answer(w, r)
				}}}
				c := dial(t, "https://acme.example", via(s))
				before := c.Left()
				var callers sync.WaitGroup
				for range burstGuess + 5 {
					callers.Go(func() { requireLater(t, list(t, c), test.kind) })
				}
				callers.Wait()
				assert.Equal(t, burstGuess, s.count(), "those that waited were not sent")
				assert.EqualValues(t, 0, c.Spend().Tokens, "and nothing of it was charged")
				assert.LessOrEqual(t, c.Left(), before)
			})
		})
	}
}

func TestCloudflarePausesEveryComponentOfTheCredentialLongerEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []http.HandlerFunc{say(403, `<html>1015`, "Content-Type: text/html")}}
		shared, notes := NewShared(), &diary{}
		share := func(cfg *Config) { cfg.Shared, cfg.Observer = shared, notes }
		one, two := dial(t, "https://acme.example", via(s), share), dial(t, "https://acme.example", via(s), share)
		for i, minutes := range []int{5, 10, 20, 30, 30} {
			pause := time.Duration(minutes) * time.Minute
			assert.Equal(t, pause, requireLater(t, list(t, one), KindBlocked).After)
			assert.Equal(t, pause, requireLater(t, list(t, two), KindBlocked).After)
			assert.Equal(t, i+1, s.count(), "the other one is not sent")
			<-time.After(pause)
		}
		assert.Len(t, notes.limited, 5)
		s.answers = []http.HandlerFunc{fine, s.answers[0]}
		s.asked = 0
		require.NoError(t, list(t, two))
		assert.Equal(t, 5*time.Minute, requireLater(t, list(t, one), KindBlocked).After, "calm again")
	})
}

func TestASpentDayRefusesTheWholeCompanyLocally(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		me := say(200, `{"success":true,"data":{"id":1,"company_id":7}}`)
		s := &script{answers: []http.HandlerFunc{
			me, me,
			say(429, `{"success":false,"error":"daily request budget exceeded"}`, "Retry-After: 3600"),
			fine,
		}}
		shared := NewShared()
		one := dial(t, "https://acme.example", via(s), func(cfg *Config) { cfg.Shared = shared })
		two := dial(t, "https://acme.example", via(s), func(cfg *Config) { cfg.Shared, cfg.APIToken = shared, "another" })
		for _, c := range []*Client{one, two} {
			_, err := c.Me(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, time.Hour, requireLater(t, list(t, one), KindDaily).After)
		<-time.After(20 * time.Minute)
		assert.Equal(t, 40*time.Minute, requireLater(t, list(t, two), KindDaily).After)
		assert.Equal(t, time.Now().Add(40*time.Minute), two.Reset())
		assert.Equal(t, 3, s.count())
		<-time.After(40 * time.Minute)
		require.NoError(t, list(t, two))
		require.NoError(t, list(t, one))
	})
}

func TestASpentDayWithoutRetryAfterIsProbedByOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spentDay := say(429, `{"success":false,"error":"daily request budget exceeded"}`)
		s := &script{answers: []http.HandlerFunc{spentDay, func(w http.ResponseWriter, r *http.Request) {
			<-time.After(time.Second)
			spentDay(w, r)
		}}}
		c := dial(t, "https://acme.example", via(s), func(cfg *Config) { cfg.ProbeInterval = 20 * time.Minute })
		assert.Equal(t, 20*time.Minute, requireLater(t, list(t, c), KindDaily).After)
		<-time.After(20 * time.Minute)
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() { requireLater(t, list(t, c), KindDaily) })
		}
		callers.Wait()
		assert.Equal(t, 2, s.count())
	})
}

func TestAComponentThatComesBackDoesNotForgetThePause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []http.HandlerFunc{say(403, `<html>`, "Content-Type: text/html")}}
		shared := NewShared()
		share := func(cfg *Config) { cfg.Shared = shared }
		c := dial(t, "https://acme.example", via(s), share)
		requireLater(t, list(t, c), KindBlocked)
		c.Close()
		c.Close()
		c = dial(t, "https://acme.example", via(s), share)
		requireLater(t, list(t, c), KindBlocked)
		assert.Equal(t, 1, s.count())
		c.Close()
		<-time.After(keepUnused + time.Minute)
		dial(t, "https://acme.example", via(s), func(cfg *Config) { cfg.Shared, cfg.APIToken = shared, "another" })
		assert.Len(t, shared.credentials, 1, "what nobody uses is forgotten in the end")
	})
}

func TestTheShareRefusesBeforeItIsPassed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []http.HandlerFunc{say(200, `{"success":true,"data":[]}`, "X-Daily-RateLimit-Token-Limit: 100")}}
		notes := &diary{}
		c := dial(t, "https://acme.example", via(s), func(cfg *Config) { cfg.DailyShare, cfg.Observer = 0.25, notes })
		require.NoError(t, list(t, c))
		require.NoError(t, list(t, c))
		assert.EqualValues(t, 5, c.Left())
		later := requireLater(t, list(t, c), KindShare)
		assert.Equal(t, time.Until(c.Reset()), later.After)
		assert.Equal(t, 2, s.count())
		assert.Equal(t, 20, notes.spent)
		<-time.After(later.After)
		require.NoError(t, list(t, c))
	})
}
