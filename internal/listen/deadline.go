package listen

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// readDeadline is when a connection's reads end. net/http sets it up to eight times a request, and its mounts do, but
// all that comes of most of these is another one: the socket, where each costs a timer, hears of it when somebody reads.
type readDeadline struct {
	mu      sync.Mutex
	want    time.Time
	armed   time.Time // at the socket
	reading bool      // net/http has one reader at a time

	lookout sync.Cond // whoever keeps it hears of each deadline, and of the end
	closed  bool
}

// SetReadDeadline holds for the read that is under way, as everywhere, and for those that follow.
func (g *guest) SetReadDeadline(t time.Time) error {
	d := &g.deadline
	d.mu.Lock()
	defer d.mu.Unlock()
	d.want = t
	d.lookout.Broadcast()
	if !d.reading {
		return nil
	}
	return g.arm()
}

// SetDeadline sets both.
func (g *guest) SetDeadline(t time.Time) error {
	if err := g.SetReadDeadline(t); err != nil {
		return err
	}
	return g.SetWriteDeadline(t)
}

// arm wants the deadline's lock held.
func (g *guest) arm() error {
	d := &g.deadline
	if d.armed.Equal(d.want) {
		return nil
	}
	d.armed = d.want
	return g.TCPConn.SetReadDeadline(d.want)
}

// keepLookout ends with a deadline in the past.
func (d *readDeadline) keepLookout() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lookout.L = &d.mu
	for {
		switch {
		case d.closed:
			return net.ErrClosed
		case !d.want.IsZero() && time.Until(d.want) <= 0:
			return os.ErrDeadlineExceeded
		}
		d.lookout.Wait()
	}
}

// close ends a lookout.
func (d *readDeadline) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.lookout.Broadcast()
}

// Read reads, but for a single byte. For that net/http asks while a request is answered, to see whether its sender
// leaves, until it ends that by a deadline in the past. Nobody here wants to know: an event is taken or refused whether
// its sender waits or not. So there is nothing to read, which spares each request a system call and a timer; whatever is
// sent meanwhile is for the next reader.
func (g *guest) Read(p []byte) (int, error) {
	d := &g.deadline
	if len(p) == 1 {
		return 0, d.keepLookout()
	}
	d.mu.Lock()
	err := g.arm()
	d.reading = err == nil
	d.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := g.TCPConn.Read(p)
	d.mu.Lock()
	d.reading = false
	d.mu.Unlock()
	return n, err
}

// WriteTo goes by Read, and not past it.
func (g *guest) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{g}) }
