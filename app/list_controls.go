package app

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// Pause stops a list. Rows that are being looked up right now finish; the rest wait for Resume.
func (a *App) Pause(ctx context.Context, as Actor, ref string) (List, error) {
	return a.control(ctx, as, ref, "list.paused", []string{ListRunning}, ListPaused, nil)
}

// Resume lets a paused list go on.
func (a *App) Resume(ctx context.Context, as Actor, ref string) (List, error) {
	l, err := a.control(ctx, as, ref, "list.resumed", []string{ListPaused}, ListRunning, nil)
	if err != nil {
		return List{}, err
	}
	if err := a.endIfDone(ctx, []int64{l.ID}); err != nil { // its last rows may have ended meanwhile
		return List{}, err
	}
	return a.List(ctx, as.Account, ref)
}

// Cancel ends a list for good. What was found so far stays and can be downloaded; rows that are being looked up right now finish, nobody else is asked for and nothing else charged.
func (a *App) Cancel(ctx context.Context, as Actor, ref string) (List, error) {
	l, err := a.control(ctx, as, ref, "list.canceled", []string{ListMapping, ListImporting, ListRunning, ListPaused}, ListCanceled,
		map[string]any{"finished_at": a.Now()})
	if err != nil || l.Imported == 0 {
		return l, err
	}
	return l, a.ExportLater(ctx, l)
}

func (a *App) control(ctx context.Context, as Actor, ref, action string, from []string, to string, more map[string]any) (List, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, err
	}
	moved, err := a.move(ctx, l.ID, from, to, more)
	if err != nil {
		return List{}, err
	}
	if !moved && l.State != to {
		return List{}, Refuse(CodeConflict, "wrong_state", "This cannot be done while the list is %s.", l.State)
	}
	a.audit(ctx, as, action, ref)
	return a.List(ctx, as.Account, ref)
}

// Rebuild writes the result file anew from the records.
func (a *App) Rebuild(ctx context.Context, as Actor, ref string) (List, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, err
	}
	if l.Imported == 0 {
		return List{}, Refuse(CodeConflict, "wrong_state", "There is nothing to build a file from yet.")
	}
	return l, a.ExportLater(ctx, l)
}

// livingStates are all but deleting.
var livingStates = []string{ListMapping, ListImporting, ListRunning, ListPaused, ListExporting, ListFinished, ListCanceled, ListFailed}

// DeleteList hides a list at once and clears its records and files in the background. Such a list cannot be brought back; see TrashList.
func (a *App) DeleteList(ctx context.Context, as Actor, ref string) error {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return err
	}
	if err := a.mayGo(ctx, l); err != nil {
		return err
	}
	if _, err := a.move(ctx, l.ID, livingStates, ListDeleting, nil); err != nil {
		return err
	}
	a.audit(ctx, as, "list.deleted", ref)
	return a.ClearLater(ctx, l.ID)
}

// mayGo refuses to delete a list that others can get from the catalogue.
func (a *App) mayGo(ctx context.Context, l List) error {
	published, err := a.isPublished(ctx, l.ID)
	if err == nil && published {
		err = Refuse(CodeConflict, "published", "This list is in the catalogue. Withdraw it there before you delete it.")
	}
	return err
}

// Discard removes an upload that has not been started, with its file, before it returns: nothing is left of it.
func (a *App) Discard(ctx context.Context, as Actor, ref string) error {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return err
	}
	moved, err := a.move(ctx, l.ID, []string{ListMapping}, ListDeleting, nil)
	if err != nil {
		return err
	}
	if !moved {
		return Refuse(CodeConflict, "wrong_state", "This list has been started already.")
	}
	a.audit(ctx, as, "list.discarded", ref)
	if err := a.Clear(ctx, l.ID); err != nil {
		return errors.Join(err, a.ClearLater(ctx, l.ID))
	}
	return nil
}

const clearBatch = 5000

// Clear removes the records, files and the row of a list that is being deleted. It may be stopped and run again at any point.
func (a *App) Clear(ctx context.Context, list int64) error {
	var l List
	if err := a.DB.WithContext(ctx).Where("id = ? AND state = ? AND (clear_at IS NULL OR clear_at <= ?)", list, ListDeleting, a.Now()).Limit(1).Find(&l).Error; err != nil {
		return fmt.Errorf("reading list %d: %w", list, err)
	}
	if l.ID == 0 {
		return nil
	}
	if _, err := a.deleteRecords(ctx, "list_id IN (?, ?)", list, -list); err != nil { // and those that were removed from it
		return fmt.Errorf("clearing list %d: %w", list, err)
	}
	var keys []string
	for f, err := range a.Files.List(ctx, listPrefix(l)) {
		if err != nil {
			return fmt.Errorf("listing files of list %d: %w", list, err)
		}
		keys = append(keys, f.Key)
	}
	if err := a.Files.Delete(ctx, keys...); err != nil {
		return fmt.Errorf("deleting files of list %d: %w", list, err)
	}
	return a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, table := range []string{"list_counts", "list_tags", "list_actions", "company_domains"} {
			if err := tx.Exec("DELETE FROM "+table+" WHERE list_id = ?", list).Error; err != nil {
				return err
			}
		}
		return tx.Exec("DELETE FROM lists WHERE id = ?", list).Error
	})
}

// listPrefix is where all files of a list are.
func listPrefix(l List) string { return fmt.Sprintf("accounts/%d/lists/%s/", l.AccountID, l.Ref) }
