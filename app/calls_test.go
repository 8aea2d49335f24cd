package app_test

import (
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestCallsAreWrittenDownByDayAndKeysShowWhenTheyWereUsed(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		_, secret, err := e.CreateKey(t.Context(), as, "k", false)
		require.NoError(t, err)
		now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
		day := 0
		web, err := app.Open(t.Context(), e.Config, app.Options{Now: func() time.Time { return now.AddDate(0, 0, day) }})
		require.NoError(t, err)
		for i := range 5 {
			day = i / 4
			use, err := web.UseKey(t.Context(), secret, false, time.Minute)
			require.NoError(t, err)
			web.Called(use, i == 1)
		}
		require.NoError(t, web.Close(), "what was counted is written at the latest when the process ends")
		e.App.Now = func() time.Time { return now.AddDate(0, 0, 1) }
		days, err := e.CallsByDay(t.Context(), as.Account, 3)
		require.NoError(t, err)
		require.Len(t, days, 3)
		require.Zero(t, days[0].Calls)
		require.EqualValues(t, []int64{4, 1}, []int64{days[1].Calls, days[1].Refused})
		require.EqualValues(t, []int64{1, 0}, []int64{days[2].Calls, days[2].Refused})
		keys, err := e.Keys(t.Context(), as.Account)
		require.NoError(t, err)
		require.Equal(t, now.AddDate(0, 0, 1), keys[0].LastUsedAt.UTC())
		days, err = e.CallsByDay(t.Context(), other.Account, 3)
		require.NoError(t, err)
		require.Zero(t, days[1].Calls)
	})
}
