package webhook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
)

// farewellLimit is how long removing our webhooks may hold up a shutdown.
const farewellLimit = 5 * time.Second

const (
	// nudgeDelay is how long after a sign that something is wrong Pipedrive is asked about it: by then its list tells the
	// status of the delivery.
	nudgeDelay = 5 * time.Second
	// mostOutdated bounds what is remembered of one door's webhooks. Pipedrive allows a user 40.
	mostOutdated = 100
)

// Subscriptions looks after the webhooks of one door, from Start to Stop. It is the Caretaker of the door's handler.
type Subscriptions struct {
	cfg     SubscriptionConfig
	ctx     context.Context //nolint:containedctx // from NewSubscriptions to Stop
	cancel  context.CancelFunc
	started bool
	running sync.WaitGroup
	stop    sync.Once
	nudged  chan struct{} // holds a token when it pays to look

	mu       sync.Mutex
	outdated map[string]bool // webhooks that carried other credentials than the first, by their id
}

// NewSubscriptions makes one that does nothing yet.
func NewSubscriptions(cfg SubscriptionConfig) *Subscriptions {
	cfg.fill()
	s := &Subscriptions{cfg: cfg, nudged: make(chan struct{}, 1), outdated: map[string]bool{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Start looks at once, and again every CheckInterval, also after an error. Pipedrive tries the URL when a webhook is
// made, so the door has to serve already. A configuration that Check refuses is only logged.
func (s *Subscriptions) Start() {
	s.started = true
	s.running.Go(s.run)
}

// Refused makes the next look come soon: a webhook that carries a password that was taken away is made anew before it is
// banned. Anybody can call himself Pipedrive, so there is one such look in a CheckInterval.
func (s *Subscriptions) Refused() { s.nudge() }

// Outdated has a webhook made anew that carries other credentials than the first: once it is, the others can be taken
// away.
func (s *Subscriptions) Outdated(webhookID string) {
	s.mu.Lock()
	known := webhookID == "" || s.outdated[webhookID] || len(s.outdated) == mostOutdated
	if !known {
		s.outdated[webhookID] = true
	}
	s.mu.Unlock()
	if !known {
		s.nudge()
	}
}

func (s *Subscriptions) nudge() {
	select {
	case s.nudged <- struct{}{}:
	default:
	}
}

// Stop ends the care and waits for it, and with RemoveOnShutdown removes what is ours: for as long as ctx lasts, and 5
// seconds at most. It is safe to call twice, and before Start.
func (s *Subscriptions) Stop(ctx context.Context) {
	s.stop.Do(func() {
		s.cancel()
		s.running.Wait()
		if !s.started || !s.cfg.RemoveOnShutdown {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, farewellLimit)
		defer cancel()
		if _, err := Remove(ctx, s.cfg); err != nil {
			s.cfg.Log.Warnf("Webhooks stay registered at Pipedrive although remove_on_shutdown is set: %v", err)
		}
	})
}

func (s *Subscriptions) run() {
	k, err := newKeeper(s.cfg)
	if err != nil {
		s.cfg.Log.Warnf("Looking after no webhooks: %v", err)
		return
	}
	client := s.cfg.Client
	owner := "webhooks of " + s.cfg.URL
	client.Plan(owner, pipedrive.WebhooksTokens/s.cfg.CheckInterval.Seconds())
	defer client.Plan(owner, 0)

	told := map[string]bool{} // reasons of the looks that failed since the last that did not
	var nudged time.Time      // when the last look was that came of one
	for s.ctx.Err() == nil {
		err := s.look(k)
		if s.ctx.Err() != nil {
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
				s.cfg.Log.Warnf("Looking after webhooks at Pipedrive, next try in %v: %v", pause, pipedrive.WithRemedy(err))
			}
		}
		if s.rest(pause, nudged.Add(pause)) {
			nudged = time.Now()
		}
	}
}

func (s *Subscriptions) look(k *keeper) error {
	s.mu.Lock()
	k.want.outdated = maps.Clone(s.outdated)
	s.mu.Unlock()
	if _, err := k.look(s.ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range k.want.outdated {
		if !slices.ContainsFunc(k.present, func(w pipedrive.Webhook) bool { return w.ID == id }) {
			delete(s.outdated, id)
		}
	}
	return nil
}

// rest waits until the next look, and says whether that comes early because of a nudge, of which none counts before a
// time.
func (s *Subscriptions) rest(pause time.Duration, from time.Time) (nudged bool) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return false
		case <-s.ctx.Done():
			return false
		case <-s.nudged:
		}
		if time.Now().Before(from) {
			continue
		}
		_ = pauseFor(s.ctx, min(nudgeDelay, pause))
		return true
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
