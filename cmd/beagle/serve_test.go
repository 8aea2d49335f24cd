package main

import (
	"bytes"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestCtrlCThroughAProcfileRunnerIsOneWish(t *testing.T) {
	ctx, stop := untilTold(t.Context())
	defer stop()
	for range 2 { // the second pair would kill this test if it were taken for hurry
		require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGINT))
		require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGTERM))
	}
	select {
	case <-ctx.Done():
	case <-time.After(apptest.Patience):
		t.Fatal("not told")
	}
}

func TestOldWorkerDrainsAndEndsWell(t *testing.T) {
	e := apptest.New(t)
	var log bytes.Buffer
	e.App.Log = slog.New(slog.NewJSONHandler(&log, nil))
	e.App.Config.Worker.MaxAge = time.Second
	as := e.NewActor("a@one.example")
	ended := make(chan error, 1)
	go func() { ended <- work(t.Context(), &opened{App: e.App}) }()
	l := e.Upload(as, "one.csv", []byte("First Name,Last Name,Website\nGrace,Yates,onegate.example\n"))
	_, err := e.Start(t.Context(), as, l.Ref, app.StartParams{})
	require.NoError(t, err)
	select {
	case err := <-ended:
		require.NoError(t, err, "exit code 0: whatever keeps it running starts it again")
	case <-time.After(apptest.Patience):
		t.Fatal("it goes on for ever")
	}
	require.Contains(t, log.String(), "WORKER_MAX_AGE")
	living, err := e.LivingWorkers(t.Context(), time.Hour)
	require.NoError(t, err)
	require.Empty(t, living, "it said that it ends")
	processes, err := e.Processes(t.Context())
	require.NoError(t, err)
	require.Empty(t, processes)
}
