package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"strings"

	"beagle/app"
)

// maxIdempotencyKey bounds the key that a client chooses, in bytes (Stripe's and Hunter's bound).
const maxIdempotencyKey = 255

// keptHeaders are those of an answer that are kept with it.
var keptHeaders = []string{"Content-Type", "Location"}

// once runs the handler; a POST of the API that comes with an Idempotency-Key runs it once in 24 hours, and every later one gets the
// same answer. What is refused or fails is not kept. Such a request runs to its end even when the client hangs up, so that the
// client can come back for the answer.
func (s *Server) once(rt route, q *call) error {
	key := q.r.Header.Get("Idempotency-Key")
	if !q.api || q.r.Method != http.MethodPost || key == "" || q.actor.Account == 0 {
		return rt.handler(s, q)
	}
	if len(key) > maxIdempotencyKey || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return app.Refuse(app.CodeUnprocessable, "invalid_idempotency_key", "The Idempotency-Key may have at most %d characters.", maxIdempotencyKey)
	}
	kind, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	claim, kept, err := s.app.ClaimKey(q.ctx(), q.actor.Account, key, fmt.Sprintf("%s %s %s", q.r.Method, q.r.URL.Path, kind))
	switch {
	case app.CodeOf(err) == app.CodeConflict:
		q.w.Header().Set("Retry-After", "2")
		return err
	case err != nil:
		return err
	case kept != nil:
		return s.replay(q, kept, kind)
	}
	return s.firstTime(rt, q, claim, kind)
}

// listen takes down what the request says. Multipart bodies are taken down part by part (see posted): the boundary between the
// parts is another one each time.
func (q *call) listen(kind string) hash.Hash {
	said := sha256.New()
	_, _ = io.WriteString(said, "?"+q.r.URL.RawQuery+"\n") // a hash takes everything
	if kind == "multipart/form-data" {
		q.said = said
	} else {
		q.r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(q.r.Body, said), q.r.Body}
	}
	return said
}

func fingerprint(said hash.Hash) string {
	return hex.EncodeToString(said.Sum(nil))
}

func (s *Server) firstTime(rt route, q *call, claim *app.KeyClaim, kind string) (err error) {
	var cancel context.CancelFunc
	ctx := context.WithoutCancel(q.ctx())
	if until, ok := q.ctx().Deadline(); ok {
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	q.r = q.r.WithContext(ctx)
	real, held := q.w, &heldAnswer{header: q.w.Header()}
	q.w = held
	q.plain()
	done := false
	defer func() {
		q.w = real
		if !done { // an error, a refusal or a panic: the key is free again
			q.w.Header().Del("Content-Encoding")
			err = errors.Join(err, claim.Drop(context.WithoutCancel(ctx), isRefusal(err)))
		}
	}()
	said := q.listen(kind)
	if q.actor.Claim = claim; kind != "multipart/form-data" { // there fields may follow the file
		claim.Said = func() string { return fingerprint(said) }
	}
	if err := rt.handler(s, q); err != nil {
		return err
	}
	if held.status < 300 {
		_, _ = io.Copy(io.Discard, q.r.Body) // bounded by the route's pace; what follows the JSON is part of the fingerprint
		answer := app.KeptAnswer{Fingerprint: fingerprint(said), Status: held.status, Body: held.body.Bytes(), Headers: map[string]string{}}
		for _, name := range keptHeaders {
			if v := held.header.Get(name); v != "" {
				answer.Headers[name] = v
			}
		}
		if err := claim.Keep(context.WithoutCancel(ctx), answer); err != nil {
			s.log.ErrorContext(ctx, "answer not kept", "request_id", q.visit.id, "error", err) // it was carried out: say so
		}
		done = true
	}
	real.Header().Del("Content-Encoding")
	real.WriteHeader(held.status)
	_, _ = real.Write(held.body.Bytes())
	return nil
}

// isRefusal tells that a request was turned down, not that it went wrong.
func isRefusal(err error) bool {
	_, status := refusalOf(err)
	return err != nil && status < http.StatusInternalServerError
}

// replay sends a kept answer, byte for byte, when the request says what the first one said.
func (s *Server) replay(q *call, kept *app.KeptAnswer, kind string) error {
	said := q.listen(kind)
	if kind == "multipart/form-data" {
		p, err := readPosted(q.r, said)
		if err == nil && p.file != nil {
			if _, err = io.Copy(io.Discard, io.LimitReader(p.file, s.app.Config.Upload.MaxBytes)); err == nil {
				err = p.rest()
			}
		}
		if err != nil {
			return err
		}
	} else if _, err := io.Copy(io.Discard, http.MaxBytesReader(q.w, q.r.Body, maxJSON)); err != nil {
		return err
	}
	if fingerprint(said) != kept.Fingerprint {
		return app.ErrKeyReused
	}
	h := q.w.Header()
	for name, value := range kept.Headers {
		h.Set(name, value)
	}
	h.Set("Idempotent-Replayed", "true")
	q.w.WriteHeader(kept.Status)
	_, _ = q.w.Write(kept.Body)
	return nil
}

// heldAnswer is an answer that is looked at before it is sent.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header { return h.header }

func (h *heldAnswer) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldAnswer) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}
