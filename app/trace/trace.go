// Package trace sends spans to an OpenTelemetry collector by OTLP over HTTP, so that the way of one list can be followed from its upload
// to its file through all processes. A nil Tracer does nothing and costs nothing.
package trace

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	spans "go.opentelemetry.io/otel/trace"
)

const (
	sendTimeout = 10 * time.Second
	sendEvery   = 2 * time.Second
	mostWaiting = 8192 // spans; more are dropped: a collector that is away must not cost memory
	closeTime   = 3 * time.Second
	tracesPath  = "/v1/traces" // of the endpoint, by the OTLP specification
)

// Config is where spans go and what they say of this process.
type Config struct {
	Endpoint string // base URL, such as http://collector:4318; "" makes no Tracer
	Headers  string // name=value, separated by commas
	Version  string
	Process  string // which of the processes this is
	Scrub    func(string) string
}

// Tracer makes spans.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   spans.Tracer
	scrub    func(string) string
}

var format = propagation.TraceContext{}

// New makes a Tracer, nil when there is no endpoint. It does not wait for the collector.
func New(c Config) (*Tracer, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	headers, err := readHeaders(c.Headers)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(strings.TrimRight(c.Endpoint, "/")+tracesPath),
		otlptracehttp.WithHeaders(headers), otlptracehttp.WithTimeout(sendTimeout), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter, sdk.WithBatchTimeout(sendEvery), sdk.WithMaxQueueSize(mostWaiting)),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "beagle"), attribute.String("service.version", c.Version),
			attribute.String("service.instance.id", c.Process))))
	scrub := c.Scrub
	if scrub == nil {
		scrub = func(s string) string { return s }
	}
	return &Tracer{provider: provider, tracer: provider.Tracer("beagle"), scrub: scrub}, nil
}

func readHeaders(text string) (map[string]string, error) {
	headers := map[string]string{}
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS must be name=value, separated by commas")
		}
		headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return headers, nil
}

// Close sends what is left; a collector that does not answer is waited for a moment only.
func (t *Tracer) Close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // nobody can be told that the last spans were lost
	return nil
}

// Span is a piece of work that is being measured. A nil Span does nothing.
type Span struct {
	span  spans.Span
	scrub func(string) string
}

// Start begins a span within the one in ctx. Pairs are names and values: string, int, int64 or bool.
func (t *Tracer) Start(ctx context.Context, name string, pairs ...any) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.tracer.Start(ctx, name)
	s := &Span{span, t.scrub}
	s.Set(pairs...)
	return ctx, s
}

// Request begins the span of an HTTP request, within the trace that its client is in, if it says so.
func (t *Tracer) Request(r *http.Request) (context.Context, *Span) {
	if t == nil {
		return r.Context(), nil
	}
	ctx := format.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method, spans.WithSpanKind(spans.SpanKindServer))
	return ctx, &Span{span, t.scrub}
}

// Name gives the span another name: the route of a request is known late.
func (s *Span) Name(name string) {
	if s != nil {
		s.span.SetName(name)
	}
}

// Set adds fields.
func (s *Span) Set(pairs ...any) {
	if s == nil {
		return
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		name := fmt.Sprint(pairs[i])
		switch v := pairs[i+1].(type) {
		case int:
			s.span.SetAttributes(attribute.Int(name, v))
		case int64:
			s.span.SetAttributes(attribute.Int64(name, v))
		case bool:
			s.span.SetAttributes(attribute.Bool(name, v))
		default:
			s.span.SetAttributes(attribute.String(name, s.scrub(fmt.Sprint(v))))
		}
	}
}

// End ends the span, with the error if there was one.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, s.scrub(err.Error()))
	}
	s.span.End()
}

// Parent is the span in ctx as a W3C traceparent, to be kept with what goes on later; "" without one.
func (t *Tracer) Parent(ctx context.Context) string {
	if t == nil {
		return ""
	}
	carrier := propagation.MapCarrier{}
	format.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// Under makes ctx go on with the trace of a traceparent. What is none changes nothing.
func (t *Tracer) Under(ctx context.Context, parent string) context.Context {
	if t == nil || parent == "" {
		return ctx
	}
	return format.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
}
