package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"beagle/app/db"
)

// States of a record: pending → queued → done | retrying | failed; retrying goes back to queued when its time comes.
const (
	RecordPending  = "pending"
	RecordQueued   = "queued"
	RecordRetrying = "retrying"
	RecordDone     = "done"
	RecordFailed   = "failed"
)

// Record is one row of a list with its question and its answer.
type Record struct {
	ID        int64
	ListID    int64
	AccountID int64
	RowNo     int64    // from 1, in the order of the file
	Cells     []string `gorm:"serializer:json"` // as they were in the file

	FirstName, LastName, FullName string
	Domain, Company               string
	Address                       string // an e-mail address the file already had
	PersonKey                     string // equal for rows that ask the same question; "" asks none

	State         string
	Attempt       int // the fence: only the current attempt may write an answer
	Run           int // counted up when a person asks for the row again
	Tries         int // lookups that ended with "come back later"
	Crashes       int // times a worker died with it
	TwinOf        *int64
	QueuedAt      *time.Time
	NextAttemptAt *time.Time

	Email     string
	Status    string
	Score     int
	Pattern   string
	Reason    string
	Note      string // the answer in a sentence
	Evidence  string // finder.Evidence as JSON
	CheckedAt *time.Time

	// The answer before the row was looked up again; PreviousAt is nil when there is none.
	PreviousEmail  string
	PreviousStatus string
	PreviousScore  int
	PreviousAt     *time.Time
}

// recordFields are the columns of a record but its evidence, in the order of Record.places; see listFields.
const recordFields = `id, list_id, account_id, row_no, cells, first_name, last_name, full_name, domain, company, address, person_key, state, attempt, run,
	tries, crashes, twin_of, queued_at, next_attempt_at, email, status, score, pattern, reason, note, checked_at,
	previous_email, previous_status, previous_score, previous_at`

func (r *Record) places() []any {
	return []any{&r.ID, &r.ListID, &r.AccountID, &r.RowNo, db.JSON{Into: &r.Cells}, &r.FirstName, &r.LastName, &r.FullName, &r.Domain, &r.Company,
		&r.Address, &r.PersonKey, &r.State, &r.Attempt, &r.Run, &r.Tries, &r.Crashes, &r.TwinOf, &r.QueuedAt, &r.NextAttemptAt, &r.Email, &r.Status,
		&r.Score, &r.Pattern, &r.Reason, &r.Note, &r.CheckedAt, &r.PreviousEmail, &r.PreviousStatus, &r.PreviousScore, &r.PreviousAt}
}

// keepAnswer notes the answer before a row is looked up again; a row that now asks about somebody else (asked is the
// person key it had) keeps none.
func (r *Record) keepAnswer(asked string) {
	switch {
	case r.PersonKey != asked:
		r.PreviousEmail, r.PreviousStatus, r.PreviousScore, r.PreviousAt = "", "", 0, nil
	case r.CheckedAt != nil:
		r.PreviousEmail, r.PreviousStatus, r.PreviousScore, r.PreviousAt = r.Email, r.Status, r.Score, r.CheckedAt
	}
}

// Changed tells that the row was looked up again and has another address or status since.
func (r Record) Changed() bool {
	return r.PreviousAt != nil && (r.State == RecordDone || r.State == RecordFailed) && (r.Email != r.PreviousEmail || r.Status != r.PreviousStatus)
}

// RecordQuery picks records of a list. Empty fields do not filter.
type RecordQuery struct {
	Status string
	State  string
	Reason string
	Search string // in the original cells and the found address
	// MinScore and MaxScore bound the score of rows with an address; both 0 do not filter.
	MinScore, MaxScore int
	Sort               string // SortRow, SortScore, SortScoreLow or SortAddress
	After              string // the cursor a page before gave
	Limit              int    // at most 500
}

// Record reads one record with its evidence. id is what the outside calls it.
func (a *App) Record(ctx context.Context, account int64, l List, id string) (Record, error) {
	none := Refuse(CodeNotFound, "record_not_found", "No such record.")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || l.AccountID != account {
		return Record{}, none
	}
	var found Record
	err = db.QueryRow(ctx, a.DB, "SELECT "+recordFields+", evidence FROM records WHERE list_id = ? AND id = ?", l.ID, n).Scan(append(found.places(), &found.Evidence)...)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, none
	}
	if err != nil {
		return Record{}, fmt.Errorf("reading record %d: %w", n, err)
	}
	return found, nil
}
