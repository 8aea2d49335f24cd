package db_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"beagle/app/apptest/services"
	"beagle/app/db"
	"beagle/migrations"

	"github.com/pressly/goose/v3/lock"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { services.Main(m) }

// onEach runs a test on both engines, migrated.
func onEach(t *testing.T, test func(t *testing.T, g *gorm.DB)) {
	urls := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "a folder", "x.db") },
		"postgres": func(t *testing.T) string { return services.Postgres(t) },
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			g, err := db.Open(t.Context(), url(t))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close(g)) })
			require.NoError(t, db.Migrate(t.Context(), g, migrations.FS))
			test(t, g)
		})
	}
}

func TestMigratingTwiceAtOnceAppliesEachMigrationOnce(t *testing.T) {
	url := services.Postgres(t)
	done := make(chan error, 2)
	for range 2 {
		go func() {
			g, err := db.Open(context.Background(), url)
			if err == nil {
				err = errors.Join(db.Migrate(context.Background(), g, migrations.FS), db.Close(g))
			}
			done <- err
		}()
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	g, err := db.Open(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close(g)) }()
	left, err := db.Pending(t.Context(), g, migrations.FS)
	require.NoError(t, err)
	require.Zero(t, left)
}

func TestLookingAtMigrationsWaitsForNobody(t *testing.T) {
	url := services.Postgres(t)
	g, err := db.Open(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close(g)) }()
	require.NoError(t, db.Migrate(t.Context(), g, migrations.FS))
	raw, err := g.DB()
	require.NoError(t, err)
	migrating, err := raw.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, migrating.Close()) }()
	_, err = migrating.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", lock.DefaultLockID) // what a release step holds
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // what /readyz gives it
	defer cancel()
	left, err := db.Pending(ctx, g, migrations.FS)
	require.NoError(t, err)
	require.Zero(t, left)
}

func TestDuplicateKeysAreTheSameErrorOnBothEngines(t *testing.T) {
	onEach(t, func(t *testing.T, g *gorm.DB) {
		insert := func() error {
			return g.Exec("INSERT INTO suppressions (hash, kind, created_at) VALUES ('h', 'address', ?)", time.Now()).Error
		}
		require.NoError(t, insert())
		require.ErrorIs(t, insert(), gorm.ErrDuplicatedKey)
	})
}

func TestRowsCarriesABatchOfAnyText(t *testing.T) {
	onEach(t, func(t *testing.T, g *gorm.DB) {
		at := time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.UTC)
		texts := []string{"plain", `quote " and \ and ? and $1`, "new\nline", "emoji 🐕 ü", "'; DROP TABLE lists; --"}
		type row struct {
			Hash string  `json:"hash"`
			At   *string `json:"created_at"`
			N    int64   `json:"n"`
		}
		var rows []row
		for i, s := range texts {
			rows = append(rows, row{s, db.Time(g, at.Add(time.Duration(i)*time.Second)), int64(1) << 60})
		}
		from, arg, err := db.Rows(g, "v", []string{"hash text", "created_at timestamptz", "n bigint"}, rows)
		require.NoError(t, err)
		require.NoError(t, g.Exec("INSERT INTO suppressions (hash, kind, created_at) SELECT hash, CAST(n AS text), created_at FROM "+from, arg).Error)
		var back []struct {
			Hash, Kind string
			CreatedAt  time.Time
		}
		require.NoError(t, g.Raw("SELECT hash, kind, created_at FROM suppressions ORDER BY created_at").Scan(&back).Error)
		require.Len(t, back, len(texts))
		for i, r := range back {
			require.Equal(t, texts[i], r.Hash)
			require.Equal(t, "1152921504606846976", r.Kind, "64-bit numbers keep every digit")
			require.WithinDuration(t, at.Add(time.Duration(i)*time.Second), r.CreatedAt, 0)
		}
		var early int64
		require.NoError(t, g.Table("suppressions").Where("created_at <= ?", at).Count(&early).Error)
		require.EqualValues(t, 1, early, "times from Rows compare with times from Go")
	})
}

func TestBatchCarriesAnyTextAndIsSeenByAWatcher(t *testing.T) {
	onEach(t, func(t *testing.T, g *gorm.DB) {
		at := time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.UTC)
		texts := []string{"plain", `quote " and \ and ? and $1`, "new\nline", "emoji 🐕 ü", "'; DROP TABLE lists; --", "", "NULL"}
		columns := []db.Column{{Name: "hash", Type: "text", Values: texts}, {Name: "n", Type: "bigint", Values: []int64{1, 2, 3, 4, 5, 6, 1 << 60}},
			{Name: "at", Type: "timestamptz", Values: []time.Time{at, {}, at, at, at, at, at}}}
		from, args, err := db.Batch(g, "v", columns...)
		require.NoError(t, err)
		var seen []string
		db.Watch(g, func(sql string, _ time.Duration) { seen = append(seen, sql) })
		require.NoError(t, db.Exec(t.Context(), g, "INSERT INTO suppressions (hash, kind, created_at) SELECT hash, CAST(n AS text), COALESCE(at, ?) FROM "+from, append([]any{at.Add(time.Hour)}, args...)...))
		db.Watch(g, nil)
		require.Len(t, seen, 1)

		for range 2 { // as it was sent, and as the watcher saw it
			rows, err := db.Query(t.Context(), g, "SELECT hash, kind, created_at FROM suppressions ORDER BY CAST(kind AS bigint)")
			require.NoError(t, err)
			i := 0
			require.NoError(t, db.Each(rows, func(rows *sql.Rows) error {
				var hash, kind string
				var when time.Time
				require.NoError(t, rows.Scan(&hash, &kind, &when))
				require.Equal(t, texts[i], hash)
				want := at
				if i == 1 {
					want = at.Add(time.Hour)
				}
				require.WithinDuration(t, want, when, 0, "a zero time is NULL")
				i++
				if i == len(texts) {
					require.Equal(t, "1152921504606846976", kind, "64-bit numbers keep every digit")
				}
				return nil
			}))
			require.Equal(t, len(texts), i)
			require.NoError(t, g.Exec("DELETE FROM suppressions").Error)
			_, err = g.Statement.ConnPool.ExecContext(t.Context(), seen[0])
			require.NoError(t, err, seen[0])
		}
		ids, arg, err := db.InArray(g, []int64{2, 1 << 60, 9})
		require.NoError(t, err)
		var n int
		require.NoError(t, db.QueryRow(t.Context(), g, "SELECT COUNT(*) FROM suppressions WHERE CAST(kind AS bigint) "+ids, arg).Scan(&n))
		require.Equal(t, 2, n)
	})
}

func TestAmongFindsAnyText(t *testing.T) {
	onEach(t, func(t *testing.T, g *gorm.DB) {
		texts := []string{"plain", `quote " and \ back`, "comma, and {brace}", "NULL", ""}
		for _, s := range texts {
			require.NoError(t, g.Exec("INSERT INTO suppressions (hash, kind, created_at) VALUES (?, 'x', ?)", s, time.Now()).Error)
		}
		among, arg, err := db.Among(g, append(texts, "not there"))
		require.NoError(t, err)
		var found int64
		require.NoError(t, g.Raw("SELECT COUNT(*) FROM suppressions WHERE hash "+among, arg).Scan(&found).Error)
		require.EqualValues(t, len(texts), found)
	})
}

func TestCopyTxDoesBothOrNeither(t *testing.T) {
	onEach(t, func(t *testing.T, g *gorm.DB) {
		rows := make([][]any, 1234)
		for i := range rows {
			rows[i] = []any{int64(1), int64(1), int64(i + 1), "[]"}
		}
		columns := []string{"list_id", "account_id", "row_no", "cells"}
		boom := errors.New("boom")
		require.ErrorIs(t, db.CopyTx(t.Context(), g, "records", columns, rows, func(*gorm.DB) error { return boom }), boom)
		var n int64
		require.NoError(t, g.Table("records").Count(&n).Error)
		require.Zero(t, n)
		require.NoError(t, db.CopyTx(t.Context(), g, "records", columns, rows, func(tx *gorm.DB) error {
			return tx.Table("records").Count(&n).Error
		}))
		require.EqualValues(t, len(rows), n, "the rest of the transaction sees the rows")
		err := db.CopyTx(t.Context(), g, "records", columns, rows[:1], func(*gorm.DB) error { return nil })
		require.ErrorIs(t, err, gorm.ErrDuplicatedKey)
	})
}

func TestUnusableURLsAreNamed(t *testing.T) {
	_, err := db.Open(t.Context(), "mysql://x")
	require.ErrorContains(t, err, "DATABASE_URL")
	_, err = db.Open(t.Context(), "postgres://127.0.0.1:1/none?connect_timeout=2")
	require.Error(t, err)
}

func TestDayIsTheSameDayOnBothEngines(t *testing.T) {
	onEach(t, func(t *testing.T, g *gorm.DB) {
		late := time.Date(2026, 3, 1, 0, 30, 0, 0, time.FixedZone("", 2*3600)) // still February in UTC
		require.NoError(t, g.Exec("INSERT INTO suppressions (hash, kind, created_at) VALUES ('x', 'address', ?)", late.UTC()).Error)
		var day string
		require.NoError(t, g.Raw("SELECT "+db.Day(g, "created_at")+" FROM suppressions").Scan(&day).Error)
		require.Equal(t, "2026-02-28", day)
	})
}
