package app_test

import (
	"strconv"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

// counted is what a list's counters say; they must say what its records say.
func counted(t *testing.T, e *apptest.Env, as app.Actor, l app.List) app.Counts {
	t.Helper()
	l, err := e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	p, err := e.Progress(t.Context(), l)
	require.NoError(t, err)
	rows, _, err := e.Records(t.Context(), as.Account, l, app.RecordQuery{Limit: 500})
	require.NoError(t, err)
	var ended int64
	for _, r := range rows {
		if r.State == app.RecordDone || r.State == app.RecordFailed {
			ended++
		}
	}
	require.Equal(t, ended, p.Counts.Done+p.Counts.Failed, "counters and records")
	require.EqualValues(t, len(rows), p.Counts.Total)
	return p.Counts
}

func TestRecordsCanBeAddedEditedRetriedAndDeleted(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(c *config.Config) { c.Worker.MaxTries = 1 })
		e.Work()
		as := e.NewActor("owner@one.example")
		l := e.Run(as, "people.csv", []byte("First Name,Last Name,Website\nNobody,Atall,nullarbor.test\nNathan,Fenwick,pelican-apps.example\n"))
		added, err := e.AddRecords(t.Context(), as, l.Ref, []map[string]string{{"first_name": "Grace", "Last name": "Yates", "domain": "https://onegate.example/x"}})
		require.NoError(t, err)
		require.EqualValues(t, 3, added[0].RowNo)
		require.Equal(t, []string{"Grace", "Yates", "https://onegate.example/x"}, added[0].Cells)
		l = e.WaitFor(as, l.Ref, app.List.Ended)
		require.Equal(t, app.ListFinished, l.State, "it ran again and ended")
		require.Equal(t, 2, l.ResultVersion, "with a new file")
		r, err := e.Record(t.Context(), as.Account, l, strconv.FormatInt(added[0].ID, 10))
		require.NoError(t, err)
		require.Equal(t, "grace.yates@onegate.example", r.Email)
		counted(t, e, as, l)

		rows, _, err := e.Records(t.Context(), as.Account, l, app.RecordQuery{})
		require.NoError(t, err)
		first := strconv.FormatInt(rows[0].ID, 10)
		edited, err := e.EditRecord(t.Context(), as, l.Ref, first, map[string]string{"First Name": "Grace", "Last Name": "Yates", "Website": "onegate.example"})
		require.NoError(t, err)
		require.Equal(t, app.RecordPending, edited.State)
		require.Empty(t, edited.Reason)
		l = e.WaitFor(as, l.Ref, app.List.Ended)
		r, err = e.Record(t.Context(), as.Account, l, first)
		require.NoError(t, err)
		require.Equal(t, "grace.yates@onegate.example", r.Email)
		_, err = e.RetryRecord(t.Context(), as, l.Ref, first)
		require.NoError(t, err)
		l = e.WaitFor(as, l.Ref, app.List.Ended)
		require.EqualValues(t, 3, counted(t, e, as, l).Found)

		require.NoError(t, e.DeleteRecord(t.Context(), as, l.Ref, first))
		require.Equal(t, app.CodeNotFound, app.CodeOf(e.DeleteRecord(t.Context(), as, l.Ref, first)), "it is gone")
		require.EqualValues(t, 2, counted(t, e, as, l).Found)
		_, err = e.AddRecords(t.Context(), as, l.Ref, []map[string]string{{"shoe size": "44"}})
		require.ErrorContains(t, err, "First Name, Last Name, Website")
		require.Equal(t, app.CodeBadInput, app.CodeOf(err))
	})
}

func TestRepeatedRowsOutliveTheRowTheyWaitFor(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	l, rows := running(t, e, as, threePeople+"Ada,Ash,alder.example\nAda,Ash,alder.example\n")
	require.Equal(t, rows[0].ID, *rows[3].TwinOf)
	require.NoError(t, e.DeleteRecord(t.Context(), as, l.Ref, strconv.FormatInt(rows[0].ID, 10)))
	_, err := e.EditRecord(t.Context(), as, l.Ref, strconv.FormatInt(rows[1].ID, 10), map[string]string{"last name": "Beech"})
	require.NoError(t, err)
	require.NoError(t, e.Answer(t.Context(), rows[1], rows[1].Attempt, "ben.birch@alder.example"), "a late answer")
	rows, _, err = e.Records(t.Context(), as.Account, l, app.RecordQuery{})
	require.NoError(t, err)
	require.Empty(t, rows[0].Email, "the answer to the old question is not the new one's")
	require.Equal(t, "Beech", rows[0].LastName)
	require.Nil(t, rows[2].TwinOf, "the first of the repeated rows asks now")
	require.Equal(t, rows[2].ID, *rows[3].TwinOf)
	require.NoError(t, e.Answer(t.Context(), rows[2], rows[2].Attempt, "ada.ash@alder.example"))
	require.EqualValues(t, 2, counted(t, e, as, l).Done)

	_, err = e.Cancel(t.Context(), as, l.Ref)
	require.NoError(t, err)
	_, err = e.RetryRecord(t.Context(), as, l.Ref, strconv.FormatInt(rows[0].ID, 10))
	require.Equal(t, app.CodeConflict, app.CodeOf(err))
}

func TestLastRecordStays(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	l, rows := running(t, e, as, "first name,last name,domain\nAda,Ash,alder.example\n")
	require.Equal(t, app.CodeConflict, app.CodeOf(e.DeleteRecord(t.Context(), as, l.Ref, strconv.FormatInt(rows[0].ID, 10))))
}

// TestAnEditedRowMovesItsCompany: which domain stands beside which company is that of the rows as they are now.
func TestAnEditedRowMovesItsCompany(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(*config.Config) {})
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, "first name,last name,company,domain\nAda,Ash,Moss Ltd,moss.example\nBen,Birch,Moss Ltd,wrong.example\nCleo,Cedar,Fern,fern.example\n")
		pairs := func() map[string]int64 {
			var got []struct {
				Company, Domain string
				Rows            int64
			}
			require.NoError(t, e.DB.Raw("SELECT company, domain, rows FROM company_domains WHERE list_id = ?", l.ID).Scan(&got).Error)
			out := map[string]int64{}
			for _, p := range got {
				out[p.Company+" "+p.Domain] = p.Rows
			}
			return out
		}
		require.Equal(t, map[string]int64{"moss moss.example": 1, "moss wrong.example": 1, "fern fern.example": 1}, pairs())
		_, err := e.EditRecord(t.Context(), as, l.Ref, strconv.FormatInt(rows[1].ID, 10), map[string]string{"domain": "moss.example"})
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"moss moss.example": 2, "fern fern.example": 1}, pairs())
		_, err = e.EditRecord(t.Context(), as, l.Ref, strconv.FormatInt(rows[2].ID, 10), map[string]string{"first_name": "Clea", "company": ""})
		require.NoError(t, err)
		require.Equal(t, map[string]int64{"moss moss.example": 2}, pairs())
	})
}
