package report

import (
	"context"
	"fmt"
	"log/slog"
)

// Always is the name of a field that makes a line a report whatever its level, such as the end of an alarm.
const Always = "report"

// Clean is a log without secrets and addresses: texts and errors of every line above debug are scrubbed.
func Clean(next slog.Handler) slog.Handler { return cleaner{next} }

type cleaner struct{ next slog.Handler }

// Enabled is part of slog.Handler.
func (c cleaner) Enabled(ctx context.Context, l slog.Level) bool { return c.next.Enabled(ctx, l) }

// Handle is part of slog.Handler.
func (c cleaner) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo {
		return c.next.Handle(ctx, r)
	}
	clean := slog.NewRecord(r.Time, r.Level, Scrub(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != Always {
			clean.AddAttrs(cleanAttr(a))
		}
		return true
	})
	return c.next.Handle(ctx, clean)
}

// WithAttrs is part of slog.Handler.
func (c cleaner) WithAttrs(attrs []slog.Attr) slog.Handler {
	cleaned := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		cleaned[i] = cleanAttr(a)
	}
	return cleaner{c.next.WithAttrs(cleaned)}
}

// WithGroup is part of slog.Handler.
func (c cleaner) WithGroup(name string) slog.Handler { return cleaner{c.next.WithGroup(name)} }

func cleanAttr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, Scrub(v.String()))
	case slog.KindGroup:
		parts := v.Group()
		cleaned := make([]slog.Attr, len(parts))
		for i, p := range parts {
			cleaned[i] = cleanAttr(p)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(cleaned...)}
	case slog.KindAny:
		if v.Any() != nil {
			return slog.String(a.Key, Scrub(fmt.Sprint(v.Any())))
		}
	}
	return slog.Attr{Key: a.Key, Value: v}
}
