package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"beagle/app/finder"

	"gorm.io/gorm"
)

const (
	// MaxSelected is how many records can be named at once in a Selection.
	MaxSelected = 1000
	// againBatch rows are put back in one transaction, so that no lock is held for long.
	againBatch = 2000
)

// Selection says which records of a list are meant: those named by their ids, or without ids all that the filters of Query match.
// The zero Selection means every record.
type Selection struct {
	IDs   []string
	Query RecordQuery // its cursor and limit are not looked at
}

// everything tells that no record is left out.
func (s Selection) everything() bool { return len(s.IDs) == 0 && s.Query == (RecordQuery{}) }

// suffix tells the file of a part of a list from that of the whole.
func (s Selection) suffix() string {
	switch {
	case s.everything():
		return ""
	case len(s.IDs) > 0:
		return " (selected)"
	case s.Query == (RecordQuery{Status: s.Query.Status}):
		return " (" + strings.ReplaceAll(s.Query.Status, "_", "-") + ")"
	}
	return " (filtered)"
}

// narrow keeps the selected ones of a query over records.
func (s Selection) narrow(tx *gorm.DB) (*gorm.DB, error) {
	if len(s.IDs) > MaxSelected {
		return nil, Refuse(CodeTooLarge, "too_many_records", "At most %d records can be named at once. Name fewer, or choose them by a filter.", MaxSelected)
	}
	if len(s.IDs) == 0 {
		return s.Query.narrow(tx), nil
	}
	ids := make([]int64, 0, len(s.IDs))
	for _, id := range s.IDs {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return nil, Refuse(CodeNotFound, "record_not_found", "There is no record %q.", cut(id, maxName))
		}
		ids = append(ids, n)
	}
	return tx.Where("id IN ?", ids), nil
}

// RunAgain looks selected records of a list up again and reports how many. Those that are on their way already, and lines that could
// not be read, are left alone. A list that has ended runs again; a canceled one must be started with RetryFailed.
// A question that was paid for is not charged again within REUSE_ANSWERS_DAYS.
func (a *App) RunAgain(ctx context.Context, as Actor, ref string, which Selection) (int64, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return 0, err
	}
	if l.Process == ProcessNone {
		return 0, Refuse(CodeConflict, "no_process", "This list's rows are kept as they are: nothing is looked up.")
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return 0, err
	}
	n, err := a.startOver(ctx, l.ID, which.narrow)
	if err != nil {
		return n, fmt.Errorf("looking records of list %s up again: %w", ref, err)
	}
	if n == 0 {
		return 0, Refuse(CodeConflict, "nothing_to_run", "None of these rows can be looked up again now: they are waiting already, or their line could not be read.")
	}
	a.audit(ctx, as, "records.retried", ref)
	return n, a.endIfDone(ctx, []int64{l.ID})
}

// RetryFailed looks up again every row of an ended list that failed or stayed unknown. Rows with an answer are left alone.
// A canceled list goes on with the rows that it had not come to.
func (a *App) RetryFailed(ctx context.Context, as Actor, ref string) (List, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, err
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return List{}, err
	}
	moved, err := a.move(ctx, l.ID, []string{ListFinished, ListCanceled}, ListRunning, map[string]any{"finished_at": nil, "changed_at": a.Now()})
	if err != nil {
		return List{}, err
	}
	if !moved {
		return List{}, Refuse(CodeConflict, "wrong_state", "Rows can be tried again when the list has ended; it is %s now.", l.State)
	}
	_, err = a.startOver(ctx, l.ID, func(tx *gorm.DB) (*gorm.DB, error) {
		return tx.Where("(state = 'failed' OR (state = 'done' AND status = ? AND reason <> 'bad_input'))", finder.StatusUnknown), nil
	})
	if err != nil {
		return List{}, fmt.Errorf("trying list %s again: %w", ref, err)
	}
	a.audit(ctx, as, "list.retried", ref)
	if err := a.endIfDone(ctx, []int64{l.ID}); err != nil {
		return List{}, err
	}
	return a.List(ctx, as.Account, ref)
}

// errNoRows ends a transaction that found nothing to do.
var errNoRows = errors.New("no such rows")

// startOver puts rows of a list back to their beginning, batch after batch in row order, each row once. What is done when ctx ends stays done.
func (a *App) startOver(ctx context.Context, list int64, which func(*gorm.DB) (*gorm.DB, error)) (int64, error) {
	total := int64(0)
	for after := int64(0); ; {
		var taken []Record
		err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := a.reopen(tx, list, 0); err != nil {
				return err
			}
			rows, err := which(tx.Model(&Record{}).Select("id").
				Where("list_id = ? AND row_no > ? AND state IN ('done', 'failed', 'retrying') AND reason <> ?", list, after, badLine))
			if err != nil {
				return err
			}
			// The new attempt locks the rows; their states are those of this moment, whatever the search had seen.
			err = tx.Raw("UPDATE records SET attempt = attempt + 1 WHERE id IN (?) RETURNING id, list_id, row_no, state, status, reason",
				rows.Order("row_no").Limit(againBatch)).Scan(&taken).Error
			if err == nil && len(taken) == 0 {
				return errNoRows // takes back what reopen did: a list that has ended and has nothing to do stays as it is
			}
			if err != nil {
				return err
			}
			return putToBeginning(tx, taken)
		})
		if errors.Is(err, errNoRows) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		total += int64(len(taken))
		if len(taken) < againBatch {
			return total, nil
		}
		for _, r := range taken {
			after = max(after, r.RowNo)
		}
	}
}

// putToBeginning begins a new run of locked rows and takes them out of their list's counters. A row that repeats an earlier one which
// is open or begins anew with it goes on waiting for that one's answer; others ask for themselves.
func putToBeginning(tx *gorm.DB, taken []Record) error {
	ids := make([]int64, len(taken))
	sums := map[tally]int{}
	for i, r := range taken {
		ids[i] = r.ID
		if r.State == RecordDone || r.State == RecordFailed {
			sums[tally{r.ListID, r.State, r.Status, r.Reason}]++
		}
	}
	err := tx.Exec(`UPDATE records SET state = 'pending', run = run + 1, tries = 0, crashes = 0, queued_at = NULL, next_attempt_at = NULL,
		twin_of = (SELECT first.id FROM records AS first WHERE first.id = records.twin_of AND first.person_key = records.person_key
			AND (first.id IN ? OR first.state IN ('pending', 'queued', 'retrying'))),
		previous_email = CASE WHEN checked_at IS NULL THEN previous_email ELSE email END,
		previous_status = CASE WHEN checked_at IS NULL THEN previous_status ELSE status END,
		previous_score = CASE WHEN checked_at IS NULL THEN previous_score ELSE score END,
		previous_at = COALESCE(checked_at, previous_at),
		email = '', status = '', score = 0, pattern = '', reason = '', note = '', evidence = '', checked_at = NULL
		WHERE id IN ?`, ids, ids).Error
	if err != nil {
		return fmt.Errorf("putting rows back: %w", err)
	}
	for t, n := range sums {
		if err := addCount(tx, t, -n); err != nil {
			return fmt.Errorf("counting rows put back: %w", err)
		}
	}
	return nil
}
