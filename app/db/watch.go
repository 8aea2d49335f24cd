package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Watch calls see for every statement that gorm, Query, QueryRow and Exec send, with its values in it and how long it took; nil ends that. Not to be called
// while statements are under way.
func Watch(g *gorm.DB, see func(sql string, took time.Duration)) {
	if see == nil {
		g.Logger = logger.Discard
		return
	}
	g.Logger = watcher{see}
}

// watcher is a gorm logger that hears of statements only.
type watcher struct {
	see func(sql string, took time.Duration)
}

func (w watcher) Trace(_ context.Context, began time.Time, statement func() (sql string, rows int64), _ error) {
	took := time.Since(began)
	sql, _ := statement()
	w.see(sql, took)
}

// watched tells a watcher of a statement that went past gorm. Of one that gives rows the time is until the first of them.
func watched(g *gorm.DB, query string, args []any, began time.Time) {
	w, ok := g.Logger.(watcher)
	if !ok {
		return
	}
	took := time.Since(began)
	shown := make([]any, len(args))
	for i, a := range args {
		shown[i] = a
		if values := reflect.ValueOf(a); values.Kind() == reflect.Slice && values.Type().Elem().Kind() != reflect.Uint8 {
			shown[i] = arrayText(values)
		}
	}
	w.see(g.Dialector.Explain(numbered(g, query), shown...), took)
}

// arrayText is a slice as PostgreSQL writes an array.
func arrayText(values reflect.Value) string {
	parts := make([]string, values.Len())
	for i := range parts {
		switch v := reflect.Indirect(values.Index(i)); {
		case !v.IsValid():
			parts[i] = "NULL"
		default:
			if t, ok := v.Interface().(time.Time); ok {
				parts[i] = quoted(t.Format(time.RFC3339Nano))
			} else {
				parts[i] = quoted(fmt.Sprint(v.Interface()))
			}
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (w watcher) LogMode(logger.LogLevel) logger.Interface { return w }
func (w watcher) Info(context.Context, string, ...any)     {}
func (w watcher) Warn(context.Context, string, ...any)     {}
func (w watcher) Error(context.Context, string, ...any)    {}

// Explain runs a statement on PostgreSQL under EXPLAIN (ANALYZE, BUFFERS), gives the plan's lines, and takes back what it changed.
func Explain(ctx context.Context, g *gorm.DB, sql string) (plan []string, err error) {
	errBack := errors.New("taken back")
	err = g.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Raw("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) " + strings.ReplaceAll(sql, "?", "??")).Scan(&plan).Error; err != nil {
			return err
		}
		return errBack
	})
	if errors.Is(err, errBack) {
		err = nil
	}
	return plan, err
}
