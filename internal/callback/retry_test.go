package callback

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Cloud Elements' schedule: nine retries, after 4 s times 4 each, here an hour at most.
func TestAMessageIsTriedTenTimesOnTheStatedSchedule(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
	})
	client, clock, told := newClient(t, far.URL)
	began := clock.now
	err := client.Deliver(t.Context(), deal)
	require.EqualError(t, err, fmt.Sprintf("posting %s to %s: given up after try 10: 503 Service Unavailable: down for maintenance", deal.ID, far.Listener.Addr()))
	assert.Equal(t, []time.Duration{
		4 * time.Second, 16 * time.Second, 64 * time.Second, 256 * time.Second, 1024 * time.Second,
		time.Hour, time.Hour, time.Hour, time.Hour,
	}, clock.waits)
	assert.Equal(t, 4*time.Hour+22*time.Minute+44*time.Second, clock.now.Sub(began))
	assert.Len(t, far.requests(), 10)
	assert.Len(t, told.results, 10)
	assert.Len(t, told.waiting, 9)
}

func TestASingleTryIsNotRepeated(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, status(503))
	client, clock, _ := newClient(t, far.URL, func(c *Config) { c.Retry.MaxAttempts = 1 })
	require.ErrorContains(t, client.Deliver(t.Context(), deal), "given up after try 1: 503")
	assert.Empty(t, clock.waits)
}

func TestRetryAfterIsObeyedAndCapped(t *testing.T) {
	t.Parallel()
	const now = "Fri, 20 Nov 2026 09:15:00 GMT"
	for _, test := range []struct {
		name, retryAfter, date string
		want                   time.Duration
	}{
		{"seconds", "30", now, 30 * time.Second},
		{"a date", "Fri, 20 Nov 2026 09:17:00 GMT", now, 2 * time.Minute},
		{"a date by the receiver's own clock", "Sat, 21 Nov 2026 00:01:00 GMT", "Sat, 21 Nov 2026 00:00:00 GMT", time.Minute},
		{"more than max_interval", "86400", now, time.Hour},
		{"a date years away", "Fri, 20 Nov 2099 09:15:00 GMT", now, time.Hour},
		{"a number beyond all numbers", "99999999999999999999999", now, time.Hour},
		{"a number beyond all durations", "9999999999999", now, time.Hour},
		{"less than the schedule", "1", now, 4 * time.Second},
		{"now", "0", now, 4 * time.Second},
		{"a date that has passed", "Fri, 20 Nov 2026 09:00:00 GMT", now, 4 * time.Second},
		{"less than nothing", "-5", now, 4 * time.Second},
		{"neither", "soon", now, 4 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, code := range []int{408, 425, 429, 500, 503} {
				first := true
				far := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
					if first {
						w.Header().Set("Retry-After", test.retryAfter)
						w.Header().Set("Date", test.date)
						w.WriteHeader(code)
					}
					first = false
				})
				client, clock, _ := newClient(t, far.URL)
				require.NoError(t, client.Deliver(t.Context(), deal))
				assert.Equal(t, []time.Duration{test.want}, clock.waits, code)
			}
		})
	}
}

// Without a Date header the wait counts from our own clock.
func TestRetryAfterWithoutADate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)
	assert.Equal(t, time.Minute, retryAfter(http.Header{"Retry-After": {"Fri, 20 Nov 2026 09:16:00 GMT"}}, now))
}

func TestNoScheduleOverflows(t *testing.T) {
	t.Parallel()
	for _, r := range []Retry{
		{InitialInterval: time.Nanosecond, Multiplier: math.MaxFloat64, MaxInterval: math.MaxInt64},
		{InitialInterval: math.MaxInt64, Multiplier: 1, MaxInterval: math.MaxInt64},
		{InitialInterval: time.Hour, Multiplier: math.Inf(1), MaxInterval: time.Hour},
	} {
		for _, try := range []int{1, 2, 10, 100000} {
			wait := r.wait(try, 0)
			assert.GreaterOrEqual(t, wait, r.InitialInterval, "%+v", r)
			assert.LessOrEqual(t, wait, r.MaxInterval, "%+v", r)
		}
	}
}

func TestWaitingEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, machineClock{}.Wait(t.Context(), time.Hour))
		assert.Equal(t, time.Hour, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began = machineClock{}.Now()
		require.ErrorIs(t, machineClock{}.Wait(ctx, time.Hour), context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(began))
	})
}

func TestAMessageThatWaitsEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	far := newReceiver(t, status(503))
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan struct{})
	client, _, _ := newClient(t, far.URL, func(c *Config) { c.Clock, c.Observer = nil, signal{waits} })
	done := make(chan error)
	go func() { done <- client.Deliver(ctx, deal) }()
	<-waits
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	assert.Len(t, far.requests(), 1)
}

// signal tells when a message begins to wait.
type signal struct{ waits chan struct{} }

func (signal) Attempted(Result, time.Duration)     {}
func (s signal) Waiting(int, time.Duration, error) { close(s.waits) }
