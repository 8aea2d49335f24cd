package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestRemovedRowsAreGoneAndComeBackWithTheirAnswers(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(c *config.Config) { c.Credits = true })
		as, other := e.NewActor("owner@alder.example"), e.NewActor("other@birch.example")
		require.NoError(t, e.GrantCredits(t.Context(), as.Account, 10))
		l, rows := running(t, e, as, threePeople+"Ada,Ash,alder.example\n")
		require.NoError(t, e.Answer(t.Context(), rows[0], rows[0].Attempt, "ada@alder.example"))
		balance := func() int64 {
			account, err := e.Account(t.Context(), as.Account)
			require.NoError(t, err)
			return account.Credits
		}
		require.EqualValues(t, 9, balance())

		_, err := e.RemoveRecords(t.Context(), other, l.Ref, app.Selection{})
		require.Equal(t, app.CodeNotFound, app.CodeOf(err))
		act, err := e.RemoveRecords(t.Context(), as, l.Ref, app.Selection{IDs: recordIDs(rows[:2])})
		require.NoError(t, err)
		require.EqualValues(t, 2, act.Rows)
		require.Equal(t, app.ActionDone, act.State)
		counts := counted(t, e, as, l)
		require.EqualValues(t, 2, counts.Total)
		require.EqualValues(t, 1, counts.Done, "the repeated row has its answer still")
		require.Len(t, records(t, e, as, l, app.RecordQuery{}), 2)
		require.NoError(t, e.Answer(t.Context(), rows[1], rows[1].Attempt, "late@birch.example"), "it comes too late")
		require.EqualValues(t, 9, balance())
		require.Len(t, readTable(t, e.Result(as, l, "csv", false), ',').rows, 2)

		_, err = e.UndoRemoval(t.Context(), other, l.Ref, act.ID)
		require.Equal(t, app.CodeNotFound, app.CodeOf(err))
		left, err := e.OpenActions(t.Context(), as.Account, l)
		require.NoError(t, err)
		require.Len(t, left, 1)
		_, err = e.UndoRemoval(t.Context(), as, l.Ref, act.ID)
		require.NoError(t, err)
		back := records(t, e, as, l, app.RecordQuery{})
		require.Equal(t, recordIDs(rows), recordIDs(back), "every row once, in its place")
		require.Equal(t, "ada@alder.example", back[0].Email)
		require.Equal(t, app.RecordPending, back[1].State)
		require.EqualValues(t, 4, counted(t, e, as, l).Total)
		_, err = e.UndoRemoval(t.Context(), as, l.Ref, act.ID)
		require.Equal(t, app.CodeConflict, app.CodeOf(err), "once")
	})
}

func TestRowsOfAFilterAreRemovedByAJobAndClearedWhenTheTimeIsOver(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		var file strings.Builder
		file.WriteString("first name,last name,domain\n")
		for i := range 4500 { // more than two batches
			fmt.Fprintf(&file, "Ada,Ash,d%d.example\n", i)
		}
		l, _ := running(t, e, as, file.String())
		require.NoError(t, e.DB.Exec("UPDATE records SET state = 'done', status = 'invalid', reason = 'no_mx' WHERE row_no > 100").Error)
		require.NoError(t, e.DB.Exec("INSERT INTO list_counts (list_id, state, status, reason, rows) VALUES (?, 'done', 'invalid', 'no_mx', 4400)", l.ID).Error)
		act, err := e.RemoveRecords(t.Context(), as, l.Ref, app.Selection{Query: app.RecordQuery{Status: "invalid"}})
		require.NoError(t, err)
		require.Equal(t, app.ActionWaiting, act.State)
		require.NoError(t, e.Act(t.Context(), l.ID))
		require.NoError(t, e.Act(t.Context(), l.ID), "twice is once")
		require.EqualValues(t, 100, counted(t, e, as, l).Total)
		added, err := e.AddRecords(t.Context(), as, l.Ref, []map[string]string{{"first name": "New"}})
		require.NoError(t, err)
		require.EqualValues(t, 4501, added[0].RowNo, "the places of removed rows are kept")

		_, err = e.UndoRemoval(t.Context(), as, l.Ref, act.ID)
		require.NoError(t, err)
		require.NoError(t, e.Act(t.Context(), l.ID))
		l, err = e.List(t.Context(), as.Account, l.Ref)
		require.NoError(t, err)
		progress, err := e.Progress(t.Context(), l)
		require.NoError(t, err)
		require.EqualValues(t, 4501, progress.Total)
		require.EqualValues(t, 4400, progress.ByStatus["invalid"])

		_, err = e.RemoveRecords(t.Context(), as, l.Ref, app.Selection{Query: app.RecordQuery{Status: "invalid"}})
		require.NoError(t, err)
		require.NoError(t, e.Act(t.Context(), l.ID))
		require.NoError(t, e.DB.Exec("UPDATE list_actions SET clear_at = ?", e.Now().Add(-time.Second)).Error)
		said, err := e.Clean(t.Context())
		require.NoError(t, err)
		require.Contains(t, said, "4400 removed rows")
		var rows int64
		require.NoError(t, e.DB.Table("records").Count(&rows).Error)
		require.EqualValues(t, 101, rows)
		removals, err := e.OpenActions(t.Context(), as.Account, l)
		require.NoError(t, err)
		require.Empty(t, removals)
	})
}

func TestListWhoseRowsAreAllRemovedComesToRest(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, _ := running(t, e, as, threePeople)
	_, err := e.RemoveRecords(t.Context(), as, l.Ref, app.Selection{})
	require.NoError(t, err)
	require.NoError(t, e.Act(t.Context(), l.ID))
	require.NoError(t, e.Export(t.Context(), l.ID))
	l, err = e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListFinished, l.State)
	require.Zero(t, l.Total)
}

func TestManyRowsRunAgainByAJob(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	require.NoError(t, e.Answer(t.Context(), rows[0], rows[0].Attempt, "ada@alder.example"))
	act, err := e.RunAgainLater(t.Context(), as, l.Ref, app.Selection{Query: app.RecordQuery{Status: app.StatusFound}})
	require.NoError(t, err)
	require.Equal(t, app.ActionWaiting, act.State)
	open, err := e.OpenActions(t.Context(), as.Account, l)
	require.NoError(t, err)
	require.True(t, len(open) == 1 && open[0].Open() && open[0].Kind == app.ActionRetry)
	require.NoError(t, e.Act(t.Context(), l.ID))
	open, err = e.OpenActions(t.Context(), as.Account, l)
	require.NoError(t, err)
	require.Empty(t, open, "what ran again cannot be undone")
	require.Equal(t, app.RecordPending, records(t, e, as, l, app.RecordQuery{})[0].State)
	counted(t, e, as, l)
}

func TestDeletedListComesBackAsItWasOrIsClearedWhenTheTimeIsOver(t *testing.T) {
	e := apptest.New(t)
	as, other := e.NewActor("owner@alder.example"), e.NewActor("other@birch.example")
	l, rows := running(t, e, as, threePeople)
	require.Equal(t, app.CodeNotFound, app.CodeOf(e.TrashList(t.Context(), other, l.Ref)))
	require.NoError(t, e.TrashList(t.Context(), as, l.Ref))
	_, err := e.List(t.Context(), as.Account, l.Ref)
	require.Equal(t, app.CodeNotFound, app.CodeOf(err))
	require.NoError(t, e.Clear(t.Context(), l.ID), "not yet")
	trash, err := e.TrashedLists(t.Context(), as.Account, 5)
	require.NoError(t, err)
	require.Len(t, trash, 1)
	_, err = e.RestoreList(t.Context(), other, l.Ref)
	require.Equal(t, app.CodeNotFound, app.CodeOf(err))
	l, err = e.RestoreList(t.Context(), as, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListRunning, l.State)
	require.Equal(t, recordIDs(rows), recordIDs(records(t, e, as, l, app.RecordQuery{})))

	require.NoError(t, e.SetTags(t.Context(), as, l.Ref, []string{"Spring"}))
	require.NoError(t, e.TrashList(t.Context(), as, l.Ref))
	require.NoError(t, e.DB.Exec("UPDATE lists SET clear_at = ?", e.Now().Add(-time.Second)).Error)
	_, err = e.RestoreList(t.Context(), as, l.Ref)
	require.Equal(t, app.CodeNotFound, app.CodeOf(err), "too late")
	require.NoError(t, e.Clear(t.Context(), l.ID))
	leavesNothing(t, e, as)
	for _, table := range []string{"records", "lists", "list_tags", "list_actions"} {
		var left int64
		require.NoError(t, e.DB.Table(table).Count(&left).Error)
		require.Zero(t, left, table)
	}
}

func TestListsAreFoundByTagNameAndShelf(t *testing.T) {
	e := apptest.New(t)
	as, other := e.NewActor("owner@alder.example"), e.NewActor("other@birch.example")
	spring, autumn := e.Upload(as, "spring fair.csv", []byte(threePeople)), e.Upload(as, "autumn fair.csv", []byte(threePeople))
	require.NoError(t, e.SetTags(t.Context(), as, spring.Ref, []string{" Fair ", "fair", "2026", ""}))
	require.Equal(t, app.CodeNotFound, app.CodeOf(e.SetTags(t.Context(), other, spring.Ref, nil)))
	require.Equal(t, app.CodeBadInput, app.CodeOf(e.SetTags(t.Context(), as, spring.Ref, []string{strings.Repeat("x", 41)})))
	tags, err := e.Tags(t.Context(), as.Account)
	require.NoError(t, err)
	require.Equal(t, []string{"2026", "fair"}, tags)
	of, err := e.TagsOf(t.Context(), spring, autumn)
	require.NoError(t, err)
	require.Equal(t, map[int64][]string{spring.ID: {"2026", "fair"}}, of)
	_, err = e.ArchiveList(t.Context(), as, autumn.Ref)
	require.NoError(t, err)
	yes, no := true, false
	for name, c := range map[string]struct {
		query app.ListQuery
		want  []string
	}{
		"all":      {app.ListQuery{}, []string{autumn.Ref, spring.Ref}},
		"tag":      {app.ListQuery{Tag: "FAIR"}, []string{spring.Ref}},
		"archived": {app.ListQuery{Archived: &yes}, []string{autumn.Ref}},
		"current":  {app.ListQuery{Archived: &no}, []string{spring.Ref}},
		"name":     {app.ListQuery{Search: "AUTUMN"}, []string{autumn.Ref}},
	} {
		lists, _, total, err := e.FindLists(t.Context(), as.Account, c.query)
		require.NoError(t, err)
		var refs []string
		for _, l := range lists {
			refs = append(refs, l.Ref)
		}
		require.Equal(t, c.want, refs, name)
		require.EqualValues(t, len(c.want), total)
	}
	lists, _, _, err := e.FindLists(t.Context(), other.Account, app.ListQuery{Tag: "fair"})
	require.NoError(t, err)
	require.Empty(t, lists)
	l, err := e.UnarchiveList(t.Context(), as, autumn.Ref)
	require.NoError(t, err)
	require.Nil(t, l.ArchivedAt)
}
