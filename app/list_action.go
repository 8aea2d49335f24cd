package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// Kinds and states of a ListAction.
const (
	ActionRetry  = "retry"
	ActionRemove = "remove"

	ActionWaiting = "waiting" // not done to its end yet
	ActionDone    = "done"
	ActionUndoing = "undoing" // a removal that is being taken back
	ActionUndone  = "undone"
	actionCleared = "cleared" // a removal that cannot be taken back any more
)

// undoFor is how long deleted lists and removed rows can be brought back.
const undoFor = time.Hour

// removeBatch rows are removed or brought back in one transaction, so that no lock is held for long.
const removeBatch = 2000

// maxActions is how many actions of a list are shown.
const maxActions = 5

// ListAction is something that is done with many rows of a list. A few rows that were named are done at once; what a filter picks
// out of a million is done by a job, batch after batch, and goes on where it stopped.
type ListAction struct {
	ID        int64
	ListID    int64
	AccountID int64
	UserID    int64
	Kind      string
	State     string
	Selection Selection `gorm:"serializer:json"`
	Rows      int64     // done so far
	CreatedAt time.Time
	ClearAt   *time.Time // of a removal: until when it can be taken back
}

// RunAgainLater is RunAgain for any number of records.
func (a *App) RunAgainLater(ctx context.Context, as Actor, ref string, which Selection) (ListAction, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return ListAction{}, err
	}
	if l.Process == ProcessNone {
		return ListAction{}, Refuse(CodeConflict, "no_process", "This list's rows are kept as they are: nothing is looked up.")
	}
	if l.State == ListCanceled {
		return ListAction{}, Refuse(CodeConflict, "wrong_state", "This list was canceled. Try its unknown rows again first: then it goes on.")
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return ListAction{}, err
	}
	return a.begin(ctx, as, l, ActionRetry, which)
}

// RemoveRecords takes records out of a list. They can be brought back by UndoRemoval for undoFor, then the clock deletes them.
// What they cost stays in the ledger. Records that are being looked up are removed too: their answer comes too late.
func (a *App) RemoveRecords(ctx context.Context, as Actor, ref string, which Selection) (ListAction, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return ListAction{}, err
	}
	return a.begin(ctx, as, l, ActionRemove, which)
}

func (a *App) begin(ctx context.Context, as Actor, l List, kind string, which Selection) (ListAction, error) {
	switch l.State {
	case ListRunning, ListPaused, ListExporting, ListFinished, ListCanceled:
	default:
		return ListAction{}, errWrongState
	}
	if _, err := which.narrow(a.DB); err != nil {
		return ListAction{}, err
	}
	act, err := a.begunBefore(ctx, as, l)
	if err != nil {
		return ListAction{}, err
	}
	if act.ID == 0 {
		act = ListAction{ListID: l.ID, AccountID: l.AccountID, UserID: as.User, Kind: kind, State: ActionWaiting, Selection: which, CreatedAt: a.Now()}
		err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&act).Error; err != nil {
				return err
			}
			return as.Claim.note(tx, madeAction, strconv.FormatInt(act.ID, 10))
		})
		if err != nil {
			return ListAction{}, fmt.Errorf("noting what to do with records of list %s: %w", l.Ref, err)
		}
		a.audit(ctx, as, "records."+kind, l.Ref)
	}
	switch {
	case !act.Open():
		return act, nil
	case len(which.IDs) == 0:
		return act, a.ActLater(ctx, l.ID)
	}
	return act, a.perform(ctx, &act)
}

// begunBefore is the action that a request which died has begun already; the zero ListAction when there is none.
func (a *App) begunBefore(ctx context.Context, as Actor, l List) (ListAction, error) {
	made, ok, err := as.Claim.before(madeAction)
	if err != nil || !ok {
		return ListAction{}, err
	}
	return a.Action(ctx, as.Account, l, made)
}

// Action reads something that was done with a list's rows.
func (a *App) Action(ctx context.Context, account int64, l List, id string) (ListAction, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return ListAction{}, errNoAction
	}
	var act ListAction
	found := a.DB.WithContext(ctx).Where("id = ? AND list_id = ? AND account_id = ?", n, l.ID, account).Limit(1).Find(&act)
	if found.Error != nil {
		return ListAction{}, fmt.Errorf("reading action %d: %w", n, found.Error)
	}
	if found.RowsAffected == 0 {
		return ListAction{}, errNoAction
	}
	return act, nil
}

var errNoAction = Refuse(CodeNotFound, "action_not_found", "No such action on this list.")

// Act does what is waiting to be done with a list's rows. It may be stopped at any point and run again.
func (a *App) Act(ctx context.Context, list int64) error {
	var waiting []ListAction
	err := a.DB.WithContext(ctx).Where("list_id = ? AND state IN ('waiting', 'undoing')", list).Order("id").Find(&waiting).Error
	if err != nil {
		return fmt.Errorf("reading what to do with list %d: %w", list, err)
	}
	for i := range waiting {
		if err := a.perform(ctx, &waiting[i]); err != nil {
			return err
		}
	}
	return nil
}

// Open tells that an action is not done to its end yet.
func (act ListAction) Open() bool { return act.State == ActionWaiting || act.State == ActionUndoing }

// perform does an action to its end. An action whose list is in no state for it any more ends where it is.
func (a *App) perform(ctx context.Context, act *ListAction) (err error) {
	next, set := ActionDone, map[string]any{}
	switch {
	case act.State == ActionUndoing:
		next, err = ActionUndone, a.bringBack(ctx, act)
	case act.Kind == ActionRemove:
		clear := a.Now().Add(undoFor)
		set["clear_at"], act.ClearAt = clear, &clear
		err = a.remove(ctx, act)
	default:
		var n int64
		n, err = a.startOver(ctx, act.ListID, func(tx *gorm.DB) (*gorm.DB, error) {
			// A second try leaves alone what the first has looked up again.
			return act.Selection.narrow(tx.Where("(checked_at IS NULL OR checked_at < ?)", act.CreatedAt))
		})
		act.Rows += n
		set["rows"] = gorm.Expr("rows + ?", n)
	}
	if err != nil && !errors.Is(err, errWrongState) {
		return fmt.Errorf("%s of rows of list %d: %w", act.Kind, act.ListID, err)
	}
	set["state"] = next
	done := a.DB.WithContext(ctx).Model(&ListAction{}).Where("id = ? AND state = ?", act.ID, act.State).Updates(set)
	if done.Error != nil {
		return fmt.Errorf("ending action %d: %w", act.ID, done.Error)
	}
	act.State = next
	return a.endIfDone(ctx, []int64{act.ListID})
}

// remove moves the selected rows under the negative id of their list, where nothing finds them, batch after batch in row order.
func (a *App) remove(ctx context.Context, act *ListAction) error {
	for after := int64(0); ; {
		var taken []Record
		err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := a.lockForRemoval(tx, act.ListID); err != nil {
				return err
			}
			rows, err := act.Selection.narrow(tx.Model(&Record{}).Select("id").Where("list_id = ? AND row_no > ?", act.ListID, after))
			if err != nil {
				return err
			}
			err = tx.Raw(`UPDATE records SET list_id = -list_id, removal = ?, attempt = attempt + 1, twin_of = NULL, queued_at = NULL, next_attempt_at = NULL,
				state = CASE WHEN state IN ('queued', 'retrying') THEN 'pending' ELSE state END
				WHERE id IN (?) AND list_id = ? RETURNING id, list_id, row_no, state, status, reason`,
				act.ID, rows.Order("row_no").Limit(removeBatch), act.ListID).Scan(&taken).Error
			if err != nil || len(taken) == 0 {
				return err
			}
			return a.countMoved(tx, act, taken, -1)
		})
		if err != nil {
			return err
		}
		act.Rows += int64(len(taken))
		if len(taken) < removeBatch {
			return nil
		}
		for _, r := range taken {
			after = max(after, r.RowNo)
		}
	}
}

// lockForRemoval locks the list before its rows, as all do who change its counters.
func (a *App) lockForRemoval(tx *gorm.DB, list int64) error {
	locked := tx.Exec(`UPDATE lists SET changed_at = ? WHERE id = ? AND state IN ('running', 'paused', 'exporting', 'finished', 'canceled')`, a.Now(), list)
	if locked.Error == nil && locked.RowsAffected == 0 {
		return errWrongState
	}
	return locked.Error
}

// countMoved takes rows that were moved out of their list's counters (sign -1), or puts them back into them (sign 1), and unties the rows
// that waited for an answer of theirs.
func (a *App) countMoved(tx *gorm.DB, act *ListAction, moved []Record, sign int) error {
	ids := make([]int64, len(moved))
	sums := map[tally]int{}
	for i, r := range moved {
		ids[i] = r.ID
		if r.State == RecordDone || r.State == RecordFailed {
			sums[tally{act.ListID, r.State, r.Status, r.Reason}] += sign
		}
	}
	if sign < 0 {
		if err := tx.Exec("UPDATE records SET twin_of = NULL WHERE twin_of IN ?", ids).Error; err != nil {
			return fmt.Errorf("untying rows: %w", err)
		}
	}
	for t, n := range sums {
		if err := addCount(tx, t, n); err != nil {
			return fmt.Errorf("counting rows: %w", err)
		}
	}
	n := sign * len(moved)
	if err := tx.Exec("UPDATE lists SET imported = imported + ?, total = total + ? WHERE id = ?", n, n, act.ListID).Error; err != nil {
		return fmt.Errorf("counting rows of list %d: %w", act.ListID, err)
	}
	return tx.Exec("UPDATE list_actions SET rows = rows - ? WHERE id = ?", n, act.ID).Error
}

// OpenActions are what is under way with a list's rows, and the removals that can still be taken back, newest first.
func (a *App) OpenActions(ctx context.Context, account int64, l List) ([]ListAction, error) {
	var all []ListAction
	err := a.DB.WithContext(ctx).Where("list_id = ? AND account_id = ? AND (state IN ('waiting', 'undoing') OR (kind = 'remove' AND state = 'done' AND rows > 0 AND clear_at > ?))",
		l.ID, account, a.Now()).Order("id DESC").Limit(maxActions).Find(&all).Error
	if err != nil {
		return nil, fmt.Errorf("reading actions of list %s: %w", l.Ref, err)
	}
	return all, nil
}

// UndoRemoval brings the rows of a removal back to where they were. Rows that had no answer are looked up.
func (a *App) UndoRemoval(ctx context.Context, as Actor, ref string, id int64) (ListAction, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return ListAction{}, err
	}
	undone := a.DB.WithContext(ctx).Model(&ListAction{}).Where("id = ? AND list_id = ? AND account_id = ? AND kind = 'remove' AND state = 'done' AND clear_at > ?",
		id, l.ID, as.Account, a.Now()).Update("state", ActionUndoing)
	if undone.Error != nil {
		return ListAction{}, fmt.Errorf("undoing removal %d: %w", id, undone.Error)
	}
	if undone.RowsAffected == 0 {
		return ListAction{}, Refuse(CodeConflict, "too_late", "This removal cannot be undone any more.")
	}
	a.audit(ctx, as, "records.restored", ref)
	var act ListAction
	if err := a.DB.WithContext(ctx).First(&act, id).Error; err != nil {
		return ListAction{}, fmt.Errorf("reading removal %d: %w", id, err)
	}
	if act.Rows > removeBatch {
		return act, a.ActLater(ctx, l.ID)
	}
	return act, a.perform(ctx, &act)
}

// bringBack moves removed rows back under their list, batch after batch.
func (a *App) bringBack(ctx context.Context, act *ListAction) error {
	for {
		var taken []Record
		err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := a.lockForRemoval(tx, act.ListID); err != nil {
				return err
			}
			rows := tx.Model(&Record{}).Select("id").Where("list_id = ? AND removal = ?", -act.ListID, act.ID).Order("row_no").Limit(removeBatch)
			err := tx.Raw(`UPDATE records SET list_id = -list_id, removal = NULL WHERE id IN (?) AND list_id < 0 RETURNING id, list_id, row_no, state, status, reason`, rows).Scan(&taken).Error
			if err != nil || len(taken) == 0 {
				return err
			}
			if err := a.countMoved(tx, act, taken, 1); err != nil {
				return err
			}
			for _, r := range taken {
				if r.State == RecordPending {
					return tx.Exec("UPDATE lists SET state = 'running', finished_at = NULL WHERE id = ? AND state IN ('exporting', 'finished')", act.ListID).Error
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if act.Rows -= int64(len(taken)); len(taken) < removeBatch {
			return nil
		}
	}
}

// clearRemoved deletes rows whose removal cannot be taken back any more, and reports how many.
func (a *App) clearRemoved(ctx context.Context) (int64, error) {
	var over []ListAction
	err := a.DB.WithContext(ctx).Where("kind = 'remove' AND state = 'done' AND clear_at <= ?", a.Now()).Order("clear_at").Limit(cleanLists).Find(&over).Error
	if err != nil {
		return 0, fmt.Errorf("reading old removals: %w", err)
	}
	total := int64(0)
	for _, act := range over {
		// First it is said that nobody can bring them back, then they are deleted; a round that stops between the two is done again by Clear.
		n, err := a.deleteRecords(ctx, "list_id = ? AND removal = ?", -act.ListID, act.ID)
		total += n
		if err != nil {
			return total, err
		}
		if err := a.DB.WithContext(ctx).Model(&ListAction{}).Where("id = ?", act.ID).Update("state", actionCleared).Error; err != nil {
			return total, fmt.Errorf("ending removal %d: %w", act.ID, err)
		}
	}
	return total, nil
}

// deleteRecords deletes records for good, batch after batch.
func (a *App) deleteRecords(ctx context.Context, which string, args ...any) (int64, error) {
	total := int64(0)
	for {
		gone := a.DB.WithContext(ctx).Exec(`DELETE FROM records WHERE id IN (SELECT id FROM records WHERE `+which+` LIMIT ?)`, append(args, clearBatch)...)
		if gone.Error != nil {
			return total, fmt.Errorf("deleting records: %w", gone.Error)
		}
		if total += gone.RowsAffected; gone.RowsAffected == 0 {
			return total, nil
		}
	}
}
