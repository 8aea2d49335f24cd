//go:build drill

package drill

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/mailworld"

	"github.com/stretchr/testify/require"
)

// before is how many merges ago the old version of a deploy is; where history is shorter it is the oldest there is.
const before = "15"

// oldBinary is the program as it was some commits ago; without history it is the one of today, and what says so.
func oldBinary(t *testing.T) (program, what string) {
	root, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return binary, "the same program twice: there is no git history"
	}
	commits, err := exec.Command("git", "rev-list", "--first-parent", "-n", before, "HEAD").Output()
	all := strings.Fields(string(commits))
	if err != nil || len(all) < 2 {
		return binary, "the same program twice: there is no git history"
	}
	commit, dir := all[len(all)-1], t.TempDir()
	script := `git -C "$1" archive "$2" | tar -x -C "$3" && cd "$3" && go build -o old-beagle ./cmd/beagle`
	out, err := exec.Command("sh", "-c", script, "sh", strings.TrimSpace(string(root)), commit, dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(dir, "old-beagle"), "old: commit " + commit[:7]
}

func TestOldAndNewVersionWorkTogetherDuringADeploy(t *testing.T) {
	old, what := oldBinary(t)
	h := newHouse(t, 6000, 20*time.Millisecond)
	h.oldAnswers = true
	h.runAs(old, "worker")
	h.runAs(old, "worker")
	h.runAs(old, "clock")
	l := h.start()
	h.until(l, "busy", done(500))
	h.run("clock")
	for i := range int64(4) { // old and new side by side, then back again, then forward: a deploy, a rollback and another try
		program := []string{binary, binary, old, binary}[i]
		h.until(l, "busy", done(1000+1000*i))
		leaving := h.workers[0]
		if leaving.Args[1] == "clock" {
			leaving = h.workers[1]
		}
		h.runAs(program, "worker")
		require.Zero(t, interrupt(leaving), "SIGTERM ends a worker with exit code 0")
		h.forget(leaving)
	}
	l = h.until(l, "ended", ended)
	var crashed int64
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM records WHERE list_id = ? AND crashes > 0", l.ID).Scan(&crashed).Error)
	require.Zero(t, crashed, "a deploy is no crash")
	h.finish(l, "%s; workers and clocks of both at once, a rollback between; every exit code 0", what)
}

// A worker that is told to stop takes no more jobs, gives running ones SHUTDOWN_TIMEOUT, puts back the rest and exits with 0.
func TestWorkerLeavesWhenToldTo(t *testing.T) {
	h := newHouseAmong(t, 600, time.Millisecond, map[mailworld.Behaviour]int{mailworld.Accurate: 70, mailworld.Refused: 30})
	h.vars["SHUTDOWN_TIMEOUT"], h.vars["PROBE_TIMEOUT"], h.vars["GREYLIST_MAX_TRIES"] = "3s", "60s", "1"
	for _, domain := range h.companies(mailworld.Refused) {
		h.listenFor(domain, hostileServers[0].serve) // who asks there waits for a minute
	}
	worker := h.run("worker")
	l := h.start()
	h.until(l, "busy with the silent ones", func(_ app.List, p app.Progress) bool { return p.Done > 100 && p.RowsPerSecond < 5 })
	active := func() int64 {
		n, err := h.app.Queue.Redis.LLen(t.Context(), "asynq:{"+app.QueueRecords+"}:active").Result()
		require.NoError(t, err)
		return n
	}
	held := active()
	require.Positive(t, held)
	began := time.Now()
	require.Zero(t, interrupt(worker), "the exit code")
	took := time.Since(began)
	h.forget(worker)
	require.InDelta(t, 3, took.Seconds(), 3)
	require.Zero(t, active(), "what was running is back in the queue")
	living, err := h.app.LivingWorkers(t.Context(), time.Minute)
	require.NoError(t, err)
	require.Empty(t, living, "it has said goodbye")
	h.vars["PROBE_TIMEOUT"] = "1s"
	h.run("worker")
	l = h.until(l, "ended", ended)
	var crashed int64
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM records WHERE list_id = ? AND crashes > 0", l.ID).Scan(&crashed).Error)
	require.Zero(t, crashed)
	h.finish(l, "exit code 0 %.1f s after SIGTERM with SHUTDOWN_TIMEOUT=3s and %d lookups that would have taken a minute; all put back", took.Seconds(), held)
}
