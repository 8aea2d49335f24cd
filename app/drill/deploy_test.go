//go:build drill

package drill

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"beagle/app"

	"github.com/stretchr/testify/require"
)

// web starts a web process on a free port and waits until the balancer has seen that it is ready.
func (h *house) web(b *balancer) (*exec.Cmd, int) {
	h.vars["PORT"] = freePort(h.t)
	port, err := strconv.Atoi(h.vars["PORT"])
	require.NoError(h.t, err)
	c := h.run("web")
	b.add(port)
	require.True(h.t, assertEventually(patience, func() bool { return b.isReady(port) }), "web never got ready")
	return c, port
}

func TestWebReplacedThreeTimesUnderLoad(t *testing.T) {
	h := newHouse(t, 100, 5*time.Millisecond)
	h.vars["API_REQUESTS_PER_KEY"], h.vars["API_REQUESTS_PER_ACCOUNT"] = "1000000", "1000000" // no limit of requests is in the way
	h.began = time.Now()
	h.run("worker")
	b := &balancer{}
	ctx, cancel := context.WithCancel(t.Context())
	var looking sync.WaitGroup
	looking.Go(func() { b.look(ctx) })
	defer looking.Wait()
	defer cancel()
	site := httptest.NewServer(b)
	defer site.Close()
	old, _ := h.web(b)
	got := h.traffic(site.URL, h.keys(clients), func() {
		for range 3 {
			b.awaitMore(t)
			next, _ := h.web(b)
			require.Zero(t, interrupt(old), "SIGTERM ends web with exit code 0")
			old = next
		}
		b.awaitMore(t)
	})
	require.Empty(t, got.failed, "%d requests were answered", got.answered)
	require.Positive(t, got.made)
	var lists int64
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM lists WHERE process = 'none'").Scan(&lists).Error)
	require.GreaterOrEqual(t, lists, got.made, "every list that was posted is there")
	require.LessOrEqual(t, lists, got.made+got.open, "and once")
	var names int64
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(DISTINCT name) FROM lists WHERE process = 'none'").Scan(&names).Error)
	require.Equal(t, lists, names, "each has a name of its own, so none was made twice")
	h.note(got.answered, "3 web processes replaced by SIGTERM behind a balancer that looks at /readyz every %s; requests by %s, of which %d made lists; no error of a socket, no status but 2xx", balancerLook, got.by, got.made)
}

// keys are API keys of so many accounts.
func (h *house) keys(n int) (keys []string) {
	for i := range n {
		as := h.app.NewActor(fmt.Sprintf("load%d@alder.example", i))
		require.NoError(h.t, h.app.GrantCredits(h.t.Context(), as.Account, 1000))
		_, secret, err := h.app.CreateKey(h.t.Context(), as, "load", false)
		require.NoError(h.t, err)
		keys = append(keys, secret)
	}
	return keys
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
