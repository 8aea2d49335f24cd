package app

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"beagle/app/db"
	"beagle/app/mail"
	"beagle/app/sheet"

	"gorm.io/gorm"
)

// States of a list: mapping → importing → running ⇄ paused → exporting → finished, or canceled, failed (with a reason).
// deleting is the short time while the clock clears its records and files.
const (
	ListMapping   = "mapping"
	ListImporting = "importing"
	ListRunning   = "running"
	ListPaused    = "paused"
	ListExporting = "exporting"
	ListFinished  = "finished"
	ListCanceled  = "canceled"
	ListFailed    = "failed"
	ListDeleting  = "deleting"
)

// Processes: what is done with each record of a list.
const (
	ProcessFind    = "find"     // the best verified address
	ProcessFindAll = "find_all" // every ranked candidate
	ProcessVerify  = "verify"   // is the given address deliverable?
	ProcessPattern = "pattern"  // the domain's pattern only
	ProcessNone    = "none"     // keep the rows, look nothing up
)

// Processes in the order in which people choose them.
var Processes = []string{ProcessFind, ProcessFindAll, ProcessVerify, ProcessPattern, ProcessNone}

// List is one uploaded file (or one post of records), its settings, state and result file.
type List struct {
	ID            int64
	Ref           string // the id that URLs and the API show
	AccountID     int64
	UserID        int64
	Name          string
	Process       string
	State         string
	Reason        string // why it failed, for machines
	Note          string // the reason as a sentence
	Filename      string
	UploadKey     string
	UploadBytes   int64
	Dialect       sheet.Dialect `gorm:"serializer:json"`
	Columns       []string      `gorm:"serializer:json"`
	Mapping       sheet.Mapping `gorm:"serializer:json"`
	CallbackURL   string        `gorm:"column:callback_url"` // told of the list's events; "" for none
	ListOptions   `gorm:"embedded"`
	ArchivedAt    *time.Time
	DeletedFrom   string     // the state that a deleted list goes back to
	ClearAt       *time.Time // until when a deleted list can be brought back
	Trace         string     // W3C traceparent of the upload; "" when it was not traced
	Imported      int64      // rows committed: where a restarted import goes on
	Total         int64      // rows of the whole list, known when the import has ended
	ResultKey     string
	ResultVersion int
	ResultBytes   int64
	ResultAt      *time.Time
	ChangedAt     time.Time
	CreatedAt     time.Time
	StartedAt     *time.Time
	FinishedAt    *time.Time
}

// ListOptions are what a person chooses before a list starts.
type ListOptions struct {
	SkipDuplicates bool // rows that repeat an earlier one of the file are kept without an answer
	Refresh        bool // everybody is asked about anew: young answers from other lists are not used again
}

// listFields are the columns of a list in the order of List.places. Reads of one list are most of what the API is asked, so they are
// scanned by hand; a test holds the two together with the model.
const listFields = `id, ref, account_id, user_id, name, process, state, reason, note, filename, upload_key, upload_bytes, dialect, columns, mapping,
	callback_url, skip_duplicates, refresh, archived_at, deleted_from, clear_at, trace, imported, total, result_key, result_version, result_bytes,
	result_at, changed_at, created_at, started_at, finished_at`

func (l *List) places() []any {
	return []any{&l.ID, &l.Ref, &l.AccountID, &l.UserID, &l.Name, &l.Process, &l.State, &l.Reason, &l.Note, &l.Filename, &l.UploadKey, &l.UploadBytes,
		db.JSON{Into: &l.Dialect}, db.JSON{Into: &l.Columns}, db.JSON{Into: &l.Mapping}, &l.CallbackURL, &l.SkipDuplicates, &l.Refresh, &l.ArchivedAt,
		&l.DeletedFrom, &l.ClearAt, &l.Trace, &l.Imported, &l.Total, &l.ResultKey, &l.ResultVersion, &l.ResultBytes, &l.ResultAt, &l.ChangedAt,
		&l.CreatedAt, &l.StartedAt, &l.FinishedAt}
}

// Ended tells that nothing more happens to the list by itself.
func (l List) Ended() bool {
	return l.State == ListFinished || l.State == ListCanceled || l.State == ListFailed
}

// List reads one list of an account. Somebody else's is not found.
func (a *App) List(ctx context.Context, account int64, ref string) (List, error) {
	var found List
	err := db.QueryRow(ctx, a.DB, "SELECT "+listFields+" FROM lists WHERE ref = ? AND account_id = ? AND state <> ?", ref, account, ListDeleting).Scan(found.places()...)
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, Refuse(CodeNotFound, "list_not_found", "No such list.")
	}
	if err != nil {
		return List{}, fmt.Errorf("reading list %s: %w", ref, err)
	}
	return found, nil
}

// Lists is FindLists for all lists. after is the cursor a page before gave.
func (a *App) Lists(ctx context.Context, account int64, after string, limit int) (lists []List, next string, total int64, err error) {
	return a.FindLists(ctx, account, ListQuery{After: after, Limit: limit})
}

const (
	defaultPage = 50
	maxPage     = 500
)

func clampLimit(n int) int {
	if n <= 0 {
		return defaultPage
	}
	return min(n, maxPage)
}

func parseCursor(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 36, 64)
	if err != nil {
		return 0, Refuse(CodeBadInput, "pagination_error", "This cursor was not made here. Begin again without one.")
	}
	return n, nil
}

// newRef makes the id of a list that the outside sees: 26 characters that say nothing about how many lists there are.
func newRef() string { return strings.ToLower(rand.Text()) }

func cleanListName(name, fallback string) (string, error) {
	name = strings.TrimSpace(strings.ToValidUTF8(name, "�"))
	if name == "" {
		name = fallback
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, name)
	if utf8.RuneCountInString(name) > maxName {
		return "", Refuse(CodeBadInput, "name_too_long", "The name may have at most %d characters.", maxName)
	}
	return name, nil
}

func checkProcess(process string) (string, error) {
	if process == "" {
		return ProcessFind, nil
	}
	if !slices.Contains(Processes, process) {
		return "", Refuse(CodeBadInput, "invalid_process", "The process must be one of %s.", strings.Join(Processes, ", "))
	}
	return process, nil
}

// RenameList gives a list another name.
func (a *App) RenameList(ctx context.Context, as Actor, ref, name string) (List, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, err
	}
	if l.Name, err = cleanListName(name, l.Name); err != nil {
		return List{}, err
	}
	if err := a.DB.WithContext(ctx).Model(&List{}).Where("id = ?", l.ID).Update("name", l.Name).Error; err != nil {
		return List{}, fmt.Errorf("renaming list %s: %w", ref, err)
	}
	return l, nil
}

// move changes a list's state when it is in one of the given states; the first caller wins. It reports whether this call did it.
func (a *App) move(ctx context.Context, list int64, from []string, to string, more map[string]any) (bool, error) {
	set := map[string]any{"state": to}
	for k, v := range more {
		set[k] = v
	}
	done := a.DB.WithContext(ctx).Model(&List{}).Where("id = ? AND state IN ?", list, from).Updates(set)
	if done.Error != nil {
		return false, fmt.Errorf("moving list %d to %s: %w", list, to, done.Error)
	}
	return done.RowsAffected == 1, nil
}

// failList ends a list with a reason that a person can act on.
func (a *App) failList(ctx context.Context, list int64, reason, note string) error {
	var moved bool
	var about mailTask
	var due []Delivery
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		failed := tx.Model(&List{}).Where("id = ? AND state IN ?", list, []string{ListMapping, ListImporting, ListRunning, ListPaused, ListExporting}).
			Updates(map[string]any{"state": ListFailed, "reason": reason, "note": note, "finished_at": a.Now()})
		if moved = failed.RowsAffected == 1; failed.Error != nil || !moved {
			return failed.Error
		}
		var err error
		if about, err = a.aboutList(tx, mail.ListFailed, list); err != nil {
			return err
		}
		due, err = a.announce(tx, list, EventFailed)
		return err
	})
	if err != nil {
		return fmt.Errorf("failing list %d: %w", list, err)
	}
	if moved {
		a.Log.WarnContext(ctx, "list failed", "list", list, "reason", reason)
		a.mailOnce(ctx, about)
		a.deliverAll(ctx, due)
	}
	return nil
}
