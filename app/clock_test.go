package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

// shifted makes an app's clock run ahead by what is stored in the result. No worker may run yet.
func shifted(e *apptest.Env) *atomic.Int64 {
	ahead := new(atomic.Int64)
	e.App.Now = func() time.Time { return time.Now().UTC().Add(time.Duration(ahead.Load())) }
	return ahead
}

// waiting puts a running list of n rows into the database that no worker will touch.
func waiting(t *testing.T, e *apptest.Env, as app.Actor, ref string, n int) {
	require.NoError(t, e.DB.Exec(`INSERT INTO lists (ref, account_id, user_id, name, process, state, total, imported, changed_at, created_at)
		VALUES (?, ?, ?, ?, 'find', 'running', ?, ?, ?, ?)`, ref, as.Account, as.User, ref, n, n, e.Now(), e.Now()).Error)
}

func runOf(t *testing.T, runs []app.ScheduleRun, name string) app.ScheduleRun {
	t.Helper()
	i := slices.IndexFunc(runs, func(r app.ScheduleRun) bool { return r.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return runs[i]
}

func TestSchedulesAreShownBeforeTheyRan(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) {
		c.Run.PingURLs, c.Run.KeepMail, c.BaseURL = []string{"http://x.test"}, true, "http://x.test"
		c.Scale.Driver, c.Scale.HerokuApp, c.Scale.HerokuKey = config.ScaleHeroku, "a", "k"
	})
	runs, err := e.ScheduleRuns(t.Context())
	require.NoError(t, err)
	var names []string
	for _, r := range runs {
		names = append(names, r.Name)
		require.Zero(t, r.LastRunAt)
		require.NotZero(t, r.Every)
	}
	require.Equal(t, []string{"autoscale", "clean", "mail_health", "mails", "measure", "ping", "processes", "restart", "workers"}, names)
}

func TestScheduleOfTwoClocksRunsOnce(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		one := apptest.NewOn(t, s)
		two := apptest.Open(t, one.Config, one.World)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{}, 2)
		for _, e := range []*apptest.Env{one, two} {
			go func() { e.Schedules(ctx); done <- struct{}{} }()
		}
		var runs []app.ScheduleRun
		require.Eventually(t, func() bool {
			var err error
			runs, err = one.ScheduleRuns(ctx)
			return err == nil && len(runs) == 6 && !slices.ContainsFunc(runs, func(r app.ScheduleRun) bool { return r.LastResult == "" })
		}, apptest.Patience, 20*time.Millisecond)
		first := runs
		for range 5 { // a clock that looks again within the hour finds nothing due
			ran, err := two.Fire(ctx, "clean")
			require.NoError(t, err)
			require.False(t, ran)
		}
		runs, err := two.ScheduleRuns(ctx)
		require.NoError(t, err)
		require.Equal(t, first[0].LastRunAt, runs[0].LastRunAt)
		require.Equal(t, "clean", runs[0].Name)
		require.Equal(t, "deleted nothing", runs[0].LastResult)
		cancel()
		<-done
		<-done
	})
}

func TestAlarmWhenWorkWaitsAndNobodyDoesIt(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("a@one.example")
	_, err := e.Fire(t.Context(), "workers")
	require.NoError(t, err, "nothing waits")
	ahead := shifted(e)
	ahead.Store(int64(time.Minute))
	waiting(t, e, as, "w", 10)
	_, err = e.Fire(t.Context(), "workers")
	require.ErrorContains(t, err, "no worker has shown itself")
	runs, err := e.ScheduleRuns(t.Context())
	require.NoError(t, err)
	run := runOf(t, runs, "workers")
	require.True(t, run.Failed)
	require.Contains(t, run.LastResult, "10 events wait")
}

func TestCleaningDeletesWhatIsPastItsTimeAndNothingElse(t *testing.T) {
	e := apptest.New(t)
	ahead := shifted(e)
	e.Work()
	as := e.NewActor("a@one.example")
	old := e.Run(as, "old.csv", []byte("First Name,Last Name,Website\nGrace,Yates,onegate.example\n"))
	ahead.Store(int64(89 * 24 * time.Hour))
	young := e.Upload(as, "young.csv", []byte("First Name,Last Name,Website\nGrace,Yates,onegate.example\n"))
	result, err := e.Clean(t.Context())
	require.NoError(t, err)
	require.NotContains(t, result, "lists")
	ahead.Store(int64(91 * 24 * time.Hour))
	result, err = e.Clean(t.Context())
	require.NoError(t, err)
	require.Contains(t, result, "1 lists")
	_, err = e.List(t.Context(), as.Account, old.Ref)
	require.Equal(t, app.CodeNotFound, app.CodeOf(err))
	_, err = e.List(t.Context(), as.Account, young.Ref)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		var rows int64
		return e.DB.Model(&app.Record{}).Where("list_id = ?", old.ID).Count(&rows).Error == nil && rows == 0
	}, apptest.Patience, 50*time.Millisecond, "the records and files go in the background")
}

func TestAutoscalerCountsRowsAndTellsHeroku(t *testing.T) {
	quantity := 3
	heroku := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/apps/beagle-test/formation/worker", r.URL.Path)
		if r.Method == http.MethodPatch {
			body, _ := io.ReadAll(r.Body)
			var change struct{ Quantity int }
			require.NoError(t, json.Unmarshal(body, &change))
			quantity = change.Quantity
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "worker", "quantity": quantity})
	}))
	defer heroku.Close()
	e := apptest.New(t, func(c *config.Config) {
		c.Scale.Driver, c.Scale.HerokuApp, c.Scale.HerokuKey, c.Scale.HerokuURL = config.ScaleHeroku, "beagle-test", "k", heroku.URL
	})
	as := e.NewActor("a@one.example")
	waiting(t, e, as, "w", 2500)
	require.NoError(t, e.DB.Exec(`INSERT INTO list_counts (list_id, state, status, reason, rows) SELECT id, 'done', 'valid', '', 500 FROM lists`).Error)
	d, err := e.Autoscale(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, 20, d.Workers, d.Why)
	require.Equal(t, 3, quantity, "a dry run changes nothing")
	ran, err := e.Fire(t.Context(), "autoscale")
	require.NoError(t, err)
	require.True(t, ran)
	require.Equal(t, 20, quantity)
	require.NoError(t, e.DB.Exec("DELETE FROM lists").Error)
	d, err = e.Autoscale(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, 20, d.Workers, "the decision before is remembered: %s", d.Why)
}

func TestAutoscalerRunsTheOperatorsCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "n")
	e := apptest.New(t, func(c *config.Config) {
		c.Scale.Driver, c.Scale.Command = config.ScaleExec, "printf %s $WORKERS > "+file
	})
	d, err := e.Autoscale(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, 3, d.Workers)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "3", string(got))
}
