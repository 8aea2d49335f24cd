package web

import (
	"context"
	"io"
	"net/http"
	"time"
)

// pace is how long a route may take.
type pace int

const (
	quick    pace = iota // REQUEST_TIMEOUT for all of it
	upload               // as long as bytes come in
	download             // as long as bytes are taken
	stream               // until somebody hangs up
)

const (
	maxForm      = 1 << 20          // bytes of a body that is no upload
	stallTimeout = 30 * time.Second // an upload or a download that does not move for so long is cut off
	writeGrace   = 5 * time.Second  // for the refusal after REQUEST_TIMEOUT to reach the client
	swallowTime  = 20 * time.Second // how long the rest of a refused upload is read
	swallowTimes = 3                // and how much of it, in largest uploads
)

// limit puts the pace's limits on a request; the returned function takes them off.
func (s *Server) limit(p pace, q *call) func() {
	rc := http.NewResponseController(q.w)
	switch p {
	case upload:
		// With full duplex a refusal can be sent while the client still sends its file; see swallow.
		_ = rc.EnableFullDuplex()
		_ = rc.SetWriteDeadline(time.Time{})
		q.r.Body = &steadyBody{ReadCloser: q.r.Body, rc: rc}
	case download:
		_ = rc.SetWriteDeadline(time.Now().Add(stallTimeout))
		q.w = &steadyWriter{ResponseWriter: q.w, rc: rc}
	case stream:
		_ = rc.SetWriteDeadline(time.Time{})
	default:
		timeout := s.app.Config.RequestTimeout
		ctx, cancel := context.WithTimeout(q.r.Context(), timeout)
		_ = rc.SetWriteDeadline(time.Now().Add(timeout + writeGrace))
		if q.r.ContentLength != 0 {
			_ = rc.SetReadDeadline(time.Now().Add(timeout))
			q.r.Body = http.MaxBytesReader(q.w, q.r.Body, maxForm)
		}
		q.r = q.r.WithContext(ctx)
		return cancel
	}
	return func() {}
}

// swallow reads what is left of an upload after the answer went out: a client that only listens when it has sent
// everything would otherwise see a reset instead of our reason.
func (q *call) swallow(most int64) {
	if body, ok := q.r.Body.(*steadyBody); ok && body.last.IsZero() && q.r.Header.Get("Expect") != "" {
		return // the client asked first and has sent nothing
	}
	_ = http.NewResponseController(q.w).Flush()
	until := time.Now().Add(swallowTime)
	rest := &io.LimitedReader{R: q.r.Body, N: swallowTimes*most + uploadOverhead}
	buf := make([]byte, 64<<10)
	for time.Now().Before(until) {
		if _, err := rest.Read(buf); err != nil {
			return
		}
	}
}

// steadyBody cuts off a client that stops sending. When the body has ended the connection has no read deadline any more,
// or net/http, which listens for a hang-up, would take the deadline for one.
type steadyBody struct {
	io.ReadCloser
	rc   *http.ResponseController
	last time.Time
}

func (b *steadyBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.last) > time.Second {
		b.last = now
		_ = b.rc.SetReadDeadline(now.Add(stallTimeout))
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// steadyWriter cuts off a client that stops taking.
type steadyWriter struct {
	http.ResponseWriter
	rc   *http.ResponseController
	last time.Time
}

func (w *steadyWriter) Write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(w.last) > time.Second {
		w.last = now
		_ = w.rc.SetWriteDeadline(now.Add(stallTimeout))
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *steadyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
