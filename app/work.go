package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// How a worker shows that it is alive: rows in the hands of one that has been silent for workerDead are given to others.
const (
	workerBeat      = 2 * time.Second
	workerDead      = 15 * time.Second
	taskCheck       = 100 * time.Millisecond // how often an idle server looks for tasks
	listConcurrency = 8
)

// worker is this process as one that runs jobs.
type worker struct {
	app     *App
	mu      sync.Mutex
	holding map[string]int // record task ids, each with the jobs that have it in their hands
}

func (w *worker) take(task string) {
	w.mu.Lock()
	w.holding[task]++
	w.mu.Unlock()
}

func (w *worker) drop(task string) {
	w.mu.Lock()
	if w.holding[task]--; w.holding[task] == 0 {
		delete(w.holding, task)
	}
	w.mu.Unlock()
}

func (w *worker) busy() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.holding)
}

func (w *worker) tasks() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.holding))
	for id := range w.holding {
		ids = append(ids, id)
	}
	return ids
}

// handsMore is how many record tasks a record server holds beyond the lookups that may run, at most twice as many: a task whose
// answer is being committed leaves its place to the next one.
const handsMore = 16

// Work runs this process as a worker until ctx ends: the general server, the record servers, the feeder, the sweep and the heartbeat.
// On the way out running jobs get SHUTDOWN_TIMEOUT to finish; the rest go back into the queue.
func (a *App) Work(ctx context.Context) error {
	w := &worker{app: a, holding: map[string]int{}}
	servers := []*asynq.Server{a.server(a.Queue.Redis, listConcurrency, queueWeights)}
	handlers := []asynq.Handler{a.listJobs()}
	hands := a.Config.Worker.Concurrency + min(a.Config.Worker.Concurrency, handsMore)
	for range a.Config.Worker.RecordServers {
		servers = append(servers, a.server(a.Queue.rows, hands, map[string]int{QueueRecords: 1}))
		handlers = append(handlers, a.recordJobs(w))
	}
	a.Queue.taker.free = func() int { return a.Config.Worker.RecordServers*hands - w.busy() }
	if err := w.beat(ctx); err != nil {
		return err
	}
	for i, s := range servers {
		if err := s.Start(handlers[i]); err != nil {
			return fmt.Errorf("starting a worker: %w", err)
		}
	}
	a.Log.InfoContext(ctx, "worker started", "worker", a.id, "record_servers", a.Config.Worker.RecordServers, "concurrency", a.Config.Worker.Concurrency)
	var loops sync.WaitGroup
	beating, stopBeating := context.WithCancel(context.WithoutCancel(ctx))
	loops.Go(func() { w.keepBeating(beating) })
	feeding := sync.WaitGroup{}
	feeding.Go(func() { a.Feed(ctx) })
	feeding.Go(func() { a.Sweep(ctx) })
	feeding.Go(func() { w.keepSharing(ctx) })
	feeding.Go(func() { a.watchProcesses(ctx) })
	feeding.Go(func() { a.settler.meters.publish(ctx, a) })
	<-ctx.Done()
	feeding.Wait()
	var stopping sync.WaitGroup
	for _, s := range servers {
		stopping.Go(s.Shutdown)
	}
	stopping.Wait()
	a.Queue.taker.putBack()
	stopBeating()
	loops.Wait()
	return w.leave()
}

func (a *App) server(client *redis.Client, concurrency int, queues map[string]int) *asynq.Server {
	return asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency: concurrency, Queues: queues, TaskCheckInterval: taskCheck, ShutdownTimeout: a.Config.Shutdown,
		RetryDelayFunc: backoff, Logger: asynqLog{a.Log}, LogLevel: asynq.WarnLevel,
		IsFailure: func(err error) bool {
			return !errors.Is(err, asynq.ErrLeaseExpired) && !errors.Is(err, errClosed) && !errors.Is(err, comeBack{isolatedWait})
		},
	})
}

func (w *worker) keepBeating(ctx context.Context) {
	for {
		rest(ctx, workerBeat)
		if ctx.Err() != nil {
			return
		}
		if err := w.beat(ctx); err != nil {
			w.app.Log.WarnContext(ctx, "heartbeat missed", "error", err)
		}
	}
}

// beat says that this worker lives and which records it holds.
func (w *worker) beat(ctx context.Context) error {
	holding, err := json.Marshal(w.tasks())
	if err != nil {
		return fmt.Errorf("encoding a heartbeat: %w", err)
	}
	now := w.app.Now()
	ctx, cancel := context.WithTimeout(ctx, workerDead)
	defer cancel()
	err = w.app.DB.WithContext(ctx).Exec(`INSERT INTO workers (id, host, holding, started_at, beat_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET holding = excluded.holding, beat_at = excluded.beat_at`, w.app.id, w.app.id, string(holding), now, now).Error
	if err != nil {
		return fmt.Errorf("writing a heartbeat: %w", err)
	}
	return nil
}

func (w *worker) keepSharing(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.share(ctx, w.app.Now()); err != nil && ctx.Err() == nil {
			w.app.Log.WarnContext(ctx, "rows are not shared out anew", "error", err)
		}
		rest(ctx, workerBeat)
	}
}

// share finds this worker's place among the living: it decides whose rows it prefers.
func (w *worker) share(ctx context.Context, now time.Time) error {
	var ids []string
	err := w.app.DB.WithContext(ctx).Raw("SELECT id FROM workers WHERE beat_at > ? ORDER BY id", now.Add(-workerDead)).Scan(&ids).Error
	if err != nil {
		return fmt.Errorf("reading the living workers: %w", err)
	}
	w.app.Queue.taker.sharing(max(0, slices.Index(ids, w.app.id)), len(ids))
	return nil
}

// leave takes the worker off the list of the living.
func (w *worker) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := w.app.DB.WithContext(ctx).Exec("DELETE FROM workers WHERE id = ?", w.app.id).Error; err != nil {
		return fmt.Errorf("leaving: %w", err)
	}
	w.app.Log.Info("worker stopped", "worker", w.app.id)
	return nil
}
