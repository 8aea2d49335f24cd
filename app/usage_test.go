package app_test

import (
	"bytes"
	"encoding/csv"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestLedgerSaysWhatEachCreditWasFor(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, withCredits)
		ctx, owner := t.Context(), e.NewActor("owner@one.example")
		require.NoError(t, e.GrantCredits(ctx, owner.Account, 100))
		e.Work()
		l := e.Run(owner, "=fair.csv", []byte(fair))
		entries, next, err := e.Ledger(ctx, owner.Account, "")
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, entries, 3)
		rows := map[int64]bool{}
		for _, entry := range entries[:2] {
			require.Equal(t, l.Ref, entry.ListRef)
			rows[entry.RowNo] = true
		}
		require.Equal(t, map[int64]bool{1: true, 2: true}, rows)
		require.Equal(t, "grant", entries[2].Kind)

		var body bytes.Buffer
		require.NoError(t, e.LedgerCSV(ctx, owner.Account, &body))
		lines, err := csv.NewReader(&body).ReadAll()
		require.NoError(t, err)
		require.Len(t, lines, 4)
		require.Equal(t, "'=fair", lines[1][3], "a name is no formula")
		require.Equal(t, []string{"grant", "100"}, lines[3][1:3])

		days, err := e.SpentByDay(ctx, owner.Account, 30)
		require.NoError(t, err)
		require.Len(t, days, 30)
		today := days[29]
		require.Equal(t, time.Now().UTC().Format(time.DateOnly), today.Day.Format(time.DateOnly))
		require.EqualValues(t, 2, today.Spent)
		require.EqualValues(t, 100, today.Granted)
		require.Equal(t, app.DaySpent{Day: days[0].Day}, days[0])
		theirs, _, err := e.Ledger(ctx, e.NewActor("owner@two.example").Account, "")
		require.NoError(t, err)
		require.Empty(t, theirs)
	})
}

func TestLedgerIsReadPageByPage(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	for range 60 {
		require.NoError(t, e.GrantCredits(ctx, owner.Account, 1))
	}
	first, next, err := e.Ledger(ctx, owner.Account, "")
	require.NoError(t, err)
	require.Len(t, first, 50)
	rest, end, err := e.Ledger(ctx, owner.Account, next)
	require.NoError(t, err)
	require.Len(t, rest, 10)
	require.Empty(t, end)
	_, _, err = e.Ledger(ctx, owner.Account, "no cursor!")
	refusedAs(t, "pagination_error", err)
}
