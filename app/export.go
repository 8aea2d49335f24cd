package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"beagle/app/files"
	"beagle/app/mail"
	"beagle/app/sheet"

	"gorm.io/gorm"
)

// exportPage is how many rows are read at once: keyset pages keep no long transaction and are as fast as one cursor (615,000 rows/s measured).
const exportPage = 5000

// resultColumns are appended to the original ones. A name that the file already has gets the prefix found_.
var resultColumns = []string{"email", "status", "score", "pattern", "reason", "checked_at"}

// resultsKept is how many versions of a list's file are kept: a list that rows are added to all day has a new one every few seconds.
const resultsKept = 10

// Export writes a list's result file anew from its records, as a new version, and ends the list when it was exporting.
// The latest resultsKept versions stay until the list is deleted.
// Records that change meanwhile make the sweep or the next answer ask for another one.
func (a *App) Export(ctx context.Context, list int64) error {
	var l List
	if err := a.DB.WithContext(ctx).Where("id = ?", list).Limit(1).Find(&l).Error; err != nil {
		return fmt.Errorf("reading list %d: %w", list, err)
	}
	if l.ID == 0 || l.State == ListDeleting {
		return nil
	}
	if l.Imported == 0 {
		return a.finishEmpty(ctx, l)
	}
	return a.export(ctx, l)
}

func (a *App) export(ctx context.Context, l List) error {
	list := l.ID
	version := l.ResultVersion + 1
	key := fmt.Sprintf("%s%d-%s.csv", resultPrefix(l), version, newRef()[:8]) // no other export writes to it: a slow one must not replace what a later one has written
	began := a.Now()
	size, err := a.writeResult(ctx, l, key)
	if err != nil {
		return fmt.Errorf("exporting list %d: %w", list, err)
	}
	done := a.DB.WithContext(ctx).Exec(`UPDATE lists SET result_key = ?, result_version = ?, result_bytes = ?, result_at = ? WHERE id = ? AND result_version = ? AND state <> 'deleting'`,
		key, version, size, began, list, l.ResultVersion)
	if done.Error != nil {
		return fmt.Errorf("noting the result of list %d: %w", list, done.Error)
	}
	if done.RowsAffected == 0 {
		if err := a.Files.Delete(ctx, key); err != nil { // another export was faster, or the list is being deleted
			return fmt.Errorf("deleting a result of list %d that came too late: %w", list, err)
		}
		return nil
	}
	a.Metrics.rows.WithLabelValues("exported").Add(float64(l.Imported))
	if err := a.finish(ctx, l); err != nil {
		return err
	}
	a.Log.InfoContext(ctx, "list exported", "list", list, "version", version, "bytes", size)
	if err := a.dropResults(ctx, l, version-resultsKept); err != nil {
		a.Log.WarnContext(ctx, "old versions not deleted; the next export does", "list", list, "error", err)
	}
	return nil
}

// resultPrefix is what the keys of a list's result files begin with; the version follows.
func resultPrefix(l List) string { return listPrefix(l) + "result-v" }

// dropResults deletes the files of versions up to last.
func (a *App) dropResults(ctx context.Context, l List, last int) error {
	if last <= 0 {
		return nil
	}
	var old []string
	for f, err := range a.Files.List(ctx, resultPrefix(l)) {
		if err != nil {
			return fmt.Errorf("listing versions: %w", err)
		}
		number, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(f.Key, resultPrefix(l)), ".csv"), "-")
		if version, err := strconv.Atoi(number); err == nil && version <= last {
			old = append(old, f.Key)
		}
	}
	return a.Files.Delete(ctx, old...)
}

// finishEmpty ends a list whose rows were all removed: there is nothing to write.
func (a *App) finishEmpty(ctx context.Context, l List) error {
	done := a.DB.WithContext(ctx).Exec(`UPDATE lists SET result_at = ?, finished_at = COALESCE(finished_at, ?), state = CASE WHEN state = 'exporting' THEN 'finished' ELSE state END
		WHERE id = ? AND state IN ('exporting', 'finished', 'canceled')`, a.Now(), a.Now(), l.ID)
	if done.Error != nil {
		return fmt.Errorf("finishing empty list %d: %w", l.ID, done.Error)
	}
	return nil
}

// finish ends an exporting list, with the mail that its owner is owed and the time that it took, and tells of it.
func (a *App) finish(ctx context.Context, l List) error {
	now, ended := a.Now(), false
	var about mailTask
	var due []Delivery
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		moved := tx.Exec("UPDATE lists SET state = 'finished', finished_at = ? WHERE id = ? AND state = 'exporting'", now, l.ID)
		if ended = moved.RowsAffected == 1; moved.Error != nil || !ended {
			return moved.Error
		}
		if about, err = a.aboutList(tx, mail.ListFinished, l.ID); err != nil {
			return err
		}
		if due, err = a.announce(tx, l.ID, EventFinished); err != nil {
			return err
		}
		return tx.Exec("INSERT INTO list_times (list_id, at, seconds, size) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", l.ID, now, now.Sub(l.CreatedAt).Seconds(), l.Imported).Error
	})
	if err != nil {
		return fmt.Errorf("finishing list %d: %w", l.ID, err)
	}
	if ended {
		a.Metrics.finished(l, now)
		a.mailOnce(ctx, about)
		a.deliverAll(ctx, due)
	}
	return nil
}

func (a *App) writeResult(ctx context.Context, l List, key string) (int64, error) {
	body := a.stream(ctx, l, Selection{}, sheet.CSV, false)
	size, err := a.Files.Put(ctx, key, contentTypes[sheet.CSV], body)
	return size, errors.Join(err, body.Close())
}

// stream writes selected records of a list into a reader. The writing ends when the reader is closed.
func (a *App) stream(ctx context.Context, l List, which Selection, format string, raw bool) io.ReadCloser {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	go func() {
		defer cancel()
		_ = w.CloseWithError(a.writeRecords(ctx, l, which, format, raw, w)) // the reader's side gets the error
	}()
	return &streamed{PipeReader: r, cancel: cancel}
}

type streamed struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (s *streamed) Close() error {
	s.cancel()
	return s.PipeReader.Close()
}

func (a *App) writeRecords(ctx context.Context, l List, which Selection, format string, raw bool, w io.Writer) error {
	comma := l.Dialect.Comma
	if comma == "" {
		comma = ","
	}
	out, err := sheet.NewWriter(w, format, sheet.WriteOptions{Comma: comma, Columns: outColumns(l.Columns), Raw: raw})
	if err != nil {
		return fmt.Errorf("beginning a %s file: %w", format, err)
	}
	for after := int64(0); ; {
		last, n, err := a.writePage(ctx, l, which, after, out)
		if err != nil {
			return err
		}
		if n < exportPage {
			return out.Close()
		}
		after = last
	}
}

// writePage writes the selected records after a row and reports the last row and how many there were.
func (a *App) writePage(ctx context.Context, l List, which Selection, after int64, out sheet.Writer) (last int64, n int, err error) {
	page, err := which.narrow(a.DB.WithContext(ctx).Table("records").Where("list_id = ? AND row_no > ?", l.ID, after))
	if err != nil {
		return 0, 0, err
	}
	rows, err := page.Select("row_no, cells, state, email, status, score, pattern, reason, checked_at").Order("row_no").Limit(exportPage).Rows()
	if err != nil {
		return 0, 0, fmt.Errorf("reading records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r Record
		var cells string
		if err := rows.Scan(&r.RowNo, &cells, &r.State, &r.Email, &r.Status, &r.Score, &r.Pattern, &r.Reason, &r.CheckedAt); err != nil {
			return 0, 0, fmt.Errorf("reading a record: %w", err)
		}
		if err := json.Unmarshal([]byte(cells), &r.Cells); err != nil {
			return 0, 0, fmt.Errorf("reading the cells of row %d: %w", r.RowNo, err)
		}
		if err := out.Write(outCells(r, len(l.Columns))); err != nil {
			return 0, 0, fmt.Errorf("writing row %d: %w", r.RowNo, err)
		}
		last, n = r.RowNo, n+1
	}
	return last, n, rows.Err()
}

// outColumns are the original columns and ours.
func outColumns(original []string) []string {
	out := slices.Clone(original)
	for _, name := range resultColumns {
		for slices.ContainsFunc(out, func(c string) bool { return strings.EqualFold(strings.TrimSpace(c), name) }) {
			name = "found_" + name
		}
		out = append(out, name)
	}
	return out
}

// outCells are a record's original cells and its answer. A row that has not ended has no answer yet; what it waits for is its reason.
func outCells(r Record, columns int) []string {
	out := make([]string, max(columns, len(r.Cells)), max(columns, len(r.Cells))+len(resultColumns))
	copy(out, r.Cells)
	status, score, checked := r.Status, "", ""
	switch {
	case r.State != RecordDone && r.State != RecordFailed:
		status = r.State
	case r.Status != "":
		score = strconv.Itoa(r.Score)
	}
	if r.CheckedAt != nil {
		checked = r.CheckedAt.UTC().Format(time.RFC3339)
	}
	return append(out, r.Email, status, score, r.Pattern, r.Reason, checked)
}

var contentTypes = map[string]string{
	sheet.CSV:   "text/csv; charset=utf-8",
	sheet.XLSX:  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	sheet.JSONL: "application/jsonl; charset=utf-8",
}

// Download is a result file on its way out. The caller closes Body.
type Download struct {
	Body        io.ReadCloser
	Filename    string
	ContentType string
	Size        int64 // bytes, -1 when unknown
	ETag        string
}

// Download is DownloadSome for all records of a list.
func (a *App) Download(ctx context.Context, account int64, l List, format string, raw bool) (Download, error) {
	return a.DownloadSome(ctx, account, l, Selection{}, format, raw)
}

// DownloadSome gives a list's result: the stored file when it is up to date and a CSV of everything is asked for, else one made from the
// selected records as they are now, so that a partial file can be had at any time. raw leaves out the guard against formulas.
func (a *App) DownloadSome(ctx context.Context, account int64, l List, which Selection, format string, raw bool) (Download, error) {
	if format == "" {
		format = sheet.CSV
	}
	kind, ok := contentTypes[format]
	switch {
	case l.AccountID != account:
		return Download{}, Refuse(CodeNotFound, "list_not_found", "No such list.")
	case !ok:
		return Download{}, Refuse(CodeBadInput, "invalid_format", "The format must be csv, xlsx or jsonl.")
	case l.Imported == 0:
		return Download{}, Refuse(CodeConflict, "not_ready", "This list has no rows yet.")
	}
	if _, err := which.narrow(a.DB); err != nil {
		return Download{}, err
	}
	d := Download{Filename: fileName(l.Name+which.suffix()) + "." + format, ContentType: kind, Size: -1}
	if format == sheet.CSV && !raw && which.everything() && l.FileIsFresh() {
		body, size, err := a.Files.Open(ctx, l.ResultKey)
		if err == nil {
			d.Body, d.Size, d.ETag = body, size, fmt.Sprintf(`"%s-%d"`, l.Ref, l.ResultVersion)
			return d, nil
		}
		if !errors.Is(err, files.ErrNotFound) {
			return Download{}, fmt.Errorf("opening the result of list %s: %w", l.Ref, err)
		}
	}
	d.Body = a.stream(ctx, l, which, format, raw)
	return d, nil
}

// FileIsFresh tells that the stored result file holds the records as they are.
func (l List) FileIsFresh() bool {
	return l.ResultKey != "" && l.ResultAt != nil && !l.ResultAt.Before(l.ChangedAt)
}

// fileName makes a list's name safe to save as.
func fileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' || r == 0x7f {
			return '-'
		}
		return r
	}, name)
	if clean = strings.Trim(clean, " ."); clean == "" {
		return "list"
	}
	return clean
}
