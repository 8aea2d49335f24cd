package scaler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// platform is a local stand-in of the Heroku Platform API. It refuses whatever the real one would.
type platform struct {
	t        *testing.T
	quantity int
	answers  []func(http.ResponseWriter) // sent first, one for each request
	asked    []string
	dynos    []Dyno
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked = append(p.asked, r.Method)
	require.Equal(p.t, "application/vnd.heroku+json; version=3", r.Header.Get("Accept"))
	if r.Header.Get("Authorization") != "Bearer the-key" {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"id":"unauthorized","message":"Invalid credentials provided."}`)
		return
	}
	if len(p.answers) > 0 {
		answer := p.answers[0]
		p.answers = p.answers[1:]
		answer(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	require.NoError(p.t, err)
	if name, ok := strings.CutPrefix(r.URL.Path, "/apps/beagle-prod/dynos"); ok {
		p.serveDynos(w, r.Method, name)
		return
	}
	require.Equal(p.t, "/apps/beagle-prod/formation/worker", r.URL.Path)
	switch r.Method {
	case http.MethodGet:
		require.Empty(p.t, body)
	case http.MethodPatch:
		require.Equal(p.t, "application/json", r.Header.Get("Content-Type"))
		var change map[string]int
		require.NoError(p.t, json.Unmarshal(body, &change))
		require.Len(p.t, change, 1)
		p.quantity = change["quantity"]
	default:
		p.t.Errorf("method %s", r.Method)
	}
	fmt.Fprintf(w, `{"app":{"name":"beagle-prod"},"command":"beagle worker","quantity":%d,"size":"standard-1X","type":"worker"}`, p.quantity)
}

// serveDynos lists dynos, or restarts one: the old one goes, a new one of the same name comes.
func (p *platform) serveDynos(w http.ResponseWriter, method, name string) {
	if method == http.MethodGet {
		require.Empty(p.t, name)
		_ = json.NewEncoder(w).Encode(p.dynos)
		return
	}
	require.Equal(p.t, http.MethodDelete, method)
	for i := range p.dynos {
		if "/"+p.dynos[i].Name == name {
			p.dynos[i].CreatedAt = start
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, "{}")
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, `{"id":"not_found","message":"Couldn't find that dyno."}`)
}

// heroku is a driver of the stand-in that notes how long it would have waited.
func heroku(t *testing.T, p *platform) (Heroku, *[]time.Duration) {
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	var waits []time.Duration
	return Heroku{App: "beagle-prod", Key: "the-key", URL: server.URL, Client: server.Client(), Wait: func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		return nil
	}}, &waits
}

func status(code int, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, `{"id":"x","message":"Not now."}`)
	}
}

func TestHerokuReadsAndSetsTheFormation(t *testing.T) {
	p := &platform{t: t, quantity: 4}
	h, _ := heroku(t, p)
	n, err := h.Workers(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.NoError(t, h.Set(t.Context(), 17))
	require.Equal(t, 17, p.quantity)
	require.Equal(t, []string{"GET", "PATCH"}, p.asked)
}

func TestHerokuIsAskedAgainWhenItIsBusy(t *testing.T) {
	p := &platform{t: t, quantity: 4, answers: []func(http.ResponseWriter){status(429, "Retry-After", "7"), status(503), status(429, "Retry-After", "86400")}}
	h, waits := heroku(t, p)
	require.NoError(t, h.Set(t.Context(), 9))
	require.Equal(t, 9, p.quantity)
	require.Equal(t, []time.Duration{7 * time.Second, 2 * time.Second, longestWait}, *waits, "Retry-After when it is said, doubling when not, bounded")
}

func TestHerokuErrorsEnd(t *testing.T) {
	busy := &platform{t: t, answers: []func(http.ResponseWriter){status(500), status(502), status(503), status(504)}}
	h, _ := heroku(t, busy)
	_, err := h.Workers(t.Context())
	require.ErrorContains(t, err, "504")
	require.Len(t, busy.asked, herokuTries)

	refused := &platform{t: t}
	h, _ = heroku(t, refused)
	h.Key = "secret-but-wrong"
	_, err = h.Workers(t.Context())
	require.ErrorContains(t, err, "401")
	require.ErrorContains(t, err, "Invalid credentials")
	require.NotContains(t, err.Error(), "secret-but-wrong")
	require.Len(t, refused.asked, 1, "a refusal is not asked again")

	odd := &platform{t: t, answers: []func(http.ResponseWriter){func(w http.ResponseWriter) { fmt.Fprint(w, `<html>`) }}}
	h, _ = heroku(t, odd)
	_, err = h.Workers(t.Context())
	require.ErrorContains(t, err, "no formation")
}

func TestOldWorkerDynosAreRestartedAFewAtATime(t *testing.T) {
	p := &platform{t: t, dynos: []Dyno{{"web.1", "web", "up", start.Add(-99 * time.Hour)}, {"run.7", "run", "up", start.Add(-99 * time.Hour)}}}
	for i := range 12 {
		p.dynos = append(p.dynos, Dyno{fmt.Sprintf("worker.%d", i), "worker", "up", start.Add(-time.Duration(i) * time.Hour)})
	}
	p.dynos[len(p.dynos)-1].State = "starting"
	h, _ := heroku(t, p)
	for _, want := range [][]string{{"worker.10", "worker.9"}, {"worker.8", "worker.7"}, {"worker.6"}, nil} {
		got, err := h.RestartOlder(t.Context(), start, 6*time.Hour)
		require.NoError(t, err)
		require.Equal(t, want, got, "the oldest first, two of twelve at a time, younger ones and other processes never")
	}
	p.answers = []func(http.ResponseWriter){func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }}
	_, err := h.RestartOlder(t.Context(), start, time.Hour)
	require.ErrorContains(t, err, "no list of dynos")
}

func TestExecGetsTheNumberInItsEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "n")
	require.NoError(t, Exec{Command: `printf %s "$WORKERS" > ` + file}.Set(t.Context(), 12))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "12", string(got))
	require.ErrorContains(t, Exec{Command: "echo no such group >&2; exit 3"}.Set(t.Context(), 1), "no such group")
}
