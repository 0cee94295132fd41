package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/spec"
)

// The tracer of Redpanda Connect that speaks OTLP is under the Redpanda Community License, and the host has none. This
// one is the exporter of the OpenTelemetry project behind the fields that somebody needs.
func init() {
	service.MustRegisterOtelTracerProvider("opentelemetry", tracerSpec(), func(conf *service.ParsedConfig) (trace.TracerProvider, error) {
		return newTracerProvider(conf)
	})
}

const (
	otFieldURL           = "url"
	otFieldHeaders       = "headers"
	otFieldCompression   = "compression"
	otFieldTimeout       = "timeout"
	otFieldTLS           = "tls"
	otFieldServiceName   = "service_name"
	otFieldAttributes    = "attributes"
	otFieldSampleRatio   = "sample_ratio"
	otFieldFlushInterval = "flush_interval"
	otFieldQueueSize     = "queue_size"
)

func tracerSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Beta().
		Version("0.3.0").
		Summary("Sends a span for each event, and below it one for each processor and output that it went through, to an OpenTelemetry collector (OTLP over HTTP).").
		Fields(
			service.NewURLField(otFieldURL).
				Description("Where spans are posted: the collector's OTLP address over HTTP with its path. It must not hold credentials or a query: those belong into `headers`.").
				Default("http://localhost:4318/v1/traces").
				Example("https://otlp.example.com/v1/traces"),
			service.NewStringMapField(otFieldHeaders).
				Description("Headers of every request, such as the key of a tracing service.").
				Secret().
				Default(map[string]any{}).
				Example(map[string]any{"Authorization": "Bearer ${OTLP_TOKEN}"}),
			service.NewFloatField(otFieldSampleRatio).
				Description("Which part of the events is traced, from 0 to 1. A message that comes with a trace of its own follows that one's decision.").
				Default(1.0).
				LintRule(`root = if this < 0 || this > 1 { ["must be from 0 to 1"] }`),
			service.NewStringField(otFieldServiceName).
				Description("The name under which spans are found.").
				Default(name),
			service.NewStringMapField(otFieldAttributes).
				Description("Attributes of this process that every span carries.").
				Default(map[string]any{}).
				Example(map[string]any{"deployment.environment.name": "production"}),
			service.NewStringEnumField(otFieldCompression, "gzip", "none").
				Description("How requests are compressed.").
				Default("gzip").
				Advanced(),
			service.NewDurationField(otFieldTimeout).
				Description("How long one request may take.").
				Default("10s").
				Advanced(),
			service.NewDurationField(otFieldFlushInterval).
				Description("How long spans are collected before they are sent, at most.").
				Default("5s").
				Advanced(),
			service.NewIntField(otFieldQueueSize).
				Description("How many spans may wait, about 1 KiB each. Those that find no room are dropped: tracing never holds up an event.").
				Default(16384).
				LintRule(`root = if this < 1 { ["must be at least 1"] }`).
				Advanced(),
			service.NewTLSToggledField(otFieldTLS),
		)
}

func newTracerProvider(conf *service.ParsedConfig) (*sdktrace.TracerProvider, error) {
	exporter, err := exporterOptions(conf)
	if err != nil {
		return nil, err
	}
	ratio, err := conf.FieldFloat(otFieldSampleRatio)
	if err != nil {
		return nil, err
	}
	if !(ratio >= 0 && ratio <= 1) { // so that NaN is refused too
		return nil, fmt.Errorf("%s: %v is not from 0 to 1", otFieldSampleRatio, ratio)
	}
	flush, err := spec.PositiveDuration(conf, otFieldFlushInterval)
	if err != nil {
		return nil, err
	}
	queue, err := conf.FieldInt(otFieldQueueSize)
	if err != nil {
		return nil, err
	}
	if queue < 1 {
		return nil, fmt.Errorf("%s: %d is not at least 1", otFieldQueueSize, queue)
	}
	about, err := processAttributes(conf)
	if err != nil {
		return nil, err
	}
	client, err := otlptracehttp.New(context.Background(), exporter...) // it connects to nobody yet
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(&spanTrouble{log: conf.Resources().Logger()})
	return sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithResource(resource.NewSchemaless(about...)),
		sdktrace.WithBatcher(client, sdktrace.WithBatchTimeout(flush), sdktrace.WithMaxQueueSize(queue)),
	), nil
}

func exporterOptions(conf *service.ParsedConfig) ([]otlptracehttp.Option, error) {
	to, err := conf.FieldURL(otFieldURL)
	if err != nil {
		return nil, err
	}
	if err := plainURL(to); err != nil {
		return nil, fmt.Errorf("%s: %w", otFieldURL, err)
	}
	headers, err := conf.FieldStringMap(otFieldHeaders)
	if err != nil {
		return nil, err
	}
	timeout, err := spec.PositiveDuration(conf, otFieldTimeout)
	if err != nil {
		return nil, err
	}
	compression, err := conf.FieldString(otFieldCompression)
	if err != nil {
		return nil, err
	}
	options := []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(to.String()), otlptracehttp.WithHeaders(headers), otlptracehttp.WithTimeout(timeout),
	}
	switch compression {
	case "gzip":
		options = append(options, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	case "none":
		options = append(options, otlptracehttp.WithCompression(otlptracehttp.NoCompression))
	default:
		return nil, fmt.Errorf("%s: %q is not one of gzip, none", otFieldCompression, compression)
	}
	tls, enabled, err := conf.FieldTLSToggled(otFieldTLS)
	if err == nil && enabled {
		options = append(options, otlptracehttp.WithTLSClientConfig(tls))
	}
	return options, err
}

// plainURL refuses what would show in a log.
func plainURL(u *url.URL) error {
	switch {
	case u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("want an absolute http or https URL, like http://localhost:4318/v1/traces")
	case u.User != nil || u.RawQuery != "":
		return fmt.Errorf("holds credentials or a query, which belong into %s", otFieldHeaders)
	}
	return nil
}

// processAttributes are those of the process that sends spans.
// https://opentelemetry.io/docs/specs/semconv/resource/#service
func processAttributes(conf *service.ParsedConfig) ([]attribute.KeyValue, error) {
	service, err := conf.FieldString(otFieldServiceName)
	if err != nil {
		return nil, err
	}
	more, err := conf.FieldStringMap(otFieldAttributes)
	if err != nil {
		return nil, err
	}
	about := []attribute.KeyValue{attribute.String("service.name", service), attribute.String("service.version", version)}
	for name, value := range more {
		about = append(about, attribute.String(name, value))
	}
	return about, nil
}

// troubleEvery is how often lost spans are worth a line.
const troubleEvery = time.Minute

// spanTrouble logs that spans could not be sent.
type spanTrouble struct {
	log  *service.Logger
	last atomic.Int64 // Unix time in nanoseconds
}

func (s *spanTrouble) Handle(err error) {
	now := time.Now().UnixNano()
	if last := s.last.Load(); now-last < int64(troubleEvery) || !s.last.CompareAndSwap(last, now) {
		return
	}
	s.log.Warnf("Spans are lost, as the tracer cannot send them; events are not held up: %v", err)
}
