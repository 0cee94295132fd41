package webhook

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// farewellLimit is how long removing our webhooks may hold up a shutdown.
const farewellLimit = 5 * time.Second

// lookTokens is what a look at which nothing has to be done costs.
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const lookTokens = 10

// Subscriptions looks after the webhooks of one door, from StartSubscriptions to Stop.
type Subscriptions struct {
	cfg     SubscriptionConfig
	cancel  context.CancelFunc
	running sync.WaitGroup
	stop    sync.Once
}

// StartSubscriptions begins at once and looks again every CheckInterval, also after an error. Pipedrive tries the URL
// when a webhook is made, so the door has to serve already. A configuration that Check refuses is only logged.
func StartSubscriptions(cfg SubscriptionConfig) *Subscriptions {
	ctx, cancel := context.WithCancel(context.Background())
	cfg.fill()
	s := &Subscriptions{cfg: cfg, cancel: cancel}
	s.running.Go(func() { s.run(ctx) })
	return s
}

// Stop ends the care and waits for it, and with RemoveOnShutdown removes what is ours: for as long as ctx lasts, and 5
// seconds at most. It is safe to call twice.
func (s *Subscriptions) Stop(ctx context.Context) {
	s.stop.Do(func() {
		s.cancel()
		s.running.Wait()
		if !s.cfg.RemoveOnShutdown {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, farewellLimit)
		defer cancel()
		if _, err := Remove(ctx, s.cfg); err != nil {
			s.cfg.Log.Warnf("Webhooks stay registered at Pipedrive although remove_on_shutdown is set: %v", err)
		}
	})
}

func (s *Subscriptions) run(ctx context.Context) {
	k, err := newKeeper(s.cfg)
	if err != nil {
		s.cfg.Log.Warnf("Looking after no webhooks: %v", err)
		return
	}
	client := s.cfg.Client
	owner := "webhooks of " + s.cfg.URL
	client.Plan(owner, lookTokens/s.cfg.CheckInterval.Seconds())
	defer client.Plan(owner, 0)

	told := map[string]bool{} // reasons of the looks that failed since the last that did not
	for ctx.Err() == nil {
		_, err := k.look(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := s.cfg.CheckInterval
		if err == nil {
			if len(told) > 0 {
				s.cfg.Log.Infof("Webhooks at Pipedrive are looked after again")
			}
			clear(told)
			pause = s.paced()
		} else {
			s.cfg.Observer.LookFailed()
			if why := kindOf(err); !told[why] {
				told[why] = true
				s.cfg.Log.Warnf("Looking after webhooks at Pipedrive, next try in %v: %v", pause, err)
			}
		}
		_ = pauseFor(ctx, pause)
	}
}

// paced is CheckInterval, stretched as all reading is when the share of the daily budget would not last.
func (s *Subscriptions) paced() time.Duration {
	untilReset := time.Until(s.cfg.Client.Reset())
	stretched := float64(s.cfg.CheckInterval) * s.cfg.Client.Stretch()
	if stretched < math.MaxInt64 {
		untilReset = min(untilReset, time.Duration(stretched))
	}
	return max(s.cfg.CheckInterval, untilReset)
}

// kindOf names the reason of an error, without what differs from one time to the next.
func kindOf(err error) string {
	if later := (*pipedrive.LaterError)(nil); errors.As(err, &later) {
		return fmt.Sprint(later.Method, later.Kind, later.Status)
	}
	return err.Error()
}
