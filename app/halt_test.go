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

const atOnceHere = 2 // lookups

// manyHeld starts a list of rows whose mail server keeps silent until release is called; some rows are being looked up, the others wait in the queue.
func manyHeld(t *testing.T, s apptest.Stack) (e *apptest.Env, as app.Actor, l app.List, release func()) {
	e = apptest.NewOn(t, s, func(c *config.Config) {
		c.Worker.Concurrency, c.Worker.RecordServers, c.Worker.MaxTries, c.Credits = atOnceHere, 1, 1, true
	})
	as = e.NewActor("owner@alder.example")
	require.NoError(t, e.GrantCredits(t.Context(), as.Account, 100))
	const domain, rows = "kestrel-capital.example", 40
	var file strings.Builder
	file.WriteString("First Name,Last Name,Website\n")
	for i := range rows {
		fmt.Fprintf(&file, "Ada,Ash%c%c,%s\n", 'a'+i/26, 'a'+i%26, domain)
	}
	release = e.World.Hold(domain)
	t.Cleanup(release)
	e.Work()
	l, err := e.Start(t.Context(), as, e.Upload(as, "people.csv", []byte(file.String())).Ref, app.StartParams{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return inState(t, e, l, app.RecordQueued) == rows && e.World.Stats().Connections > 0 }, time.Minute, 20*time.Millisecond)
	return e, as, l, release
}

func inState(t *testing.T, e *apptest.Env, l app.List, state string) (n int64) {
	require.NoError(t, e.DB.Table("records").Where("list_id IN (?, ?) AND state = ?", l.ID, -l.ID, state).Count(&n).Error)
	return n
}

// untilHalted waits until the worker no longer goes by what it read of the list before.
func untilHalted(t *testing.T, e *apptest.Env, l app.List) {
	require.Eventually(t, func() bool {
		halted, err := e.Halted(t.Context(), l.ID)
		return err == nil && halted
	}, time.Minute, 10*time.Millisecond)
}

func TestRowsOfACanceledListThatWaitAreNeitherAskedNorCharged(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e, as, l, release := manyHeld(t, s)
		l, err := e.Cancel(t.Context(), as, l.Ref)
		require.NoError(t, err)
		untilHalted(t, e, l)
		release()
		require.Eventually(t, func() bool { return inState(t, e, l, app.RecordQueued) == 0 }, time.Minute, 20*time.Millisecond)
		require.LessOrEqual(t, inState(t, e, l, app.RecordDone)+inState(t, e, l, app.RecordRetrying), int64(atOnceHere), "what was being looked up")
		require.GreaterOrEqual(t, inState(t, e, l, app.RecordPending), int64(40-atOnceHere))
		var charged, valid int64
		require.NoError(t, e.DB.Table("credit_entries").Where("kind = 'find'").Count(&charged).Error)
		require.NoError(t, e.DB.Table("records").Where("list_id = ? AND status = 'valid'", l.ID).Count(&valid).Error)
		require.Equal(t, valid, charged)
		require.Equal(t, app.ListCanceled, e.WaitFor(as, l.Ref, func(l app.List) bool { return l.ResultVersion > 0 }).State)
		require.Len(t, readTable(t, e.Result(as, l, "csv", false), ',').rows, 40, "no row is lost")
	})
}

func TestPausedListStandsStillAndGoesOnWithTheRowsThatWaited(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e, as, l, release := manyHeld(t, s)
		_, err := e.Pause(t.Context(), as, l.Ref)
		require.NoError(t, err)
		untilHalted(t, e, l)
		release()
		require.Eventually(t, func() bool { return inState(t, e, l, app.RecordQueued) == 0 }, time.Minute, 20*time.Millisecond)
		require.GreaterOrEqual(t, inState(t, e, l, app.RecordPending), int64(40-atOnceHere))
		_, err = e.Resume(t.Context(), as, l.Ref)
		require.NoError(t, err)
		l = e.WaitFor(as, l.Ref, app.List.Ended)
		require.Equal(t, app.ListFinished, l.State, l.Note)
		var again int64
		require.NoError(t, e.DB.Table("records").Where("list_id = ? AND crashes > 0", l.ID).Count(&again).Error)
		require.Zero(t, again, "a pause is no crash")
		require.EqualValues(t, 40, inState(t, e, l, app.RecordDone))
	})
}
