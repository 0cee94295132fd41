package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// dealsQuery is what pipedrive_poll asks for on its first walk.
const dealsQuery = "limit=500&sort_by=update_time&sort_direction=asc&status=open,won,lost,deleted"

// plenty is a limit that no lane meets.
const plenty = 1_000_000_000

// serve is the other process: an account whose pages are made ahead, and a second port on which a lane asks what the
// account saw and changes it.
func serve(ctx context.Context, deals int) error {
	sim := simulator.New(simulator.Options{Deals: deals, DailyBudget: plenty, Burst: plenty, RequestLog: 10})
	if _, err := sim.Prebuild("/api/v2/deals", dealsQuery); err != nil {
		return err
	}
	if err := sim.Start("127.0.0.1:0"); err != nil {
		return err
	}
	defer sim.Close()
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/forget", func(http.ResponseWriter, *http.Request) { sim.ForgetRequests() })
	mux.HandleFunc("/lists", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, sim.Count("/api/v2/deals")) })
	mux.HandleFunc("/tokens", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, sim.TokensSpent()) })
	mux.HandleFunc("/bulk", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		fmt.Fprint(w, len(sim.AddMany("deals", n)))
	})
	mux.HandleFunc("/first", func(w http.ResponseWriter, _ *http.Request) {
		for _, r := range sim.Requests() {
			if strings.HasSuffix(r.Path, "/deals") {
				fmt.Fprint(w, r.Time.UnixNano())
				return
			}
		}
	})
	go http.Serve(control, mux) //nolint:gosec // loopback, for the length of a lane
	fmt.Printf("%s %s http://%s\n", sim.URL(), sim.Token(), control.Addr())
	<-ctx.Done()
	return nil
}

// account is a served account as a lane sees it.
type account struct {
	url, token, control string
	cmd                 *exec.Cmd
}

// startAccount serves an account in a process of its own.
func startAccount(ctx context.Context, deals int) (*account, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", strconv.Itoa(deals))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	a := &account{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(line, &a.url, &a.token, &a.control)
	}
	if err != nil {
		a.stop()
		return nil, fmt.Errorf("starting an account of %d deals: %w", deals, err)
	}
	return a, nil
}

func (a *account) stop() {
	_ = a.cmd.Process.Kill()
	_ = a.cmd.Wait()
}

// ask reads a number from the control port.
func (a *account) ask(path string) (int64, error) {
	res, err := http.Get(a.control + path)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || len(body) == 0 {
		return 0, err
	}
	return strconv.ParseInt(string(body), 10, 64)
}

// firstAsked is when the first list request came since the account was told to forget.
func (a *account) firstAsked() (time.Time, error) {
	n, err := a.ask("/first")
	return time.Unix(0, n), err
}
