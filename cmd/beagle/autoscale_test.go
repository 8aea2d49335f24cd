package main

import (
	"bytes"
	"strings"
	"testing"

	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestDryRunPrintsTheDecisionAndWhyAndChangesNothing(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("a@one.example")
	require.NoError(t, e.DB.Exec(`INSERT INTO lists (ref, account_id, user_id, name, process, state, total, imported, changed_at, created_at)
		VALUES ('r', ?, ?, 'r', 'find', 'running', 2500, 2500, ?, ?)`, as.Account, as.User, e.Now(), e.Now()).Error)
	var out bytes.Buffer
	require.NoError(t, autoscale(t.Context(), &out, &opened{App: e.App}, true))
	require.Equal(t, "backlog   2500 (high 0, default 0, records 2500)\nworkers   25 would be set (AUTOSCALE=off)\n"+
		"why       2500 events wait; one worker for 100 is 25; between 3 and 50 that is 25\n", out.String())
	runs, err := e.ScheduleRuns(t.Context())
	require.NoError(t, err)
	for _, r := range runs {
		require.Zero(t, r.LastRunAt)
	}
	require.ErrorContains(t, autoscale(t.Context(), &out, &opened{App: e.App}, false), "nobody was told")
}

func TestSimulatedDayKeepsItsPromises(t *testing.T) {
	var out, again bytes.Buffer
	require.NoError(t, benchAutoscale(t.Context(), &out))
	require.NoError(t, benchAutoscale(t.Context(), &again))
	require.Equal(t, out.String(), again.String(), "the same in every run")
	require.Equal(t, 5, strings.Count(out.String(), "\n"))
	t.Log("\n" + out.String())
}
