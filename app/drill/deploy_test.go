//go:build drill

package drill

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"beagle/app"

	"github.com/stretchr/testify/require"
)

// balancer passes requests on to web processes that say that they are ready, as Caddy or a cloud's balancer does. It looks every
// balancerLook, and tries no request a second time.
type balancer struct {
	mu    sync.Mutex
	ports []int
	ready []int
	turn  atomic.Int64
}

const (
	balancerLook     = 200 * time.Millisecond
	balancerPatience = 5 * time.Second // Caddy's default
)

func (b *balancer) add(port int) {
	b.mu.Lock()
	b.ports = append(b.ports, port)
	b.mu.Unlock()
}

// look asks every process until ctx ends.
func (b *balancer) look(ctx context.Context) {
	client := &http.Client{Timeout: balancerPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		b.mu.Lock()
		ports := append([]int(nil), b.ports...)
		b.mu.Unlock()
		var ready []int
		for _, port := range ports {
			if got, err := client.Get("http://127.0.0.1:" + strconv.Itoa(port) + "/readyz"); err == nil {
				_ = got.Body.Close()
				if got.StatusCode == http.StatusOK {
					ready = append(ready, port)
				}
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(balancerLook):
		}
	}
}

func (b *balancer) isReady(port int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.ready {
		if p == port {
			return true
		}
	}
	return false
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	ready := b.ready
	b.mu.Unlock()
	if len(ready) == 0 {
		http.Error(w, "nobody is ready", http.StatusBadGateway)
		return
	}
	to := &url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(ready[int(b.turn.Add(1))%len(ready)])}
	httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
}

// load sends requests until ctx ends and counts what came of them: pages, API reads and lists made by the API, which nobody may send twice.
type load struct {
	site   string
	keys   []string
	ok     atomic.Int64
	made   atomic.Int64
	mu     sync.Mutex
	failed []string
}

func (l *load) run(ctx context.Context, i int) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	key := l.keys[i%len(l.keys)]
	for n := 0; ctx.Err() == nil; n++ {
		method, path, body := "GET", []string{"/", "/docs/api", "/v2/lists", "/v2/account"}[n%4], ""
		if n%10 == 9 {
			method, path, body = "POST", "/v2/lists", fmt.Sprintf(`{"name":"%d-%d","process":"none","records":[{"first_name":"Ada","domain":"alder.example"}]}`, i, n)
		}
		r, err := http.NewRequest(method, l.site+path, strings.NewReader(body))
		if err != nil {
			l.fail(err.Error())
			return
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		got, err := client.Do(r)
		if err == nil {
			_, err = io.Copy(io.Discard, got.Body)
			_ = got.Body.Close()
		}
		switch {
		case err != nil:
			l.fail(method + " " + path + ": " + err.Error())
		case got.StatusCode >= 400:
			l.fail(method + " " + path + ": " + got.Status)
		default:
			l.ok.Add(1)
			if method == "POST" {
				l.made.Add(1)
			}
		}
		time.Sleep(pause) // the pace of a client within its limit of requests
	}
}

// Each client has an account of its own and stays below its limit of requests.
const (
	clients = 24
	pause   = 100 * time.Millisecond
)

func (l *load) fail(text string) {
	l.mu.Lock()
	l.failed = append(l.failed, text)
	l.mu.Unlock()
}

// web starts a web process on a free port and waits until the balancer has seen that it is ready.
func (h *house) web(b *balancer) (*exec.Cmd, int) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(h.t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(h.t, free.Close())
	h.vars["PORT"] = strconv.Itoa(port)
	c := h.run("web")
	b.add(port)
	require.True(h.t, assertEventually(patience, func() bool { return b.isReady(port) }), "web never got ready")
	return c, port
}

func TestWebReplacedThreeTimesUnderLoad(t *testing.T) {
	h := newHouse(t, 100, 5*time.Millisecond)
	h.began = time.Now()
	h.run("worker")
	b := &balancer{}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.look(ctx) })
	site := httptest.NewServer(b)
	defer site.Close()
	old, _ := h.web(b)
	l := &load{site: site.URL}
	for i := range clients { // an account each: no limit of requests is in the way
		as := h.app.NewActor(fmt.Sprintf("load%d@alder.example", i))
		require.NoError(t, h.app.GrantCredits(ctx, as.Account, 1000))
		_, secret, err := h.app.CreateKey(ctx, as, "load", false)
		require.NoError(t, err)
		l.keys = append(l.keys, secret)
	}
	for i := range clients {
		running.Go(func() { l.run(ctx, i) })
	}
	for range 3 {
		before := l.ok.Load()
		require.True(t, assertEventually(patience, func() bool { return l.ok.Load() > before+300 }), "no load")
		next, _ := h.web(b)
		require.Zero(t, interrupt(old), "SIGTERM ends web with exit code 0")
		old = next
	}
	before := l.ok.Load()
	require.True(t, assertEventually(patience, func() bool { return l.ok.Load() > before+300 }), "no load at the end")
	cancel()
	running.Wait()
	require.Empty(t, l.failed, "%d requests were answered", l.ok.Load())
	var lists int64
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM lists WHERE process = 'none'").Scan(&lists).Error)
	require.Equal(t, l.made.Load(), lists, "every list that was posted is there once")
	h.note(l.ok.Load(), "3 web processes replaced by SIGTERM behind a balancer that looks at /readyz every %s; requests, of which %d made lists; none failed", balancerLook, lists)
}

// note adds a line to the table for a drill without a list.
func (h *house) note(n int64, format string, args ...any) {
	table.Lock()
	defer table.Unlock()
	table.rows = append(table.rows, fmt.Sprintf("| %s | %d | %.0f | %s |", strings.TrimPrefix(h.t.Name(), "Test"), n, time.Since(h.began).Seconds(), fmt.Sprintf(format, args...)))
}

func TestBackupIsRestoredOntoAnEmptyRedis(t *testing.T) {
	h := newHouse(t, 1500, 10*time.Millisecond)
	worker := h.run("worker")
	l := h.start()
	h.until(l, "busy", done(500))
	dump := filepath.Join(t.TempDir(), "beagle.dump")
	h.tool("pg_dump", "-Fc", "-f", dump, h.postgres.URL) // while the worker works
	h.until(l, "further on", done(800))
	h.kill(worker)
	require.NoError(t, h.app.DB.Exec("DROP SCHEMA public CASCADE").Error)
	require.NoError(t, h.app.DB.Exec("CREATE SCHEMA public").Error)
	require.NoError(t, h.app.Queue.Redis.FlushAll(t.Context()).Err())
	require.Error(t, h.app.DB.Exec("SELECT 1 FROM lists").Error, "it is gone")
	h.tool("pg_restore", "-d", h.postgres.URL, dump)
	h.tool(binary, "migrate")
	require.Empty(t, h.app.Ready(t.Context()))
	restored := h.until(l, "restored", func(got app.List, p app.Progress) bool { return got.Total == l.Total || p.Done >= 500 })
	require.Equal(t, app.ListRunning, restored.State)
	h.run("worker")
	h.finish(l, "pg_dump while working, everything dropped, Redis flushed, pg_restore; the list went on from the backup")
}

// tool runs a program of the installation or of PostgreSQL to its end.
func (h *house) tool(name string, args ...string) {
	if !strings.Contains(name, "/") {
		found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		require.NoError(h.t, err)
		if len(found) > 0 {
			name = found[len(found)-1]
		}
	}
	c := exec.Command(name, args...)
	c.Env, c.SysProcAttr = h.env(), &syscall.SysProcAttr{Setpgid: true}
	out, err := c.CombinedOutput()
	require.NoError(h.t, err, "%s: %s", name, out)
}
