package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/config"
	"beagle/app/report"

	"github.com/stretchr/testify/require"
)

// Everything that ought to reach Sentry does, through the log as cmd sets it up: a panic, a time-out, a process that died.
func TestSentryIsToldOfPanicsTimeoutsAndDeadProcesses(t *testing.T) {
	var mu sync.Mutex
	var got []string
	sentry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(body))
		_, _ = io.WriteString(w, "{}")
	}))
	defer sentry.Close()
	s := newSite(t, func(c *config.Config) { c.RequestTimeout = 50 * time.Millisecond })
	reporter, err := report.New(report.Config{DSN: strings.Replace(sentry.URL, "://", "://key@", 1) + "/1"})
	require.NoError(t, err)
	s.App.Log = slog.New(reporter.Handler(report.Clean(slog.DiscardHandler)))
	s.server.log = s.App.Log
	for path, handler := range map[string]func(*Server, *call) error{
		"/panics": func(*Server, *call) error { panic("no such thing as ada.ash@alder.example") },
		"/slow":   func(_ *Server, q *call) error { <-q.ctx().Done(); return q.ctx().Err() },
	} {
		s.http.Config.Handler = s.server.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := &call{w: w, r: r, visit: visitOf(r.Context())}
			q.visit.route = path
			s.server.answer(route{get, path, handler, probes, quick}, q)
		}))
		require.GreaterOrEqual(t, s.send(http.DefaultClient, "GET", path+"?email=ada.ash@alder.example", nil).status, 500)
	}
	require.NoError(t, s.DB.Exec("INSERT INTO processes (id, kind, started_at, beat_at) VALUES ('worker 7', ?, ?, ?)", app.KindWorker, s.Now().Add(-time.Hour), s.Now().Add(-time.Hour)).Error)
	_, err = s.Fire(t.Context(), "processes")
	require.NoError(t, err)
	require.NoError(t, reporter.Close())
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(got, "\n")
	for _, part := range []string{`"message":"panic"`, `"message":"request timed out"`, `"route":"/slow"`, `"message":"alarm"`, "worker 7 has been silent"} {
		require.Contains(t, all, part)
	}
	require.NotContains(t, all, "ada.ash")
	require.Len(t, got, 3, "once each")
}
