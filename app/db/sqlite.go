package db

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteConnections is the pool's size: WAL lets readers work beside the one writer.
const sqliteConnections = 10

// sqliteDialector is the little of SQLite that gorm must know. There is no AutoMigrate: goose does migrations.
type sqliteDialector struct{ path string }

func (d sqliteDialector) Name() string { return string(SQLite) }

// dsn sets what was measured to matter: WAL, a wait for the writer, write locks taken at BEGIN
// (else a read-then-write transaction fails with SQLITE_BUSY), and times stored so that they sort.
func (d sqliteDialector) dsn() string {
	q := url.Values{}
	for _, pragma := range []string{"journal_mode(WAL)", "busy_timeout(10000)", "synchronous(NORMAL)", "foreign_keys(1)"} {
		q.Add("_pragma", pragma)
	}
	q.Set("_txlock", "immediate")
	q.Set("_time_format", "sqlite")
	q.Set("_timezone", "UTC")
	return "file:" + (&url.URL{Path: d.path}).EscapedPath() + "?" + q.Encode()
}

func (d sqliteDialector) Initialize(g *gorm.DB) error {
	conn, err := sql.Open("sqlite", d.dsn())
	if err != nil {
		return fmt.Errorf("opening %s: %w", d.path, err)
	}
	conn.SetMaxOpenConns(sqliteConnections)
	conn.SetMaxIdleConns(sqliteConnections)
	g.ConnPool = conn
	callbacks.RegisterDefaultCallbacks(g, &callbacks.Config{
		CreateClauses:        []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"},
		UpdateClauses:        []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"},
		DeleteClauses:        []string{"DELETE", "FROM", "WHERE", "RETURNING"},
		LastInsertIDReversed: true,
	})
	return nil
}

func (d sqliteDialector) Migrator(g *gorm.DB) gorm.Migrator {
	return migrator.Migrator{Config: migrator.Config{DB: g, Dialector: d}}
}

func (d sqliteDialector) DataTypeOf(f *schema.Field) string { return string(f.DataType) }

func (d sqliteDialector) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "NULL"}
}

func (d sqliteDialector) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { _ = w.WriteByte('?') }

func (d sqliteDialector) QuoteTo(w clause.Writer, name string) {
	for i, part := range strings.Split(name, ".") {
		if i > 0 {
			_ = w.WriteByte('.')
		}
		_, _ = w.WriteString(`"` + strings.ReplaceAll(part, `"`, `""`) + `"`)
	}
}

func (d sqliteDialector) Explain(query string, vars ...any) string {
	return logger.ExplainSQL(query, nil, `"`, vars...)
}

// Translate lets callers write errors.Is(err, gorm.ErrDuplicatedKey) on both engines.
func (d sqliteDialector) Translate(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return gorm.ErrDuplicatedKey
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	}
	return err
}
