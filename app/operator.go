package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
)

// What an operator sees and does. Everything here is about the installation, so the actor must run it; to others it does not exist.

// tasksShown is how many tasks of a queue are shown at once.
const tasksShown = 100

// Task is a job in Redis. What it is about is not shown: that may be a customer's row.
type Task struct {
	ID, Type      string
	Retried       int
	MaxRetry      int
	LastErr       string
	LastFailedAt  time.Time
	NextProcessAt time.Time
}

// TaskStates are the states whose tasks can be listed.
var TaskStates = []string{"pending", "active", "scheduled", "retry", "archived"}

var errNoQueue = Refuse(CodeNotFound, "queue_not_found", "No such queue.")

func mustOperate(as Actor) error {
	if !as.Operator {
		return Refuse(CodeNotFound, "not_found", "There is nothing at this address.")
	}
	return nil
}

// Tasks reads the first tasks of a queue in one state.
func (a *App) Tasks(_ context.Context, as Actor, queue, state string) ([]Task, error) {
	if err := mustOperate(as); err != nil {
		return nil, err
	}
	read, ok := map[string]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		"pending": a.Queue.Inspector.ListPendingTasks, "active": a.Queue.Inspector.ListActiveTasks, "scheduled": a.Queue.Inspector.ListScheduledTasks,
		"retry": a.Queue.Inspector.ListRetryTasks, "archived": a.Queue.Inspector.ListArchivedTasks}[state]
	if !ok || !isQueue(queue) {
		return nil, errNoQueue
	}
	found, err := read(queue, asynq.PageSize(tasksShown))
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return nil, nil // nothing was ever put into it
	}
	if err != nil {
		return nil, fmt.Errorf("reading the queue %s: %w", queue, err)
	}
	tasks := make([]Task, len(found))
	for i, t := range found {
		tasks[i] = Task{t.ID, t.Type, t.Retried, t.MaxRetry, t.LastErr, t.LastFailedAt, t.NextProcessAt}
	}
	return tasks, nil
}

func isQueue(name string) bool {
	for _, q := range queueNames {
		if q == name {
			return true
		}
	}
	return false
}

// RunTask puts a task that waits for its time, or was given up, at the end of its queue.
func (a *App) RunTask(ctx context.Context, as Actor, queue, id string) error {
	return a.withTask(ctx, as, "task.run", queue, id, a.Queue.Inspector.RunTask)
}

// ArchiveTask sets a task aside: nobody runs it until an operator does. A row whose task is set aside is queued again by the sweep.
func (a *App) ArchiveTask(ctx context.Context, as Actor, queue, id string) error {
	return a.withTask(ctx, as, "task.archived", queue, id, a.Queue.Inspector.ArchiveTask)
}

// DeleteTask takes a task out of its queue. What the database still wants done is queued again by the sweep.
func (a *App) DeleteTask(ctx context.Context, as Actor, queue, id string) error {
	return a.withTask(ctx, as, "task.deleted", queue, id, a.Queue.Inspector.DeleteTask)
}

func (a *App) withTask(ctx context.Context, as Actor, action, queue, id string, do func(queue, id string) error) error {
	if err := mustOperate(as); err != nil {
		return err
	}
	if !isQueue(queue) {
		return errNoQueue
	}
	err := do(queue, id)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return Refuse(CodeNotFound, "task_not_found", "This task is no longer there.")
	case err != nil:
		// asynq has no error value for "active" or "already pending"
		return Refuse(CodeConflict, "wrong_state", "This cannot be done with the task as it is now.")
	}
	a.audit(ctx, as, action, queue+" "+cut(id, maxName))
	return nil
}

// Health is what an operator wants to know at one look.
type Health struct {
	Bad       map[string]error // parts that do not answer; see Ready
	Workers   []Worker         // that have shown themselves within workersMissing, oldest first
	Queues    []QueueState
	Backlog   Backlog
	Lists     []List // that something happens to now, oldest first
	Schedules []ScheduleRun
	Processes []Process
	Alarms    []Alarm
	// FailedMails are those that nobody will get.
	FailedMails []OwedMail
}

// listsShown bounds the lists of Health.
const listsShown = 50

// Health looks at everything. A part that does not answer is in Bad; what depends on it is empty.
func (a *App) Health(ctx context.Context, as Actor) (Health, error) {
	if err := mustOperate(as); err != nil {
		return Health{}, err
	}
	h := Health{Bad: a.Ready(ctx)}
	var errs [8]error
	h.Workers, errs[0] = a.LivingWorkers(ctx, workersMissing)
	h.Queues, errs[1] = a.Queues(ctx)
	h.Backlog, errs[2] = a.Backlog(ctx)
	h.Schedules, errs[3] = a.ScheduleRuns(ctx)
	errs[4] = a.DB.WithContext(ctx).Where("state IN ?", []string{ListImporting, ListRunning, ListExporting, ListDeleting}).Order("id").Limit(listsShown).Find(&h.Lists).Error
	h.Processes, errs[5] = a.Processes(ctx)
	h.Alarms, errs[6] = a.Alarms(ctx)
	h.FailedMails, errs[7] = a.FailedMails(ctx)
	if err := errors.Join(errs[:]...); err != nil {
		a.Log.WarnContext(ctx, "health not fully known", "error", err)
	}
	return h, nil
}

// noteRepair keeps what the sweep last brought back, beside the schedules.
func (a *App) noteRepair(ctx context.Context, lost, crashed int) {
	err := a.DB.WithContext(ctx).Exec(`INSERT INTO schedules (name, last_run_at, last_result) VALUES ('sweep', ?, ?)
		ON CONFLICT (name) DO UPDATE SET last_run_at = excluded.last_run_at, last_result = excluded.last_result`,
		a.Now(), fmt.Sprintf("gave back %d rows whose task was lost and %d whose worker died", lost, crashed)).Error
	if err != nil {
		a.Log.WarnContext(ctx, "repair not noted", "error", err)
	}
}
