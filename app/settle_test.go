package app_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

const threePeople = "first name,last name,domain\nAda,Ash,alder.example\nBen,Birch,alder.example\nCleo,Cedar,alder.example\n"

// running is a started list whose rows nobody looks up: the import has run, and no worker.
func running(t *testing.T, e *apptest.Env, as app.Actor, file string) (app.List, []app.Record) {
	t.Helper()
	l, err := e.Start(t.Context(), as, e.Upload(as, "people.csv", []byte(file)).Ref, app.StartParams{})
	require.NoError(t, err)
	require.NoError(t, e.Import(t.Context(), l.ID))
	l, err = e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListRunning, l.State, "%s %s", l.Reason, l.Note)
	rows, _, err := e.Records(t.Context(), as.Account, l, app.RecordQuery{Limit: 500})
	require.NoError(t, err)
	return l, rows
}

func TestFirstAnswerWinsAndIsChargedOnce(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(c *config.Config) { c.Credits = true })
		as := e.NewActor("owner@alder.example")
		require.NoError(t, e.GrantCredits(t.Context(), as.Account, 10))
		l, rows := running(t, e, as, threePeople)

		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				r := rows[i%len(rows)]
				require.NoError(t, e.Answer(t.Context(), r, r.Attempt, r.FirstName+"@alder.example"))
			})
		}
		all.Wait()
		require.NoError(t, e.Answer(t.Context(), rows[0], rows[0].Attempt, "late@alder.example"))
		require.NoError(t, e.Answer(t.Context(), rows[0], rows[0].Attempt+1, "future@alder.example"))

		account, err := e.Account(t.Context(), as.Account)
		require.NoError(t, err)
		require.EqualValues(t, 7, account.Credits, "three rows, three credits")
		r, err := e.Record(t.Context(), as.Account, l, "1")
		require.NoError(t, err)
		require.Equal(t, "Ada@alder.example", r.Email)
		l, err = e.List(t.Context(), as.Account, l.Ref)
		require.NoError(t, err)
		require.Equal(t, app.ListExporting, l.State, "the last answer ends the list")
		require.NoError(t, e.Export(t.Context(), l.ID))
		require.NoError(t, e.Export(t.Context(), l.ID), "twice is once more, and no harm")
		countersEqualRecords(t, e, l)
	})
}

func TestRowsOfADeadWorkerAreGivenBackAndTheThirdCrashIsPoison(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, threePeople)
		for crash := 1; crash <= 3; crash++ {
			long := time.Now().UTC().Add(-time.Minute)
			require.NoError(t, e.DB.Exec("UPDATE records SET state = 'queued', queued_at = ? WHERE id = ?", long, rows[1].ID).Error)
			require.NoError(t, e.DB.Exec("DELETE FROM workers").Error)
			require.NoError(t, e.DB.Exec("INSERT INTO workers (id, host, holding, started_at, beat_at) VALUES ('dead', 'h', ?, ?, ?)", fmt.Sprintf(`["record:2:%d"]`, crash), long, long).Error)
			_, err := e.SweepOnce(t.Context(), nil)
			require.NoError(t, err)
			r, err := e.Record(t.Context(), as.Account, l, "2")
			require.NoError(t, err)
			require.Equal(t, crash, r.Crashes)
			if crash < 3 {
				require.Equal(t, []string{app.RecordPending, app.RecordRetrying}[crash-1], r.State, "after the second crash it waits a while")
				require.Equal(t, 1+crash, r.Attempt, "what the dead worker may still write comes too late")
				continue
			}
			require.Equal(t, app.RecordFailed, r.State)
			require.Equal(t, "poison", r.Reason)
			require.NotEmpty(t, r.Note)
		}
	})
}

func TestRowWhoseTaskIsLostIsGivenBackInTheSecondRound(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	long := time.Now().UTC().Add(-time.Minute)
	require.NoError(t, e.DB.Exec("UPDATE records SET state = 'queued', queued_at = ? WHERE id = ?", long, rows[2].ID).Error)

	suspects, err := e.SweepOnce(t.Context(), nil)
	require.NoError(t, err)
	r, err := e.Record(t.Context(), as.Account, l, "3")
	require.NoError(t, err)
	require.Equal(t, app.RecordQueued, r.State, "one look is not enough: its worker may not have beaten yet")

	_, err = e.SweepOnce(t.Context(), suspects)
	require.NoError(t, err)
	r, err = e.Record(t.Context(), as.Account, l, "3")
	require.NoError(t, err)
	require.Equal(t, app.RecordPending, r.State)
	require.Equal(t, 2, r.Attempt)
	require.Zero(t, r.Crashes)
}

func TestOldestQueuedRowsAreLookedAtFirst(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		_, _ = running(t, e, as, threePeople)
		l, rows := running(t, e, as, threePeople) // behind the other one in table and index
		now := time.Now().UTC()
		require.NoError(t, e.DB.Exec(`WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO records (list_id, account_id, row_no, cells, state, queued_at) SELECT ?, ?, i, '[]', 'queued', ? FROM n`,
			app.SweepRows+10, l.ID-1, as.Account, now.Add(-time.Minute)).Error)
		require.NoError(t, e.DB.Exec("UPDATE records SET state = 'queued', queued_at = ? WHERE id = ?", now.Add(-time.Hour), rows[2].ID).Error)
		var held []string
		require.NoError(t, e.DB.Raw("SELECT 'record:' || id || ':' || attempt FROM records WHERE list_id = ? AND state = 'queued'", l.ID-1).Scan(&held).Error)
		require.Greater(t, len(held), app.SweepRows)
		holding, err := json.Marshal(held)
		require.NoError(t, err)
		require.NoError(t, e.DB.Exec("INSERT INTO workers (id, host, holding, started_at, beat_at) VALUES ('alive', 'h', ?, ?, ?)", string(holding), now, now.Add(time.Minute)).Error)
		round := e.Rounds()
		for range 2 {
			require.NoError(t, round(t.Context()))
		}
		r, err := e.Record(t.Context(), as.Account, l, fmt.Sprint(rows[2].ID))
		require.NoError(t, err)
		require.Equal(t, app.RecordPending, r.State, "however many younger ones are in somebody's hands")
	})
}

func TestListsThatStandStillHaveTheirTurn(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		const lists = app.SweepLists + 3
		long := time.Now().UTC().Add(-time.Hour)
		for from, state := range []string{"exporting", "finished"} {
			require.NoError(t, e.DB.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
				INSERT INTO lists (ref, account_id, user_id, name, process, state, filename, upload_key, changed_at, result_at, created_at)
				SELECT ? || i, ?, ?, 'l', 'none', ?, 'f', 'u', ?, ?, ? FROM n`, lists, fmt.Sprint(from, "-"), as.Account, as.User, state, long, long.Add(-time.Hour), long).Error)
		}
		queued := func() int {
			info, err := e.Queue.Inspector.GetQueueInfo(app.QueueDefault)
			require.NoError(t, err)
			return info.Pending
		}
		round := e.Rounds()
		require.NoError(t, round(t.Context()))
		require.Equal(t, 2*app.SweepLists, queued(), "of each kind so many in one round")
		require.NoError(t, round(t.Context()))
		require.Equal(t, 2*lists, queued(), "and the rest in the next")
		require.NoError(t, round(t.Context()))
		require.Equal(t, 2*lists, queued(), "what is queued is not queued twice")

		require.NoError(t, e.Queue.Redis.FlushAll(t.Context()).Err())
		require.NoError(t, e.Afresh(t.Context()))
		require.Equal(t, 2*lists, queued(), "all at once after a start")
	})
}

func TestCountersThatDriftedAreMadeAnew(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	for _, r := range rows {
		require.NoError(t, e.Answer(t.Context(), r, r.Attempt, "x@alder.example"))
	}
	long := time.Now().UTC().Add(-time.Hour)
	require.NoError(t, e.DB.Exec("DELETE FROM list_counts").Error)
	require.NoError(t, e.DB.Exec("UPDATE lists SET state = 'running', changed_at = ?", long).Error)
	_, err := e.SweepOnce(t.Context(), nil)
	require.NoError(t, err)
	l, err = e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListExporting, l.State)
	countersEqualRecords(t, e, l)
}

func TestImportGoesOnAfterTheLastCommittedRow(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, err := e.Start(t.Context(), as, e.Upload(as, "people.csv", []byte(threePeople)).Ref, app.StartParams{})
		require.NoError(t, err)
		require.NoError(t, e.Import(t.Context(), l.ID))
		// As if the process had died after the first row's commit.
		require.NoError(t, e.DB.Exec("DELETE FROM records WHERE row_no > 1").Error)
		require.NoError(t, e.DB.Exec("UPDATE lists SET state = 'importing', imported = 1, total = 0").Error)
		require.NoError(t, e.Import(t.Context(), l.ID))
		require.NoError(t, e.Import(t.Context(), l.ID), "an import that comes late does nothing")
		l, err = e.List(t.Context(), as.Account, l.Ref)
		require.NoError(t, err)
		require.EqualValues(t, 3, l.Total)
		out := readTable(t, e.Result(as, l, sheet.CSV, false), ',')
		require.Len(t, out.rows, 3)
		require.Equal(t, []string{"Cleo", "Cedar", "alder.example"}, out.rows[2][:3])
	})
}
