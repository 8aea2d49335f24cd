package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"beagle/app/finder"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are what a process counts for Prometheus. Counting is a few atomic operations; what costs a query is measured when somebody asks.
type Metrics struct {
	Registry *prometheus.Registry

	lookups       *prometheus.CounterVec
	lookupSeconds *prometheus.HistogramVec
	jobs          *prometheus.CounterVec
	jobSeconds    *prometheus.HistogramVec
	rows          *prometheus.CounterVec
	toFile        prometheus.Histogram
	credits       prometheus.Counter
	fed           prometheus.Counter
	repairs       *prometheus.CounterVec
	mails         *prometheus.CounterVec

	minute minute
}

// Upper bounds in seconds. A lookup may wait for a slow mail server, a job for a large file.
var (
	lookupBuckets = []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 180}
	jobBuckets    = []float64{.05, .25, 1, 5, 15, 60, 300, 1800, 7200}
	fileBuckets   = []float64{1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}
)

func newMetrics(a *App) (*Metrics, error) {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "beagle", Name: name, Help: help}, labels)
	}
	histograms := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "beagle", Name: name, Help: help, Buckets: buckets}, labels)
	}
	m := &Metrics{
		Registry:      prometheus.NewRegistry(),
		lookups:       counters("lookups_total", "Lookups ended, by what came of them.", "process", "status", "reason"),
		lookupSeconds: histograms("lookup_seconds", "Time of a lookup.", lookupBuckets, "process"),
		jobs:          counters("jobs_total", "Jobs of lists and mails ended: ok, failed (tried again) or given_up.", "type", "outcome"),
		jobSeconds:    histograms("job_seconds", "Time of a job.", jobBuckets, "type", "outcome"),
		rows:          counters("rows_total", "Rows imported and rows written to result files.", "what"),
		toFile:        histograms("upload_to_file_seconds", "From the upload of a list to its finished file.", fileBuckets).WithLabelValues().(prometheus.Histogram),
		credits:       counters("credits_charged_total", "Credits charged for valid answers.").WithLabelValues(),
		fed:           counters("fed_rows_total", "Rows that the feeder handed to the queue.").WithLabelValues(),
		repairs:       counters("sweep_repairs_total", "What sweep and clock repaired: rows whose task was lost, whose worker died (crashed), that were poison or waited for nobody (untied); lists whose job was gone (list), counters, files of nobody (orphans).", "what"),
		mails:         counters("mails_total", "Mails handed over (sent) and tries that the mail server did not take (failed).", "outcome"),
	}
	all := []prometheus.Collector{m.lookups, m.lookupSeconds, m.jobs, m.jobSeconds, m.rows, m.toFile, m.credits, m.fed, m.repairs, m.mails,
		newQueueCollector(a), newProbeCollector(a), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})}
	conn, err := a.DB.DB()
	if err != nil {
		return nil, fmt.Errorf("measuring the database: %w", err)
	}
	for _, c := range append(all, collectors.NewDBStatsCollector(conn, "beagle")) {
		if err := m.Registry.Register(c); err != nil {
			return nil, fmt.Errorf("preparing metrics: %w", err)
		}
	}
	return m, nil
}

// lookup counts one answer of the finder.
func (m *Metrics) lookup(process string, r finder.Result, took time.Duration) {
	m.lookups.WithLabelValues(process, r.Status, r.Reason).Inc()
	m.lookupSeconds.WithLabelValues(process).Observe(took.Seconds())
	m.minute.lookup()
}

// job counts one run of a job that is no lookup.
func (m *Metrics) job(kind string, err error, last bool, took time.Duration) {
	outcome := "ok"
	if err != nil && last {
		outcome = "given_up"
	} else if err != nil {
		outcome = "failed"
	}
	m.jobs.WithLabelValues(kind, outcome).Inc()
	m.jobSeconds.WithLabelValues(kind, outcome).Observe(took.Seconds())
}

// finished counts a list's file that has been finished for the first time since its rows changed.
func (m *Metrics) finished(l List, now time.Time) { m.toFile.Observe(now.Sub(l.CreatedAt).Seconds()) }

// probeCollector reads the prober's own counters.
type probeCollector struct {
	app                                       *App
	connections, rcpts, queries, reused, peak *prometheus.Desc
	sessions, waiting                         *prometheus.Desc
}

func newProbeCollector(a *App) probeCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("beagle_probe_"+name, help, labels, nil)
	}
	return probeCollector{a, desc("connections_total", "TCP connections tried to mail servers."), desc("rcpts_total", "RCPT commands answered."),
		desc("dns_queries_total", "DNS messages sent."), desc("reused_total", "Questions that found an open SMTP session."),
		desc("peak_sessions_per_host", "Most sessions to one mail server at once."),
		desc("sessions", "SMTP sessions open now: busy with a question, or idle and kept for the next one.", "state"),
		desc("waiting", "Questions that wait for an SMTP session.")}
}

// Describe is part of prometheus.Collector.
func (c probeCollector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect is part of prometheus.Collector.
func (c probeCollector) Collect(out chan<- prometheus.Metric) {
	if c.app.Prober == nil {
		return
	}
	s := c.app.Prober.Stats()
	for desc, n := range map[*prometheus.Desc]int64{c.connections: s.Connections, c.rcpts: s.RCPTs, c.queries: s.DNSQueries, c.reused: s.Reused} {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n))
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	gauge(c.peak, int(s.PeakPerHost))
	now := c.app.Prober.Sessions()
	gauge(c.sessions, now.Busy, "busy")
	gauge(c.sessions, now.Idle, "idle")
	gauge(c.waiting, now.Waiting)
}

// queueCollector measures the queues and the backlog when somebody asks, at most once in collectEvery.
type queueCollector struct {
	app                             *App
	tasks, latency, events, workers *prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	kept []prometheus.Metric
}

const (
	collectEvery   = 5 * time.Second
	collectTimeout = 3 * time.Second
)

func newQueueCollector(a *App) *queueCollector {
	return &queueCollector{app: a,
		tasks:   prometheus.NewDesc("beagle_queue_tasks", "Tasks in Redis by queue and state.", []string{"queue", "state"}, nil),
		latency: prometheus.NewDesc("beagle_queue_latency_seconds", "Age of the oldest task that waits.", []string{"queue"}, nil),
		events:  prometheus.NewDesc("beagle_backlog_events", "What waits for workers: tasks of high and default, rows of running lists. The autoscaler goes by the sum.", []string{"kind"}, nil),
		workers: prometheus.NewDesc("beagle_workers", "Workers that have shown themselves lately.", nil, nil),
	}
}

// Describe is part of prometheus.Collector.
func (c *queueCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.tasks, c.latency, c.events, c.workers} {
		out <- d
	}
}

// Collect is part of prometheus.Collector. What cannot be measured now is left out, and logged.
func (c *queueCollector) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.at) > collectEvery {
		ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
		defer cancel()
		kept, err := c.measure(ctx)
		if err != nil {
			c.app.Log.WarnContext(ctx, "queues not measured", "error", err)
		}
		c.kept, c.at = kept, now
	}
	for _, m := range c.kept {
		out <- m
	}
}

func (c *queueCollector) measure(ctx context.Context) (all []prometheus.Metric, err error) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...))
	}
	queues, err := c.app.Queues(ctx)
	for _, q := range queues {
		gauge(c.latency, q.Latency.Seconds(), q.Name)
		for state, n := range map[string]int64{"pending": q.Pending, "active": q.Active, "scheduled": q.Scheduled, "retry": q.Retry, "archived": q.Archived} {
			gauge(c.tasks, float64(n), q.Name, state)
		}
	}
	backlog, backlogErr := c.app.Backlog(ctx)
	if backlogErr == nil {
		gauge(c.events, float64(backlog.High), QueueHigh)
		gauge(c.events, float64(backlog.Default), QueueDefault)
		gauge(c.events, float64(backlog.Records), QueueRecords)
	}
	living, livingErr := c.app.LivingWorkers(ctx, workerDead)
	if livingErr == nil {
		gauge(c.workers, float64(len(living)))
	}
	return all, errors.Join(err, backlogErr, livingErr)
}
