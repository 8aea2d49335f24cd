package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"beagle/app/config"
	"beagle/app/scaler"

	"github.com/redis/go-redis/v9"
)

// Backlog is what waits for workers, in events: tasks, and rows of running lists. What is in the queue low may wait and is not in it.
type Backlog struct {
	High, Default int64
	Records       int64 // rows that could be looked up now, whether they are in Redis yet or not
}

// Total is the number that the autoscaler goes by.
func (b Backlog) Total() int64 { return b.High + b.Default + b.Records }

// Backlog measures what waits. Rows are counted in the database: the feeder keeps only a second's worth of them in Redis.
func (a *App) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	for queue, n := range map[string]*int64{QueueHigh: &b.High, QueueDefault: &b.Default} {
		var err error
		if *n, err = a.Queue.Redis.LLen(ctx, "asynq:{"+queue+"}:pending").Result(); err != nil {
			return Backlog{}, fmt.Errorf("measuring the queue %s: %w", queue, err)
		}
	}
	const running = "(SELECT id FROM lists WHERE state = 'running')"
	err := a.DB.WithContext(ctx).Raw(`SELECT (SELECT COALESCE(SUM(total), 0) FROM lists WHERE state = 'running')
		- (SELECT COALESCE(SUM(rows), 0) FROM list_counts WHERE list_id IN `+running+`)
		- (SELECT COUNT(*) FROM records WHERE state = 'retrying' AND next_attempt_at > ? AND list_id IN `+running+`)`, a.Now()).Scan(&b.Records).Error
	if err != nil {
		return Backlog{}, fmt.Errorf("counting rows that wait: %w", err)
	}
	b.Records = max(0, b.Records)
	return b, nil
}

// processed is how many record tasks have ended since Redis began.
func (a *App) processed(ctx context.Context) (int64, error) {
	n, err := a.Queue.Redis.Get(ctx, "asynq:{"+QueueRecords+"}:processed").Int64()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, fmt.Errorf("reading how much was done: %w", err)
	}
	return n, nil
}

// driver is who starts and stops workers; nil when nobody does.
func (a *App) driver() scaler.Driver {
	switch c := a.Config.Scale; c.Driver {
	case config.ScaleHeroku:
		return scaler.Heroku{App: c.HerokuApp, Key: c.HerokuKey, URL: c.HerokuURL}
	case config.ScaleExec:
		return scaler.Exec{Command: c.Command}
	}
	return nil
}

// Autoscale decides how many workers there should be. Unless dry, it tells the driver of AUTOSCALE and remembers the decision.
func (a *App) Autoscale(ctx context.Context, dry bool) (scaler.Decision, error) {
	backlog, err := a.Backlog(ctx)
	if err != nil {
		return scaler.Decision{}, err
	}
	done, err := a.processed(ctx)
	if err != nil {
		return scaler.Decision{}, err
	}
	var before scaler.State
	if err := a.scheduleState(ctx, scheduleAutoscale, &before); err != nil {
		return scaler.Decision{}, err
	}
	driver := a.driver()
	if before.Workers, err = a.workersNow(ctx, driver, before.Workers); err != nil {
		return scaler.Decision{}, err
	}
	c := a.Config.Scale
	d := scaler.Decide(a.Now(), scaler.Backlog{Waiting: backlog.Total(), Processed: done}, before, scaler.Rules{Min: c.Min, Max: c.Max,
		EventsPerWorker: c.EventsPerWorker, Interval: c.Interval, Target: time.Duration(c.TargetSeconds) * time.Second})
	if dry {
		return d, nil
	}
	if d.Change && driver != nil {
		if err := driver.Set(ctx, d.Workers); err != nil {
			return d, fmt.Errorf("setting %d workers: %w", d.Workers, err)
		}
		a.Log.InfoContext(ctx, "workers scaled", "from", before.Workers, "to", d.Workers, "why", d.Why)
	}
	return d, a.keepScheduleState(ctx, scheduleAutoscale, d.State)
}

// workersNow asks the driver, then the last decision, then the heartbeats.
func (a *App) workersNow(ctx context.Context, driver scaler.Driver, decided int) (int, error) {
	if driver != nil {
		n, err := driver.Workers(ctx)
		if err != nil {
			return 0, fmt.Errorf("asking how many workers there are: %w", err)
		}
		if n == 0 {
			n = decided
		}
		if n > 0 {
			return n, nil
		}
	}
	living, err := a.LivingWorkers(ctx, workerDead)
	return len(living), err
}

func (a *App) scheduleState(ctx context.Context, name string, into any) error {
	var kept []string
	if err := a.DB.WithContext(ctx).Raw("SELECT state FROM schedules WHERE name = ?", name).Scan(&kept).Error; err != nil {
		return fmt.Errorf("reading schedule %s: %w", name, err)
	}
	if len(kept) == 0 || kept[0] == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(kept[0]), into); err != nil {
		return fmt.Errorf("reading the state of schedule %s: %w", name, err)
	}
	return nil
}

func (a *App) keepScheduleState(ctx context.Context, name string, state any) error {
	body, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encoding the state of schedule %s: %w", name, err)
	}
	err = a.DB.WithContext(ctx).Exec(`INSERT INTO schedules (name, last_run_at, state) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET state = excluded.state`, name, a.Now(), string(body)).Error
	if err != nil {
		return fmt.Errorf("keeping the state of schedule %s: %w", name, err)
	}
	return nil
}
