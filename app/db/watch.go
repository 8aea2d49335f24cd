package db

import (
	"context"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Watch calls see for every statement that gorm sends, with its values in it and how long it took; nil ends that. Not to be called
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
