package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Query reads rows without gorm, whose reflection costs more than the query itself where a read is made thousands of times a second.
// Parameters are question marks.
func Query(ctx context.Context, g *gorm.DB, query string, args ...any) (*sql.Rows, error) {
	defer watched(g, query, args, time.Now())
	return g.Statement.ConnPool.QueryContext(ctx, numbered(g, query), args...)
}

// QueryRow is Query for one row; Scan gives sql.ErrNoRows when there is none.
func QueryRow(ctx context.Context, g *gorm.DB, query string, args ...any) *sql.Row {
	defer watched(g, query, args, time.Now())
	return g.Statement.ConnPool.QueryRowContext(ctx, numbered(g, query), args...)
}

// Exec is Query for what gives no rows.
func Exec(ctx context.Context, g *gorm.DB, query string, args ...any) error {
	defer watched(g, query, args, time.Now())
	_, err := g.Statement.ConnPool.ExecContext(ctx, numbered(g, query), args...)
	return err
}

// Each calls take for every row, and closes them.
func Each(rows *sql.Rows, take func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// numbered writes the parameters of a query as the engine names them.
func numbered(g *gorm.DB, query string) string {
	if EngineOf(g) != Postgres {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	for n := 1; ; n++ {
		before, after, more := strings.Cut(query, "?")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// OneOf renders "is one of" for a few ids in Query. The last is repeated up to a power of two, so that there are few texts to prepare.
func OneOf(ids []int64) (query string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	if len(ids) == 1 {
		return "= ?", args
	}
	for n := len(ids); n > 0 && n&(n-1) != 0; n++ {
		args = append(args, ids[len(ids)-1])
	}
	return "IN (" + strings.TrimSuffix(strings.Repeat("?,", len(args)), ",") + ")", args
}

// JSON is where a column of JSON text is scanned into.
type JSON struct{ Into any }

// Scan is part of sql.Scanner.
func (j JSON) Scan(value any) error {
	switch v := value.(type) {
	case string:
		return json.Unmarshal([]byte(v), j.Into)
	case []byte:
		return json.Unmarshal(v, j.Into)
	}
	return fmt.Errorf("a column of JSON text holds %T", value)
}

// When is where a time is scanned into that is no column of a table: the earliest of some, say. SQLite knows the type of columns only and
// gives such a time as the text that it stores.
type When struct{ Into **time.Time }

// Scan reads a time; NULL leaves Into as it is.
func (w When) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case time.Time:
		*w.Into = &v
		return nil
	case string:
		at, err := time.Parse(sqliteTime, v)
		*w.Into = &at
		return err
	}
	return fmt.Errorf("a time holds %T", value)
}
