package app_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

// all reads every page of a query, small ones, and gives the rows' numbers.
func all(t *testing.T, e *apptest.Env, as app.Actor, l app.List, q app.RecordQuery) []int64 {
	t.Helper()
	var numbers []int64
	for range 100 {
		rows, next, err := e.Records(t.Context(), as.Account, l, q)
		require.NoError(t, err)
		for _, r := range rows {
			numbers = append(numbers, r.RowNo)
		}
		if next == "" {
			return numbers
		}
		q.After = next
	}
	t.Fatal("the pages do not end")
	return nil
}

func TestRecordsAreSortedAndFilteredPageByPage(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, _ := running(t, e, as, "first name,last name,domain\n"+strings.Repeat("Ada,Ash,alder.example\n", 7))
		for row, answer := range map[int]string{1: "valid 90 d@", 2: "valid 95 c@", 3: "accept_all 40 b@", 4: "unknown 0 ", 5: "valid 90 a@", 6: "accept_all 60 e@"} {
			var status, email string
			var score int
			_, err := fmt.Sscanf(answer, "%s %d %s", &status, &score, &email)
			require.True(t, err == nil || row == 4)
			require.NoError(t, e.DB.Exec("UPDATE records SET state = 'done', status = ?, score = ?, email = ?, reason = ? WHERE row_no = ?", status, score, email, "r"+email, row).Error)
		}
		for name, c := range map[string]struct {
			query app.RecordQuery
			want  []int64
		}{
			"row order":          {app.RecordQuery{}, []int64{1, 2, 3, 4, 5, 6, 7}},
			"best first":         {app.RecordQuery{Sort: app.SortScore}, []int64{2, 5, 1, 6, 3}},
			"worst first":        {app.RecordQuery{Sort: app.SortScoreLow}, []int64{3, 6, 1, 5, 2}},
			"by address":         {app.RecordQuery{Sort: app.SortAddress}, []int64{5, 3, 2, 1, 6}},
			"of a status":        {app.RecordQuery{Sort: app.SortScore, Status: "accept_all"}, []int64{6, 3}},
			"found":              {app.RecordQuery{Status: app.StatusFound}, []int64{1, 2, 3, 5, 6}},
			"unknown":            {app.RecordQuery{Status: "unknown"}, []int64{4}},
			"a range of scores":  {app.RecordQuery{MinScore: 50, MaxScore: 90}, []int64{5, 1, 6}},
			"a least score":      {app.RecordQuery{MinScore: 91}, []int64{2}},
			"a search has order": {app.RecordQuery{Search: "A@", Sort: app.SortScore}, []int64{5}},
		} {
			c.query.Limit = 2
			require.Equal(t, c.want, all(t, e, as, l, c.query), name)
		}
		for _, q := range []app.RecordQuery{{After: "!"}, {After: "1.2"}, {Sort: app.SortScore, After: "2"}, {Sort: app.SortScore, After: "x.2"}, {Sort: app.SortAddress, After: "%.2"}, {Sort: "shoe size", After: "1.1"}, {Sort: "shoe size"}} {
			_, _, err := e.Records(t.Context(), as.Account, l, q)
			require.Equal(t, app.CodeBadInput, app.CodeOf(err), "%+v", q)
		}
	})
}

func TestSearchOfALargeListGoesOnPageByPage(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, _ := running(t, e, as, threePeople)
	require.NoError(t, e.DB.Exec("UPDATE records SET row_no = row_no + 250000 WHERE row_no > 1").Error)
	rows, next, err := e.Records(t.Context(), as.Account, l, app.RecordQuery{Search: "birch"})
	require.NoError(t, err)
	require.Empty(t, rows, "not among the first hundred thousand")
	require.NotEmpty(t, next)
	require.Equal(t, []int64{250_002}, all(t, e, as, l, app.RecordQuery{Search: "birch"}))
}

func TestPartsOfAListCanBeDownloaded(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)
	require.NoError(t, e.Answer(t.Context(), rows[1], rows[1].Attempt, "ben@birch.example"))
	for name, c := range map[string]struct {
		which app.Selection
		want  []string
	}{
		" (valid)":    {app.Selection{Query: app.RecordQuery{Status: "valid"}}, []string{"Ben"}},
		" (selected)": {app.Selection{IDs: recordIDs(rows[1:])}, []string{"Ben", rows[2].FirstName}},
		" (filtered)": {app.Selection{Query: app.RecordQuery{Search: "ada"}}, []string{"Ada"}},
		"":            {app.Selection{}, []string{"Ada", "Ben", rows[2].FirstName}},
	} {
		for _, format := range []string{"csv", "jsonl", "xlsx"} {
			d, err := e.DownloadSome(t.Context(), as.Account, l, c.which, format, false)
			require.NoError(t, err)
			require.Equal(t, l.Name+name+"."+format, d.Filename)
			body, err := io.ReadAll(d.Body)
			require.NoError(t, err)
			if format == "csv" {
				table := readTable(t, body, ',')
				var first []string
				for i := range table.rows {
					first = append(first, table.cell(t, i, "first name"))
				}
				require.Equal(t, c.want, first, name)
			}
			require.NoError(t, d.Body.Close())
		}
	}
	_, err := e.DownloadSome(t.Context(), as.Account, l, app.Selection{IDs: []string{"x"}}, "csv", false)
	require.Equal(t, app.CodeNotFound, app.CodeOf(err))
}
