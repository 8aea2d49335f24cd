package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"beagle/app"
)

// visit is what the access line knows of a request. It travels in the request's context.
type visit struct {
	id      string
	route   string
	account int64
	list    string // whose page or call this is; joins the line with those of its jobs by "list uploaded"
	pace    pace
	timeout string // why it was stopped, if it was
	look    bool   // a balancer's look at this process: no is an answer and no failure, and nobody waits for it
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// wrap puts around the router what every answer needs: an id, a line in the log, a net under panics, headers, and
// the refusal of what another site's page sends in a visitor's name.
func (s *Server) wrap(next http.Handler) http.Handler {
	return s.observe(s.recover(s.headers(s.sameOrigin(next))))
}

// level of a request's line. Balancers look every second: their looks are only worth a line when the answer is no.
func (v *visit) level(status int) slog.Level {
	switch {
	case v.look && status == http.StatusOK:
		return slog.LevelDebug
	case status >= http.StatusInternalServerError && !v.look:
		return slog.LevelError
	}
	return slog.LevelInfo
}

var goodRequestID = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

// observe gives the request its id and writes one line when it has ended. The address is logged as its route, so
// neither ids nor keys in the address reach the log.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		v := &visit{id: r.Header.Get("X-Request-Id")}
		if !goodRequestID.MatchString(v.id) {
			v.id = strings.ToLower(rand.Text())
		}
		sw := &statusWriter{ResponseWriter: w}
		sw.Header().Set("X-Request-Id", v.id)
		ctx, span := s.app.Trace.Request(r)
		defer func() {
			span.Name(r.Method + " " + v.route)
			span.Set("http.route", v.route, "http.response.status_code", sw.status, "request_id", v.id, "list", v.list)
			span.End(nil)
			s.count(v, r, sw.status, time.Since(start))
			s.log.LogAttrs(r.Context(), v.level(sw.status), "request", slog.String("request_id", v.id), slog.String("method", r.Method),
				slog.String("route", v.route), slog.Int("status", sw.status), slog.Int64("bytes", sw.bytes),
				slog.Duration("took", time.Since(start)), slog.Int64("account", v.account), slog.String("list", v.list), slog.String("ip", s.clientIP(r)))
		}()
		next.ServeHTTP(sw, r.WithContext(context.WithValue(ctx, visitKey{}, v)))
	})
}

// recover turns a panic into a 500. http.ErrAbortHandler is no accident: it cuts off an answer that went wrong half way.
func (s *Server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.log.ErrorContext(r.Context(), "panic", "request_id", visitOf(r.Context()).id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if sw, ok := w.(*statusWriter); ok && sw.status != 0 {
				panic(http.ErrAbortHandler)
			}
			s.fail(&call{w: w, r: r, visit: visitOf(r.Context()), api: isAPI(r.URL.Path)}, errPanic)
		}()
		next.ServeHTTP(w, r)
	})
}

// contentPolicy allows our own files and nothing else: no inline script or style, no other site.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if s.isDraining() {
			h.Set("Connection", "close") // the next request is for the process that takes over
		}
		if s.hsts {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses unsafe requests that another site's page made (CSRF). The API knows no cookies, so it needs no such check.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &call{w: w, r: r, visit: visitOf(r.Context())}
		q.visit.route = "cross-site"
		s.fail(q, app.Refuse(app.CodeForbidden, "cross_site", "This request came from another site, so it was not carried out."))
	}))
	guarded := guard.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v2/") {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
