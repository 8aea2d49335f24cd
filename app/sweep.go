package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"
)

// The sweep makes what stopped moving move again: rows whose worker died or whose task was lost, lists that ought to have ended,
// imports, exports and clearings whose job is gone. Clock and workers both call it; one at a time does it.
const (
	sweepEvery    = 3 * time.Second
	sweepLease    = "sweep"
	sweepTime     = 10 * time.Second
	queuedGrace   = 5 * time.Second // a row queued this lately is not looked for
	stuckAfter    = 30 * time.Second
	maxCrashes    = 3
	crashWait     = 2 * time.Minute  // before the last chance of a row that is not looked up in isolation
	isolatedRest  = 30 * time.Second // before the next try of one that is, and whose worker died nevertheless
	sweepMax      = 30_000           // queued rows looked at in one round
	sweepLists    = 500              // lists of each kind looked at in one round
	staleSession  = time.Hour
	workerForget  = time.Hour
	leaseLength   = 30 * time.Second // of a task that a server has taken: asynq's
	leaseStale    = 8 * time.Second  // asynq's servers renew theirs every 5 s: one this old has nobody
	reasonPoison  = "poison"
	poisonMessage = "This row stopped whatever process looked it up, again and again. It was set aside so that the list can end; please report it."
)

// suspect is a queued row that nobody seemed to hold, in the attempt that it was in.
type suspect struct {
	id      int64
	attempt int
}

// Sweep runs until ctx ends, whenever this process holds the sweep's lease.
func (a *App) Sweep(ctx context.Context) {
	defer a.release(sweepLease)
	s := &sweeper{app: a}
	for ctx.Err() == nil {
		rest(ctx, sweepEvery)
		mine, err := a.lease(ctx, sweepLease, sweepTime)
		if err == nil && mine {
			err = s.round(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "sweep stopped; it begins again", "error", err)
		}
	}
}

// sweeper is what one round of the sweep hands to the next.
type sweeper struct {
	app      *App
	suspects map[suspect]bool // rows that nobody seemed to hold: those still so in the next round are lost
	places   [listMovers]int64
}

func (s *sweeper) round(ctx context.Context) (err error) {
	a := s.app
	s.suspects, err = a.sweepRows(ctx, s.suspects)
	return errors.Join(err, s.lists(ctx), a.sweepOld(ctx), a.sweepKept(ctx), a.sweepDeliveries(ctx))
}

// sweepRows gives back rows that are queued in the database and in nobody's hands. The oldest come first, so that of more than can be
// looked at each has its turn: old ones end or are given back.
func (a *App) sweepRows(ctx context.Context, before map[suspect]bool) (map[suspect]bool, error) {
	now := a.Now()
	var queued []struct {
		ID      int64
		Attempt int
	}
	err := a.DB.WithContext(ctx).Raw(`SELECT id, attempt FROM records WHERE state = 'queued' AND queued_at < ? ORDER BY queued_at, id LIMIT ?`,
		now.Add(-queuedGrace), sweepMax).Scan(&queued).Error
	if err != nil {
		return nil, fmt.Errorf("reading queued rows: %w", err)
	}
	if len(queued) == 0 {
		return nil, nil
	}
	living, dead, err := a.holdings(ctx, now)
	if err != nil {
		return nil, err
	}
	waiting, taken, err := a.Queue.recordTasks(ctx, now)
	if err != nil {
		return nil, err
	}
	seen := map[suspect]bool{}
	var lost, crashed []int64
	for _, q := range queued {
		s, task := suspect{q.ID, q.Attempt}, recordTaskID(q.ID, q.Attempt)
		switch {
		case living[task], waiting[task]:
		case dead[task]:
			crashed = append(crashed, q.ID)
		case before[s] && taken[task]:
			crashed = append(crashed, q.ID) // its worker died before its next heartbeat
		case before[s]:
			lost = append(lost, q.ID)
		default:
			seen[s] = true
		}
	}
	return seen, a.giveBack(ctx, lost, crashed)
}

// holdings are the record tasks in the hands of workers that beat lately, and of workers that have stopped.
func (a *App) holdings(ctx context.Context, now time.Time) (living, dead map[string]bool, err error) {
	var workers []struct {
		Holding string
		BeatAt  time.Time
	}
	if err := a.DB.WithContext(ctx).Table("workers").Find(&workers).Error; err != nil {
		return nil, nil, fmt.Errorf("reading workers: %w", err)
	}
	living, dead = map[string]bool{}, map[string]bool{}
	for _, w := range workers {
		var ids []string
		if err := json.Unmarshal([]byte(w.Holding), &ids); err != nil {
			return nil, nil, fmt.Errorf("reading a worker's rows: %w", err)
		}
		into := living
		if now.Sub(w.BeatAt) > workerDead {
			into = dead
		}
		for _, id := range ids {
			into[id] = true
		}
	}
	return living, dead, nil
}

// recordTasks are the ids of record tasks in Redis: those that are looked after, since they wait for a server or for their next try or were
// taken or renewed a moment ago, and those that a server took longer ago. Whether the worker of such a one still lives is told by its
// heartbeat only; the moment is for a row that has just changed hands, which no heartbeat can know of yet.
func (q *Queue) recordTasks(ctx context.Context, now time.Time) (waiting, taken map[string]bool, err error) {
	prefix := recordsPrefix
	pipe := q.Redis.Pipeline()
	pending, active := pipe.LRange(ctx, prefix+"pending", 0, -1), pipe.LRange(ctx, prefix+"active", 0, -1)
	scheduled, retry := pipe.ZRange(ctx, prefix+"scheduled", 0, -1), pipe.ZRange(ctx, prefix+"retry", 0, -1)
	fresh := pipe.ZRangeByScore(ctx, prefix+"lease", &redis.ZRangeBy{Min: strconv.FormatInt(now.Add(leaseLength-leaseStale).Unix(), 10), Max: "+inf"})
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, fmt.Errorf("reading the queue: %w", err)
	}
	return asSet(pending.Val(), scheduled.Val(), retry.Val(), fresh.Val()), asSet(active.Val()), nil
}

func asSet(groups ...[]string) map[string]bool {
	set := map[string]bool{}
	for _, g := range groups {
		for _, id := range g {
			set[id] = true
		}
	}
	return set
}

// giveBack makes rows pending under a new attempt, so that whatever still runs under the old one comes too late.
// A row whose worker died for the second time is looked up in isolation from then on, where its end would be its own; where there is no
// isolation it waits a while, in case it is the machine that is in trouble and not the row, and the third time it is poison and fails.
func (a *App) giveBack(ctx context.Context, lost, crashed []int64) error {
	if len(lost)+len(crashed) == 0 {
		return nil
	}
	a.Metrics.repairs.WithLabelValues("lost").Add(float64(len(lost)))
	a.Metrics.repairs.WithLabelValues("crashed").Add(float64(len(crashed)))
	a.Log.WarnContext(ctx, "rows given back", "lost", len(lost), "crashed", len(crashed))
	for group := range slices.Chunk(lost, flushMax) {
		err := a.DB.WithContext(ctx).Exec(`UPDATE records SET state = 'pending', attempt = attempt + 1 WHERE id IN ? AND state = 'queued'`, group).Error
		if err != nil {
			return fmt.Errorf("giving rows back: %w", err)
		}
	}
	patient, most, wait := 1, maxCrashes, crashWait
	if a.isolation != nil {
		patient, most, wait = suspectCrashes, isolatedDeaths, isolatedRest
	}
	for group := range slices.Chunk(crashed, flushMax) { // in one statement: the feeder takes a row that is pending at once
		err := a.DB.WithContext(ctx).Exec(`UPDATE records SET attempt = attempt + 1, crashes = crashes + 1,
			state = CASE WHEN crashes >= ? AND crashes < ? THEN 'retrying' ELSE 'pending' END,
			next_attempt_at = CASE WHEN crashes >= ? AND crashes < ? THEN ? ELSE next_attempt_at END WHERE id IN ? AND state = 'queued'`,
			patient, most-1, patient, most-1, a.Now().Add(wait), group).Error
		if err != nil {
			return fmt.Errorf("counting crashes: %w", err)
		}
	}
	a.noteRepair(ctx, len(lost), len(crashed))
	return a.setPoisonAside(ctx, crashed, most)
}

func (a *App) setPoisonAside(ctx context.Context, crashed []int64, most int) error {
	for group := range slices.Chunk(crashed, flushMax) {
		var poison []Record
		err := a.DB.WithContext(ctx).Select("id, list_id, account_id, attempt, run, tries").
			Where("id IN ? AND state IN ('pending', 'queued') AND crashes >= ?", group, most).Find(&poison).Error
		if err != nil {
			return fmt.Errorf("looking for poison: %w", err)
		}
		answers := make([]*outcome, len(poison))
		for i, r := range poison {
			answers[i] = a.poisonous(r.task())
		}
		if err := a.settler.settle(ctx, answers...); err != nil {
			return fmt.Errorf("setting poison aside: %w", err)
		}
	}
	return nil
}

// sweepOld forgets workers long gone and sessions that have run out.
func (a *App) sweepOld(ctx context.Context) error {
	now := a.Now()
	return a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("DELETE FROM workers WHERE beat_at < ?", now.Add(-workerForget)).Error; err != nil {
			return fmt.Errorf("forgetting workers: %w", err)
		}
		return tx.Exec("DELETE FROM sessions WHERE expires_at < ?", now.Add(-staleSession)).Error
	})
}
