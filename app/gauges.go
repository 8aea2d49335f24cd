package app

import (
	"context"
	"fmt"
	"time"
)

// Names of gauges. backlogGauge and latencyGauge are followed by a queue.
const (
	backlogGauge = "backlog:"
	latencyGauge = "latency:" // seconds
	WorkersGauge = "workers"
)

// quarter is the step that charts of days are summed by.
const quarter = 15 * time.Minute

func quarterOf(at time.Time) int64 { return at.Unix() / int64(quarter.Seconds()) }

// Gauge is one value that was measured at a time; over a step longer than a minute it is the largest in it.
type Gauge struct {
	At    time.Time
	Name  string
	Value float64
}

// BacklogGauge is the name of how much waits in a queue; of records it is the rows that could be looked up, wherever they are.
func BacklogGauge(queue string) string { return backlogGauge + queue }

// LatencyGauge is the name of how old the oldest task of a queue is, in seconds.
func LatencyGauge(queue string) string { return latencyGauge + queue }

// QueueNames are all queues in the order in which they are shown.
func QueueNames() []string { return append([]string(nil), queueNames...) }

// measure keeps what waits and who works, for the charts: the clock does it once a minute.
func (a *App) measure(ctx context.Context) (string, error) {
	queues, err := a.Queues(ctx)
	if err != nil {
		return "", err
	}
	backlog, err := a.Backlog(ctx)
	if err != nil {
		return "", err
	}
	living, err := a.LivingWorkers(ctx, workerDead)
	if err != nil {
		return "", err
	}
	values := map[string]float64{WorkersGauge: float64(len(living))}
	for _, q := range queues {
		values[BacklogGauge(q.Name)], values[LatencyGauge(q.Name)] = float64(q.Pending), q.Latency.Seconds()
	}
	values[BacklogGauge(QueueRecords)] = float64(backlog.Records)
	at := a.Now().Truncate(time.Minute)
	for name, value := range values {
		err := a.DB.WithContext(ctx).Exec(`INSERT INTO gauges (at, name, quarter, value) VALUES (?, ?, ?, ?) ON CONFLICT (at, name) DO UPDATE SET value = excluded.value`,
			at, name, quarterOf(at), value).Error
		if err != nil {
			return "", fmt.Errorf("keeping what was measured: %w", err)
		}
	}
	return fmt.Sprintf("%d events wait, %d workers", backlog.Total(), len(living)), nil
}

// Gauges are the last span by name, oldest first, in steps of so long: the largest value of each. Up to an hour every minute is read;
// longer spans come from the database by quarters of an hour, so step must then be a multiple of one.
func (a *App) Gauges(ctx context.Context, span, step time.Duration) (map[string][]Gauge, error) {
	query, args := "SELECT at, name, value FROM gauges WHERE at > ? ORDER BY name, at", []any{a.Now().Add(-span)}
	if span > time.Hour {
		query = fmt.Sprintf(`SELECT quarter / %[1]d AS quarter, name, MAX(value) AS value FROM gauges WHERE quarter > ? GROUP BY name, quarter / %[1]d ORDER BY name, 1`, step/quarter)
		args = []any{quarterOf(a.Now().Add(-span))}
	}
	var rows []struct {
		At      time.Time
		Quarter int64
		Name    string
		Value   float64
	}
	if err := a.DB.WithContext(ctx).Raw(query, args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading what was measured: %w", err)
	}
	all := map[string][]Gauge{}
	for _, r := range rows {
		if span > time.Hour {
			r.At = time.Unix(r.Quarter*int64(step.Seconds()), 0).UTC()
		}
		all[r.Name] = append(all[r.Name], Gauge{r.At, r.Name, r.Value})
	}
	return all, nil
}

// ListTime is how long one list took from its upload to its finished file.
type ListTime struct {
	At      time.Time
	Seconds float64
	Size    int64 // rows
}

// maxListTimes bounds the dots of one chart.
const maxListTimes = 2000

// ListTimes are the lists that were finished in the last span, newest first.
func (a *App) ListTimes(ctx context.Context, span time.Duration) ([]ListTime, error) {
	var all []ListTime
	err := a.DB.WithContext(ctx).Raw("SELECT at, seconds, size FROM list_times WHERE at > ? ORDER BY at DESC LIMIT ?", a.Now().Add(-span), maxListTimes).Scan(&all).Error
	if err != nil {
		return nil, fmt.Errorf("reading how long lists took: %w", err)
	}
	return all, nil
}
