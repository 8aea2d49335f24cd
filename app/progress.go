package app

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"beagle/app/db"
	"beagle/app/finder"

	"github.com/redis/go-redis/v9"
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
	of, err := a.Progresses(ctx, []List{l})
	if err != nil {
		return Progress{}, err
	}
	return of[0], nil
}

// Progresses is Progress for each of some lists, in one statement.
func (a *App) Progresses(ctx context.Context, lists []List) ([]Progress, error) {
	of, at := make([]Progress, len(lists)), make(map[int64]*Progress, len(lists))
	for i, l := range lists {
		of[i].Counts = Counts{Total: max(l.Total, l.Imported), ByStatus: map[string]int64{}}
		at[l.ID] = &of[i]
	}
	if len(lists) == 0 {
		return of, nil
	}
	if err := a.readCounts(ctx, lists, at); err != nil {
		return nil, err
	}
	rates := a.rates(ctx, lists)
	for i, l := range lists {
		p := &of[i]
		p.Found = p.ByStatus[finder.StatusValid] + p.ByStatus[finder.StatusAcceptAll]
		p.Waiting = max(0, p.Total-p.Done-p.Failed-p.Retrying)
		a.estimate(l, p, rates[l.ID])
	}
	return of, nil
}

// readCounts adds up the counters of lists, and of those that are not finished the rows that wait for a server and when the first is asked.
func (a *App) readCounts(ctx context.Context, lists []List, at map[int64]*Progress) error {
	var all, moving []int64
	for _, l := range lists {
		all = append(all, l.ID)
		if l.State != ListFinished {
			moving = append(moving, l.ID)
		}
	}
	one, args := db.OneOf(all)
	query := "SELECT list_id, state, status, reason, rows, NULL FROM list_counts WHERE list_id " + one + " AND rows <> 0"
	if len(moving) > 0 {
		one, more := db.OneOf(moving)
		query += " UNION ALL SELECT list_id, state, '', '', COUNT(*), MIN(next_attempt_at) FROM records WHERE list_id " + one + " AND state = 'retrying' GROUP BY list_id, state"
		args = append(args, more...)
	}
	rows, err := db.Query(ctx, a.DB, query+" ORDER BY 5 DESC, 3, 4", args...)
	if err == nil {
		err = db.Each(rows, func(row *sql.Rows) error {
			var list, n int64
			var state, status, reason string
			var next *time.Time
			if err := row.Scan(&list, &state, &status, &reason, &n, db.When{Into: &next}); err != nil {
				return err
			}
			if next != nil {
				at[list].NextRetry = next
			}
			at[list].add(state, status, reason, n)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("reading counters of lists: %w", err)
	}
	return nil
}

func (c *Counts) add(state, status, reason string, rows int64) {
	switch state {
	case RecordRetrying:
		c.Retrying += rows
		return
	case RecordFailed:
		c.Failed += rows
	default:
		c.Done += rows
	}
	if status == "" && reason == reasonDuplicate {
		c.Skipped += rows
	}
	if status != "" {
		c.ByStatus[status] += rows
		c.ByReason = append(c.ByReason, ReasonCount{status, reason, rows})
	}
}

func (a *App) estimate(l List, p *Progress, rate float64) {
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
	p.RowsPerSecond = rate
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

// rates are how many rows of each running list end per second, over all workers. Without Redis there are none: unknown.
func (a *App) rates(ctx context.Context, lists []List) map[int64]float64 {
	asked := map[int64]*redis.MapStringStringCmd{}
	pipe := a.Queue.Redis.Pipeline()
	for _, l := range lists {
		if l.State == ListRunning {
			asked[l.ID] = pipe.HGetAll(ctx, rateKey(l.ID))
		}
	}
	if len(asked) == 0 {
		return nil
	}
	_, _ = pipe.Exec(ctx) // each answer has its own error
	rates := make(map[int64]float64, len(asked))
	for list, fields := range asked {
		rates[list] = a.sumRates(fields.Val())
	}
	return rates
}

// sumRates adds what the workers told lately.
func (a *App) sumRates(fields map[string]string) float64 {
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
