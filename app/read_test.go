package app_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

func TestReadsByHandGiveWhatTheModelsGive(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		e.Work()
		as := e.NewActor("owner@one.example")
		made := e.Run(as, "people.csv", []byte("First Name,Last Name,Website\nGrace,Yates,onegate.example\n"))
		now := e.Now().Truncate(time.Second)
		full := map[string]any{"reason": "r", "note": "n", "filename": "f", "upload_key": "u", "upload_bytes": 3, "callback_url": "c", "skip_duplicates": true, "refresh": true,
			"archived_at": now, "deleted_from": "d", "clear_at": now.Add(time.Minute), "trace": "t", "imported": 4, "total": 5, "result_key": "k", "result_version": 6,
			"result_bytes": 7, "result_at": now.Add(time.Hour), "changed_at": now.Add(2 * time.Hour), "started_at": now.Add(3 * time.Hour), "finished_at": now.Add(4 * time.Hour)}
		require.NoError(t, e.DB.Model(&app.List{}).Where("id = ?", made.ID).Updates(full).Error)
		var list app.List
		require.NoError(t, e.DB.First(&list, made.ID).Error)
		require.NotEqual(t, sheet.Dialect{}, list.Dialect)
		got, err := e.List(t.Context(), as.Account, made.Ref)
		require.NoError(t, err)
		require.Equal(t, list, got)
		lists, _, _, err := e.Lists(t.Context(), as.Account, "", 10)
		require.NoError(t, err)
		require.Equal(t, []app.List{list}, lists)

		full = map[string]any{"full_name": "f", "company": "c", "address": "a", "attempt": 2, "run": 3, "tries": 4, "crashes": 5, "twin_of": 6, "queued_at": now,
			"next_attempt_at": now.Add(time.Minute), "previous_email": "p", "previous_status": "valid", "previous_score": 7, "previous_at": now.Add(time.Hour)}
		require.NoError(t, e.DB.Model(&app.Record{}).Where("list_id = ?", made.ID).Updates(full).Error)
		var record app.Record
		require.NoError(t, e.DB.First(&record, "list_id = ?", made.ID).Error)
		require.NotEmpty(t, record.Evidence)
		rows, _, err := e.Records(t.Context(), as.Account, got, app.RecordQuery{})
		require.NoError(t, err)
		one, err := e.Record(t.Context(), as.Account, got, strconv.FormatInt(record.ID, 10))
		require.NoError(t, err)
		require.Equal(t, record, one)
		record.Evidence = ""
		require.Equal(t, []app.Record{record}, rows)
	})
}

func TestRequestsAtOnceAreEachCountedOnce(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		e.App.Now = func() time.Time { return time.Date(2030, 1, 1, 12, 0, 30, 0, time.UTC) }
		as := e.NewActor("owner@one.example")
		_, mine, err := e.CreateKey(t.Context(), as, "mine", false)
		require.NoError(t, err)
		_, other, err := e.CreateKey(t.Context(), as, "other", false)
		require.NoError(t, err)
		const each = 100
		seen := map[string]map[int64]bool{mine: {}, other: {}}
		account := map[int64]bool{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for range each {
			for _, secret := range []string{mine, other} {
				all.Go(func() {
					use, err := e.UseKey(t.Context(), secret, false, time.Minute)
					mu.Lock()
					defer mu.Unlock()
					if err == nil && use.Shared {
						seen[secret][use.Counts[0]], account[use.Counts[1]] = true, true
					}
				})
			}
		}
		all.Wait()
		require.Len(t, seen[mine], each, "each request has a place of its own")
		require.Len(t, seen[other], each)
		require.Len(t, account, 2*each)
		for n := range int64(2 * each) {
			require.True(t, account[n+1], "no number is left out")
		}
	})
}
