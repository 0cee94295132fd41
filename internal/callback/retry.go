package callback

import (
	"fmt"
	"time"
)

// Retry is the schedule of one message: it is tried MaxAttempts times in all, first after InitialInterval, then after
// Multiplier times as long each time, but never longer than MaxInterval.
type Retry struct {
	MaxAttempts     int
	InitialInterval time.Duration
	Multiplier      float64
	MaxInterval     time.Duration
}

func (r Retry) check() error {
	switch {
	case r.MaxAttempts < 1:
		return fmt.Errorf("max_attempts: %d is not at least 1, which is the first try alone", r.MaxAttempts)
	case r.InitialInterval <= 0:
		return fmt.Errorf("initial_interval: %v is not above zero", r.InitialInterval)
	case !(r.Multiplier >= 1): // written so that NaN is refused
		return fmt.Errorf("multiplier: %v is not at least 1", r.Multiplier)
	case r.MaxInterval < r.InitialInterval:
		return fmt.Errorf("max_interval: %v is less than the initial_interval of %v", r.MaxInterval, r.InitialInterval)
	}
	return nil
}

// wait is how long after the nth try the next one comes. What the receiver asks for is the least; it does not shorten
// the schedule, which would spend all tries on an outage that is announced second by second.
func (r Retry) wait(try int, asked time.Duration) time.Duration {
	scheduled := r.InitialInterval
	for range try - 1 {
		next := float64(scheduled) * r.Multiplier
		if next >= float64(r.MaxInterval) {
			return r.MaxInterval
		}
		scheduled = time.Duration(next)
	}
	return min(max(scheduled, asked), r.MaxInterval)
}
