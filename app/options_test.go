package app_test

import (
	"testing"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

const twice = "First Name,Last Name,Website\nGrace,Yates,onegate.example\nNathan,Fenwick,pelican-apps.example\n grace ,YATES,https://onegate.example\n"

func TestRepeatedRowsAreKeptWithoutAnAnswerWhenTheyAreToBeSkipped(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		e.Work()
		l, err := e.Start(t.Context(), as, e.Upload(as, "twice.csv", []byte(twice)).Ref, app.StartParams{Options: &app.ListOptions{SkipDuplicates: true}})
		require.NoError(t, err)
		l = e.WaitFor(as, l.Ref, app.List.Ended)
		require.Equal(t, app.ListFinished, l.State, l.Note)
		out := readTable(t, e.Result(as, l, "csv", false), ',')
		require.Len(t, out.rows, 3, "no row is lost")
		require.Equal(t, "grace.yates@onegate.example", out.cell(t, 0, "email"))
		require.Empty(t, out.cell(t, 2, "email"))
		require.Empty(t, out.cell(t, 2, "status"))
		require.Equal(t, "duplicate", out.cell(t, 2, "reason"))
		p, err := e.Progress(t.Context(), l)
		require.NoError(t, err)
		require.EqualValues(t, 1, p.Skipped)
		require.EqualValues(t, 3, p.Done)
	})
}

func TestRefreshedListAsksAgainAndOthersUseTheAnswersThereAre(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	e.Work()
	checked := func(options app.ListOptions) string {
		l, err := e.Start(t.Context(), as, e.Upload(as, "twice.csv", []byte(twice)).Ref, app.StartParams{Options: &options})
		require.NoError(t, err)
		l = e.WaitFor(as, l.Ref, app.List.Ended)
		rows := records(t, e, as, l, app.RecordQuery{})
		require.Equal(t, "grace.yates@onegate.example", rows[2].Email, "a repeated row has the answer too")
		return rows[0].CheckedAt.String()
	}
	first := checked(app.ListOptions{})
	require.Equal(t, first, checked(app.ListOptions{}), "the answer keeps its age")
	require.NotEqual(t, first, checked(app.ListOptions{Refresh: true}))
}
