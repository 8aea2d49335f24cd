package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// sqliteRowsPerInsert keeps a multi-row INSERT under SQLite's limit of variables (32,766) for tables of up to 60 columns.
const sqliteRowsPerInsert = 100

// CopyTx runs one transaction that first copies rows into table (COPY on Postgres, multi-row INSERT on SQLite)
// and then calls after inside the same transaction: both happen or neither.
func CopyTx(ctx context.Context, g *gorm.DB, table string, columns []string, rows [][]any, after func(tx *gorm.DB) error) error {
	return g.WithContext(ctx).Connection(func(conn *gorm.DB) error {
		pinned, ok := conn.Statement.ConnPool.(*sql.Conn)
		if !ok {
			return fmt.Errorf("copying into %s: not on a connection of its own", table)
		}
		return conn.Transaction(func(tx *gorm.DB) error {
			var err error
			if EngineOf(g) == Postgres {
				err = copyPostgres(ctx, pinned, table, columns, rows)
			} else {
				err = insertSQLite(ctx, tx, table, columns, rows)
			}
			if err != nil {
				return fmt.Errorf("copying %d rows into %s: %w", len(rows), table, translate(g, err))
			}
			return after(tx)
		})
	})
}

// translate makes errors of the driver what gorm makes of them.
func translate(g *gorm.DB, err error) error {
	if t, ok := g.Dialector.(gorm.ErrorTranslator); ok {
		return t.Translate(err)
	}
	return err
}

func copyPostgres(ctx context.Context, conn *sql.Conn, table string, columns []string, rows [][]any) error {
	return conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		return err
	})
}

func insertSQLite(ctx context.Context, tx *gorm.DB, table string, columns []string, rows [][]any) error {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	head := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	for len(rows) > 0 {
		n := min(len(rows), sqliteRowsPerInsert)
		args := make([]any, 0, n*len(columns))
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		query := head + strings.TrimSuffix(strings.Repeat(one+",", n), ",")
		if _, err := tx.Statement.ConnPool.ExecContext(ctx, query, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
