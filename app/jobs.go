package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"beagle/app/finder"
	"beagle/app/mail"

	"github.com/hibiken/asynq"
)

// Queues. records has servers of its own; the others share one server by these weights.
const (
	QueueRecords = "records"
	QueueHigh    = "high"
	QueueDefault = "default"
	QueueMailers = "mailers"
	QueueLow     = "low"
)

var queueWeights = map[string]int{QueueHigh: 6, QueueDefault: 3, QueueMailers: 2, QueueLow: 1}

// Task types. A record's type is recordTaskPrefix and its process, such as record:find.
const (
	taskImport       = "list:import"
	taskExport       = "list:export"
	taskClear        = "list:clear"
	taskAct          = "list:act"
	taskMail         = "mail:send"
	taskSingle       = "single:lookup"
	taskDeliver      = "webhook:deliver"
	recordTaskPrefix = "record:"
)

// Retries and time-outs of every type. A job that has used up its tries is settled by giveUp, so that none ends in asynq's archive,
// where its task id would block the same job for ever.
const (
	listTries     = 8
	listTimeout   = 2 * time.Hour
	mailTries     = 6
	mailTimeout   = time.Minute
	recordTries   = 4
	recordTimeout = 4 * time.Minute // of the task; the lookup inside has lookupTimeout
	firstBackoff  = time.Second
	maxBackoff    = 2 * time.Minute
)

// listTask is the payload of everything that is done with a whole list.
type listTask struct {
	List int64 `json:"l"`
}

// ImportLater queues Import.
func (a *App) ImportLater(ctx context.Context, l List) error {
	return a.listLater(ctx, taskImport, QueueHigh, l.ID)
}

// ExportLater queues Export.
func (a *App) ExportLater(ctx context.Context, l List) error {
	return a.listLater(ctx, taskExport, QueueDefault, l.ID)
}

// ClearLater queues Clear.
func (a *App) ClearLater(ctx context.Context, list int64) error {
	return a.listLater(ctx, taskClear, QueueLow, list)
}

// ActLater queues Act.
func (a *App) ActLater(ctx context.Context, list int64) error {
	return a.listLater(ctx, taskAct, QueueDefault, list)
}

func (a *App) listLater(ctx context.Context, kind, queue string, list int64) error {
	payload, err := json.Marshal(listTask{List: list})
	if err != nil {
		return fmt.Errorf("encoding %s: %w", kind, err)
	}
	return a.Queue.enqueue(ctx, asynq.NewTask(kind, payload), asynq.Queue(queue), asynq.TaskID(fmt.Sprintf("%s:%d", kind, list)),
		asynq.MaxRetry(listTries), asynq.Timeout(listTimeout))
}

// mailTask is the payload of one mail. What it says is read when it is sent, so that neither names nor tokens are in Redis.
type mailTask struct {
	Kind string `json:"k"`
	User int64  `json:"u"`
	List int64  `json:"l,omitempty"`
	Link int64  `json:"i,omitempty"` // of mail_links: then neither User nor List is set
	Once string `json:"o,omitempty"` // the occasion by which the mail is owed in the outbox
}

// mailLater queues SendMail. A mail of the same occasion that still waits is not queued again.
func (a *App) mailLater(ctx context.Context, t mailTask) error {
	payload, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", taskMail, err)
	}
	return a.Queue.enqueue(ctx, asynq.NewTask(taskMail, payload), asynq.Queue(QueueMailers), asynq.TaskID(taskMail+":"+t.Once),
		asynq.MaxRetry(mailTries), asynq.Timeout(mailTimeout))
}

// recordTask is the payload of a record's job: all that a lookup needs, so that no row is read before the mail server is asked.
type recordTask struct {
	ID      int64  `json:"id"`
	List    int64  `json:"l"`
	Account int64  `json:"a"`
	Attempt int    `json:"n"`
	Run     int    `json:"r"`
	Tries   int    `json:"t,omitempty"`
	Key     string `json:"k,omitempty"`
	First   string `json:"f,omitempty"`
	Last    string `json:"s,omitempty"`
	Full    string `json:"u,omitempty"`
	Domain  string `json:"d,omitempty"`
	Company string `json:"c,omitempty"`
	Address string `json:"e,omitempty"`
	Trace   string `json:"x,omitempty"` // traceparent, when the row is in its list's trace
	Crashes int    `json:"w,omitempty"`
	Waited  bool   `json:"v,omitempty"` // it came back once for what its colleagues' answers teach
	Guess   *guess `json:"g,omitempty"` // the answer that the account has, which is made anew
	Shard   int    `json:"h,omitempty"` // says which worker had best take it: see taker
}

// alone tells that the row must be decided without what colleagues might still teach: it has waited for them, or this is its last try.
// A mail server that said "later" is no such wait: all of its rows come back together, and none knows of the others then.
func (t recordTask) alone(tries int) bool { return t.Waited || t.Tries+1 >= tries }

// bulk is the task as the feeder enqueues it. Its id holds the attempt: asynq refuses a second copy of the same attempt.
func (t recordTask) bulk(process string) (bulkTask, error) {
	t.Shard = t.shardOf()
	payload, err := json.Marshal(t)
	if err != nil {
		return bulkTask{}, fmt.Errorf("encoding record %d: %w", t.ID, err)
	}
	return bulkTask{task: asynq.NewTask(recordTaskPrefix+process, payload), opts: []asynq.Option{
		asynq.Queue(QueueRecords), asynq.TaskID(recordTaskID(t.ID, t.Attempt)), asynq.MaxRetry(recordTries), asynq.Timeout(recordTimeout)}}, nil
}

func recordTaskID(id int64, attempt int) string { return fmt.Sprintf("record:%d:%d", id, attempt) }

// listJobs is the table of what the general server does.
func (a *App) listJobs() asynq.Handler {
	mux := asynq.NewServeMux()
	for kind, work := range map[string]func(context.Context, int64) error{taskImport: a.Import, taskExport: a.Export, taskClear: a.Clear, taskAct: a.Act} {
		mux.HandleFunc(kind, func(ctx context.Context, t *asynq.Task) error {
			var p listTask
			if err := json.Unmarshal(t.Payload(), &p); err != nil {
				return fmt.Errorf("reading a payload: %w", errors.Join(err, asynq.SkipRetry))
			}
			began := time.Now()
			err := a.traced(ctx, kind, p.List, work)
			a.Metrics.job(kind, err, lastTry(ctx), time.Since(began))
			if err != nil && lastTry(ctx) {
				a.Log.ErrorContext(ctx, "job given up", "task", kind, "list", p.List, "error", err)
				return a.giveUpList(context.WithoutCancel(ctx), kind, p.List)
			}
			return err
		})
	}
	mux.HandleFunc(taskSingle, a.singleJob)
	mux.HandleFunc(taskDeliver, a.deliverJob)
	mux.HandleFunc(taskMail, a.mailJob)
	return a.logged(mux)
}

// traced does a list's job within the list's trace.
func (a *App) traced(ctx context.Context, kind string, list int64, work func(context.Context, int64) error) error {
	if a.Trace == nil {
		return work(ctx, list)
	}
	var parent []string
	if err := a.DB.WithContext(ctx).Raw("SELECT trace FROM lists WHERE id = ?", list).Scan(&parent).Error; err == nil && len(parent) == 1 {
		ctx = a.Trace.Under(ctx, parent[0])
	}
	ctx, span := a.Trace.Start(ctx, kind, "list", list)
	err := work(ctx, list)
	span.End(err)
	return err
}

// mailJob sends one mail. One that the mail server refuses for good is not tried again; it stays to be seen among the archived tasks.
func (a *App) mailJob(ctx context.Context, t *asynq.Task) error {
	var p mailTask
	if err := json.Unmarshal(t.Payload(), &p); err != nil {
		return fmt.Errorf("reading a payload: %w", errors.Join(err, asynq.SkipRetry))
	}
	began := time.Now()
	err := a.sendMail(ctx, p)
	a.Metrics.job(taskMail, err, lastTry(ctx), time.Since(began))
	err = a.settleMail(ctx, p.Once, err, lastTry(ctx))
	if errors.Is(err, mail.ErrRefused) {
		err = errors.Join(err, asynq.SkipRetry)
	}
	return err
}

// giveUpList ends a list whose import will not go through. An export or a clearing is begun anew by the sweep.
func (a *App) giveUpList(ctx context.Context, kind string, list int64) error {
	if kind != taskImport {
		return nil
	}
	return a.failList(ctx, list, "import_failed", "The file could not be read from storage after several tries. Upload it again.")
}

// recordJobs is what the record servers do.
func (a *App) recordJobs(w *worker) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		var p recordTask
		if err := json.Unmarshal(t.Payload(), &p); err != nil {
			return fmt.Errorf("reading a payload: %w", errors.Join(err, asynq.SkipRetry))
		}
		ask := a.question
		if a.isolation.suspected(p) {
			ward, ok := a.isolation.enter()
			if !ok {
				return comeBack{isolatedWait}
			}
			ask = func(_ context.Context, process string, who finder.Person) (finder.Result, error) { // the child has a time-out of its own
				return a.isolated(ctx, ward, process, who)
			}
		}
		id := recordTaskID(p.ID, p.Attempt)
		w.take(id)
		defer w.drop(id)
		began := time.Now()
		err := a.guarded(ctx, t, func() error { return a.lookup(ctx, t.Type()[len(recordTaskPrefix):], p, ask) })
		a.Log.DebugContext(ctx, "job", "task", id, "list", p.List, "took", time.Since(began), "error", err)
		if err != nil && lastTry(ctx) {
			a.Log.ErrorContext(ctx, "record given up", "record", p.ID, "error", err)
			return a.giveUpRecord(context.WithoutCancel(ctx), p)
		}
		return err
	})
}

// logged writes one line per list job.
func (a *App) logged(next asynq.Handler) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		began := time.Now()
		err := a.guarded(ctx, t, func() error { return next.ProcessTask(ctx, t) })
		level := slog.LevelInfo
		if err != nil {
			level = slog.LevelWarn
		}
		a.Log.Log(ctx, level, "job", "task", id, "took", time.Since(began), "error", err)
		return err
	})
}

// guarded turns a panic of a job into its error, and reports it with where it happened.
func (a *App) guarded(ctx context.Context, t *asynq.Task, work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.Log.ErrorContext(ctx, "job panicked", "kind", t.Type(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("%s panicked: %v", t.Type(), p)
		}
	}()
	return work()
}

func lastTry(ctx context.Context) bool {
	done, ok1 := asynq.GetRetryCount(ctx)
	most, ok2 := asynq.GetMaxRetry(ctx)
	return ok1 && ok2 && done >= most
}

// backoff doubles from firstBackoff. A task whose worker died goes again at once: it waited long enough.
func backoff(n int, err error, _ *asynq.Task) time.Duration {
	if errors.Is(err, asynq.ErrLeaseExpired) {
		return 0
	}
	if later := (comeBack{}); errors.As(err, &later) {
		return later.after
	}
	return min(firstBackoff<<min(n, 20), maxBackoff)
}
