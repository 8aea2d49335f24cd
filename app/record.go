package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
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
}

// RecordQuery picks records of a list. Empty fields do not filter.
type RecordQuery struct {
	Status string
	State  string
	Reason string
	Search string // in the original cells and the found address
	After  string // the cursor a page before gave
	Limit  int    // at most 500
}

// Records reads a page of a list's records in row order, without their evidence. The caller has read l through its account.
func (a *App) Records(ctx context.Context, account int64, l List, q RecordQuery) (rows []Record, next string, err error) {
	if l.AccountID != account {
		return nil, "", Refuse(CodeNotFound, "list_not_found", "No such list.")
	}
	page := q.narrow(a.DB.WithContext(ctx).Omit("evidence").Where("list_id = ?", l.ID))
	if q.After != "" {
		row, err := parseCursor(q.After)
		if err != nil {
			return nil, "", err
		}
		page = page.Where("row_no > ?", row)
	}
	limit := clampLimit(q.Limit)
	if err := page.Order("row_no").Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, "", fmt.Errorf("reading records of list %s: %w", l.Ref, err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].RowNo, 36)
	}
	return rows, next, nil
}

// narrow adds the filters of q, not its page, to a query over records.
func (q RecordQuery) narrow(page *gorm.DB) *gorm.DB {
	if q.Status != "" {
		page = page.Where("status = ? AND state IN ('done', 'failed')", q.Status)
	}
	if q.State != "" {
		page = page.Where("state = ?", q.State)
	}
	if q.Reason != "" {
		page = page.Where("reason = ?", q.Reason)
	}
	if s := strings.ToLower(strings.TrimSpace(q.Search)); s != "" {
		like := "%" + likeEscaper.Replace(s) + "%"
		page = page.Where(`(LOWER(cells) LIKE ? ESCAPE '\' OR LOWER(email) LIKE ? ESCAPE '\')`, like, like)
	}
	return page
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Record reads one record with its evidence. id is what the outside calls it.
func (a *App) Record(ctx context.Context, account int64, l List, id string) (Record, error) {
	none := Refuse(CodeNotFound, "record_not_found", "No such record.")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || l.AccountID != account {
		return Record{}, none
	}
	var found Record
	err = a.DB.WithContext(ctx).Where("list_id = ? AND id = ?", l.ID, n).First(&found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Record{}, none
	}
	if err != nil {
		return Record{}, fmt.Errorf("reading record %d: %w", n, err)
	}
	return found, nil
}
