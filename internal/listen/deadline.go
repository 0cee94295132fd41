package listen

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// deadline is when a connection's reads, or its writes, end. net/http sets the one up to eight times a request and the
// other once, its mounts do too, and mostly to a later time than before. At the socket each costs a timer. So the socket
// hears of it when somebody reads or writes and it ends too late, or, if that comes, too early.
type deadline struct {
	set func(time.Time) error // at the socket

	mu    sync.Mutex
	want  time.Time // zero: never
	armed time.Time // at the socket; never later than what is wanted while it is under way
	busy  bool      // net/http has one reader and one writer at a time
}

// move holds for what is under way, as everywhere, and for what follows.
func (d *deadline) move(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.want = t
	if d.busy {
		return d.hasten()
	}
	return nil
}

func (d *deadline) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.hasten()
	d.busy = err == nil
	return err
}

// end says whether what began has to begin again, because the socket was told too early a time.
func (d *deadline) end(err error) (again bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	if !errors.Is(err, os.ErrDeadlineExceeded) || !d.want.IsZero() && time.Until(d.want) <= 0 {
		return false
	}
	return d.arm() == nil
}

// hasten wants the lock held, as arm does.
func (d *deadline) hasten() error {
	if d.want.IsZero() || !d.armed.IsZero() && !d.armed.After(d.want) {
		return nil
	}
	return d.arm()
}

func (d *deadline) arm() error {
	d.armed = d.want
	return d.set(d.want)
}

// SetReadDeadline, SetWriteDeadline and SetDeadline are those of a connection.
func (g *guest) SetReadDeadline(t time.Time) error  { return g.reads.move(t) }
func (g *guest) SetWriteDeadline(t time.Time) error { return g.writes.move(t) }
func (g *guest) SetDeadline(t time.Time) error      { return errors.Join(g.reads.move(t), g.writes.move(t)) }

// Read reads, except for the single byte that net/http asks for while a request is answered, to see whether its sender
// leaves. Nobody here wants to know: an event is taken or refused whether its sender waits or not. So nothing is read and
// nothing waited for, which spares each request a system call, a timer and two wake-ups.
func (g *guest) Read(p []byte) (int, error) {
	if len(p) == 1 && g.attended.Load() {
		return 0, nil
	}
	for {
		if err := g.reads.begin(); err != nil {
			return 0, err
		}
		n, err := g.TCPConn.Read(p)
		if !g.reads.end(err) {
			return n, err
		}
	}
}

func (g *guest) Write(p []byte) (sent int, err error) {
	for {
		if err := g.writes.begin(); err != nil {
			return sent, err
		}
		n, err := g.TCPConn.Write(p[sent:])
		sent += n
		if !g.writes.end(err) {
			return sent, err
		}
	}
}

// WriteTo and ReadFrom go by Read and Write, and not past them.
func (g *guest) WriteTo(w io.Writer) (int64, error)  { return io.Copy(w, struct{ io.Reader }{g}) }
func (g *guest) ReadFrom(r io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{g}, r) }
