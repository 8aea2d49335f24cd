package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"beagle/app/finder"

	"gorm.io/gorm"
)

// Counts are a list's rows by where they are and what was found.
type Counts struct {
	Total     int64
	Done      int64 // ended with an answer
	Found     int64 // valid or accept-all
	Failed    int64
	Skipped   int64 // ended without an answer, because they repeat an earlier row
	Retrying  int64 // waiting for a server that said "come back later"
	Waiting   int64 // not looked up yet
	ByStatus  map[string]int64
	ByReason  []ReasonCount
	NextRetry *time.Time // when the first of the retrying rows is tried again
}

// ReasonCount is how many rows ended with one status and reason.
type ReasonCount struct {
	Status string
	Reason string
	Rows   int64
}

// Progress is how far a list is.
type Progress struct {
	Counts
	Fraction      float64 // 0..1
	RowsPerSecond float64 // over the last seconds, all workers
	ETA           *time.Duration
}

// etaAfter is how many rows must have ended before an estimate is worth showing.
const etaAfter = 50

// Progress reads a list's counters: a few short rows, whatever the size of the list.
func (a *App) Progress(ctx context.Context, l List) (Progress, error) {
	p := Progress{Counts: Counts{Total: max(l.Total, l.Imported), ByStatus: map[string]int64{}}}
	var counts []struct {
		State, Status, Reason string
		Rows                  int64
	}
	err := a.DB.WithContext(ctx).Table("list_counts").Where("list_id = ? AND rows <> 0", l.ID).Order("rows DESC, status, reason").Find(&counts).Error
	if err != nil {
		return Progress{}, fmt.Errorf("reading counters of list %s: %w", l.Ref, err)
	}
	for _, c := range counts {
		if c.State == RecordFailed {
			p.Failed += c.Rows
		} else {
			p.Done += c.Rows
		}
		if c.Status == "" && c.Reason == reasonDuplicate {
			p.Skipped += c.Rows
		}
		if c.Status != "" {
			p.ByStatus[c.Status] += c.Rows
			p.ByReason = append(p.ByReason, ReasonCount{c.Status, c.Reason, c.Rows})
		}
	}
	p.Found = p.ByStatus[finder.StatusValid] + p.ByStatus[finder.StatusAcceptAll]
	if err := a.countRetrying(ctx, l, &p.Counts); err != nil {
		return Progress{}, err
	}
	p.Waiting = max(0, p.Total-p.Done-p.Failed-p.Retrying)
	a.estimate(ctx, l, &p)
	return p, nil
}

func (a *App) countRetrying(ctx context.Context, l List, c *Counts) error {
	if l.State == ListFinished {
		return nil
	}
	retrying := a.DB.WithContext(ctx).Model(&Record{}).Where("list_id = ? AND state = 'retrying'", l.ID).Session(&gorm.Session{})
	if err := retrying.Count(&c.Retrying).Error; err != nil {
		return fmt.Errorf("counting waiting rows of list %s: %w", l.Ref, err)
	}
	if c.Retrying == 0 {
		return nil
	}
	var first []time.Time
	if err := retrying.Order("next_attempt_at").Limit(1).Pluck("next_attempt_at", &first).Error; err != nil {
		return fmt.Errorf("reading the next retry of list %s: %w", l.Ref, err)
	}
	if len(first) == 1 {
		c.NextRetry = &first[0]
	}
	return nil
}

func (a *App) estimate(ctx context.Context, l List, p *Progress) {
	ended := p.Done + p.Failed
	switch {
	case l.State == ListFinished, l.State == ListExporting:
		p.Fraction = 1
	case l.State != ListMapping && l.State != ListImporting && p.Total > 0:
		p.Fraction = min(1, float64(ended)/float64(p.Total))
	}
	if l.State != ListRunning {
		return
	}
	p.RowsPerSecond = a.rate(ctx, l.ID)
	if p.RowsPerSecond > 0 && ended >= etaAfter {
		eta := time.Duration(float64(p.Waiting)/p.RowsPerSecond*float64(time.Second)) + time.Second
		if p.NextRetry != nil {
			eta = max(eta, p.NextRetry.Sub(a.Now()))
		}
		p.ETA = &eta
	}
}

// Rates are in Redis, a hash per list with a field per worker: they are worth nothing after a few seconds.
const (
	rateEvery = time.Second
	rateFresh = 5 * time.Second
	rateKeep  = 30 * time.Second
)

func rateKey(list int64) string { return fmt.Sprintf("beagle:rate:%d", list) }

// rate is how many rows of a list end per second, over all workers. Without Redis it is 0: unknown.
func (a *App) rate(ctx context.Context, list int64) float64 {
	fields, err := a.Queue.Redis.HGetAll(ctx, rateKey(list)).Result()
	if err != nil {
		return 0
	}
	sum := 0.0
	for _, v := range fields {
		rate, at, _ := strings.Cut(v, " ")
		ms, _ := strconv.ParseInt(at, 10, 64)
		if a.Now().Sub(time.UnixMilli(ms)) < rateFresh {
			n, _ := strconv.ParseFloat(rate, 64)
			sum += n
		}
	}
	return sum
}

// meters count the rows that this process ends, per list.
type meters struct {
	mu    sync.Mutex
	count map[int64]int
	rates map[int64]float64
}

func (m *meters) add(list int64, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count == nil {
		m.count, m.rates = map[int64]int{}, map[int64]float64{}
	}
	m.count[list] += n
}

// publish tells the rates to everybody, once a second, until ctx ends.
func (m *meters) publish(ctx context.Context, a *App) {
	for {
		rest(ctx, rateEvery)
		if ctx.Err() != nil {
			return
		}
		for list, rate := range m.turn() {
			value := fmt.Sprintf("%.2f %d", rate, a.Now().UnixMilli())
			pipe := a.Queue.Redis.Pipeline()
			pipe.HSet(ctx, rateKey(list), a.id, value)
			pipe.Expire(ctx, rateKey(list), rateKeep)
			if _, err := pipe.Exec(ctx); err != nil {
				a.Log.DebugContext(ctx, "rate not published", "error", err)
			}
		}
	}
}

// turn closes one second of counting. The average forgets within a few seconds; a list that has come to rest is dropped.
func (m *meters) turn() map[int64]float64 {
	const weight, rest = 0.3, 0.05
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[int64]float64{}
	for list := range m.count {
		if _, known := m.rates[list]; !known {
			m.rates[list] = float64(m.count[list])
		}
	}
	for list, old := range m.rates {
		now := old + weight*(float64(m.count[list])-old)
		if now < rest {
			delete(m.rates, list)
			continue
		}
		m.rates[list], out[list] = now, now
	}
	clear(m.count)
	return out
}
