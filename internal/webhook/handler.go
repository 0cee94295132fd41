// Package webhook is the engine of the webhook door: it takes Pipedrive's deliveries, and answers 2xx only for what
// is accepted. It knows no host; where acceptance happens is somebody else's.
package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// BodiesTogether is how many bytes of bodies are held at once, whoever sends them. No body may be larger.
const BodiesTogether = 64 << 20

// ClaimLinger is how long a claim in a shared store outlasts the answer to its request.
const ClaimLinger = 2 * time.Second

// Acceptor decides whether a delivery is safe.
type Acceptor interface {
	// Accept returns when that is known, or the context ends, and sees to it that the delivery is settled: then or
	// later, but at the latest when the acceptor is closed.
	Accept(ctx context.Context, d *Delivery) error
	// Healthy says whether the next delivery has a chance.
	Healthy() bool
}

// Config is what a handler checks, and against what.
type Config struct {
	Path           string
	Credentials    []Credential // none: everybody may send
	AllowedIPs     []netip.Prefix
	TrustedProxies []netip.Prefix

	MaxBodySize     int64         // up to BodiesTogether
	MaxInFlight     int           // deliveries without a verdict; further requests wait
	ResponseTimeout time.Duration // of the whole request; Pipedrive itself waits for 10 s

	Acceptor  Acceptor
	Deduper   *Deduper  // nil: duplicates are delivered
	Caretaker Caretaker // nil: nobody looks after the webhooks at Pipedrive
	Observer  Observer
	Log       Logger
}

// Caretaker looks after the webhooks at Pipedrive. Its methods must not block.
type Caretaker interface {
	// Refused is told that something which calls itself Pipedrive carried none of the credentials.
	Refused()
	// Outdated is told that a webhook carried other credentials than the first, which may soon be taken away.
	Outdated(webhookID string)
}

// Observer counts answers. Its methods must not block.
type Observer interface {
	Answered(result Result, took time.Duration)
}

// Logger takes what a person should know.
type Logger interface {
	Warnf(format string, args ...any)
	Infof(format string, args ...any)
}

// Handler answers one path.
type Handler struct {
	cfg         Config
	credentials credentials
	addresses   addresses
	slots       chan struct{}
	bodies      *semaphore.Weighted
	refusals    *tally
	curfew      curfew

	born   time.Time
	filled atomic.Int64   // nanoseconds since born when the last free slot was last taken
	late   sync.WaitGroup // verdicts that come after the answer
}

// NewHandler makes one.
func NewHandler(cfg Config) *Handler {
	return &Handler{
		cfg:         cfg,
		credentials: newCredentials(cfg.Credentials),
		addresses:   addresses{cfg.AllowedIPs, cfg.TrustedProxies},
		slots:       make(chan struct{}, cfg.MaxInFlight),
		bodies:      semaphore.NewWeighted(BodiesTogether),
		refusals:    newTally(cfg.Log),
		curfew:      curfew{after: cfg.ResponseTimeout - writingTime(cfg.ResponseTimeout)},
		born:        time.Now(),
	}
}

// writingTime is what of the time for an answer is left for writing the verdict down in a shared store.
func writingTime(responseTimeout time.Duration) time.Duration { return responseTimeout / 16 }

// Close returns when what was decided after its answer is written down. It follows the close of the acceptor and the
// end of all requests.
func (h *Handler) Close() {
	h.late.Wait()
	h.curfew.end()
}

// Healthy says whether a webhook would be accepted now, as far as one can tell: the acceptor takes some, and the slots
// have not all been taken for longer than an answer may take.
func (h *Handler) Healthy() bool {
	stalled := len(h.slots) == cap(h.slots) && time.Since(h.born)-time.Duration(h.filled.Load()) > h.cfg.ResponseTimeout
	return !stalled && h.cfg.Acceptor.Healthy()
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	result, credential := h.check(r)
	if result == right {
		// A body that trickles in must not hold its place longer than the answer may take. In process there is no
		// connection to read from.
		_ = http.NewResponseController(w).SetReadDeadline(began.Add(h.curfew.after))
		result = h.take(h.curfew.of(began), w, r, began, credential)
	}
	answer(w, result)
	h.cfg.Observer.Answered(result, time.Since(began))
}

// check looks at everything that can be seen before the body is read, and returns which credential the request carries.
func (h *Handler) check(r *http.Request) (_ Result, credential int) {
	switch {
	case r.URL.Path != h.cfg.Path:
		return NotFound, 0
	case !h.addresses.admit(r):
		h.refusals.add("from an address that is not in allowed_ips", "")
		return Forbidden, 0
	}
	if len(h.credentials) > 0 {
		if credential = h.credentials.match(r); credential < 0 {
			h.unauthorized(r)
			return Unauthorized, 0
		}
	}
	switch {
	case r.Method != http.MethodPost:
		return BadMethod, 0
	case !isJSON(r.Header):
		h.refusals.add("that does not say application/json, or is compressed by something else than gzip", "")
		return BadMedia, 0
	case r.ContentLength > h.cfg.MaxBodySize:
		return h.tooLarge(), 0
	}
	return right, credential
}

// agent is how Pipedrive's webhooks call themselves, and whoever likes to.
const agent = "Pipedrive"

func (h *Handler) unauthorized(r *http.Request) {
	h.refusals.add("with wrong or missing credentials", "")
	if h.cfg.Caretaker != nil && strings.HasPrefix(r.UserAgent(), agent) {
		h.cfg.Caretaker.Refused()
	}
}

func (h *Handler) tooLarge() Result {
	h.refusals.add("with a larger body than max_body_size", "")
	return TooLarge
}

// take finds room for a request and hands it on. The slot is held until the verdict, which may come after the answer.
func (h *Handler) take(ctx context.Context, w http.ResponseWriter, r *http.Request, began time.Time, credential int) Result {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		h.refusals.add("because max_in_flight others had no verdict for as long as response_timeout; is the output down?", "")
		return Refused
	}
	if len(h.slots) == cap(h.slots) {
		h.filled.Store(int64(time.Since(h.born)))
	}
	room := weight(r, h.cfg.MaxBodySize)
	if h.bodies.Acquire(ctx, room) != nil {
		h.leave(0)
		h.refusals.add("because there was no room for its body for as long as response_timeout; is the output down?", "")
		return Refused
	}
	var d *Delivery
	defer func() { h.depart(d, room) }()
	var result Result
	if d, result = h.receive(ctx, w, r, began, credential, &room); d == nil {
		return result
	}
	return h.accept(ctx, d)
}

// depart gives back what a request held: at once, or when the verdict on its delivery is there.
func (h *Handler) depart(d *Delivery, room int64) {
	switch {
	case d == nil:
		h.leave(room)
	case d.settled():
		h.end(d, room, writingTime(h.cfg.ResponseTimeout))
	default:
		h.late.Go(func() {
			<-d.done
			h.end(d, room, h.cfg.ResponseTimeout)
		})
	}
}

func (h *Handler) leave(room int64) {
	h.bodies.Release(room)
	<-h.slots
}

// receive reads a request and recognises duplicates. The delivery is nil when the result stands. Of the room it gives back
// what the body does not need.
func (h *Handler) receive(ctx context.Context, w http.ResponseWriter, r *http.Request, began time.Time, credential int, room *int64) (*Delivery, Result) {
	body, err := readBody(w, r, h.cfg.MaxBodySize)
	if spare := *room - int64(cap(body)); spare > 0 {
		h.bodies.Release(spare)
		*room -= spare
	}
	switch {
	case errors.Is(err, errTooLarge):
		return nil, h.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.refusals.add("whose body did not arrive within response_timeout", "")
		return nil, Refused
	case err != nil:
		h.refusals.add("whose body ends early or is not what its Content-Encoding says", "")
		return nil, BadFrame
	}
	frame, err := Parse(body)
	if err != nil {
		h.refusals.add("that is none of Pipedrive's", err.Error())
		return nil, BadFrame
	}
	if credential > 0 && h.cfg.Caretaker != nil {
		h.cfg.Caretaker.Outdated(frame.WebhookID)
	}
	if result := h.claim(ctx, frame.Key); result != right {
		return nil, result
	}
	return newDelivery(frame, body, began), right
}

// accept gives a delivery to the acceptor.
func (h *Handler) accept(ctx context.Context, d *Delivery) Result {
	judged := false
	defer func() {
		if !judged { // a panic: nobody else will
			d.Settle(ErrRefused)
		}
	}()
	err := h.cfg.Acceptor.Accept(ctx, d)
	judged = true
	switch {
	case err == nil:
		return Taken
	case errors.Is(err, context.DeadlineExceeded):
		h.refusals.add("because it had no verdict within response_timeout; is the output down?", "")
	default:
		h.refusals.add("because it was not accepted", err.Error())
	}
	return Refused
}

// claim recognises duplicates.
func (h *Handler) claim(ctx context.Context, key string) Result {
	if h.cfg.Deduper == nil {
		return right
	}
	switch h.cfg.Deduper.begin(ctx, key) {
	case Accepted:
		return Duplicate
	case UnderWay:
		return Refused
	}
	return right
}

// end gives back what a settled delivery held. That the request is over does not matter to it.
func (h *Handler) end(d *Delivery, room int64, limit time.Duration) {
	defer h.leave(room)
	if h.cfg.Deduper != nil {
		h.cfg.Deduper.end(d.Key, d.err == nil, limit)
	}
}
