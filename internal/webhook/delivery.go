package webhook

import (
	"errors"
	"sync"
	"time"
)

// Delivery is one webhook that passed all checks, on its way to acceptance.
type Delivery struct {
	Frame
	Body     []byte // as Pipedrive wrote it, decompressed
	Received time.Time

	settle sync.Once
	done   chan struct{} // closed with the verdict
	err    error         // nil: accepted; read it once done is closed
}

// ErrRefused is the verdict on a delivery that nobody took.
var ErrRefused = errors.New("the door is closing, or was too busy for too long")

func newDelivery(f Frame, body []byte, received time.Time) *Delivery {
	return &Delivery{Frame: f, Body: body, Received: received, done: make(chan struct{})}
}

// Settle gives the verdict: nil accepts. Only the first one counts. It may come long after the request was answered:
// a copy that Pipedrive sends meanwhile is then recognised.
func (d *Delivery) Settle(err error) {
	d.settle.Do(func() {
		d.err = err
		close(d.done)
	})
}

// settled says whether there is a verdict yet.
func (d *Delivery) settled() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}
