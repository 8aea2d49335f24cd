package app_test

import (
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/db"

	"github.com/stretchr/testify/require"
)

func TestProgressOfAPageOfListsIsOneStatement(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		soon := e.Now().Truncate(time.Microsecond).Add(90 * time.Second)
		var lists []app.List
		for range 3 {
			l, rows := running(t, e, as, threePeople)
			for i, r := range rows[:2] {
				require.NoError(t, e.DB.Exec("UPDATE records SET state = 'retrying', next_attempt_at = ? WHERE id = ?", soon.Add(time.Duration(len(lists)-i)*time.Minute), r.ID).Error)
			}
			lists = append(lists, l)
		}
		calm, _ := running(t, e, as, threePeople)
		lists = append(lists, calm)
		asked := 0
		db.Watch(e.DB, func(string, time.Duration) { asked++ })
		of, err := e.Progresses(t.Context(), lists)
		db.Watch(e.DB, nil)
		require.NoError(t, err)
		require.Equal(t, 1, asked)
		for i, p := range of[:3] {
			require.EqualValues(t, 2, p.Retrying)
			require.NotNil(t, p.NextRetry)
			require.WithinDuration(t, soon.Add(time.Duration(i-1)*time.Minute), *p.NextRetry, 0, "the earlier of two")
		}
		require.Zero(t, of[3].Retrying)
		require.Nil(t, of[3].NextRetry)
	})
}
