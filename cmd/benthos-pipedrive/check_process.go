package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
)

const (
	askLimit   = 3 * time.Second // for an answer of the process that runs
	mostAnswer = 16 << 20        // bytes of it

	mostSentence = 300 // bytes of what it says in words
)

// process is where the process that runs a configuration would answer.
type process struct {
	metrics *url.URL
	client  *http.Client
}

// process is found by a URL or, if that is empty, by http.address. nil: http is off.
func (c *configuration) process(metricsURL string) (*process, error) {
	if metricsURL == "" {
		if !c.http.enabled {
			return nil, nil
		}
		scheme := "http"
		if c.http.tls {
			scheme = "https"
		}
		metricsURL = scheme + "://" + c.http.address + "/metrics"
	}
	u, err := url.Parse(metricsURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("--metrics-url: is not an absolute http or https URL, like http://127.0.0.1:4195/metrics") // it may hold a password
	}
	return &process{metrics: u, client: &http.Client{Timeout: askLimit}}, nil
}

// shown is its URL without a password.
func (p *process) shown() string { return p.metrics.Redacted() }

// Running asks it for its metrics, and whether it is ready.
func (p *process) Running(ctx context.Context) (checkup.Running, error) {
	r := checkup.Running{URL: p.shown(), Ready: true}
	body, status, err := p.get(ctx, p.metrics)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return r, fmt.Errorf("%w at %s", checkup.ErrNobody, p.shown())
	case err != nil:
		return r, fmt.Errorf("%s: %w", p.shown(), err)
	case status != http.StatusOK:
		return r, fmt.Errorf("%s: %d %s", p.shown(), status, http.StatusText(status))
	}
	if r.Metrics, err = readMetrics(body); err != nil {
		return r, fmt.Errorf("%s: %w", p.shown(), err)
	}
	body, status, err = p.get(ctx, p.metrics.ResolveReference(&url.URL{Path: "ready"}))
	if err == nil && status == http.StatusServiceUnavailable {
		r.Ready, r.Reasons = false, notReady(body)
	}
	return r, nil
}

func (p *process) get(ctx context.Context, u *url.URL) (body string, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", 0, errors.New("the request cannot be written")
	}
	res, err := p.client.Do(req)
	if err != nil {
		var wrapped *url.Error // repeats the URL
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return "", 0, err
	}
	defer res.Body.Close()
	read, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	if err == nil && len(read) > mostAnswer {
		err = errors.New("the answer is too large")
	}
	return string(read), res.StatusCode, err
}

// readMetrics reads Prometheus' text format; of what is no single number it reads nothing.
func readMetrics(text string) (checkup.Metrics, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, errors.New("the answer is not in Prometheus' text format")
	}
	var all checkup.Metrics
	for name, family := range families {
		for _, m := range family.GetMetric() {
			var value float64
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				value = m.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				value = m.GetGauge().GetValue()
			case dto.MetricType_UNTYPED:
				value = m.GetUntyped().GetValue()
			default:
				continue
			}
			s := checkup.Sample{Name: name, Labels: map[string]string{}, Value: value}
			for _, l := range m.GetLabel() {
				s.Labels[l.GetName()] = l.GetValue()
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// notReady reads the answer of /ready: {"statuses":[{"label":"crm","path":"root.input","connected":false,"error":"…"}]};
// in streams mode a sentence.
func notReady(body string) (reasons []string) {
	var answer struct {
		Statuses []struct {
			Label, Path, Error string
			Connected          bool
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return []string{strings.TrimSpace(body[:min(len(body), mostSentence)])}
	}
	for _, s := range answer.Statuses {
		if s.Connected {
			continue
		}
		name := s.Label
		if name == "" {
			name = s.Path
		}
		if s.Error == "" {
			s.Error = "not connected"
		}
		reasons = append(reasons, name+": "+s.Error)
	}
	return reasons
}
