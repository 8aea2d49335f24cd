package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"beagle/app/db"
	"beagle/app/finder"

	"github.com/hibiken/asynq"
	"gorm.io/gorm"
)

const (
	singlePoll    = 150 * time.Millisecond // how often a waiting request looks for the answer of a job
	singleTimeout = lookupTimeout + flushTimeout
	answerMargin  = time.Second // of the request's own time, kept for answering
	deadlineSlack = 50 * time.Millisecond
	unsureKept    = 10 * time.Minute // how long a job's "nobody can know" is the answer
)

// one answers a single question: with the answer the account has already, or else by asking. A question that a job is busy with
// is asked anyway; see within.
func (a *App) one(ctx context.Context, as Actor, process string, p finder.Person) (finder.Result, error) {
	p, key, err := a.mayAsk(ctx, as, process, p)
	if err != nil {
		return finder.Result{}, err
	}
	asking, cancel := leaveTime(ctx)
	defer cancel()
	if r, ok, err := a.kept(ctx, as.Account, key); err != nil || ok {
		return a.keptOrAnew(asking, as, process, p, key, r, err)
	}
	return a.askOne(asking, as, process, p, key)
}

// leaveTime ends a little before ctx does, so that what was learned until then can be told.
func leaveTime(ctx context.Context) (context.Context, context.CancelFunc) {
	until, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, until.Add(-min(answerMargin, time.Until(until)/4)))
}

// within is one with an end: what is not answered in time goes on as a job.
func (a *App) within(ctx context.Context, as Actor, process string, p finder.Person, wait time.Duration) (finder.Result, bool, error) {
	p, key, err := a.mayAsk(ctx, as, process, p)
	if err != nil {
		return finder.Result{}, false, err
	}
	if until, ok := ctx.Deadline(); ok {
		wait = max(0, min(wait, time.Until(until)-answerMargin))
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	r, ok, err := a.kept(ctx, as.Account, key)
	if err != nil || ok {
		r, err = a.keptOrAnew(waiting, as, process, p, key, r, err)
		return r, false, err
	}
	busy, err := a.singleBusy(as.Account, key)
	if err != nil {
		return finder.Result{}, false, err
	}
	if busy {
		r, ok, err := a.awaitKept(waiting, as.Account, key)
		if ctx.Err() != nil {
			return finder.Result{}, false, ctx.Err()
		}
		return r, !ok, err
	}
	r, err = a.askOne(waiting, as, process, p, key)
	switch {
	case ctx.Err() != nil: // the client hung up: nobody wants the answer
		return finder.Result{}, false, ctx.Err()
	case timeUp(waiting) && (err == nil || errors.Is(err, context.DeadlineExceeded)) && (r.Status == "" || r.Status == finder.StatusUnknown),
		err == nil && r.Status == finder.StatusUnknown && r.RetryAfter > 0 && a.Config.Worker.MaxTries > 1:
		if timeUp(waiting) {
			r.RetryAfter = 0 // the server did not ask for it
		}
		return r, true, a.singleLater(ctx, singleTask{Account: as.Account, Process: process, Person: p, Key: key}, r.RetryAfter)
	}
	return r, false, err
}

// timeUp tells that a question was cut off by its deadline. Connections have the same deadline and may notice it a little earlier.
func timeUp(ctx context.Context) bool {
	until, ok := ctx.Deadline()
	return ctx.Err() != nil || (ok && time.Until(until) < deadlineSlack)
}

// mayAsk checks a question and gives it with its key.
func (a *App) mayAsk(ctx context.Context, as Actor, process string, p finder.Person) (finder.Person, string, error) {
	for _, field := range []string{p.First, p.Last, p.Full, p.Domain, p.Company, p.Email} {
		if len(field) > maxField {
			return p, "", Refuse(CodeBadInput, "wrong_params", "A field may have at most %d characters.", maxField)
		}
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return p, "", err
	}
	if out, err := a.suppressed(ctx, firstOf(p.Email, p.Domain)); err != nil || out {
		return p, "", errors.Join(err, refuseSuppressed(out))
	}
	p.Domain = tidyDomain(p.Domain)
	return p, personKey(process, p), nil
}

func refuseSuppressed(out bool) error {
	if !out {
		return nil
	}
	return Refuse(CodeSuppressed, "claimed_email", "%s", suppressedResult("").Sentence)
}

// askOne asks, and stores and charges the answer.
func (a *App) askOne(ctx context.Context, as Actor, process string, p finder.Person, key string) (finder.Result, error) {
	result, err := a.ask(forAccount(ctx, as.Account), process, p)
	if err != nil {
		return finder.Result{}, err
	}
	if result.Reason == "suppressed" {
		return finder.Result{}, refuseSuppressed(true)
	}
	keep := time.Duration(0)
	if result.Status != finder.StatusUnknown {
		keep = max(unsureKept, time.Duration(a.Config.Worker.ReuseDays)*24*time.Hour)
	}
	return result, a.keepOne(ctx, as.Account, process, key, result, keep)
}

// keepOne stores what a single question taught, charges for it once within REUSE_ANSWERS_DAYS, and keeps the answer for a time.
func (a *App) keepOne(ctx context.Context, account int64, process, key string, r finder.Result, keep time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := learn(tx, []*outcome{{learned: r.Learned, checked: a.Now()}}); err != nil {
			return err
		}
		if keep > 0 && key != "" {
			r.Learned = nil
			if err := a.keepAnswer(tx, account, key, r, keep); err != nil {
				return err
			}
		}
		if !a.Config.Credits || process != ProcessFind || r.Status != finder.StatusValid {
			return nil
		}
		return a.writeCharges(tx, []charge{{Account: account, Key: key, Run: 1}})
	})
	if err != nil {
		return fmt.Errorf("keeping an answer: %w", err)
	}
	return nil
}

// kept is the answer an account already has to a question. One about somebody who opted out since is not used.
func (a *App) kept(ctx context.Context, account int64, key string) (r finder.Result, ok bool, err error) {
	err = db.QueryRow(ctx, a.DB, "SELECT result FROM single_answers WHERE account_id = ? AND person_key = ? AND expires_at > ?", account, key, a.Now()).Scan(db.JSON{Into: &r})
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return finder.Result{}, false, fmt.Errorf("reading an earlier answer: %w", err)
	}
	if out, err := a.suppressed(ctx, r.Email); err != nil || out {
		return finder.Result{}, false, errors.Join(err, refuseSuppressed(out))
	}
	return r, true, nil
}

// awaitKept waits for the answer of a job until ctx ends.
func (a *App) awaitKept(ctx context.Context, account int64, key string) (finder.Result, bool, error) {
	for {
		rest(ctx, singlePoll)
		if ctx.Err() != nil {
			return finder.Result{}, false, nil
		}
		r, ok, err := a.kept(ctx, account, key)
		if ok || (err != nil && ctx.Err() == nil) {
			return r, ok, err
		}
	}
}

// singleTask is the payload of a single question that goes on as a job.
type singleTask struct {
	Account int64         `json:"a"`
	Process string        `json:"p"`
	Person  finder.Person `json:"q"`
	Key     string        `json:"k"`
}

// comeBack says that a mail server wants to be asked again later.
type comeBack struct{ after time.Duration }

func (c comeBack) Error() string { return "the server wants to be asked again in " + c.after.String() }

func singleTaskID(account int64, key string) string { return fmt.Sprintf("single:%d:%s", account, key) }

// singleLater queues Single.
func (a *App) singleLater(ctx context.Context, t singleTask, in time.Duration) error {
	payload, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", taskSingle, err)
	}
	return a.Queue.enqueue(ctx, asynq.NewTask(taskSingle, payload), asynq.Queue(QueueHigh), asynq.TaskID(singleTaskID(t.Account, t.Key)),
		asynq.MaxRetry(max(recordTries, a.Config.Worker.MaxTries)), asynq.Timeout(singleTimeout), asynq.ProcessIn(min(in, a.Config.Worker.MaxWait)))
}

// singleBusy tells whether a job is there for a question.
func (a *App) singleBusy(account int64, key string) (bool, error) {
	info, err := a.Queue.Inspector.GetTaskInfo(QueueHigh, singleTaskID(account, key))
	if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a question's job: %w", err)
	}
	return info.State != asynq.TaskStateArchived && info.State != asynq.TaskStateCompleted, nil
}

// singleJob runs Single as a job. The last try keeps whatever is known then.
func (a *App) singleJob(ctx context.Context, task *asynq.Task) error {
	var t singleTask
	if err := json.Unmarshal(task.Payload(), &t); err != nil {
		return fmt.Errorf("reading a payload: %w", errors.Join(err, asynq.SkipRetry))
	}
	tries, _ := asynq.GetRetryCount(ctx)
	err := a.Single(ctx, t, tries+1 >= a.Config.Worker.MaxTries)
	if err != nil && lastTry(ctx) {
		a.Log.ErrorContext(ctx, "question given up", "account", t.Account, "error", err)
		return nil
	}
	return err
}

// Single answers a question that took longer than its request. Doing it twice costs once.
func (a *App) Single(ctx context.Context, t singleTask, last bool) error {
	if _, ok, err := a.kept(ctx, t.Account, t.Key); err != nil || ok {
		if CodeOf(err) == CodeSuppressed {
			return nil
		}
		return err
	}
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	r, err := a.askOne(asking, Actor{Account: t.Account}, t.Process, t.Person, t.Key)
	switch {
	case CodeOf(err) == CodeSuppressed:
		return nil
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("a single question: %w", ctx.Err())
	case r.Status != finder.StatusUnknown:
		return nil
	case r.RetryAfter > 0 && !last:
		return comeBack{min(max(r.RetryAfter, minRetry), a.Config.Worker.MaxWait)}
	}
	return a.keepOne(ctx, t.Account, t.Process, t.Key, r, unsureKept)
}
