package app_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/files"

	"github.com/stretchr/testify/require"
)

// repaired is how often something was repaired, by the name it has among the metrics.
func repaired(t *testing.T, e *apptest.Env, what string) int {
	t.Helper()
	families, err := e.Metrics.Registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "beagle_sweep_repairs_total" && m.GetLabel()[0].GetValue() == what {
				return int(m.GetCounter().GetValue())
			}
		}
	}
	return 0
}

func TestCountersThatDriftedAreMadeRightByTheClock(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, threePeople)
		for _, r := range rows[:2] {
			require.NoError(t, e.Answer(t.Context(), r, r.Attempt, "x@alder.example"))
		}
		require.NoError(t, e.DB.Exec("UPDATE list_counts SET rows = rows + 5").Error)
		require.NoError(t, e.DB.Exec("INSERT INTO list_counts (list_id, state, status, reason, rows) VALUES (?, 'failed', 'unknown', 'nonsense', 3)", l.ID).Error)
		ran, err := e.Fire(t.Context(), "reconcile")
		require.NoError(t, err)
		require.True(t, ran)
		require.EqualValues(t, 2, counted(t, e, as, l).Done)
		require.Equal(t, 2, repaired(t, e, "counters"))
		result, err := e.Reconcile(t.Context())
		require.NoError(t, err)
		require.Equal(t, "0 lists counted anew, 0 files of nobody deleted", result)
		runs, err := e.ScheduleRuns(t.Context())
		require.NoError(t, err)
		at := slices.IndexFunc(runs, func(r app.ScheduleRun) bool { return r.Name == "reconcile" })
		require.Equal(t, "1 lists counted anew, 0 files of nobody deleted", runs[at].LastResult, "an operator can read it")
	})
}

func TestListThatSeemedUnfinishedByItsCountersEnds(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	require.NoError(t, e.DB.Exec("INSERT INTO list_counts (list_id, state, status, reason, rows) VALUES (?, 'done', 'valid', 'mailbox_exists', -2)", l.ID).Error)
	for _, r := range rows {
		require.NoError(t, e.Answer(t.Context(), r, r.Attempt, "x@alder.example"))
	}
	now, err := e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListRunning, now.State)
	_, err = e.Reconcile(t.Context())
	require.NoError(t, err)
	now, err = e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListExporting, now.State)
}

func TestFilesOfNobodyAreDeletedWhenTheyAreOld(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		ahead := shifted(e)
		as := e.NewActor("owner@alder.example")
		l := e.Upload(as, "people.csv", []byte(threePeople))
		put := func(key string) {
			_, err := e.Files.Put(t.Context(), key, "text/plain", strings.NewReader("x"))
			require.NoError(t, err)
		}
		// A web process that died before it made the list, and an export that came after its list was cleared.
		put("accounts/1/lists/nobody/upload")
		put("accounts/1/lists/nobody/result-v1.csv")
		put("backups/of/somebody/else")
		result, err := e.Reconcile(t.Context())
		require.NoError(t, err)
		require.Contains(t, result, "0 files", "the list may be about to be made")
		ahead.Store(int64(2 * time.Hour))
		result, err = e.Reconcile(t.Context())
		require.NoError(t, err)
		require.Contains(t, result, "2 files of nobody deleted")
		require.Equal(t, 2, repaired(t, e, "orphans"))
		_, err = e.Files.Size(t.Context(), "accounts/1/lists/nobody/upload")
		require.ErrorIs(t, err, files.ErrNotFound)
		for _, kept := range []string{l.UploadKey, "backups/of/somebody/else"} {
			_, err = e.Files.Size(t.Context(), kept)
			require.NoError(t, err, kept)
		}
	})
}

func TestResultThatComesAfterItsListWasDeletedIsDeletedToo(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	for _, r := range rows {
		require.NoError(t, e.Answer(t.Context(), r, r.Attempt, "x@alder.example"))
	}
	// The list goes while its export reads the records: the first thing that an export does is to read the list.
	exporting, err := e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.NoError(t, e.DeleteList(t.Context(), as, l.Ref))
	require.NoError(t, e.ExportOf(t.Context(), exporting))
	require.NoError(t, e.Clear(t.Context(), l.ID))
	require.NoError(t, e.ExportOf(t.Context(), exporting), "nor is one left that comes after all is gone")
	for f, err := range e.Files.List(t.Context(), "") {
		require.NoError(t, err)
		t.Fatalf("%s is left", f.Key)
	}
}

func TestJobsOfListsThatWereLostAreQueuedAgain(t *testing.T) {
	for state, task := range map[string]string{app.ListImporting: "list:import", app.ListExporting: "list:export", app.ListDeleting: "list:clear"} {
		t.Run(state, func(t *testing.T) {
			e := apptest.New(t)
			as := e.NewActor("owner@alder.example")
			l, _ := running(t, e, as, threePeople)
			require.NoError(t, e.Queue.Redis.FlushAll(t.Context()).Err())
			require.NoError(t, e.DB.Exec("UPDATE lists SET state = ?, changed_at = ? WHERE id = ?", state, e.Now().Add(-time.Minute), l.ID).Error)
			_, err := e.SweepOnce(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, 1, repaired(t, e, "list"))
			_, err = e.SweepOnce(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, 1, repaired(t, e, "list"), "it is there now: %s", task)
			e.Work()
			require.Eventually(t, func() bool {
				var now []app.List
				err := e.DB.Where("id = ?", l.ID).Find(&now).Error
				return err == nil && (len(now) == 0) == (state == app.ListDeleting) && (len(now) == 0 || now[0].State != state)
			}, apptest.Patience, 20*time.Millisecond)
		})
	}
}

func TestRowsThatWaitForNobodysAnswerAskForThemselves(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	require.NoError(t, e.DB.Exec("UPDATE records SET twin_of = 999 WHERE id = ?", rows[2].ID).Error)
	for _, r := range rows[:2] {
		require.NoError(t, e.Answer(t.Context(), r, r.Attempt, "x@alder.example"))
	}
	require.NoError(t, e.DB.Exec("UPDATE lists SET changed_at = ?", e.Now().Add(-time.Minute)).Error)
	_, err := e.SweepOnce(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, repaired(t, e, "untied"))
	require.Nil(t, records(t, e, as, l, app.RecordQuery{})[2].TwinOf)
}

func TestLeaseOfADeadProcessIsTakenOverWhenItsTimeIsUp(t *testing.T) {
	e := apptest.New(t)
	ahead := shifted(e)
	as := e.NewActor("owner@alder.example")
	l, _ := running(t, e, as, threePeople)
	for _, name := range []string{"feeder", "sweep"} {
		require.NoError(t, e.DB.Exec("INSERT INTO leases (name, holder, until) VALUES (?, 'dead', ?)", name, e.Now().Add(time.Hour)).Error)
	}
	ctx, cancel := context.WithCancel(t.Context())
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		e.Feed(ctx)
	}()
	holder := func() (holder string) {
		require.NoError(t, e.DB.Raw("SELECT holder FROM leases WHERE name = 'feeder'").Scan(&holder).Error)
		return holder
	}
	time.Sleep(500 * time.Millisecond) // two tries of the feeder
	require.Equal(t, "dead", holder())
	ahead.Store(int64(2 * time.Hour))
	require.Eventually(t, func() bool { return holder() != "dead" }, apptest.Patience, 20*time.Millisecond)
	require.Eventually(t, func() bool { return len(records(t, e, as, l, app.RecordQuery{State: app.RecordQueued})) == 3 }, apptest.Patience, 20*time.Millisecond)
	cancel()
	<-fed
}
