package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"beagle/app/finder"
	"beagle/app/sheet"

	"gorm.io/gorm"
)

// MaxPosted is how many records can be added to a list at once.
const MaxPosted = 1000

// createBatch is how many records go into one INSERT: 500 times 29 columns stay under SQLite's bound of 32,766 parameters.
const createBatch = 500

// errWrongState stops a transaction whose list is in no state for it.
var errWrongState = Refuse(CodeConflict, "wrong_state", "Records can be changed once the list has been imported, and until it is canceled.")

// AddRecords adds rows at the end of a list and starts their jobs; a list that has ended runs again. Keys of a row are columns of the
// list or fields such as first_name.
func (a *App) AddRecords(ctx context.Context, as Actor, ref string, rows []map[string]string) ([]Record, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return nil, err
	}
	if records, ok, err := a.addedBefore(ctx, as, l); ok || err != nil {
		return records, err
	}
	switch {
	case len(rows) == 0:
		return nil, Refuse(CodeBadInput, "no_records", "There are no records. Send at least one.")
	case len(rows) > MaxPosted:
		return nil, Refuse(CodeTooLarge, "too_many_records", "At most %d records can be added at once. Send the rest in further requests, or make a list from a file.", MaxPosted)
	case l.Total+int64(len(rows)) > int64(a.Config.Upload.MaxRows):
		return nil, Refuse(CodeTooLarge, sheet.TooManyRows, "A list may have at most %d rows.", a.Config.Upload.MaxRows)
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return nil, err
	}
	records, err := newRecords(l, rows)
	if err != nil {
		return nil, err
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := a.reopen(tx, l.ID, len(rows)); err != nil {
			return err
		}
		return appendRecords(tx, as, l, records)
	})
	if err != nil {
		return nil, fmt.Errorf("adding records to list %s: %w", ref, err)
	}
	a.audit(ctx, as, "records.added", ref)
	return records, a.endIfDone(ctx, []int64{l.ID})
}

// newRecords makes records of rows, in order; their row numbers are still to come.
func newRecords(l List, rows []map[string]string) ([]Record, error) {
	records := make([]Record, len(rows))
	for i, row := range rows {
		records[i] = Record{ListID: l.ID, AccountID: l.AccountID, Cells: make([]string, len(l.Columns)), State: RecordPending, Attempt: 1, Run: 1}
		if err := records[i].fill(l, row); err != nil {
			return nil, err
		}
		if l.Process == ProcessNone {
			records[i].State = RecordDone
		}
	}
	return records, nil
}

// appendRecords numbers records after the last row of a list, deleted ones included, and stores them.
func appendRecords(tx *gorm.DB, as Actor, l List, records []Record) error {
	var last int64
	if err := tx.Raw("SELECT COALESCE(MAX(row_no), 0) FROM records WHERE list_id IN (?, ?)", l.ID, -l.ID).Scan(&last).Error; err != nil {
		return err
	}
	seen := companies{}
	for i := range records {
		records[i].RowNo = last + int64(i) + 1
		seen.add(finder.Person{Domain: records[i].Domain, Company: records[i].Company, Email: records[i].Address})
	}
	if err := as.Claim.note(tx, madeRecords, fmt.Sprintf("%d:%d", last, len(records))); err != nil {
		return err
	}
	if err := tx.CreateInBatches(&records, createBatch).Error; err != nil {
		return err
	}
	if err := seen.store(tx, l.ID, l.AccountID); err != nil {
		return err
	}
	if l.Process != ProcessNone {
		return nil
	}
	return addCount(tx, tally{l.ID, RecordDone, "", ""}, len(records))
}

// addedBefore are the rows that a request which died has added already.
func (a *App) addedBefore(ctx context.Context, as Actor, l List) ([]Record, bool, error) {
	made, ok, err := as.Claim.before(madeRecords)
	if err != nil || !ok {
		return nil, false, err
	}
	var last, n int64
	if _, err := fmt.Sscanf(made, "%d:%d", &last, &n); err != nil {
		return nil, false, fmt.Errorf("reading what was added: %w", err)
	}
	var records []Record
	if err := a.DB.WithContext(ctx).Where("list_id = ? AND row_no > ? AND row_no <= ?", l.ID, last, last+n).Order("row_no").Find(&records).Error; err != nil {
		return nil, false, fmt.Errorf("reading what was added: %w", err)
	}
	return records, true, a.endIfDone(ctx, []int64{l.ID})
}

// EditRecord changes cells or fields of a record and looks it up again.
func (a *App) EditRecord(ctx context.Context, as Actor, ref, id string, row map[string]string) (Record, error) {
	if len(row) == 0 {
		return Record{}, Refuse(CodeBadInput, "wrong_params", "Say what to change: columns of the list, or fields such as first_name.")
	}
	return a.runAgain(ctx, as, ref, id, "record.edited", func(l List, r *Record) error { return r.fill(l, row) })
}

// RetryRecord looks a record up again.
func (a *App) RetryRecord(ctx context.Context, as Actor, ref, id string) (Record, error) {
	return a.runAgain(ctx, as, ref, id, "record.retried", func(_ List, r *Record) error {
		if r.Reason == badLine {
			return Refuse(CodeConflict, badLine, "The line of this record could not be read. Change its cells first.")
		}
		return nil
	})
}

// runAgain puts a record back to its beginning, whatever state it is in: a new attempt, so that a job that still runs comes too late.
func (a *App) runAgain(ctx context.Context, as Actor, ref, id, action string, change func(List, *Record) error) (Record, error) {
	l, r, err := a.listRecord(ctx, as, ref, id)
	if err != nil {
		return Record{}, err
	}
	if _, ok, err := as.Claim.before(madeRetry); ok || err != nil {
		return r, err
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return Record{}, err
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := as.Claim.note(tx, madeRetry, id); err != nil {
			return err
		}
		if err := a.reopen(tx, l.ID, 0); err != nil {
			return err
		}
		if r, err = takeRecord(tx, r.ID); err != nil {
			return err
		}
		before := r
		if err := change(l, &r); err != nil {
			return err
		}
		if err := moveCompany(tx, before, r); err != nil {
			return err
		}
		again := r
		again.State, again.Run, again.Tries, again.Crashes, again.TwinOf, again.QueuedAt, again.NextAttemptAt = RecordPending, r.Run+1, 0, 0, nil, nil, nil
		again.keepAnswer(before.PersonKey)
		again.Email, again.Status, again.Score, again.Pattern, again.Reason, again.Note, again.Evidence, again.CheckedAt = "", "", 0, "", "", "", "", nil
		if l.Process == ProcessNone {
			again.State = RecordDone
			if err := addCount(tx, tally{l.ID, RecordDone, "", ""}, 1); err != nil {
				return err
			}
		}
		r = again
		return tx.Save(&again).Error
	})
	if err != nil {
		return Record{}, fmt.Errorf("looking record %s up again: %w", id, err)
	}
	a.audit(ctx, as, action, ref+"/"+id)
	return r, a.endIfDone(ctx, []int64{l.ID})
}

// DeleteRecord removes a record from its list. The last one cannot be removed: that is what deleting the list is for.
func (a *App) DeleteRecord(ctx context.Context, as Actor, ref, id string) error {
	l, r, err := a.listRecord(ctx, as, ref, id)
	if err != nil {
		return err
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		left := tx.Exec(`UPDATE lists SET imported = imported - 1, total = total - 1, changed_at = ? WHERE id = ? AND total > 1
			AND state IN ('running', 'paused', 'exporting', 'finished', 'canceled')`, a.Now(), l.ID)
		if left.Error != nil {
			return left.Error
		}
		if left.RowsAffected == 0 && l.Total <= 1 {
			return Refuse(CodeConflict, "last_record", "This is the list's only record. Delete the list instead.")
		}
		if left.RowsAffected == 0 {
			return errWrongState
		}
		if _, err := takeRecord(tx, r.ID); err != nil {
			return err
		}
		return tx.Exec("DELETE FROM records WHERE id = ?", r.ID).Error
	})
	if err != nil {
		return fmt.Errorf("deleting record %s: %w", id, err)
	}
	a.audit(ctx, as, "record.deleted", ref+"/"+id)
	return a.endIfDone(ctx, []int64{l.ID})
}

func (a *App) listRecord(ctx context.Context, as Actor, ref, id string) (List, Record, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, Record{}, err
	}
	r, err := a.Record(ctx, as.Account, l, id)
	return l, r, err
}

// reopen locks the list, counts added rows and makes an ended list run again. A paused list stays paused.
func (a *App) reopen(tx *gorm.DB, list int64, added int) error {
	moved := tx.Exec(`UPDATE lists SET imported = imported + ?, total = total + ?, changed_at = ?, finished_at = NULL,
		state = CASE WHEN state = 'paused' THEN state ELSE 'running' END WHERE id = ? AND state IN ('running', 'paused', 'exporting', 'finished')`,
		added, added, a.Now(), list)
	if moved.Error == nil && moved.RowsAffected == 0 {
		return errWrongState
	}
	return moved.Error
}

// takeRecord locks a record, ends its attempt, takes it out of the list's counters and unties the rows that waited for its answer:
// the first of them asks for the others. It gives the record as it was, under the new attempt.
func takeRecord(tx *gorm.DB, id int64) (Record, error) {
	locked := tx.Exec("UPDATE records SET attempt = attempt + 1 WHERE id = ?", id)
	if locked.Error != nil {
		return Record{}, locked.Error
	}
	var r Record
	err := tx.First(&r, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Record{}, Refuse(CodeNotFound, "record_not_found", "No such record.")
	}
	if err != nil {
		return Record{}, err
	}
	if r.State == RecordDone || r.State == RecordFailed {
		return r, addCount(tx, tally{r.ListID, r.State, r.Status, r.Reason}, -1)
	}
	var heir []int64
	if err := tx.Model(&Record{}).Where("twin_of = ? AND state = 'pending'", id).Order("id").Limit(1).Pluck("id", &heir).Error; err != nil || len(heir) == 0 {
		return r, err
	}
	if err := tx.Exec("UPDATE records SET twin_of = ? WHERE twin_of = ? AND state = 'pending' AND id <> ?", heir[0], id, heir[0]).Error; err != nil {
		return r, err
	}
	return r, tx.Exec("UPDATE records SET twin_of = NULL WHERE id = ?", heir[0]).Error
}

// addCount moves one counter of a list.
func addCount(tx *gorm.DB, t tally, n int) error {
	return tx.Exec(`INSERT INTO list_counts (list_id, state, status, reason, rows) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (list_id, state, status, reason) DO UPDATE SET rows = list_counts.rows + excluded.rows`, t.ListID, t.State, t.Status, t.Reason, n).Error
}

// fill puts values into a record by the names of columns or fields. A field that a column is mapped to changes the cell too.
func (r *Record) fill(l List, row map[string]string) error {
	r.Cells = append(r.Cells, make([]string, max(0, len(l.Columns)-len(r.Cells)))...)
	fields := map[sheet.Field]*string{sheet.FirstName: &r.FirstName, sheet.LastName: &r.LastName, sheet.FullName: &r.FullName, sheet.Domain: &r.Domain,
		sheet.Company: &r.Company, sheet.Email: &r.Address}
	longest := sheet.DefaultLimits().MaxCell
	for _, name := range slices.Sorted(maps.Keys(row)) {
		value := strings.ToValidUTF8(row[name], "�")
		if len(value) > longest {
			return Refuse(CodeTooLarge, "field_too_large", "The field %s is too long.", cut(name, maxName))
		}
		column := slices.IndexFunc(l.Columns, func(c string) bool { return strings.EqualFold(strings.TrimSpace(c), strings.TrimSpace(name)) })
		field, known := fields[sheet.Field(strings.ToLower(name))]
		if mapped, ok := l.Mapping[sheet.Field(strings.ToLower(name))]; column < 0 && ok && mapped < len(l.Columns) {
			column = mapped
		}
		switch {
		case column >= 0:
			r.Cells[column] = value
		case known:
			*field = strings.TrimSpace(value)
		default:
			return Refuse(CodeBadInput, "unknown_column", "This list has no column %q. Its columns are: %s.", cut(name, maxName), strings.Join(l.Columns, ", "))
		}
	}
	for field, into := range fields {
		if column, ok := l.Mapping[field]; ok && column < len(l.Columns) {
			*into = strings.TrimSpace(r.Cells[column])
		}
	}
	r.Domain = tidyDomain(r.Domain)
	r.PersonKey = personKey(l.Process, finder.Person{First: r.FirstName, Last: r.LastName, Full: r.FullName, Domain: r.Domain, Company: r.Company, Email: r.Address})
	return nil
}
