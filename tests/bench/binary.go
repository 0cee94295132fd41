package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The pipelines of the reading lanes: ours, and what people write without us.
const pollToDrop = `
http: { address: %s }
logger: { level: WARN }
input:
  pipedrive_poll:
    base_url: %s
    api_token: %s
    objects: [ deals ]
    daily_token_share: 1
    interval: %s
    overlap: %s
    full_read_interval: 24h
    checkpoint_cache: state
output: { drop: {} }
cache_resources:
  - label: state
    bolt: { path: state.db }
`

// plainYAML asks for one page after the other, with the cursor in a cache: as many as there are, and then no more. The
// other input, that nobody calls, keeps the program there to be asked.
const plainYAML = `
http: { address: %s }
logger: { level: WARN }
input:
  broker:
    inputs:
      - generate: { interval: "", count: %d, mapping: 'root = ""' }
      - http_server: { path: /nobody }
pipeline:
  threads: 1
  processors:
    - try:
        - cache: { resource: cursor, operator: get, key: next }
    - catch: [ mapping: 'root = ""' ]
    - http:
        url: '%s/api/v2/deals?` + dealsQuery + `${! if content() != "" { "&cursor=" + content().string() } else { "" } }'
        verb: GET
        headers: { x-api-token: %s }
    - branch:
        request_map: root = this.additional_data.next_cursor.or("")
        processors: [ cache: { resource: cursor, operator: set, key: next, value: '${! content() }' } ]
    - mapping: root = this.data
    - unarchive: { format: json_array }
output: { drop: {} }
cache_resources:
  - label: cursor
    memory: {}
`

// polling is the binary at work on an account.
type polling struct {
	cmd     *exec.Cmd
	log     *bytes.Buffer
	metrics string
	folder  string
}

func startPolling(ctx context.Context, binary string, a *account, interval, overlap string) (*polling, error) {
	return startPipeline(ctx, binary, func(address string) []byte {
		return fmt.Appendf(nil, pollToDrop, address, a.url, a.token, interval, overlap)
	})
}

func startPlainYAML(ctx context.Context, binary string, a *account) (*polling, error) {
	return startPipeline(ctx, binary, func(address string) []byte {
		return fmt.Appendf(nil, plainYAML, address, rateRecords/500, a.url, a.token)
	})
}

// startPipeline runs what it is given for the address of the host's own server.
func startPipeline(ctx context.Context, binary string, pipeline func(address string) []byte) (*polling, error) {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	binary, err = filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "pipeline.yaml")
	if err := os.WriteFile(config, pipeline(address), 0o600); err != nil {
		return nil, err
	}
	p := &polling{cmd: exec.CommandContext(ctx, binary, "run", config), log: &bytes.Buffer{}, metrics: "http://" + address + "/metrics", folder: folder}
	p.cmd.Dir = folder
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	return p, p.cmd.Start()
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// until waits until so many records have left through the output. A look makes the process gather its metrics, which takes
// it milliseconds: so the next one comes after half of the time that is left at the rate so far.
func (p *polling) until(ctx context.Context, records int64) error {
	const shortest, longest = 5 * time.Millisecond, 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	began, first := time.Now(), p.sent()
	for sent := first; sent < records; sent = p.sent() {
		var rest time.Duration
		if came := sent - first; came > 0 {
			rest = time.Duration(float64(time.Since(began)) * float64(records-sent) / float64(came) / 2)
		}
		pause(ctx, min(max(rest, shortest), longest))
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%d of %d records were sent", sent, records), ctx.Err(), errors.New(p.log.String()))
		}
	}
	return nil
}

func (p *polling) sent() int64 {
	res, err := http.Get(p.metrics)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		if line := s.Text(); strings.HasPrefix(line, "output_sent{") {
			n, _ := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			return int64(n)
		}
	}
	return 0
}

// peak is the most memory that the process had resident, in bytes.
func (p *polling) peak() (int64, error) { return peakOf(p.cmd.Process.Pid) }

func peakOf(process int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmHWM in /proc")
}

func (p *polling) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.folder)
}
