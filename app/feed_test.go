package app_test

import (
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestRowThatWaitsForColleaguesWaitsNoLongerThanTheyTake(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, threePeople)
		later := time.Now().Add(time.Hour)
		for i, reason := range []string{"ambiguous", "greylisted"} {
			require.NoError(t, e.DB.Exec("UPDATE records SET state = 'retrying', tries = 1, reason = ?, next_attempt_at = ? WHERE id = ?", reason, later, rows[i].ID).Error)
		}
		e.Work()
		states := func() (states []string) {
			rows, _, err := e.Records(t.Context(), as.Account, l, app.RecordQuery{Limit: 500})
			require.NoError(t, err)
			for _, r := range rows {
				states = append(states, r.State)
			}
			return states
		}
		require.Eventually(t, func() bool { return states()[0] == app.RecordDone }, 30*time.Second, 50*time.Millisecond, "nobody else is left to ask")
		require.Equal(t, []string{app.RecordDone, app.RecordRetrying, app.RecordDone}, states(), "a greylisting server's time is its own")
	})
}
