package web

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"beagle/app"
	"beagle/app/config"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Upper bounds in seconds; pages ought to be in the first four.
var requestBuckets = []float64{.01, .05, .1, .2, .5, 1, 2.5, 5, 10, 25, 60}

// meters count requests.
type meters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	timeouts *prometheus.CounterVec
}

// newMeters registers the counters, or finds them where another server of the same app has.
func newMeters(r *prometheus.Registry) (meters, error) {
	m := meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "beagle_http_requests_total", Help: "HTTP requests answered."}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "beagle_http_request_seconds", Help: "Time to answer, but for uploads, downloads and live pages.",
			Buckets: requestBuckets}, []string{"route"}),
		timeouts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "beagle_http_timeouts_total", Help: "Requests stopped because they took too long."}, []string{"route", "cause"}),
	}
	var taken prometheus.AlreadyRegisteredError
	for _, register := range []func() error{
		func() error { return keepFirst(r, &m.requests, &taken) },
		func() error { return keepFirst(r, &m.seconds, &taken) },
		func() error { return keepFirst(r, &m.timeouts, &taken) },
	} {
		if err := register(); err != nil {
			return meters{}, err
		}
	}
	return m, nil
}

func keepFirst[C prometheus.Collector](r *prometheus.Registry, c *C, taken *prometheus.AlreadyRegisteredError) error {
	err := r.Register(*c)
	if errors.As(err, taken) {
		*c = taken.ExistingCollector.(C)
		return nil
	}
	return err
}

// methods that are counted by their name; a client can invent others.
var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

// count notes one answered request.
func (s *Server) count(v *visit, r *http.Request, status int, took time.Duration) {
	route, method := v.route, r.Method
	if route == "" {
		route = "none"
	}
	if !methods[method] {
		method = "other"
	}
	s.meters.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	if v.pace == quick {
		s.meters.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
	if v.look {
		return // charts show what people and programs waited for
	}
	s.app.Metrics.Answered(took, status, v.timeout != "", v.pace == quick)
}

// Why a request took too long.
const (
	causeRequest = "request_timeout" // REQUEST_TIMEOUT
	causeClient  = "slow_client"     // it stopped sending
	causeWork    = "work"            // a part of the work has a shorter limit of its own
)

// timedOut counts and logs a request that was stopped.
func (s *Server) timedOut(q *call, err error) {
	cause := causeWork
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		cause = causeClient
	case errors.Is(q.ctx().Err(), context.DeadlineExceeded):
		cause = causeRequest
	}
	q.visit.timeout = cause
	s.meters.timeouts.WithLabelValues(q.visit.route, cause).Inc()
	s.log.ErrorContext(q.ctx(), "request timed out", "request_id", q.visit.id, "route", q.visit.route, "cause", cause, "limit", s.app.Config.RequestTimeout)
}

// metricsShow is /metrics: for who has METRICS_TOKEN, for operators, and, when there is no token, for this machine.
func (s *Server) metricsShow(q *call) error {
	if !q.actor.Operator && !mayScrape(q.r, s.app.Config.Run.MetricsToken) {
		return app.Refuse(app.CodeForbidden, "metrics_closed", "Send METRICS_TOKEN as a bearer token, or sign in as an operator.")
	}
	promhttp.HandlerFor(s.app.Metrics.Registry, promhttp.HandlerOpts{}).ServeHTTP(q.w, q.r)
	return nil
}

// mayScrape checks the token. Without one only this machine may ask.
func mayScrape(r *http.Request, token string) bool {
	if token != "" {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return ok && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
	}
	return fromHere(r)
}

// fromHere tells that a request was made on this machine, and not passed on by a proxy on it in somebody else's name.
func fromHere(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// WorkerHandler is what a worker shows on WORKER_PORT: /healthz and /metrics.
func WorkerHandler(a *app.App) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	metrics := promhttp.HandlerFor(a.Metrics.Registry, promhttp.HandlerOpts{})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !mayScrape(r, a.Config.Run.MetricsToken) {
			http.Error(w, "send METRICS_TOKEN as a bearer token", http.StatusForbidden)
			return
		}
		metrics.ServeHTTP(w, r)
	})
	return mux
}

// ServeWorker answers WorkerHandler on l until ctx ends.
func ServeWorker(ctx context.Context, a *app.App, l net.Listener) error {
	server := &http.Server{Handler: WorkerHandler(a), ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: config.RouterTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
