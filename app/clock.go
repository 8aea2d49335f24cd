package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"beagle/app/config"
	"beagle/app/scaler"
)

// Schedules that the clock fires.
const (
	scheduleAutoscale = "autoscale"
	scheduleClean     = "clean"
	scheduleWorkers   = "workers"
	scheduleReconcile = "reconcile"
	scheduleProcesses = "processes"
	schedulePing      = "ping"
	scheduleMails     = "mails"
	scheduleMeasure   = "measure"
	scheduleRestart   = "restart"
	scheduleDomains   = "domains"
)

const (
	cleanEvery      = time.Hour
	workersEvery    = 30 * time.Second
	processesEvery  = 15 * time.Second
	pingEvery       = 30 * time.Second
	mailsEvery      = time.Minute
	measureEvery    = time.Minute
	restartEvery    = 10 * time.Minute
	workersMissing  = time.Minute      // no heartbeat for so long while work waits: an alert
	scheduleTimeout = 10 * time.Minute // of one run; the lease is as long
	clockLook       = 2 * time.Second  // how often the clock looks whether something is due
)

// alarmWorkers is on while work waits and nobody does it.
const alarmWorkers = "no worker"

// schedule is something that is done again and again, by whichever clock comes first.
type schedule struct {
	name  string
	every time.Duration
	work  func(context.Context) (result string, err error)
}

// schedules is the table of what the clock fires.
func (a *App) schedules() []schedule {
	all := []schedule{
		{scheduleWorkers, workersEvery, a.pingWorkers},
		{scheduleProcesses, processesEvery, a.pingProcesses},
		{scheduleMeasure, measureEvery, a.measure},
		{scheduleClean, cleanEvery, a.Clean},
		{scheduleDomains, refreshEvery, a.refreshDomains},
		{scheduleReconcile, reconcileEvery, a.Reconcile},
	}
	if a.Config.Health.Every > 0 {
		all = append(all, schedule{scheduleHealth, a.Config.Health.Every, a.CheckHealth})
	}
	if len(a.Config.Run.PingURLs) > 0 {
		all = append(all, schedule{schedulePing, pingEvery, a.ping})
	}
	if a.SendsMail() {
		all = append(all, schedule{scheduleMails, mailsEvery, a.resendMails})
	}
	if a.Config.Scale.Driver == config.ScaleHeroku && a.Config.Scale.RestartAge > 0 {
		all = append(all, schedule{scheduleRestart, restartEvery, a.restartWorkers})
	}
	if a.Config.Scale.Driver != config.ScaleOff {
		all = append(all, schedule{scheduleAutoscale, a.Config.Scale.Interval, a.runAutoscale})
	}
	return all
}

// Clock runs the sweep and the schedules until ctx ends. Any number of clocks may run: each run of a schedule is claimed in the database.
func (a *App) Clock(ctx context.Context) {
	a.Log.InfoContext(ctx, "clock started")
	var loops sync.WaitGroup
	loops.Go(func() { a.Sweep(ctx) })
	a.Schedules(ctx)
	loops.Wait()
}

// Schedules is the clock without the sweep: for a process that is a worker too, and sweeps as one.
func (a *App) Schedules(ctx context.Context) {
	var loops sync.WaitGroup
	for _, s := range a.schedules() {
		loops.Go(func() {
			for ctx.Err() == nil {
				if _, err := a.fire(ctx, s); err != nil && ctx.Err() == nil {
					a.Log.ErrorContext(ctx, "schedule failed", "schedule", s.name, "error", err)
				}
				rest(ctx, clockLook)
			}
		})
	}
	loops.Wait()
}

// Fire runs the schedule of that name if it is due and no clock is at it, and reports whether it did.
func (a *App) Fire(ctx context.Context, name string) (ran bool, err error) {
	for _, s := range a.schedules() {
		if s.name == name {
			return a.fire(ctx, s)
		}
	}
	return false, fmt.Errorf("no schedule %q", name)
}

// fire runs a schedule when it is due and no other clock has it, and reports whether it did. What came of it is kept.
func (a *App) fire(ctx context.Context, s schedule) (ran bool, err error) {
	var last []time.Time
	if err := a.DB.WithContext(ctx).Raw("SELECT last_run_at FROM schedules WHERE name = ?", s.name).Scan(&last).Error; err != nil {
		return false, fmt.Errorf("reading schedule %s: %w", s.name, err)
	}
	if len(last) == 1 && a.Now().Sub(last[0]) < s.every {
		return false, nil
	}
	lease := "clock:" + s.name
	mine, err := a.lease(ctx, lease, scheduleTimeout)
	if err != nil || !mine {
		return false, err
	}
	defer a.release(lease)
	now := a.Now()
	due := a.DB.WithContext(ctx).Exec(`INSERT INTO schedules (name, last_run_at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE
		SET last_run_at = excluded.last_run_at WHERE schedules.last_run_at <= ?`, s.name, now, now.Add(-s.every))
	if due.Error != nil {
		return false, fmt.Errorf("claiming schedule %s: %w", s.name, due.Error)
	}
	if due.RowsAffected == 0 {
		return false, nil
	}
	working, cancel := context.WithTimeout(ctx, scheduleTimeout)
	defer cancel()
	result, err := s.work(working)
	if err != nil {
		result = err.Error()
	}
	return true, errors.Join(err, a.keepResult(context.WithoutCancel(ctx), s.name, result, err != nil))
}

// maxResult bounds what is kept of a run's result.
const maxResult = 1000

func (a *App) keepResult(ctx context.Context, name, result string, failed bool) error {
	err := a.DB.WithContext(ctx).Exec("UPDATE schedules SET last_result = ?, failed = ? WHERE name = ?", cut(result, maxResult), failed, name).Error
	if err != nil {
		return fmt.Errorf("keeping the result of schedule %s: %w", name, err)
	}
	return nil
}

// ScheduleRun is a schedule and its last run.
type ScheduleRun struct {
	Name       string
	Every      time.Duration // 0: of another process, such as the sweep
	LastRunAt  time.Time     // zero: not yet
	LastResult string
	Failed     bool
}

// ScheduleRuns reads what the clock last did, and what it has not done yet, by name.
func (a *App) ScheduleRuns(ctx context.Context) ([]ScheduleRun, error) {
	var runs []ScheduleRun
	if err := a.DB.WithContext(ctx).Raw("SELECT name, last_run_at, last_result, failed FROM schedules ORDER BY name").Scan(&runs).Error; err != nil {
		return nil, fmt.Errorf("reading schedules: %w", err)
	}
	for _, s := range a.schedules() {
		i := slices.IndexFunc(runs, func(r ScheduleRun) bool { return r.Name == s.name })
		if i < 0 {
			runs = append(runs, ScheduleRun{Name: s.name})
			i = len(runs) - 1
		}
		runs[i].Every = s.every
	}
	slices.SortFunc(runs, func(x, y ScheduleRun) int { return cmp.Compare(x.Name, y.Name) })
	return runs, nil
}

func (a *App) runAutoscale(ctx context.Context) (string, error) {
	d, err := a.Autoscale(ctx, false)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d workers: %s", d.Workers, d.Why), nil
}

// Worker is a process that runs jobs.
type Worker struct {
	ID        string
	StartedAt time.Time
	BeatAt    time.Time
	Holding   []string `gorm:"serializer:json"` // ids of the record tasks in its hands
}

// LivingWorkers are those whose heartbeat is younger than silence, oldest first.
func (a *App) LivingWorkers(ctx context.Context, silence time.Duration) ([]Worker, error) {
	var living []Worker
	if err := a.DB.WithContext(ctx).Where("beat_at > ?", a.Now().Add(-silence)).Order("started_at, id").Find(&living).Error; err != nil {
		return nil, fmt.Errorf("reading workers: %w", err)
	}
	return living, nil
}

// restartWorkers replaces worker dynos that have been up for HEROKU_RESTART_AGE, a few at a time.
func (a *App) restartWorkers(ctx context.Context) (string, error) {
	c := a.Config.Scale
	names, err := scaler.Heroku{App: c.HerokuApp, Key: c.HerokuKey, URL: c.HerokuURL}.RestartOlder(ctx, a.Now(), c.RestartAge)
	if len(names) == 0 {
		names = []string{"nothing"}
	}
	return "restarted " + strings.Join(names, ", "), err
}

// pingWorkers raises the alarm when work waits and nobody does it.
func (a *App) pingWorkers(ctx context.Context) (string, error) {
	living, err := a.LivingWorkers(ctx, workersMissing)
	if err != nil {
		return "", err
	}
	backlog, err := a.Backlog(ctx)
	if err != nil {
		return "", err
	}
	if len(living) == 0 && backlog.Total() > 0 && a.Now().Sub(a.opened) > workersMissing {
		err := fmt.Errorf("no worker has shown itself for %s while %d events wait: start `beagle worker`", workersMissing, backlog.Total())
		return "", errors.Join(err, a.raise(ctx, alarmWorkers, err.Error()))
	}
	if err := errors.Join(a.allClear(ctx, alarmWorkers), a.forgetPings(ctx)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d workers, %d events wait", len(living), backlog.Total()), nil
}
