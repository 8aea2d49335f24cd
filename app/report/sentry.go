package report

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getsentry/sentry-go"
)

const (
	flushTime   = 3 * time.Second // on the way out
	sendTime    = 10 * time.Second
	perMinute   = 30 // reports of one process; a broken database must not become a flood
	maxWaiting  = 100
	longestText = 2000 // bytes of one field
)

// Not reported: they say of a request or job, once more, what a line of its own has told; and where people are.
var (
	summaries = []string{"request", "job"}
	withheld  = []string{"ip", Always}
)

// Config is where reports go and whose they are.
type Config struct {
	DSN         string // "" reports nothing
	Environment string
	Release     string
}

// Reporter sends every line of the log at level error to Sentry. Its zero value sends nothing.
type Reporter struct {
	client *sentry.Client
	now    func() time.Time

	mu      sync.Mutex
	minute  time.Time
	sent    int
	dropped int
}

// New prepares a reporter. A wrong DSN is an error that does not show it.
func New(c Config) (*Reporter, error) {
	r := &Reporter{now: time.Now}
	if c.DSN == "" {
		return r, nil
	}
	transport := sentry.NewHTTPTransport()
	transport.Timeout, transport.BufferSize = sendTime, maxWaiting
	client, err := sentry.NewClient(sentry.ClientOptions{Dsn: c.DSN, Environment: c.Environment, Release: c.Release, Transport: transport,
		Integrations: func([]sentry.Integration) []sentry.Integration { return nil }}) // they would add the environment, modules and source lines
	if err != nil {
		return nil, fmt.Errorf("SENTRY_DSN is no address of a Sentry project")
	}
	r.client = client
	return r, nil
}

// Close waits a moment for what is still on its way.
func (r *Reporter) Close() error {
	if r.client != nil {
		r.client.Flush(flushTime)
		r.client.Close()
	}
	return nil
}

// Handler passes every line on to next, and reports those that ought to be.
func (r *Reporter) Handler(next slog.Handler) slog.Handler {
	if r.client == nil {
		return next
	}
	return reporting{next: next, to: r}
}

type reporting struct {
	next  slog.Handler
	to    *Reporter
	attrs []slog.Attr
}

// Enabled is part of slog.Handler.
func (h reporting) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError || h.next.Enabled(ctx, l)
}

// Handle is part of slog.Handler.
func (h reporting) Handle(ctx context.Context, line slog.Record) error {
	h.to.report(line, h.attrs)
	if !h.next.Enabled(ctx, line.Level) {
		return nil
	}
	return h.next.Handle(ctx, line)
}

// WithAttrs is part of slog.Handler.
func (h reporting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return reporting{h.next.WithAttrs(attrs), h.to, append(slices.Clone(h.attrs), attrs...)}
}

// WithGroup is part of slog.Handler.
func (h reporting) WithGroup(name string) slog.Handler {
	return reporting{h.next.WithGroup(name), h.to, h.attrs}
}

// report sends one line if it is worth it.
func (r *Reporter) report(line slog.Record, attrs []slog.Attr) {
	fields, always := fieldsOf(line, attrs)
	if (line.Level < slog.LevelError && !always) || slices.Contains(summaries, line.Message) {
		return
	}
	dropped, ok := r.take()
	if !ok {
		return
	}
	if dropped > 0 {
		fields["reports_dropped"] = fmt.Sprint(dropped)
	}
	event := sentry.NewEvent()
	event.Level, event.Message, event.Timestamp, event.Logger = sentry.LevelError, Scrub(line.Message), line.Time, "beagle"
	if line.Level < slog.LevelError {
		event.Level = sentry.LevelInfo
	}
	event.Tags, event.Fingerprint = map[string]string{}, []string{event.Message}
	for _, name := range []string{"route", "cause", "task", "schedule", "alarm", "kind"} {
		if value, ok := fields[name]; ok {
			event.Tags[name] = value
			if name != "task" { // one id per job would be one issue per job
				event.Fingerprint = append(event.Fingerprint, value)
			}
		}
	}
	event.Contexts["fields"] = sentry.Context{}
	for name, value := range fields {
		event.Contexts["fields"][name] = value
	}
	what := fields["error"]
	if p, ok := fields["panic"]; ok {
		what = p
	}
	if what != "" {
		event.Exception = []sentry.Exception{{Type: event.Message, Value: what}}
	}
	r.client.CaptureEvent(event, nil, nil)
}

// take asks for room in this minute, and tells how many reports found none since the last one that did.
func (r *Reporter) take() (dropped int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.minute) >= time.Minute {
		r.minute, r.sent = now, 0
	}
	if r.sent >= perMinute {
		r.dropped++
		return 0, false
	}
	r.sent++
	dropped, r.dropped = r.dropped, 0
	return dropped, true
}

// fieldsOf are the fields of a line as scrubbed texts.
func fieldsOf(line slog.Record, attrs []slog.Attr) (fields map[string]string, always bool) {
	fields = map[string]string{}
	add := func(a slog.Attr) bool {
		if a.Key == Always {
			always = true
		}
		if !slices.Contains(withheld, a.Key) {
			text := Scrub(a.Value.Resolve().String())
			fields[a.Key] = strings.ToValidUTF8(text[:min(len(text), longestText)], "")
		}
		return true
	}
	for _, a := range attrs {
		add(a)
	}
	line.Attrs(add)
	return fields, always
}
