package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
)

// The reconciler is what the clock repairs besides the sweep: things that hold nobody up, and cost a look at many rows or files.
const (
	reconcileEvery = 10 * time.Minute
	reconcileSince = time.Hour // lists that nothing has changed for so long were right the last time
	reconcileLists = 200       // looked at in one round, the lately changed first
	orphanAge      = time.Hour // a file this young may be of an upload that is just becoming a list
	orphanBatch    = 500       // files looked up at once
)

// Reconcile makes counters equal to records again and deletes files that belong to no list. It says what it did; repairs are counted
// in beagle_sweep_repairs_total and logged.
func (a *App) Reconcile(ctx context.Context) (string, error) {
	drifted, countErr := a.reconcileCounts(ctx)
	orphans, fileErr := a.deleteOrphans(ctx)
	return fmt.Sprintf("%d lists counted anew, %d files of nobody deleted", drifted, orphans), errors.Join(countErr, fileErr)
}

func (a *App) reconcileCounts(ctx context.Context) (drifted int, err error) {
	var lists []int64
	err = a.DB.WithContext(ctx).Raw(`SELECT id FROM lists WHERE state IN ('running', 'paused', 'exporting', 'finished', 'canceled') AND changed_at > ?
		ORDER BY changed_at DESC LIMIT ?`, a.Now().Add(-reconcileSince), reconcileLists).Scan(&lists).Error
	if err != nil {
		return 0, fmt.Errorf("reading changed lists: %w", err)
	}
	for _, id := range lists {
		n, err := a.repairCounts(a.DB.WithContext(ctx), id)
		if err != nil {
			return drifted, err
		}
		if n > 0 {
			drifted++
			if err := a.endIfDone(ctx, []int64{id}); err != nil {
				return drifted, err
			}
		}
	}
	return drifted, nil
}

// repairCounts adds to a list's counters what they lack, and reports how many were wrong. It is one statement: answers that are
// committed beside it are seen with their counters or not at all, and add to what it adds.
func (a *App) repairCounts(tx *gorm.DB, list int64) (int64, error) {
	fixed := tx.Exec(`INSERT INTO list_counts (list_id, state, status, reason, rows)
		SELECT list_id, state, status, reason, SUM(n) FROM (
			SELECT list_id, state, status, reason, COUNT(*) AS n FROM records WHERE list_id = ? AND state IN ('done', 'failed') GROUP BY list_id, state, status, reason
			UNION ALL SELECT list_id, state, status, reason, -rows AS n FROM list_counts WHERE list_id = ?) AS counted
		WHERE true GROUP BY list_id, state, status, reason HAVING SUM(n) <> 0
		ON CONFLICT (list_id, state, status, reason) DO UPDATE SET rows = list_counts.rows + excluded.rows`, list, list)
	if fixed.Error != nil {
		return 0, fmt.Errorf("counting list %d anew: %w", list, fixed.Error)
	}
	if fixed.RowsAffected > 0 {
		a.Metrics.repairs.WithLabelValues("counters").Add(float64(fixed.RowsAffected))
		a.Log.Warn("counters had drifted", "list", list, "counters", fixed.RowsAffected)
	}
	return fixed.RowsAffected, nil
}

// deleteOrphans deletes files of lists that do not exist: a process died between storing an upload and making its list, or an export
// ended after its list was deleted. Keys that are not ours are left alone.
func (a *App) deleteOrphans(ctx context.Context) (deleted int, err error) {
	files := map[string][]string{} // ref → keys
	held := 0
	flush := func() error {
		n, err := a.deleteFilesOfNobody(ctx, files)
		deleted += n
		clear(files)
		held = 0
		return err
	}
	for f, err := range a.Files.List(ctx, "accounts/") {
		if err != nil {
			return deleted, fmt.Errorf("looking for files of nobody: %w", err)
		}
		part := strings.Split(f.Key, "/") // accounts/ID/lists/REF/…
		if len(part) < 5 || part[2] != "lists" || a.Now().Sub(f.Modified) < orphanAge {
			continue
		}
		files[part[3]] = append(files[part[3]], f.Key)
		if held++; held >= orphanBatch {
			if err := flush(); err != nil {
				return deleted, err
			}
		}
	}
	return deleted, flush()
}

func (a *App) deleteFilesOfNobody(ctx context.Context, files map[string][]string) (int, error) {
	if len(files) == 0 {
		return 0, nil
	}
	refs := make([]string, 0, len(files))
	for ref := range files {
		refs = append(refs, ref)
	}
	var known []string
	if err := a.DB.WithContext(ctx).Raw("SELECT ref FROM lists WHERE ref IN ?", refs).Scan(&known).Error; err != nil {
		return 0, fmt.Errorf("looking for files of nobody: %w", err)
	}
	for _, ref := range known {
		delete(files, ref)
	}
	var orphans []string
	for _, keys := range files {
		orphans = append(orphans, keys...)
	}
	if len(orphans) == 0 {
		return 0, nil
	}
	if err := a.Files.Delete(ctx, orphans...); err != nil {
		return 0, fmt.Errorf("deleting files of nobody: %w", err)
	}
	a.Metrics.repairs.WithLabelValues("orphans").Add(float64(len(orphans)))
	a.Log.WarnContext(ctx, "files of nobody deleted", "files", len(orphans))
	return len(orphans), nil
}
