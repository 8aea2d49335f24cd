package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/finder"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

const alertSecret = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"

// told is what ALERT_WEBHOOK_URL got: type and name of the alarm. The signature is checked.
func told(t *testing.T, m message) (kind, name string) {
	t.Helper()
	verifier, err := webhooks.NewWebhook(alertSecret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(m.body, m.header))
	var body struct {
		Type string
		Data struct{ Name, Note string }
	}
	require.NoError(t, json.Unmarshal(m.body, &body))
	require.NotEmpty(t, body.Data.Note)
	return body.Type, body.Data.Name
}

func alerts(url string) func(*config.Config) {
	return func(c *config.Config) { c.Run.AlertURL, c.Run.AlertSecret = url, alertSecret }
}

// dies puts a process on the list that shows itself no more.
func dies(t *testing.T, e *apptest.Env, kind string) {
	require.NoError(t, e.DB.Exec("INSERT INTO processes (id, kind, started_at, beat_at) VALUES (?, ?, ?, ?)", kind+" gone", kind, e.Now(), e.Now()).Error)
}

func TestAlarmWhenAProcessIsGoneAndWhenItIsReplaced(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		url, got := target(t, 500, 500, 204)
		e := apptest.NewOn(t, s, alerts(url))
		ahead := shifted(e)
		for _, kind := range []string{app.KindWeb, app.KindWorker, app.KindClock} {
			dies(t, e, kind)
		}
		_, err := e.Fire(t.Context(), "processes")
		require.NoError(t, err)
		alarms, err := e.Alarms(t.Context())
		require.NoError(t, err)
		require.Empty(t, alarms)

		ahead.Store(int64(time.Minute))
		_, err = e.Fire(t.Context(), "processes")
		require.ErrorContains(t, err, "500", "the first alarm was not taken")
		alarms, err = e.Alarms(t.Context())
		require.NoError(t, err)
		require.Len(t, alarms, 3)
		ahead.Store(int64(2 * time.Minute))
		_, err = e.Fire(t.Context(), "processes")
		require.NoError(t, err, "told in the next round")
		names := map[string]bool{}
		for range 5 { // two that were refused
			kind, name := told(t, receive(t, got))
			require.Equal(t, "alarm.raised", kind)
			names[name] = true
		}
		require.Equal(t, map[string]bool{"process web": true, "process worker": true, "process clock": true}, names)
		ahead.Store(int64(3 * time.Minute))
		_, err = e.Fire(t.Context(), "processes")
		require.NoError(t, err)
		require.Empty(t, got, "once is enough")

		ctx, leave := context.WithCancel(t.Context())
		left := make(chan struct{})
		go func() { e.Attend(ctx, app.KindWeb); close(left) }()
		require.Eventually(t, func() bool { all, err := e.Processes(t.Context()); return err == nil && len(all) == 4 }, apptest.Patience, 10*time.Millisecond)
		ahead.Store(int64(3*time.Minute + 20*time.Second))
		_, err = e.Fire(t.Context(), "processes")
		require.NoError(t, err)
		kind, name := told(t, receive(t, got))
		require.Equal(t, []string{"alarm.cleared", "process web"}, []string{kind, name})
		leave()
		<-left
		all, err := e.Processes(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 2, "who ends in order is not missed, and the replaced one is forgotten")
	})
}

func TestProcessThatNobodyExpectsBackIsForgotten(t *testing.T) {
	e := apptest.New(t)
	ahead := shifted(e)
	dies(t, e, app.KindWorker)
	for _, at := range []time.Duration{time.Hour, 25 * time.Hour} {
		ahead.Store(int64(at))
		_, err := e.Fire(t.Context(), "processes")
		require.NoError(t, err)
	}
	alarms, err := e.Alarms(t.Context())
	require.NoError(t, err)
	require.Empty(t, alarms)
	all, err := e.Processes(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestAlarmWhileAnAddressDoesNotAnswer(t *testing.T) {
	url, got := target(t, 204)
	site, _ := target(t, 503, 503, 200)
	e := apptest.New(t, alerts(url), func(c *config.Config) { c.Run.PingURLs = []string{site + "/readyz"} })
	ahead := shifted(e)
	_, err := e.Fire(t.Context(), "ping")
	require.NoError(t, err)
	kind, name := told(t, receive(t, got))
	require.Equal(t, []string{"alarm.raised", "ping " + site + "/readyz"}, []string{kind, name})
	ahead.Store(int64(time.Minute))
	_, err = e.Fire(t.Context(), "ping")
	require.NoError(t, err)
	kind, _ = told(t, receive(t, got))
	require.Equal(t, "alarm.cleared", kind)
	runs, err := e.ScheduleRuns(t.Context())
	require.NoError(t, err)
	require.Equal(t, "1 of 1 addresses answer", runOf(t, runs, "ping").LastResult)
}

func TestAlarmThatNoWorkerWorksIsOverWhenOneComes(t *testing.T) {
	url, got := target(t, 204)
	e := apptest.New(t, alerts(url))
	as := e.NewActor("a@one.example")
	ahead := shifted(e)
	ahead.Store(int64(2 * time.Minute))
	waiting(t, e, as, "w", 10)
	_, err := e.Fire(t.Context(), "workers")
	require.ErrorContains(t, err, "no worker")
	_, err = e.Fire(t.Context(), "processes")
	require.NoError(t, err)
	kind, name := told(t, receive(t, got))
	require.Equal(t, []string{"alarm.raised", "no worker"}, []string{kind, name})
	require.NoError(t, e.DB.Exec("INSERT INTO workers (id, host, holding, started_at, beat_at) VALUES ('w', 'w', '[]', ?, ?)", e.Now(), e.Now().Add(time.Minute)).Error)
	ahead.Store(int64(3 * time.Minute))
	_, err = e.Fire(t.Context(), "workers")
	require.NoError(t, err)
	_, err = e.Fire(t.Context(), "processes")
	require.NoError(t, err)
	kind, _ = told(t, receive(t, got))
	require.Equal(t, "alarm.cleared", kind)
}

func TestClockMeasuresForTheCharts(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("a@one.example")
		var ahead atomic.Int64
		begin := time.Now().UTC().Truncate(15 * time.Minute)
		e.App.Now = func() time.Time { return begin.Add(time.Duration(ahead.Load())) }
		waiting(t, e, as, "w", 250)
		for minute := range int64(3) {
			ahead.Store(minute * int64(time.Minute))
			_, err := e.Fire(t.Context(), "measure")
			require.NoError(t, err)
		}
		ahead.Store(int64(16 * time.Minute))
		require.NoError(t, e.DB.Exec("UPDATE lists SET total = 40").Error)
		_, err := e.Fire(t.Context(), "measure")
		require.NoError(t, err)
		ahead.Store(int64(20 * time.Minute))
		hour, err := e.Gauges(t.Context(), time.Hour, time.Minute)
		require.NoError(t, err)
		rows := hour[app.BacklogGauge(app.QueueRecords)]
		require.Len(t, rows, 4)
		require.Equal(t, 250.0, rows[0].Value)
		require.Contains(t, hour, app.LatencyGauge(app.QueueHigh))
		require.Equal(t, 0.0, hour[app.WorkersGauge][0].Value)
		day, err := e.Gauges(t.Context(), 24*time.Hour, 15*time.Minute)
		require.NoError(t, err)
		rows = day[app.BacklogGauge(app.QueueRecords)]
		require.Len(t, rows, 2)
		require.Equal(t, begin, rows[0].At)
		require.Equal(t, []float64{250, 40}, []float64{rows[0].Value, rows[1].Value}, "the largest of each step")
		week, err := e.Gauges(t.Context(), 7*24*time.Hour, 2*time.Hour)
		require.NoError(t, err)
		require.Equal(t, 250.0, week[app.BacklogGauge(app.QueueRecords)][0].Value)
	})
}

func TestOldDynosAreRestartedByTheClock(t *testing.T) {
	var deleted []string
	heroku := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			deleted = append(deleted, r.URL.Path)
			w.WriteHeader(http.StatusAccepted)
			return
		}
		_ = json.NewEncoder(w).Encode([]map[string]any{{"name": "worker.1", "type": "worker", "state": "up", "created_at": time.Now().Add(-7 * time.Hour)},
			{"name": "worker.2", "type": "worker", "state": "up", "created_at": time.Now()}})
	}
	e := apptest.New(t, func(c *config.Config) {
		c.Scale.Driver, c.Scale.HerokuApp, c.Scale.HerokuKey, c.Scale.HerokuURL = config.ScaleHeroku, "beagle-test", "k", serve(t, heroku)
	})
	ran, err := e.Fire(t.Context(), "restart")
	require.NoError(t, err)
	require.True(t, ran)
	require.Equal(t, []string{"/apps/beagle-test/dynos/worker.1"}, deleted)
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestFactsOfDomainsInUseAreRefreshed(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		ahead := shifted(e)
		as := e.NewActor("a@one.example")
		stop := e.Work()
		e.Run(as, "one.csv", []byte("First Name,Last Name,Website\nGrace,Yates,onegate.example\nNathan,Fenwick,pelican-apps.example\n"))
		stop()
		ages := func() (all []time.Time) {
			require.NoError(t, e.DB.Raw("SELECT checked_at FROM domains WHERE name IN ('onegate.example', 'pelican-apps.example') ORDER BY name").Scan(&all).Error)
			require.Len(t, all, 2)
			return all
		}
		before := ages()
		by := e
		refresh := func() string {
			_, err := by.Fire(t.Context(), "domains")
			require.NoError(t, err)
			runs, err := e.ScheduleRuns(t.Context())
			require.NoError(t, err)
			return runOf(t, runs, "domains").LastResult
		}
		require.Equal(t, "asked about 0 domains, 0 without an answer", refresh(), "they are young")
		ahead.Store(int64(25 * time.Hour))
		require.Contains(t, refresh(), "asked about 2 domains, 0 without")
		after := ages()
		require.Greater(t, after[0].Sub(before[0]), 24*time.Hour)
		by = apptest.Open(t, e.Config, e.World) // it remembers nothing of what DNS said
		by.App.Now = e.App.Now
		require.NoError(t, e.World.Close())
		ahead.Store(int64(50 * time.Hour))
		require.Contains(t, refresh(), "asked about 2 domains, 2 without")
		require.Equal(t, after, ages(), "silence changes nothing")
		ahead.Store(int64(40 * 24 * time.Hour))
		require.Contains(t, refresh(), "asked about 0 domains", "nobody uses them any more")
	})
}

func TestJobThatPanicsIsReportedAndItsRowEndsFailed(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) { c.Worker.RecordServers = 1 })
	as := e.NewActor("a@one.example")
	var log lockedBuffer
	broken, err := app.Open(t.Context(), e.Config, app.Options{Log: slog.New(slog.NewJSONHandler(&log, nil)), Dial: e.World.Dial,
		Ask: func(context.Context, string, finder.Person) (finder.Result, error) { panic("a bug of ours") }})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- broken.Work(ctx) }()
	l := e.Run(as, "one.csv", []byte("First Name,Last Name,Website\nGrace,Yates,onegate.example\n"))
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, broken.Close())
	require.Equal(t, app.ListFinished, l.State)
	rows, _, err := e.Records(t.Context(), as.Account, l, app.RecordQuery{})
	require.NoError(t, err)
	require.Equal(t, []string{app.RecordFailed, "internal_error"}, []string{rows[0].State, rows[0].Reason})
	require.Contains(t, log.String(), `"msg":"job panicked","kind":"record:find","panic":"a bug of ours"`)
	require.Contains(t, log.String(), `"msg":"record given up"`)
	require.NotContains(t, log.String(), "Yates")
}

// lockedBuffer takes lines of several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestAlarmOfAnAddressEndsWhenNobodyAsksItAnyMore(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) { c.Run.PingURLs = []string{"http://127.0.0.1:1/readyz"} })
	ahead := shifted(e)
	_, err := e.Fire(t.Context(), "ping")
	require.NoError(t, err)
	_, err = e.Fire(t.Context(), "workers")
	require.NoError(t, err)
	alarms, err := e.Alarms(t.Context())
	require.NoError(t, err)
	require.Len(t, alarms, 1, "it is still asked")
	e.App.Config.Run.PingURLs = nil
	ahead.Store(int64(time.Minute))
	_, err = e.Fire(t.Context(), "workers")
	require.NoError(t, err)
	alarms, err = e.Alarms(t.Context())
	require.NoError(t, err)
	require.Empty(t, alarms)
}
