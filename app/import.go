package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"beagle/app/db"
	"beagle/app/finder"
	"beagle/app/probe"
	"beagle/app/sheet"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"
)

// importBatch is how many rows are committed at once, with the position after them.
const importBatch = 5000

// badLine is the reason of a record whose line could not be read.
const badLine = "bad_line"

// errOvertaken stops an import that another one has overtaken.
var errOvertaken = errors.New("another import of this list is further on")

var importColumns = []string{"list_id", "account_id", "row_no", "cells", "first_name", "last_name", "full_name", "domain", "company", "address",
	"person_key", "state", "status", "reason", "note"}

// Import reads a list's file into records. It commits in batches together with its position, so that a second call goes on
// after the last committed row; at the end the list runs.
func (a *App) Import(ctx context.Context, list int64) error {
	var l List
	if err := a.DB.WithContext(ctx).Where("id = ?", list).Limit(1).Find(&l).Error; err != nil {
		return fmt.Errorf("reading list %d: %w", list, err)
	}
	if l.State != ListImporting {
		return nil
	}
	rows, closeRows, err := a.openUpload(ctx, l)
	if err == nil {
		err = errors.Join(a.importRows(ctx, &l, rows), closeRows())
	}
	switch refused := (*sheet.Refusal)(nil); {
	case errors.As(err, &refused):
		return a.failList(ctx, list, refused.Code, refused.Message)
	case errors.Is(err, errOvertaken):
		return nil
	case err != nil:
		return fmt.Errorf("importing list %d: %w", list, err)
	}
	return a.imported(ctx, l)
}

// openUpload opens the list's file as rows.
func (a *App) openUpload(ctx context.Context, l List) (*sheet.Reader, func() error, error) {
	body, size, err := a.Files.Open(ctx, l.UploadKey)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the upload: %w", err)
	}
	if l.Dialect.Format != sheet.XLSX {
		r, err := sheet.NewReader(body, l.Dialect, a.sheetLimits())
		if err != nil {
			return nil, nil, errors.Join(err, body.Close())
		}
		return r, func() error { return errors.Join(r.Close(), body.Close()) }, nil
	}
	file, err := spool(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, nil, err
	}
	r, err := sheet.NewXLSXReader(file, size, l.Dialect, a.sheetLimits())
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return r, func() error { return errors.Join(r.Close(), file.Close()) }, nil
}

// importRows reads one batch while the one before is committed, beginning after the rows that an earlier call committed.
func (a *App) importRows(ctx context.Context, l *List, rows *sheet.Reader) error {
	for skipped := int64(0); skipped < l.Imported; skipped++ {
		if _, err := rows.Next(); err != nil {
			return fmt.Errorf("finding row %d again: %w", l.Imported, err)
		}
	}
	work, ctx := errgroup.WithContext(ctx)
	read := make(chan importedRows)
	first := *l
	work.Go(func() error {
		defer close(read)
		return first.readRows(ctx, rows, read)
	})
	work.Go(func() error {
		for b := range read {
			if err := a.commitRows(ctx, l, b); err != nil {
				return err
			}
		}
		return nil
	})
	return work.Wait()
}

// importedRows are the rows of one commit, in the order of importColumns, and the companies of them that are to be noted.
type importedRows struct {
	values [][]any
	seen   companies
}

// readRows sends the rows after those that were imported, in batches.
func (l List) readRows(ctx context.Context, rows *sheet.Reader, to chan<- importedRows) error {
	for noted := 0; ; {
		b := importedRows{make([][]any, 0, importBatch), companies{}}
		ended := false
		for len(b.values) < importBatch && !ended {
			row, err := rows.Next()
			switch ended = errors.Is(err, io.EOF); {
			case ended:
				continue
			case err != nil:
				return err
			}
			l.Imported++
			values, p, err := l.recordValues(row, l.Imported)
			if err != nil {
				return err
			}
			b.values = append(b.values, values)
			if noted < companiesMost {
				b.seen.add(p)
			}
		}
		noted += len(b.seen)
		if len(b.values) > 0 {
			select {
			case to <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if ended {
			return nil
		}
	}
}

// commitRows copies a batch, counts its companies' domains and moves the list's position in one transaction. Only the import that is at the position may.
func (a *App) commitRows(ctx context.Context, l *List, b importedRows) error {
	to := l.Imported + int64(len(b.values))
	err := db.CopyTx(ctx, a.DB, "records", importColumns, b.values, func(tx *gorm.DB) error {
		moved := tx.Exec(`UPDATE lists SET imported = ?, changed_at = ? WHERE id = ? AND imported = ? AND state = 'importing'`, to, a.Now(), l.ID, l.Imported)
		if moved.Error == nil && moved.RowsAffected == 0 {
			return errOvertaken
		}
		if moved.Error != nil {
			return moved.Error
		}
		return b.seen.store(tx, l.ID, l.AccountID)
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errOvertaken
	}
	if err != nil {
		return err
	}
	l.Imported = to
	return nil
}

// recordValues are the columns of one row, in the order of importColumns, and whom it asks for.
func (l *List) recordValues(row sheet.Row, number int64) ([]any, finder.Person, error) {
	cells, err := json.Marshal(row.Cells)
	if err != nil {
		return nil, finder.Person{}, fmt.Errorf("encoding row %d: %w", number, err)
	}
	cell := func(f sheet.Field) string {
		column, mapped := l.Mapping[f]
		if !mapped || column >= len(row.Cells) {
			return ""
		}
		return strings.TrimSpace(row.Cells[column])
	}
	p := finder.Person{First: cell(sheet.FirstName), Last: cell(sheet.LastName), Full: cell(sheet.FullName),
		Domain: tidyDomain(cell(sheet.Domain)), Company: cell(sheet.Company), Email: cell(sheet.Email)}
	state, status, reason := RecordPending, "", ""
	if row.Bad != "" {
		state, status, reason = RecordFailed, finder.StatusUnknown, badLine
	}
	return []any{l.ID, l.AccountID, number, string(cells), p.First, p.Last, p.Full, p.Domain, p.Company, p.Email,
		personKey(l.Process, p), state, status, reason, row.Bad}, p, nil
}

// tidyDomain turns a website into its domain, and leaves alone what is none: the finder says what is wrong with it.
func tidyDomain(s string) string {
	if domain, err := probe.CleanDomain(s); err == nil {
		return domain
	}
	return s
}

// personKey is equal for questions that have the same answer: same process, same name but for case and spaces, same domain or company.
// A question about nobody has none.
func personKey(process string, p finder.Person) string {
	parts := []string{fold(p.First), fold(p.Last), fold(p.Full), fold(p.Domain), fold(p.Company), fold(p.Email)}
	switch process {
	case ProcessVerify:
		parts = []string{fold(p.Email)}
	case ProcessPattern:
		parts = []string{fold(firstOf(p.Domain, p.Email, p.Company))}
	default:
		if p.Domain != "" {
			parts[4] = ""
		}
	}
	joined := strings.Join(parts, "\x00")
	if strings.Trim(joined, "\x00") == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(process + "\x00" + joined))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// A repeated row of a list that skips them.
const (
	reasonDuplicate  = "duplicate"
	duplicateMessage = "The same person is in an earlier row of this file. Repeated rows were to be skipped."
)

// tieRepeated lets repeated rows wait for the answer of the first of their kind. The rows are new and PostgreSQL has no statistics of
// them (after a large list was deleted it even knows that there are none), so it must not loop over them: a join of 50,000 rows took
// more than nine minutes so, and a tenth of a second as a hash join.
func tieRepeated(tx *gorm.DB, list int64) error {
	if db.EngineOf(tx) == db.Postgres {
		if err := tx.Exec("SET LOCAL enable_nestloop = off").Error; err != nil {
			return err
		}
	}
	err := tx.Exec(`UPDATE records SET twin_of = same.first FROM (SELECT id, first FROM (SELECT id, MIN(id) OVER (PARTITION BY person_key) AS first
			FROM records WHERE list_id = ? AND state = 'pending' AND person_key <> '') AS keyed WHERE id <> first) AS same
		WHERE records.id = same.id AND records.list_id = ?`, list, list).Error
	if err == nil && db.EngineOf(tx) == db.Postgres {
		err = tx.Exec("SET LOCAL enable_nestloop = on").Error
	}
	return err
}

// analyzePart is how many times as many rows as were imported the statistics must know of, for them to do.
const analyzePart = 10

// analyzeRecords has PostgreSQL look at the records when an import has made many of them. By itself it would a minute later, and until then
// take the new list for a small one: it would sort 100,000 rows for each page. The other columns are left to it: it would learn
// now that all rows are pending, and read all answers there are when it is asked for some (a new installation fed 2,000 rows/s instead of 6,000).
func (a *App) analyzeRecords(ctx context.Context, rows int64) {
	if db.EngineOf(a.DB) != db.Postgres || rows < importBatch {
		return
	}
	var known float64
	err := db.QueryRow(ctx, a.DB, "SELECT reltuples FROM pg_class WHERE oid = 'records'::regclass").Scan(&known)
	if err == nil && float64(rows*analyzePart) > known {
		err = db.Exec(ctx, a.DB, "ANALYZE (SKIP_LOCKED) records (list_id, row_no)")
	}
	if err != nil {
		a.Log.WarnContext(ctx, "statistics of the records are old; pages are slow until PostgreSQL renews them", "error", err)
	}
}

// imported ends an import: repeated rows are tied to the first of their kind, bad lines are counted, and the list runs.
func (a *App) imported(ctx context.Context, l List) error {
	if l.Imported == 0 {
		return a.failList(ctx, l.ID, sheet.NoRows, "The file has no rows.")
	}
	a.analyzeRecords(ctx, l.Imported)
	var due []Delivery
	var runs bool
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		moved := tx.Exec(`UPDATE lists SET state = 'running', total = imported, changed_at = ? WHERE id = ? AND state = 'importing'`, a.Now(), l.ID)
		if runs = moved.RowsAffected == 1; moved.Error != nil || !runs {
			return moved.Error
		}
		if err := tieRepeated(tx, l.ID); err != nil {
			return fmt.Errorf("tying repeated rows: %w", err)
		}
		if l.SkipDuplicates {
			if err := tx.Exec(`UPDATE records SET state = 'done', reason = ?, note = ? WHERE list_id = ? AND state = 'pending' AND twin_of IS NOT NULL`,
				reasonDuplicate, duplicateMessage, l.ID).Error; err != nil {
				return fmt.Errorf("skipping repeated rows: %w", err)
			}
		}
		if l.Process == ProcessNone {
			if err := tx.Exec(`UPDATE records SET state = 'done' WHERE list_id = ? AND state = 'pending'`, l.ID).Error; err != nil {
				return fmt.Errorf("ending rows without a process: %w", err)
			}
		}
		if due, err = a.announce(tx, l.ID, EventImported); err != nil {
			return err
		}
		return recount(tx, l.ID)
	})
	if err != nil {
		return fmt.Errorf("starting list %d: %w", l.ID, err)
	}
	if !runs {
		return nil // it was canceled meanwhile, or another import was at its end first
	}
	a.Metrics.rows.WithLabelValues("imported").Add(float64(l.Imported))
	a.Log.InfoContext(ctx, "list imported", "list", l.ID, "rows", l.Imported)
	a.deliverAll(ctx, due)
	return a.endIfDone(ctx, []int64{l.ID})
}
