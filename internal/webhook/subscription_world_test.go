package webhook

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

const hookPassword = "5ec4e7-of-the-hook"

// office is an account whose webhooks are looked after, in virtual time.
type office struct {
	t    *testing.T
	sim  *simulator.Simulator
	cfg  SubscriptionConfig
	care []*Subscriptions

	mu      sync.Mutex
	lines   []string // of the log, with their level
	repairs []string
	ordered int // of the last look
	failed  int // looks
}

func inOffice(t *testing.T, o simulator.Options, test func(t *testing.T, o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		office := &office{t: t, sim: simulator.New(o)}
		office.cfg = SubscriptionConfig{
			Client: office.client(office.sim.Transport()), URL: ourURL, Name: ourName, Events: []string{"*.*"},
			Username: "hook", Password: hookPassword, Log: office, Observer: office,
		}
		defer func() {
			office.stop()
			for _, secret := range []string{office.sim.Token(), hookPassword} {
				assert.NotContains(t, strings.Join(office.lines, "\n"), secret)
			}
		}()
		test(t, office)
	})
}

func (o *office) client(via http.RoundTripper) *pipedrive.Client {
	o.t.Helper()
	c, err := pipedrive.New(pipedrive.Config{
		BaseURL: "http://pipedrive.test", APIToken: o.sim.Token(), Transport: via, Timeout: time.Minute,
		UserAgent: "test", DailyShare: 1,
	})
	require.NoError(o.t, err)
	o.t.Cleanup(c.Close)
	return c
}

func (o *office) start() {
	s := NewSubscriptions(o.cfg)
	s.Start()
	o.care = append(o.care, s)
}

func (o *office) stop() {
	for _, s := range o.care {
		s.Stop(o.t.Context())
	}
	o.care = nil
}

func (o *office) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// hooks are the webhooks that exist, as `id action.object`.
func (o *office) hooks() (hooks []string) {
	for _, w := range o.sim.Webhooks() {
		if w.Removed.IsZero() {
			hooks = append(hooks, fmt.Sprintf("%d %s.%s", w.ID-1_900_000, w.Action, w.Object))
		}
	}
	return hooks
}

// posts counts the attempts to make a webhook.
func (o *office) posts() (n int) {
	for _, r := range o.sim.Requests() {
		if r.Method == http.MethodPost {
			n++
		}
	}
	return n
}

// told returns the lines of the log since the last call.
func (o *office) told() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := o.lines
	o.lines = nil
	return lines
}

func (o *office) done() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	repairs := o.repairs
	o.repairs = nil
	return repairs
}

func (o *office) log(level, format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, level+fmt.Sprintf(format, args...))
}

func (o *office) Warnf(format string, args ...any) { o.log("WARN ", format, args...) }
func (o *office) Infof(format string, args ...any) { o.log("INFO ", format, args...) }
func (o *office) Debugf(string, ...any)            {}

func (o *office) Subscribed(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ordered = n
}

func (o *office) LookFailed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed++
}

func (o *office) Repaired(c Change) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.repairs = append(o.repairs, fmt.Sprintf("%s %s %s", c.Repair, c.Reason, c.Event))
}
