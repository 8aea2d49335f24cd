// Package db opens the two engines, migrates them, and hides where their SQL differs. No other package knows which one it is on.
package db

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Engine is one of the two databases.
type Engine string

// The engines: Postgres in production, SQLite for one process on a machine with nothing installed.
const (
	Postgres Engine = "postgres"
	SQLite   Engine = "sqlite"
)

const (
	postgresConnections = 20
	connectionLifetime  = 30 * time.Minute
	pingTimeout         = 10 * time.Second
)

// Open connects to postgres://… or sqlite://PATH and makes sure that somebody answers.
func Open(ctx context.Context, url string) (*gorm.DB, error) {
	dialector, err := dialectorFor(url)
	if err != nil {
		return nil, err
	}
	g, err := gorm.Open(dialector, &gorm.Config{
		Logger:                 logger.Discard,
		TranslateError:         true,
		SkipDefaultTransaction: true,
		NowFunc:                func() time.Time { return time.Now().UTC() },
	})
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	conn, err := g.DB()
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if EngineOf(g) == Postgres {
		conn.SetMaxOpenConns(postgresConnections)
		conn.SetMaxIdleConns(postgresConnections)
		conn.SetConnMaxLifetime(connectionLifetime)
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := conn.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching the database: %w", err), conn.Close())
	}
	return g, nil
}

func dialectorFor(url string) (gorm.Dialector, error) {
	scheme, rest, _ := strings.Cut(url, "://")
	switch scheme {
	case "postgres", "postgresql":
		return postgres.Open(url), nil
	case "sqlite":
		if err := os.MkdirAll(filepath.Dir(rest), 0o700); err != nil {
			return nil, fmt.Errorf("making the database's folder: %w", err)
		}
		return sqliteDialector{path: rest}, nil
	}
	return nil, errors.New("DATABASE_URL must begin with postgres:// or sqlite://")
}

// EngineOf tells which engine g is on.
func EngineOf(g *gorm.DB) Engine { return Engine(g.Dialector.Name()) }

// Close closes the pool.
func Close(g *gorm.DB) error {
	conn, err := g.DB()
	if err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return conn.Close()
}

// Migrate brings the schema up to date from root's folder of the engine. Two processes may call it at once:
// on Postgres one waits for the other by a session lock.
func Migrate(ctx context.Context, g *gorm.DB, root fs.FS) error {
	provider, err := migrations(g, root, true)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	return nil
}

// Pending tells how many migrations have not been applied. It takes no lock: a process that looks must not wait for the release step, nor for
// another one that looks (goose tries for the lock again only after seconds).
func Pending(ctx context.Context, g *gorm.DB, root fs.FS) (int, error) {
	provider, err := migrations(g, root, false)
	if err != nil {
		return 0, err
	}
	all, err := provider.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the migrations' state: %w", err)
	}
	n := 0
	for _, m := range all {
		if m.State == goose.StatePending {
			n++
		}
	}
	return n, nil
}

func migrations(g *gorm.DB, root fs.FS, locked bool) (*goose.Provider, error) {
	conn, err := g.DB()
	if err != nil {
		return nil, fmt.Errorf("migrating the database: %w", err)
	}
	engine := EngineOf(g)
	dir, err := fs.Sub(root, string(engine))
	if err != nil {
		return nil, fmt.Errorf("reading migrations: %w", err)
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithAllowOutofOrder(true)} // numbers of two branches land in any order
	if engine == Postgres {
		dialect = goose.DialectPostgres
	}
	if engine == Postgres && locked {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, fmt.Errorf("locking for migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, conn, dir, options...)
	if err != nil {
		return nil, fmt.Errorf("reading migrations: %w", err)
	}
	return provider, nil
}

// SkipLocked is the clause that makes a claiming SELECT pass over rows that another process is claiming.
// SQLite has one writer at a time and needs none.
func SkipLocked(g *gorm.DB) string {
	if EngineOf(g) == Postgres {
		return "FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// Rows renders rows as one SQL table expression named alias, for UPDATE … FROM and INSERT … SELECT: the whole batch travels as one
// JSON parameter, on both engines. columns are "name type" pairs in PostgreSQL's types, such as "id bigint". Values are looked up by name.
func Rows(g *gorm.DB, alias string, columns []string, rows any) (query string, arg string, err error) {
	body, err := json.Marshal(rows)
	if err != nil {
		return "", "", fmt.Errorf("encoding a batch: %w", err)
	}
	if EngineOf(g) == Postgres {
		return "json_to_recordset(?::json) AS " + alias + "(" + strings.Join(columns, ", ") + ")", string(body), nil
	}
	picks := make([]string, len(columns))
	for i, c := range columns {
		name, _, _ := strings.Cut(c, " ")
		picks[i] = fmt.Sprintf(`json_extract(value, '$.%s') AS %s`, name, name)
	}
	return "(SELECT " + strings.Join(picks, ", ") + " FROM json_each(?)) AS " + alias, string(body), nil
}

// Among renders "is one of" for any number of strings as one parameter: a thousand placeholders take longer to plan than to run, and
// a subquery (measured) makes PostgreSQL scan the table.
func Among(g *gorm.DB, values []string) (query string, arg any, err error) {
	if EngineOf(g) == Postgres {
		return "= ANY(?::text[])", textArray(values), nil
	}
	body, err := json.Marshal(values)
	if err != nil {
		return "", nil, fmt.Errorf("encoding a batch: %w", err)
	}
	return "IN (SELECT value FROM json_each(?))", string(body), nil
}

// textArray travels as PostgreSQL's text form of an array (manual, section 8.15.2).
type textArray []string

// Value makes gorm see one parameter where it would unfold a slice.
func (a textArray) Value() (driver.Value, error) {
	var b strings.Builder
	for i, s := range a {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoted(s))
	}
	return "{" + b.String() + "}", nil
}

// quoted is one element of an array.
func quoted(s string) string { return `"` + arrayEscaper.Replace(s) + `"` }

var arrayEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// sqliteTime is how times are stored in SQLite, all in UTC.
const sqliteTime = "2006-01-02 15:04:05.999999999-07:00"

// Time is t as a value inside Rows: the text that the engine itself stores or reads.
func Time(g *gorm.DB, t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339Nano)
	if EngineOf(g) == SQLite {
		s = t.UTC().Format(sqliteTime)
	}
	return &s
}

// MailDomain is the SQL for what follows the @ of an address in a column: the expression of the index records_found.
func MailDomain(g *gorm.DB, column string) string {
	if EngineOf(g) == Postgres {
		return "split_part(" + column + ", '@', 2)"
	}
	return "substr(" + column + ", instr(" + column + ", '@') + 1)"
}

// GivenDomain is the SQL for the domain of records.address in lower case: the expression of the index records_given.
func GivenDomain(g *gorm.DB) string { return "lower(" + MailDomain(g, "address") + ")" }

// Day is the day of a time in a column, UTC, as 2006-01-02.
func Day(g *gorm.DB, column string) string {
	if EngineOf(g) == Postgres {
		return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
	}
	return "substr(" + column + ", 1, 10)"
}
