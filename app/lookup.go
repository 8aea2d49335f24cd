package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"beagle/app/finder"
	"beagle/app/trace"
)

const (
	lookupTimeout = 3 * time.Minute
	minRetry      = time.Second
)

// Lookup asks the finder about one record and commits the answer. It returns when the answer is durable, so that the
// job may be acknowledged. Doing it twice is harmless: the second answer finds the record's attempt taken.
func (a *App) Lookup(ctx context.Context, process string, t recordTask) error {
	return a.lookup(ctx, process, t, a.question)
}

// lookup is Lookup by way of whoever is to be asked.
func (a *App) lookup(ctx context.Context, process string, t recordTask, ask AskFunc) (err error) {
	if t.Trace != "" {
		var span *trace.Span
		ctx, span = a.Trace.Start(a.Trace.Under(ctx, t.Trace), recordTaskPrefix+process, "list", t.List, "record", t.ID, "attempt", t.Attempt)
		defer func() { span.End(err) }()
	}
	result, err := a.askAbout(ctx, process, t, ask)
	switch {
	case errors.Is(err, errDied):
		return a.setAside(ctx, t)
	case errors.Is(err, errHalted):
		return a.settler.settle(ctx, handedBack(t))
	case err != nil:
		return err
	}
	o := a.outcome(t, result)
	if t.Guess != nil {
		if o, err = a.guessedAnew(ctx, t, o); err != nil {
			return err
		}
	}
	_, span := a.startIn(ctx, t.Trace, "commit")
	err = a.settler.settle(ctx, o)
	span.End(err)
	return err
}

// askAbout puts one record's question when a lookup may run. What was not asked because the process is shutting down is no answer.
func (a *App) askAbout(ctx context.Context, process string, t recordTask, ask AskFunc) (finder.Result, error) {
	if err := a.lookups.acquire(ctx); err != nil {
		return finder.Result{}, fmt.Errorf("record %d: waiting for its turn: %w", t.ID, err)
	}
	defer a.lookups.release()
	switch halted, err := a.halted(ctx, t.List); {
	case err != nil:
		return finder.Result{}, err
	case halted:
		return finder.Result{}, errHalted
	}
	asking, cancel := context.WithTimeout(forAccount(ctx, t.Account), lookupTimeout)
	defer cancel()
	began := time.Now()
	asked, span := a.startIn(asking, t.Trace, "ask")
	result, err := ask(asked, process, finder.Person{First: t.First, Last: t.Last, Full: t.Full, Domain: t.Domain, Company: t.Company, Email: t.Address,
		Alone: t.alone(a.Config.Worker.MaxTries)})
	span.Set("status", result.Status, "reason", result.Reason)
	span.End(err)
	if err != nil {
		return result, err
	}
	if err := ctx.Err(); err != nil {
		return result, fmt.Errorf("record %d: %w", t.ID, err)
	}
	a.Metrics.lookup(process, result, time.Since(began))
	return result, nil
}

// startIn begins a span only where a trace is: rows outside their list's trace make none.
func (a *App) startIn(ctx context.Context, traced, name string) (context.Context, *trace.Span) {
	if traced == "" {
		return ctx, nil
	}
	return a.Trace.Start(ctx, name)
}

// ask runs one process on one person. The opt-out list is looked at before anybody is asked, and again when an address is known.
func (a *App) ask(ctx context.Context, process string, p finder.Person) (finder.Result, error) {
	if out, err := a.suppressed(ctx, firstOf(p.Email, p.Domain)); err != nil || out {
		return suppressedResult(""), err
	}
	a.readCalibration(ctx)
	var result finder.Result
	switch process {
	case ProcessVerify:
		return a.Finder.Verify(ctx, p.Email), nil
	case ProcessPattern:
		return a.Finder.Pattern(ctx, firstOf(p.Domain, p.Email, p.Company)), nil
	case ProcessFindAll:
		result = a.Finder.FindAll(ctx, p)
	default:
		result = a.Finder.Find(ctx, p)
	}
	if out, err := a.suppressed(ctx, result.Email); err != nil || out {
		return suppressedResult(""), err
	}
	return result, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// outcome turns an answer into what is written: done, or retrying while the server says "come back later" and tries are left.
func (a *App) outcome(t recordTask, r finder.Result) *outcome {
	evidence, err := json.Marshal(r.Evidence)
	if err != nil {
		evidence = []byte("{}")
	}
	now := a.Now()
	o := &outcome{ID: t.ID, Attempt: t.Attempt, list: t.List, account: t.Account, run: t.Run, key: t.Key, learned: r.Learned,
		State: RecordDone, Email: r.Email, Status: r.Status, Score: r.Score, Pattern: r.Pattern, Reason: r.Reason, Note: r.Sentence,
		Evidence: string(evidence), Tries: t.Tries, checked: now}
	if r.RetryAfter > 0 && t.Tries+1 < a.Config.Worker.MaxTries {
		longest := a.Config.Worker.MaxWait
		wait := min(max(r.RetryAfter, minRetry), longest) << min(t.Tries, 4)
		o.State, o.Tries, o.next = RecordRetrying, t.Tries+1, now.Add(spread(min(wait, longest)))
	}
	return o
}

// spread adds up to a tenth, so that rows of one mail server do not all come back in the same moment.
func spread(d time.Duration) time.Duration { return d + rand.N(d/10+1) }

// setAside writes down that a record ends every process that looks it up.
func (a *App) setAside(ctx context.Context, t recordTask) error {
	a.Log.ErrorContext(ctx, "row set aside: it ends every process that looks it up", "record", t.ID, "list", t.List)
	a.Metrics.repairs.WithLabelValues(reasonPoison).Inc()
	err := a.DB.WithContext(ctx).Exec("UPDATE records SET crashes = crashes + 1 WHERE id = ? AND attempt = ?", t.ID, t.Attempt).Error
	if err != nil {
		return fmt.Errorf("counting a crash of record %d: %w", t.ID, err)
	}
	return a.settler.settle(ctx, a.poisonous(t))
}

// poisonous is the answer of a record that nobody can look up.
func (a *App) poisonous(t recordTask) *outcome {
	return &outcome{ID: t.ID, Attempt: t.Attempt, list: t.List, account: t.Account, run: t.Run, State: RecordFailed,
		Status: finder.StatusUnknown, Reason: reasonPoison, Note: poisonMessage, Tries: t.Tries, checked: a.Now()}
}

// giveUpRecord writes down that a record's job failed for a reason of our own. It costs nothing and can be tried again.
func (a *App) giveUpRecord(ctx context.Context, t recordTask) error {
	return a.settler.settle(ctx, &outcome{ID: t.ID, Attempt: t.Attempt, list: t.List, account: t.Account, run: t.Run, State: RecordFailed,
		Status: finder.StatusUnknown, Reason: "internal_error", Note: "Something failed on our side, several times. Try this row again.", Tries: t.Tries, checked: a.Now()})
}
