package simulator

import (
	"slices"
	"time"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	Webhook   int64
	EventID   string // meta.id of version 2.0, except of users; one event has the same for all webhooks
	Entity    string // deal, person, ...
	EntityID  string
	Action    string // in the words of the webhook's version
	Time      time.Time
	Duplicate bool // the second copy that the quirk SendTwice makes
	Tries     []Try
	Outcome   Outcome
}

// Try is one request.
type Try struct {
	Time   time.Time // of its beginning
	Took   time.Duration
	Status int   // 0: no answer
	Err    error // why there was no answer
}

// Outcome is how a delivery ended.
type Outcome string

// The outcomes.
const (
	Pending   Outcome = "pending"   // it will be tried, or tried again
	Delivered Outcome = "delivered" // answered 2xx
	Dropped   Outcome = "dropped"   // four tries failed
	Lost      Outcome = "lost"      // the webhook was banned, inactive or removed when its turn came
)

// deliveryLog remembers the last deliveries, and all that are pending.
type deliveryLog struct {
	all  []*delivery
	most int
}

func (l *deliveryLog) add(d *delivery) {
	for len(l.all) >= l.most && l.all[0].Outcome != Pending {
		l.all[0] = nil
		l.all = l.all[1:]
	}
	l.all = append(l.all, d)
}

func (d *delivery) told() Delivery {
	told := d.Delivery
	told.Tries = slices.Clone(d.Tries)
	return told
}

// Deliveries are the last ones in the order of their events, pending ones included.
func (s *Simulator) Deliveries() []Delivery {
	q := s.sender
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make([]Delivery, 0, len(q.log.all))
	for _, d := range q.log.all {
		all = append(all, d.told())
	}
	return all
}

// ForgetDeliveries begins the log anew with what is pending.
func (s *Simulator) ForgetDeliveries() {
	q := s.sender
	q.mu.Lock()
	defer q.mu.Unlock()
	q.log.all = slices.DeleteFunc(slices.Clone(q.log.all), func(d *delivery) bool { return d.Outcome != Pending })
}

// OnDelivery has hook called after every try, and when an event is lost. It is called under a lock and must not call
// the simulator. nil takes it away.
func (s *Simulator) OnDelivery(hook func(Delivery)) {
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	s.sender.say = hook
}
