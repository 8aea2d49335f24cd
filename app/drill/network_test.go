//go:build drill

package drill

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"beagle/app"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// The names of the paths between the processes and their stores.
const (
	pathRedis    = "REDIS_URL"
	pathPostgres = "DATABASE_URL"
	pathS3       = "S3_ENDPOINT"
)

// viaProxies leads the processes' ways to the stores through proxies that can be made bad. The drill's own hand takes the straight way.
func (h *house) viaProxies() map[string]*toxiproxy.Proxy {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxies := map[string]*toxiproxy.Proxy{}
	for _, name := range []string{pathRedis, pathPostgres, pathS3} {
		u, err := url.Parse(h.vars[name])
		require.NoError(h.t, err)
		p := toxiproxy.NewProxy(server, name, "127.0.0.1:0", u.Host)
		require.NoError(h.t, p.Start())
		h.t.Cleanup(p.Stop)
		u.Host = p.Listen
		h.vars[name], proxies[name] = u.String(), p
	}
	return proxies
}

// badPaths are what a network does, in toxiproxy's words. reset ends three connections of ten, with
// what was asked over them unanswered.
var badPaths = []struct{ name, toxic string }{
	{"latency 500 ms", `{"type": "latency", "attributes": {"latency": 500}}`},
	{"3 of 10 connections reset", `{"type": "reset_peer", "toxicity": 0.3, "attributes": {"timeout": 100}}`},
	{"slicer", `{"type": "slicer", "attributes": {"average_size": 64, "size_variation": 32, "delay": 200}}`},
	{"bandwidth 100 KB/s", `{"type": "bandwidth", "attributes": {"rate": 100}}`},
}

func TestListEndsOverABadNetwork(t *testing.T) {
	for _, store := range []struct{ name, path string }{{"Redis", pathRedis}, {"Postgres", pathPostgres}, {"S3", pathS3}} {
		t.Run(store.name, func(t *testing.T) {
			h := newHouse(t, 60, time.Millisecond)
			h.vars["REUSE_ANSWERS_DAYS"] = "0" // every list asks for itself
			proxy := h.viaProxies()[store.path]
			h.run("worker")
			began := time.Now()
			var took []string
			for _, bad := range badPaths {
				_, err := proxy.Toxics.AddToxicJson(strings.NewReader(bad.toxic))
				require.NoError(t, err)
				l := h.start()
				l = h.until(l, "ended over "+bad.name, ended)
				require.Equal(t, app.ListFinished, l.State, "%s %s", l.Reason, l.Note)
				h.check(l)
				took = append(took, fmt.Sprintf("%s: %.0f s", bad.name, time.Since(h.began).Seconds()))
				proxy.Toxics.ResetToxics(t.Context())
			}
			h.began = began
			h.note(int64(4*len(h.truths)), "%s", strings.Join(took, "; "))
		})
	}
}

// Redis keeps its tasks while the workers cannot reach it: their acknowledgements are lost, and everything is run a second time.
func TestLostAcknowledgementsChangeNothing(t *testing.T) {
	h := newHouse(t, 1500, 20*time.Millisecond)
	h.vars["WORKER_PORT"] = freePort(t)
	redis := h.viaProxies()[pathRedis]
	h.run("worker")
	l := h.start()
	h.until(l, "busy", done(300))
	redis.Stop()
	time.Sleep(45 * time.Second) // longer than asynq's lease of 30 s: the tasks are given out again
	require.NoError(t, redis.Start())
	l = h.until(l, "ended", ended)
	lookups := metric(t, "http://127.0.0.1:"+h.vars["WORKER_PORT"]+"/metrics", "beagle_lookups_total")
	h.finish(l, "45 s out of reach, tasks kept; %.0f lookups for %d rows, each row answered and charged once", lookups, l.Total)
}

func TestStorageThatAnswers500(t *testing.T) {
	h := newHouse(t, 400, 5*time.Millisecond)
	store, err := url.Parse(h.vars["S3_ENDPOINT"])
	require.NoError(t, err)
	var broken atomic.Bool
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(store)
		r.Out.Host = r.In.Host // it is signed
	}}
	var refused atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			refused.Add(1)
			http.Error(w, "We encountered an internal error. Please try again.", http.StatusInternalServerError)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	defer front.Close()
	h.vars["S3_ENDPOINT"] = front.URL
	h.run("worker")
	h.awaitWorkers(1)
	broken.Store(true)
	l := h.start() // the importer cannot read
	require.True(t, assertEventually(patience, func() bool { return refused.Load() > 5 }))
	broken.Store(false)
	h.until(l, "imported", func(l app.List, _ app.Progress) bool { return l.State != app.ListImporting })
	broken.Store(true)
	before := refused.Load()
	h.until(l, "waiting for storage", func(l app.List, _ app.Progress) bool { return l.State == app.ListExporting })
	require.True(t, assertEventually(patience, func() bool { return refused.Load() > before+5 }))
	broken.Store(false)
	h.finish(l, "500 while importing and while exporting, %d times in all", refused.Load())
}

func TestQueueThatForgetsWhoHoldsWhat(t *testing.T) {
	h := newHouse(t, 2000, 20*time.Millisecond)
	victim := h.run("worker")
	l := h.start()
	h.until(l, "busy", done(300))
	require.Positive(t, h.app.Queue.Redis.Del(t.Context(), "asynq:{"+app.QueueRecords+"}:lease").Val(), "there are leases")
	h.kill(victim) // nothing in Redis tells any more that its tasks are nobody's
	h.run("worker")
	h.until(l, "busy again", done(900))
	require.NoError(t, h.app.DB.Exec("DELETE FROM leases").Error)
	h.run("worker")
	h.finish(l, "asynq's leases deleted and the worker killed; then ours of feeder and sweep deleted")
}
