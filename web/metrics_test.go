package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestMetricsTellWhatHappened(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Credits = true })
	require.NoError(t, s.GrantCredits(t.Context(), s.owner.Account, 10))
	s.Work()
	s.finished()
	got := s.send(http.DefaultClient, "GET", "/healthz", nil)
	require.Equal(t, 200, got.status)
	text := s.send(http.DefaultClient, "GET", "/metrics", nil).body
	for _, line := range []string{
		`beagle_http_requests_total{method="GET",route="/healthz",status="200"} 1`,
		`beagle_http_request_seconds_count{route="/healthz"} 1`,
		`beagle_lookups_total{process="find",reason="mailbox_exists",status="valid"} `,
		`beagle_lookup_seconds_count{process="find"} 4`,
		`beagle_jobs_total{outcome="ok",type="list:import"} 1`,
		`beagle_rows_total{what="imported"} 4`,
		`beagle_rows_total{what="exported"} 4`,
		"beagle_upload_to_file_seconds_count 1",
		"beagle_credits_charged_total ",
		"beagle_fed_rows_total 4",
		`beagle_queue_tasks{queue="records",state="pending"} 0`,
		`beagle_queue_latency_seconds{queue="high"} 0`,
		`beagle_backlog_events{kind="records"} 0`,
		"beagle_workers 1",
		"beagle_probe_rcpts_total ",
		`beagle_probe_sessions{state="busy"} 0`,
		`beagle_probe_sessions{state="idle"} `,
		"beagle_probe_waiting 0",
		`go_sql_open_connections{db_name="beagle"}`,
		"go_goroutines ",
	} {
		require.True(t, strings.Contains(text, line), "no line %s", line)
	}
}

func TestMetricsAreNotForEverybody(t *testing.T) {
	const token = "a-long-enough-token"
	open, closed := newSite(t), newSite(t, func(c *config.Config) { c.Run.MetricsToken = token })
	require.Equal(t, 403, open.send(http.DefaultClient, "GET", "/metrics", nil, "X-Forwarded-For", "203.0.113.9").status, "a proxy on this machine is not this machine")
	require.Equal(t, 403, closed.send(http.DefaultClient, "GET", "/metrics", nil).status)
	require.Equal(t, 403, closed.send(http.DefaultClient, "GET", "/metrics", nil, "Authorization", "Bearer wrong").status)
	require.Equal(t, 200, closed.send(http.DefaultClient, "GET", "/metrics", nil, "Authorization", "Bearer "+token).status)
	require.Equal(t, 403, closed.send(closed.signedIn("owner@one.example"), "GET", "/metrics", nil).status)
	require.Equal(t, 200, closed.send(closed.operator(), "GET", "/metrics", nil).status)
}

// operator is the browser of who runs this installation.
func (s *site) operator() *http.Client {
	require.NoError(s.t, s.DB.Exec("UPDATE users SET operator = ? WHERE email = 'owner@two.example'", true).Error)
	return s.signedIn("owner@two.example")
}

func TestWorkerShowsItsHealthAndMetrics(t *testing.T) {
	s := newSite(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ServeWorker(ctx, s.App, l) }()
	for path, want := range map[string]string{"/healthz": "ok\n", "/metrics": "beagle_workers 0"} {
		got, err := http.Get("http://" + l.Addr().String() + path)
		require.NoError(t, err)
		body, err := io.ReadAll(got.Body)
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
		require.Contains(t, string(body), want)
	}
	cancel()
	require.NoError(t, <-ended)
}

func TestTimeoutIsAnsweredCountedAndKeptForTheChart(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.RequestTimeout = 50 * time.Millisecond })
	stopped := make(chan error, 1)
	slow := route{get, "/slow", func(_ *Server, q *call) error {
		<-q.ctx().Done()
		stopped <- q.ctx().Err()
		return q.ctx().Err()
	}, probes, quick}
	handler := s.server.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &call{w: w, r: r, visit: visitOf(r.Context())}
		q.visit.route = slow.path
		s.server.answer(slow, q)
	}))
	s.http.Config.Handler = handler
	got := s.send(http.DefaultClient, "GET", "/slow", nil)
	require.Equal(t, 503, got.status)
	require.Equal(t, "5", got.header.Get("Retry-After"))
	require.ErrorIs(t, <-stopped, context.DeadlineExceeded, "the work was stopped")
	require.Contains(t, s.log.String(), `"cause":"request_timeout"`)
	s.http.Config.Handler = s.server.Handler()
	text := s.send(http.DefaultClient, "GET", "/metrics", nil).body
	require.True(t, strings.Contains(text, `beagle_http_timeouts_total{cause="request_timeout",route="/slow"} 1`))
	require.NoError(t, s.WritePoint(t.Context()))
	points, err := s.Points(t.Context(), time.Hour, time.Minute)
	require.NoError(t, err)
	var sum app.Point
	for _, p := range points {
		sum.Timeouts, sum.Requests, sum.P99 = sum.Timeouts+p.Timeouts, sum.Requests+p.Requests, max(sum.P99, p.P99)
	}
	require.EqualValues(t, 1, sum.Timeouts)
	require.GreaterOrEqual(t, sum.P99, 50.0)
}
