package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"gorm.io/gorm"
)

// listMovers is how many kinds of lists there are on which nothing may be moving.
const listMovers = 3

// listMover moves lists of one kind on, at most sweepLists of them in the order of their ids after a list. Those changed since a moment are
// left alone. next is where to go on, 0 at the end. Queueing a job that is there already does nothing.
type listMover func(ctx context.Context, changedBefore time.Time, after int64) (next int64, err error)

func (a *App) listMovers() [listMovers]listMover {
	return [listMovers]listMover{a.moveBusy, a.moveStale, a.moveActing}
}

// lists moves lists on whose job was lost. Each round goes on where the last one stopped, and after the last list begins again: lists that
// stand where they should (a running one keeps its state for days) cannot keep the others from their turn.
func (s *sweeper) lists(ctx context.Context) error {
	var errs []error
	for i, move := range s.app.listMovers() {
		var err error
		s.places[i], err = move(ctx, s.app.Now().Add(-stuckAfter), s.places[i])
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// moveLists moves every list on that was not changed since a moment.
func (a *App) moveLists(ctx context.Context, changedBefore time.Time) error {
	var errs []error
	for _, move := range a.listMovers() {
		next, err := move(ctx, changedBefore, 0)
		for next > 0 && err == nil {
			next, err = move(ctx, changedBefore, next)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// moveBusy looks after lists in a state that a job ends.
func (a *App) moveBusy(ctx context.Context, changedBefore time.Time, after int64) (int64, error) {
	var lists []List
	err := a.DB.WithContext(ctx).Raw(`SELECT id, state FROM lists WHERE state IN ('importing', 'running', 'exporting', 'deleting') AND changed_at < ?
		AND (clear_at IS NULL OR clear_at <= ?) AND id > ? ORDER BY id LIMIT ?`, changedBefore, a.Now(), after, sweepLists).Scan(&lists).Error
	if err != nil {
		return after, fmt.Errorf("reading lists that stand still: %w", err)
	}
	var errs []error
	ids := make([]int64, len(lists))
	for i, l := range lists {
		ids[i] = l.ID
		switch l.State {
		case ListImporting:
			errs = append(errs, a.again(ctx, taskImport, QueueHigh, l.ID))
		case ListExporting:
			errs = append(errs, a.again(ctx, taskExport, QueueDefault, l.ID))
		case ListDeleting:
			errs = append(errs, a.again(ctx, taskClear, QueueLow, l.ID))
		case ListRunning:
			errs = append(errs, a.unstick(ctx, l))
		}
	}
	return nextList(ids), errors.Join(errs...)
}

// moveStale exports lists anew whose file is older than their last change.
func (a *App) moveStale(ctx context.Context, _ time.Time, after int64) (int64, error) {
	var ids []int64
	err := a.DB.WithContext(ctx).Raw(`SELECT id FROM lists WHERE state IN ('finished', 'canceled') AND changed_at > result_at AND id > ? ORDER BY id LIMIT ?`,
		after, sweepLists).Scan(&ids).Error
	if err != nil {
		return after, fmt.Errorf("reading lists whose file is stale: %w", err)
	}
	return a.againAll(ctx, taskExport, ids)
}

// moveActing goes on with what is done to many rows of a list.
func (a *App) moveActing(ctx context.Context, changedBefore time.Time, after int64) (int64, error) {
	var ids []int64
	err := a.DB.WithContext(ctx).Raw(`SELECT DISTINCT list_id FROM list_actions WHERE state IN ('waiting', 'undoing') AND created_at < ? AND list_id > ?
		ORDER BY list_id LIMIT ?`, changedBefore, after, sweepLists).Scan(&ids).Error
	if err != nil {
		return after, fmt.Errorf("reading actions that stand still: %w", err)
	}
	return a.againAll(ctx, taskAct, ids)
}

func (a *App) againAll(ctx context.Context, kind string, lists []int64) (int64, error) {
	var errs []error
	for _, id := range lists {
		errs = append(errs, a.again(ctx, kind, QueueDefault, id))
	}
	return nextList(lists), errors.Join(errs...)
}

// nextList is the list after which the next page begins; 0 when this one was the last.
func nextList(page []int64) int64 {
	if len(page) < sweepLists {
		return 0
	}
	return page[len(page)-1]
}

// again queues a list's job unless a server is busy with it. One that asynq holds in a state from which it will not run is removed first.
func (a *App) again(ctx context.Context, kind, queue string, list int64) error {
	id := fmt.Sprintf("%s:%d", kind, list)
	// A flushed Redis has forgotten which queues there are, and asynq's client tells it once only.
	if err := a.Queue.Redis.SAdd(ctx, "asynq:queues", queue).Err(); err != nil {
		return fmt.Errorf("looking for job %s: %w", id, err)
	}
	info, err := a.Queue.Inspector.GetTaskInfo(queue, id)
	switch {
	case err != nil && !errors.Is(err, asynq.ErrTaskNotFound):
		return fmt.Errorf("looking for job %s: %w", id, err)
	case err == nil && info.State == asynq.TaskStateArchived:
		if err := a.Queue.Inspector.DeleteTask(queue, id); err != nil {
			return fmt.Errorf("removing job %s: %w", id, err)
		}
	}
	if err != nil {
		a.Metrics.repairs.WithLabelValues("list").Inc()
		a.Log.WarnContext(ctx, "the job of a list was gone; it is queued again", "task", id)
	}
	return a.listLater(ctx, kind, queue, list)
}

// unstick looks after a running list that has no row left to do and yet has not ended: repeated rows whose first row ended or
// is gone without giving them its answer are untied, and the counters are made anew from the records.
func (a *App) unstick(ctx context.Context, l List) error {
	var busy bool
	err := a.DB.WithContext(ctx).Raw(`SELECT EXISTS (SELECT 1 FROM records WHERE list_id = ? AND state = 'pending' AND twin_of IS NULL)
		OR EXISTS (SELECT 1 FROM records WHERE list_id = ? AND state = 'queued') OR EXISTS (SELECT 1 FROM records WHERE list_id = ? AND state = 'retrying')`,
		l.ID, l.ID, l.ID).Scan(&busy).Error
	if err != nil {
		return fmt.Errorf("looking for open rows of list %d: %w", l.ID, err)
	}
	if busy {
		return nil
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		freed := tx.Exec(`UPDATE records SET twin_of = NULL WHERE list_id = ? AND state = 'pending' AND twin_of IS NOT NULL`, l.ID)
		if freed.Error != nil {
			return freed.Error
		}
		if freed.RowsAffected > 0 {
			a.Metrics.repairs.WithLabelValues("untied").Add(float64(freed.RowsAffected))
			a.Log.WarnContext(ctx, "rows waited for an answer that nobody gives; they ask for themselves", "list", l.ID, "rows", freed.RowsAffected)
			return nil
		}
		_, err := a.repairCounts(tx, l.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("unsticking list %d: %w", l.ID, err)
	}
	return a.endIfDone(ctx, []int64{l.ID})
}

// recount makes a list's counters anew from its records.
func recount(tx *gorm.DB, list int64) error {
	if err := tx.Exec("DELETE FROM list_counts WHERE list_id = ?", list).Error; err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO list_counts (list_id, state, status, reason, rows) SELECT list_id, state, status, reason, COUNT(*) FROM records
		WHERE list_id = ? AND state IN ('done', 'failed') GROUP BY list_id, state, status, reason`, list).Error
}
