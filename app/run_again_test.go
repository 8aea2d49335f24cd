package app_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func recordIDs(rows []app.Record) []string {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = strconv.FormatInt(r.ID, 10)
	}
	return ids
}

func records(t *testing.T, e *apptest.Env, as app.Actor, l app.List, q app.RecordQuery) []app.Record {
	t.Helper()
	q.Limit = 500
	rows, _, err := e.Records(t.Context(), as.Account, l, q)
	require.NoError(t, err)
	return rows
}

func TestSelectedRowsAreLookedUpAgainAndPaidOnce(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(c *config.Config) { c.Credits = true })
		as, other := e.NewActor("owner@alder.example"), e.NewActor("other@birch.example")
		require.NoError(t, e.GrantCredits(t.Context(), as.Account, 10))
		require.NoError(t, e.GrantCredits(t.Context(), other.Account, 10))
		l, rows := running(t, e, as, threePeople+"Ada,Ash,alder.example\n")
		for _, r := range rows[:3] {
			require.NoError(t, e.Answer(t.Context(), r, r.Attempt, r.FirstName+"@alder.example"))
		}
		require.NoError(t, e.Export(t.Context(), l.ID))

		_, err := e.RunAgain(t.Context(), other, l.Ref, app.Selection{})
		require.Equal(t, app.CodeNotFound, app.CodeOf(err))
		n, err := e.RunAgain(t.Context(), as, l.Ref, app.Selection{IDs: recordIDs(rows[1:2])})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		counts := counted(t, e, as, l)
		require.EqualValues(t, 3, counts.Done)
		require.EqualValues(t, 1, counts.Waiting)
		again := records(t, e, as, l, app.RecordQuery{State: app.RecordPending})
		require.Equal(t, "Ben", again[0].FirstName)
		require.Empty(t, again[0].Email, "the earlier answer is gone")
		require.Equal(t, "Ben@alder.example", again[0].PreviousEmail, "but kept as the previous one")
		require.Equal(t, "valid", again[0].PreviousStatus)
		require.NotNil(t, again[0].PreviousAt)
		require.NoError(t, e.Answer(t.Context(), again[0], rows[1].Attempt, "stale@alder.example"), "of the earlier run")
		require.NoError(t, e.Answer(t.Context(), again[0], again[0].Attempt, "ben.birch@alder.example"))
		require.EqualValues(t, 4, counted(t, e, as, l).Done)
		account, err := e.Account(t.Context(), as.Account)
		require.NoError(t, err)
		require.EqualValues(t, 7, account.Credits, "the same question is not paid for twice")
		require.NoError(t, e.Export(t.Context(), l.ID))
		l, err = e.List(t.Context(), as.Account, l.Ref)
		require.NoError(t, err)
		require.Equal(t, app.ListFinished, l.State)
		require.Equal(t, 2, l.ResultVersion)
	})
}

func TestAllRowsCanRunAgainAndRepeatedOnesAskOnce(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		var file strings.Builder
		file.WriteString("first name,last name,domain\n")
		for i := range 2500 { // more than one batch
			fmt.Fprintf(&file, "Ada,Ash,d%d.example\n", i/2)
		}
		l, _ := running(t, e, as, file.String())
		require.NoError(t, e.DB.Exec("UPDATE records SET state = 'done', status = 'valid', reason = 'mailbox_exists', email = 'x@y.example'").Error)
		require.NoError(t, e.DB.Exec("INSERT INTO list_counts (list_id, state, status, reason, rows) VALUES (?, 'done', 'valid', 'mailbox_exists', 2500)", l.ID).Error)
		n, err := e.RunAgain(t.Context(), as, l.Ref, app.Selection{Query: app.RecordQuery{Status: "valid"}})
		require.NoError(t, err)
		require.EqualValues(t, 2500, n)
		var waiting, tied int64
		require.NoError(t, e.DB.Raw("SELECT COUNT(*) FROM records WHERE state = 'pending' AND run = 2 AND attempt = 2 AND email = ''").Scan(&waiting).Error)
		require.NoError(t, e.DB.Raw("SELECT COUNT(*) FROM records WHERE twin_of IS NOT NULL").Scan(&tied).Error)
		require.EqualValues(t, 2500, waiting)
		require.EqualValues(t, 1250, tied, "across batches too")
		p, err := e.Progress(t.Context(), l)
		require.NoError(t, err)
		require.Zero(t, p.Done)
		_, err = e.RunAgain(t.Context(), as, l.Ref, app.Selection{})
		require.Equal(t, app.CodeConflict, app.CodeOf(err), "they wait already")
	})
}

func TestRepeatedRowAsksForItselfWhenTheFirstKeepsItsAnswer(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople+"Ada,Ash,alder.example\nAda,Ash,alder.example\n")
	require.NoError(t, e.Answer(t.Context(), rows[0], rows[0].Attempt, "ada@alder.example"))
	_, err := e.RunAgain(t.Context(), as, l.Ref, app.Selection{IDs: recordIDs(rows[3:4])})
	require.NoError(t, err)
	again := records(t, e, as, l, app.RecordQuery{})
	require.Nil(t, again[3].TwinOf)
	require.Equal(t, app.RecordPending, again[3].State)

	// The first row asks something else now: what repeated it has its answer still, and asks its own question when run again.
	_, err = e.EditRecord(t.Context(), as, l.Ref, recordIDs(rows[:1])[0], map[string]string{"last name": "Aspen"})
	require.NoError(t, err)
	_, err = e.RunAgain(t.Context(), as, l.Ref, app.Selection{IDs: recordIDs(rows[4:5])})
	require.NoError(t, err)
	require.Nil(t, records(t, e, as, l, app.RecordQuery{})[4].TwinOf)
	counted(t, e, as, l)
}

func TestSelectionThatCannotRunIsRefused(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	_, err := e.RunAgain(t.Context(), as, l.Ref, app.Selection{IDs: []string{"ninety"}})
	require.Equal(t, app.CodeNotFound, app.CodeOf(err))
	_, err = e.RunAgain(t.Context(), as, l.Ref, app.Selection{IDs: make([]string, app.MaxSelected+1)})
	require.Equal(t, app.CodeTooLarge, app.CodeOf(err))
	require.NoError(t, e.DB.Exec("UPDATE records SET state = 'failed', status = 'unknown', reason = 'bad_line' WHERE id = ?", rows[0].ID).Error)
	_, err = e.RunAgain(t.Context(), as, l.Ref, app.Selection{IDs: recordIDs(rows[:1])})
	require.Equal(t, app.CodeConflict, app.CodeOf(err))
	_, err = e.Cancel(t.Context(), as, l.Ref)
	require.NoError(t, err)
	_, err = e.RunAgain(t.Context(), as, l.Ref, app.Selection{})
	require.Equal(t, app.CodeConflict, app.CodeOf(err), "a canceled list stays canceled")
}

func TestFailedAndUnknownRowsOfAnEndedListRunAgain(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, threePeople)
		_, err := e.RetryFailed(t.Context(), as, l.Ref)
		require.Equal(t, app.CodeConflict, app.CodeOf(err), "it has not ended")
		require.NoError(t, e.Answer(t.Context(), rows[0], rows[0].Attempt, "ada@alder.example"))
		require.NoError(t, e.DB.Exec("UPDATE records SET state = 'failed', status = 'unknown', reason = 'poison', crashes = 3 WHERE id = ?", rows[1].ID).Error)
		require.NoError(t, e.DB.Exec("INSERT INTO list_counts (list_id, state, status, reason, rows) VALUES (?, 'failed', 'unknown', 'poison', 1)", l.ID).Error)
		_, err = e.Cancel(t.Context(), as, l.Ref)
		require.NoError(t, err)
		l, err = e.RetryFailed(t.Context(), as, l.Ref)
		require.NoError(t, err)
		require.Equal(t, app.ListRunning, l.State)
		require.Nil(t, l.FinishedAt)
		now := records(t, e, as, l, app.RecordQuery{})
		require.Equal(t, app.RecordDone, now[0].State)
		require.Equal(t, app.RecordPending, now[1].State)
		require.Zero(t, now[1].Crashes)
		require.EqualValues(t, 1, counted(t, e, as, l).Done)
	})
}

func TestListThatHasEndedStaysEndedWhenNothingCanBeRunAgain(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, threePeople)
		for _, r := range rows {
			require.NoError(t, e.Answer(t.Context(), r, r.Attempt, "x@"+r.Domain))
		}
		require.NoError(t, e.Export(t.Context(), l.ID))
		require.NoError(t, e.DB.Exec("UPDATE records SET reason = 'bad_line'").Error)
		before, err := e.List(t.Context(), as.Account, l.Ref)
		require.NoError(t, err)
		require.Equal(t, app.ListFinished, before.State)
		_, err = e.RunAgain(t.Context(), as, l.Ref, app.Selection{})
		refusedAs(t, "nothing_to_run", err)
		after, err := e.List(t.Context(), as.Account, l.Ref)
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
}

// TestAFreshRunShowsWhatChanged: rows whose address or status is another than before, and no others; each engine by its index.
func TestAFreshRunShowsWhatChanged(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(*config.Config) {})
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, threePeople)
		for _, r := range rows {
			require.NoError(t, e.Answer(t.Context(), r, r.Attempt, r.FirstName+"@alder.example"))
		}
		changed := app.RecordQuery{Status: app.StatusChanged}
		require.Empty(t, records(t, e, as, l, changed))
		_, err := e.RunAgain(t.Context(), as, l.Ref, app.Selection{})
		require.NoError(t, err)
		require.Empty(t, records(t, e, as, l, changed), "what has no new answer yet has not changed")
		again := records(t, e, as, l, app.RecordQuery{})
		require.NoError(t, e.Answer(t.Context(), again[0], again[0].Attempt, again[0].FirstName+"@alder.example"))
		require.NoError(t, e.Answer(t.Context(), again[1], again[1].Attempt, "ben.birch@alder.example"))
		require.NoError(t, e.Answer(t.Context(), again[2], again[2].Attempt, ""))
		for _, order := range []string{app.SortRow, app.SortScore} {
			got := records(t, e, as, l, app.RecordQuery{Status: app.StatusChanged, Sort: order})
			require.Equal(t, "ben.birch@alder.example", got[0].Email)
			require.Equal(t, "Ben@alder.example", got[0].PreviousEmail)
			require.True(t, got[0].Changed())
			require.Len(t, got, map[string]int{app.SortRow: 2, app.SortScore: 1}[order], "by score are those with an address")
		}
		n, err := e.Changed(t.Context(), l)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		again[0] = records(t, e, as, l, app.RecordQuery{})[0]
		require.False(t, again[0].Changed())
	})
}
