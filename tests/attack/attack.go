// Package attack plays those who mean ill to a webhook door, for tests and benchmarks.
package attack

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Target is a door, and the credentials that let a request in.
type Target struct {
	Address            string // host:port
	Path               string
	Username, Password string
}

const (
	guessers, guesses = 8, 500 // wrong passwords: so many at a time, each so often
	largeBody         = 200 << 20
	silent            = 1500 // connections that send half a header, and then nothing
	trickling         = 200  // requests with a wrong password whose body comes byte by byte
	trickleFor        = 5 * time.Second
)

// All does everything at once and returns when it is over. An error is an answer that no attacker should have got.
func (t Target) All(ctx context.Context) error {
	kinds := []func(context.Context) error{t.guess, t.sendLarge, t.sendEndless, t.sendBomb, t.sendDeep, t.sendGarbage, t.stall, t.trickle}
	errs := make([]error, len(kinds))
	var attackers sync.WaitGroup
	for i, attack := range kinds {
		attackers.Go(func() { errs[i] = attack(ctx) })
	}
	attackers.Wait()
	return errors.Join(errs...)
}

// post returns the status; 0 when the door hung up, as it may while a body is being sent.
func (t Target) post(ctx context.Context, password string, body io.Reader, edit func(*http.Request)) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.Address+t.Path, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(t.Username, password)
	if edit != nil {
		edit(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	if said, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10)); len(said) > 0 {
		return 0, fmt.Errorf("the door said %q", said)
	}
	return res.StatusCode, nil
}

func (t Target) expect(ctx context.Context, what string, status int, body io.Reader, edit func(*http.Request)) error {
	got, err := t.post(ctx, t.Password, body, edit)
	if err == nil && got != status && got != 0 {
		err = fmt.Errorf("answered %d, not %d", got, status)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (t Target) guess(ctx context.Context) error {
	errs := make([]error, guessers)
	var all sync.WaitGroup
	for i := range guessers {
		all.Go(func() {
			for n := range guesses {
				got, err := t.post(ctx, fmt.Sprint("guess", i, n), strings.NewReader("{}"), nil)
				if err != nil || got != http.StatusUnauthorized && got != 0 {
					errs[i] = fmt.Errorf("a wrong password: answered %d: %w", got, err)
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (t Target) sendLarge(ctx context.Context) error {
	return t.expect(ctx, "a large body", http.StatusRequestEntityTooLarge, io.LimitReader(zeros{}, largeBody), func(r *http.Request) { r.ContentLength = largeBody })
}

func (t Target) sendEndless(ctx context.Context) error {
	for range 4 {
		err := t.expect(ctx, "a body without an end", http.StatusRequestEntityTooLarge, io.LimitReader(zeros{}, largeBody), func(r *http.Request) { r.ContentLength = -1 })
		if err != nil {
			return err
		}
	}
	return nil
}

func (t Target) sendBomb(ctx context.Context) error {
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, io.LimitReader(zeros{}, largeBody)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	for range 50 {
		err := t.expect(ctx, "a bomb", http.StatusRequestEntityTooLarge, bytes.NewReader(bomb.Bytes()), func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") })
		if err != nil {
			return err
		}
	}
	return nil
}

func (t Target) sendDeep(ctx context.Context) error {
	for _, deep := range []string{"[", `{"meta":`, `{"meta":{"a":[`} {
		for range 10 {
			if err := t.expect(ctx, "deep JSON", http.StatusBadRequest, strings.NewReader(strings.Repeat(deep, 4_000_000/len(deep))), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t Target) sendGarbage(ctx context.Context) error {
	garbage := []string{"", "{", "null", "[]", "\x00\xff", `{"meta":null}`, `{"meta":{}}`, `{"meta":{"version":"2.0"}}`, `{"v":1,"meta":[]}`, strings.Repeat(`"a`, 1000)}
	for range 100 {
		for _, body := range garbage {
			if err := t.expect(ctx, fmt.Sprintf("the body %.20q", body), http.StatusBadRequest, strings.NewReader(body), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// stall opens connections and does not finish the header of a request.
func (t Target) stall(ctx context.Context) error {
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range silent {
		var d net.Dialer
		dialling, cancel := context.WithTimeout(ctx, time.Second)
		conn, err := d.DialContext(dialling, "tcp", t.Address)
		cancel()
		if err != nil {
			break // the door takes no more of them
		}
		conns = append(conns, conn)
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: door\r\nX-Slow: ", t.Path)
	}
	return wait(ctx, trickleFor)
}

// trickle sends bodies byte by byte, to those who would wait for them.
func (t Target) trickle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, trickleFor)
	defer cancel()
	var all sync.WaitGroup
	for range trickling {
		all.Go(func() {
			_, _ = t.post(ctx, "wrong", &drip{ctx: ctx}, func(r *http.Request) { r.ContentLength = 1 << 20 })
		})
	}
	all.Wait()
	return nil
}

// drip is a body that comes byte by byte.
type drip struct{ ctx context.Context } //nolint:containedctx // a Reader has no other way to end

func (d *drip) Read(p []byte) (int, error) {
	if err := wait(d.ctx, 100*time.Millisecond); err != nil {
		return 0, err
	}
	p[0] = '{'
	return 1, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
