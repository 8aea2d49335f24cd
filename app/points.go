package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// maxSamples is how many response times of a minute are kept; beyond that each one has the same chance to be among them.
const maxSamples = 10_000

// Point is a minute of one process, or of all of them together.
type Point struct {
	At            time.Time // the beginning of the minute
	Process       string
	Requests      int64
	Failures      int64 // answers with 500 or more that are no time-outs
	Timeouts      int64
	P50, P95, P99 float64 // milliseconds of pages and API calls; uploads, downloads and live pages are not in them
	Lookups       int64
}

// TableName is where gorm keeps points.
func (Point) TableName() string { return "metric_points" }

// minute counts what happens until the next point is written.
type minute struct {
	mu      sync.Mutex
	point   Point
	samples []float64 // milliseconds
	writing bool
}

func (m *minute) lookup() {
	m.mu.Lock()
	m.point.Lookups++
	m.mu.Unlock()
}

// Answered counts one HTTP answer. timed is false for requests that last as long as their client wants, such as downloads.
func (m *Metrics) Answered(took time.Duration, status int, timedOut, timed bool) {
	n := &m.minute
	n.mu.Lock()
	defer n.mu.Unlock()
	n.point.Requests++
	if timedOut {
		n.point.Timeouts++
	} else if status >= 500 {
		n.point.Failures++
	}
	if !timed {
		return
	}
	ms := float64(took) / float64(time.Millisecond)
	if len(n.samples) < maxSamples {
		n.samples = append(n.samples, ms)
	} else if i := rand.Int64N(n.point.Requests); i < maxSamples {
		n.samples[i] = ms
	}
}

// take ends the minute and begins the next.
func (m *minute) take() Point {
	m.mu.Lock()
	p, samples := m.point, m.samples
	m.point, m.samples = Point{}, nil
	m.mu.Unlock()
	slices.Sort(samples)
	p.P50, p.P95, p.P99 = quantile(samples, .5), quantile(samples, .95), quantile(samples, .99)
	return p
}

// quantile is the nearest rank of sorted samples; 0 of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// KeepPoints writes a point a minute until ctx ends, and the last one then. Web and worker both call it; in one process one of them does it.
func (a *App) KeepPoints(ctx context.Context) {
	m := &a.Metrics.minute
	m.mu.Lock()
	mine := !m.writing
	m.writing = true
	m.mu.Unlock()
	if !mine {
		return
	}
	for ctx.Err() == nil {
		now := a.Now()
		rest(ctx, now.Truncate(time.Minute).Add(time.Minute).Sub(now))
		if err := a.WritePoint(context.WithoutCancel(ctx)); err != nil {
			a.Log.WarnContext(ctx, "metrics of a minute lost", "error", err)
		}
	}
	m.mu.Lock()
	m.writing = false
	m.mu.Unlock()
}

// WritePoint ends the minute now. A minute without anything is not written.
func (a *App) WritePoint(ctx context.Context) error {
	p := a.Metrics.minute.take()
	if p.Requests == 0 && p.Lookups == 0 {
		return nil
	}
	at := a.Now().Add(-time.Second).Truncate(time.Minute) // the loop wakes up at the beginning of the next
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	err := a.DB.WithContext(ctx).Exec(`INSERT INTO metric_points (at, process, quarter, requests, failures, timeouts, p50, p95, p99, lookups) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (at, process) DO UPDATE SET requests = metric_points.requests + excluded.requests, failures = metric_points.failures + excluded.failures,
		timeouts = metric_points.timeouts + excluded.timeouts, lookups = metric_points.lookups + excluded.lookups`,
		at, a.id, quarterOf(at), p.Requests, p.Failures, p.Timeouts, p.P50, p.P95, p.P99, p.Lookups).Error
	if err != nil {
		return fmt.Errorf("writing the metrics of a minute: %w", err)
	}
	return nil
}

// Points are the last span in steps of so long, oldest first, all processes together: sums, and of the percentiles the one of the
// process and minute where it was worst, so that a slow process is not averaged away. Steps without data between others are zero.
func (a *App) Points(ctx context.Context, span, step time.Duration) ([]Point, error) {
	minutes, err := a.readPoints(ctx, span, step)
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	var all []Point
	for _, m := range minutes {
		at := m.At.UTC().Truncate(step)
		if len(all) == 0 {
			all = append(all, Point{At: at})
		}
		for last := all[len(all)-1].At; last.Before(at); {
			last = last.Add(step)
			all = append(all, Point{At: last})
		}
		p := &all[len(all)-1]
		p.Requests, p.Failures, p.Timeouts, p.Lookups = p.Requests+m.Requests, p.Failures+m.Failures, p.Timeouts+m.Timeouts, p.Lookups+m.Lookups
		p.P50, p.P95, p.P99 = max(p.P50, m.P50), max(p.P95, m.P95), max(p.P99, m.P99)
	}
	return all, nil
}

// readPoints reads minutes of the last hour, and of longer spans sums and largest percentiles by step, which must be a multiple of a quarter
// of an hour: a week of ten processes is 100,000 minutes.
func (a *App) readPoints(ctx context.Context, span, step time.Duration) ([]Point, error) {
	since := a.Now().Add(-span)
	var points []Point
	if span <= time.Hour {
		return points, a.DB.WithContext(ctx).Where("at > ?", since).Order("at").Find(&points).Error
	}
	var rows []struct {
		Quarter int64
		Point
	}
	sum := func(column string) string { return fmt.Sprintf("CAST(SUM(%[1]s) AS bigint) AS %[1]s", column) }
	err := a.DB.WithContext(ctx).Raw(fmt.Sprintf(`SELECT quarter / %d AS quarter, %s, %s, %s, %s, MAX(p50) AS p50, MAX(p95) AS p95, MAX(p99) AS p99
		FROM metric_points WHERE quarter > ? GROUP BY 1 ORDER BY 1`, step/quarter, sum("requests"), sum("failures"), sum("timeouts"), sum("lookups")), quarterOf(since)).Scan(&rows).Error
	for _, r := range rows {
		r.At = time.Unix(r.Quarter*int64(step.Seconds()), 0).UTC()
		points = append(points, r.Point)
	}
	return points, err
}
