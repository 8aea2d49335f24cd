//go:build drill

package drill

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"beagle/app"

	"github.com/stretchr/testify/require"
)

func TestWorkerKilledFiftyTimes(t *testing.T) {
	h := newHouse(t, 10_000, 20*time.Millisecond)
	h.run("worker")
	h.run("worker")
	h.run("clock")
	l := h.start()
	for i := range int64(50) {
		h.until(l, fmt.Sprintf("at kill %d", i+1), done(i*150))
		if h.workers[0].Args[1] == "clock" {
			h.workers[0], h.workers[len(h.workers)-1] = h.workers[len(h.workers)-1], h.workers[0]
		}
		h.kill(h.workers[0])
		h.run("worker")
	}
	h.finish(l, "50 workers killed with -9; nothing lost, nothing twice")
}

func TestRowsOfAKilledWorkerRunElsewhereWithinThirtySeconds(t *testing.T) {
	var worst time.Duration
	var all []float64
	h := newHouse(t, 4200, 20*time.Millisecond)
	h.run("clock")
	l := h.start()
	victim := h.run("worker")
	for i := range int64(20) {
		h.until(l, "busy", done(200*(i+1)))
		var held []int64
		h.kill(victim)
		killed := time.Now()
		require.NoError(t, h.app.DB.Raw("SELECT id FROM records WHERE state = 'queued' ORDER BY queued_at LIMIT 50").Scan(&held).Error)
		victim = h.run("worker")
		ok := assertEventually(patience, func() bool {
			var waiting int64
			err := h.app.DB.Raw("SELECT COUNT(*) FROM records WHERE id IN ? AND state = 'queued' AND attempt = 1", held).Scan(&waiting).Error
			return err == nil && waiting == 0
		})
		require.True(t, ok, "rows of a killed worker never ran again")
		took := time.Since(killed)
		worst = max(worst, took)
		all = append(all, took.Seconds())
	}
	slices.Sort(all)
	require.Less(t, worst, 30*time.Second)
	h.finish(l, "20 of 20 within 30 s; median %.0f s, worst %.0f s", all[len(all)/2], worst.Seconds())
}

func TestRedisFlushed(t *testing.T) {
	h := newHouse(t, 3000, 20*time.Millisecond)
	h.run("worker")
	l := h.start()
	for i := range int64(3) {
		h.until(l, "busy", done(700*(i+1)))
		require.NoError(t, h.app.Queue.Redis.FlushAll(t.Context()).Err())
	}
	h.finish(l, "FLUSHALL three times")
}

func TestRedisGoneForThirtySeconds(t *testing.T) {
	h := newHouse(t, 3000, 20*time.Millisecond)
	h.run("worker")
	l := h.start()
	h.until(l, "busy", done(700))
	h.redis.Kill()
	time.Sleep(30 * time.Second) // the outage itself
	h.redis.Start(t)
	h.finish(l, "killed, 30 s away, back empty; acknowledgements of that time are lost, their second runs change nothing")
}

func TestPostgresCrashed(t *testing.T) {
	h := newHouse(t, 3000, 20*time.Millisecond)
	h.run("worker")
	l := h.start()
	for i := range int64(2) {
		h.until(l, "busy", done(900*(i+1)))
		h.postgres.Kill()
		time.Sleep(2 * time.Second) // the outage itself
		h.postgres.Start(t)
	}
	h.finish(l, "killed with -9 twice, 2 s away")
}

func TestStorageGoneWhenTheResultIsWritten(t *testing.T) {
	h := newHouse(t, 500, 5*time.Millisecond)
	h.run("worker")
	l := h.start()
	h.until(l, "busy", done(100))
	h.s3.Kill()
	h.until(l, "waiting for storage", func(l app.List, _ app.Progress) bool { return l.State == app.ListExporting })
	time.Sleep(5 * time.Second) // the outage itself
	h.s3.Start(t)
	h.finish(l, "away for 5 s of exporting")
}

func TestImporterAndExporterKilled(t *testing.T) {
	h := newHouse(t, 10_000, 2*time.Millisecond)
	l := h.start()
	kills := 0
	for _, at := range []int64{1, 5000} {
		w := h.run("worker")
		h.until(l, "importing", func(l app.List, _ app.Progress) bool { return l.Imported >= at || l.State != app.ListImporting })
		h.kill(w)
		kills++
	}
	w := h.run("worker")
	h.until(l, "exporting", func(l app.List, _ app.Progress) bool { return l.State == app.ListExporting || l.Ended() })
	h.kill(w)
	h.run("worker")
	h.finish(l, "killed %d times while importing and once while exporting", kills)
}

func TestWorkersReplacedOneByOne(t *testing.T) {
	h := newHouse(t, 6000, 20*time.Millisecond)
	h.run("worker")
	h.run("worker")
	l := h.start()
	for i := range int64(6) {
		h.until(l, "busy", done(800*(i+1)))
		old := h.workers[0]
		h.workers = h.workers[1:]
		h.run("worker")
		require.Zero(t, interrupt(old), "SIGTERM ends a worker with exit code 0")
	}
	var repeated int64
	l = h.until(l, "ended", ended)
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM records WHERE list_id = ? AND crashes > 0", l.ID).Scan(&repeated).Error)
	require.Zero(t, repeated, "a deploy is no crash")
	h.finish(l, "6 rolling restarts by SIGTERM; every exit code 0, no crash counted")
}

func TestTwoClocksAndThreeWorkers(t *testing.T) {
	h := newHouse(t, 3000, 10*time.Millisecond)
	for range 3 {
		h.run("worker")
	}
	h.run("clock")
	h.run("clock")
	l := h.start()
	h.finish(l, "no harm")
}

func TestDNSSilentForAWhile(t *testing.T) {
	h := newHouse(t, 600, 5*time.Millisecond)
	require.NoError(t, h.world.Close()) // no DNS, no mail server
	h.run("worker")
	l := h.start()
	l = h.until(l, "asked in vain", func(_ app.List, p app.Progress) bool { return p.Retrying > 100 })
	var wrong int64
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM records WHERE status IN ('invalid', 'not_found')").Scan(&wrong).Error)
	require.Zero(t, wrong, "silence is no verdict")
	_, err := h.app.Cancel(t.Context(), h.as, l.Ref)
	require.NoError(t, err)
	h.note(l.Total, "0 rows called invalid or not found")
}
