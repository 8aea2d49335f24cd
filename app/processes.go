package app

import (
	"context"
	"fmt"
	"time"
)

// Kinds of processes.
const (
	KindWeb    = "web"
	KindWorker = "worker"
	KindClock  = "clock"
)

// How a process shows that it is up, and when it is missed.
const (
	processBeat   = 10 * time.Second
	processSilent = 45 * time.Second // a process that did not say that it ends is gone after so long
	processForget = 24 * time.Hour   // after so long nobody expects it back
)

// Process is one that is up, or was and did not say that it ends.
type Process struct {
	ID, Kind          string
	StartedAt, BeatAt time.Time
}

// Silent tells that the process has not shown itself for too long.
func (p Process) Silent(now time.Time) bool { return now.Sub(p.BeatAt) > processSilent }

// Attend shows this process as one of a kind until ctx ends, and then takes it off the list.
func (a *App) Attend(ctx context.Context, kind string) {
	id, started := kind+" "+a.id, a.Now()
	for ctx.Err() == nil {
		if err := a.attend(ctx, id, kind, started); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "process not shown", "kind", kind, "error", err)
		}
		rest(ctx, processBeat)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := a.DB.WithContext(ctx).Exec("DELETE FROM processes WHERE id = ?", id).Error; err != nil {
		a.Log.WarnContext(ctx, "process not taken off the list", "kind", kind, "error", err)
	}
}

func (a *App) attend(ctx context.Context, id, kind string, started time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, processBeat)
	defer cancel()
	err := a.DB.WithContext(ctx).Exec(`INSERT INTO processes (id, kind, started_at, beat_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at`, id, kind, started, a.Now()).Error
	if err != nil {
		return fmt.Errorf("writing that this process is up: %w", err)
	}
	return nil
}

// Processes are those that are up or missed, by kind and age.
func (a *App) Processes(ctx context.Context) ([]Process, error) {
	var all []Process
	if err := a.DB.WithContext(ctx).Order("kind, started_at, id").Find(&all).Error; err != nil {
		return nil, fmt.Errorf("reading processes: %w", err)
	}
	return all, nil
}

// pingProcesses looks for processes that went silent without saying that they end. One that has been replaced is only noted;
// of one that has not there is an alarm, until it is back, replaced, or nobody expects it any more.
func (a *App) pingProcesses(ctx context.Context) (string, error) {
	all, err := a.Processes(ctx)
	if err != nil {
		return "", err
	}
	now := a.Now()
	up, missing := map[string]int{}, map[string]Process{}
	for _, p := range all {
		if !p.Silent(now) {
			up[p.Kind]++
			continue
		}
		replaced := successor(all, p, now)
		if !replaced && now.Sub(p.BeatAt) < processForget {
			missing[p.Kind] = p
			continue
		}
		gone := a.DB.WithContext(ctx).Exec("DELETE FROM processes WHERE id = ? AND beat_at = ?", p.ID, p.BeatAt)
		if gone.Error != nil {
			return "", fmt.Errorf("forgetting a process: %w", gone.Error)
		}
		if replaced && gone.RowsAffected == 1 {
			a.Log.ErrorContext(ctx, "process died and was replaced", "kind", p.Kind, "process", p.ID, "last_seen", p.BeatAt)
		}
	}
	for _, kind := range []string{KindWeb, KindWorker, KindClock} {
		name := "process " + kind
		if p, ok := missing[kind]; ok {
			err = a.raise(ctx, name, fmt.Sprintf("%s has been silent since %s; %d others of its kind are up", p.ID, p.BeatAt.UTC().Format(time.RFC3339), up[kind]))
		} else {
			err = a.allClear(ctx, name)
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d web, %d worker, %d clock up; %d missing", up[KindWeb], up[KindWorker], up[KindClock], len(missing)), a.tellAlarms(ctx)
}

// successor tells whether a process of the same kind came up after p went silent.
func successor(all []Process, p Process, now time.Time) bool {
	for _, other := range all {
		if other.Kind == p.Kind && !other.Silent(now) && other.StartedAt.After(p.BeatAt) {
			return true
		}
	}
	return false
}

// watchProcesses lets a worker watch too: a clock cannot tell that it is gone itself. Whoever comes first looks, once in processesEvery.
func (a *App) watchProcesses(ctx context.Context) {
	for ctx.Err() == nil {
		rest(ctx, processesEvery)
		if ctx.Err() != nil {
			return
		}
		if _, err := a.Fire(ctx, scheduleProcesses); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "processes not watched", "error", err)
		}
	}
}
