//go:build drill

// Package drill breaks things on purpose: real processes on real PostgreSQL, Redis and S3, against a simulated mail world.
// `make drill` runs it and prints a table; docs/reliability.md keeps one. It is too slow for every test run.
package drill

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/apptest/services"
	"beagle/app/config"
	"beagle/app/mailworld"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

// patience is how long a list may take in a drill.
const patience = 5 * time.Minute

var binary string // built once by TestMain

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "beagle-drill-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "beagle")
	if out, err := exec.Command("go", "build", "-o", binary, "beagle/cmd/beagle").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	services.Stop()
	_ = os.RemoveAll(dir)
	printTable()
	os.Exit(code)
}

// rows of the table, in the order of the drills.
var table struct {
	sync.Mutex
	rows []string
}

func printTable() {
	fmt.Println("\n| drill | rows | seconds | what happened |\n| --- | --- | --- | --- |")
	for _, r := range table.rows {
		fmt.Println(r)
	}
}

// house is an installation: stores, a world, and processes that can be hurt.
type house struct {
	t                   *testing.T
	world               *mailworld.World
	truths              []mailworld.Truth // of the rows of the file, in order
	file                []byte
	postgres, redis, s3 *services.Server
	vars                map[string]string // the processes' settings
	app                 *apptest.Env      // the hand that starts lists and looks at them; it runs no jobs
	as                  app.Actor
	workers             []*exec.Cmd
	oldAnswers          bool // an old version answers too, with faults that were mended since
	logs                bytes.Buffer
	logsMu              sync.Mutex
	began               time.Time
}

// common is how most mail servers of a drill are.
var common = map[mailworld.Behaviour]int{mailworld.Accurate: 80, mailworld.CatchAll: 18, mailworld.Greylist: 2}

func newHouse(t *testing.T, people int, latency time.Duration) *house {
	return newHouseAmong(t, people, latency, common)
}

func newHouseAmong(t *testing.T, people int, latency time.Duration, mix map[mailworld.Behaviour]int) *house {
	w := mailworld.New(mailworld.Options{Seed: 7, Companies: max(20, people/12), People: people, Latency: latency, GreylistFor: 2 * time.Second, Mix: mix})
	require.NoError(t, w.Start())
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	h := &house{t: t, world: w, truths: w.Truths(), file: w.CSV(), postgres: services.NewPostgres(t), redis: services.NewRedis(t)}
	var bucket services.S3Config
	h.s3, bucket = services.NewS3(t)
	h.vars = map[string]string{
		"DATABASE_URL": h.postgres.URL, "REDIS_URL": h.redis.URL, "S3_ENDPOINT": bucket.Endpoint, "S3_BUCKET": bucket.Bucket, "AWS_REGION": bucket.Region,
		"AWS_ACCESS_KEY_ID": bucket.AccessKey, "AWS_SECRET_ACCESS_KEY": bucket.SecretKey, "DNS_SERVER": w.DNSAddr(), "PROBE_SMTP_PORT": strconv.Itoa(w.SMTPPort()),
		"PROBE_ALLOW_PRIVATE": "true", "PROBE_HELO": "beagle.example", "GREYLIST_MAX_WAIT": "5s", "PROBE_TIMEOUT": "5s", "CREDITS": "true", "LOG_LEVEL": "warn", "SHUTDOWN_TIMEOUT": "5s",
		"SECURE_COOKIES": "false",
	}
	c, err := config.Parse(h.vars)
	require.NoError(t, err)
	h.app = apptest.Open(t, c, w)
	require.NoError(t, h.app.Migrate(t.Context()))
	h.as = h.app.NewActor("owner@alder.example")
	require.NoError(t, h.app.GrantCredits(t.Context(), h.as.Account, int64(100*people)))
	t.Cleanup(h.end)
	return h
}

// keep takes only some of the world's people into the file.
func (h *house) keep(good func(mailworld.Truth) bool) {
	lines := bytes.SplitAfter(h.world.CSV(), []byte("\n"))
	h.truths, h.file = nil, slices.Clone(lines[0])
	for i, truth := range h.world.Truths() {
		if good(truth) {
			h.truths, h.file = append(h.truths, truth), append(h.file, lines[i+1]...)
		}
	}
}

func (h *house) end() {
	for _, c := range h.workers {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	if h.t.Failed() {
		h.logsMu.Lock()
		defer h.logsMu.Unlock()
		h.t.Logf("logs of the processes:\n%s", h.logs.Bytes()[max(0, h.logs.Len()-8000):])
	}
}

// Write collects what the processes say.
func (h *house) Write(p []byte) (int, error) {
	h.logsMu.Lock()
	defer h.logsMu.Unlock()
	return h.logs.Write(p)
}

// run starts a process of the installation.
func (h *house) run(role string) *exec.Cmd { return h.runAs(binary, role) }

func (h *house) runAs(program, role string) *exec.Cmd {
	c := exec.Command(program, role)
	c.Env, c.Stderr, c.Stdout = append(os.Environ(), h.env()...), h, h
	require.NoError(h.t, c.Start())
	h.workers = append(h.workers, c)
	return c
}

// env are the settings of the processes.
func (h *house) env() (env []string) {
	for name, value := range h.vars {
		env = append(env, name+"="+value)
	}
	return env
}

// kill ends a worker with SIGKILL.
func (h *house) kill(c *exec.Cmd) {
	require.NoError(h.t, c.Process.Kill())
	_ = c.Wait()
	h.forget(c)
}

// forget takes a process that has ended off the list of those that run.
func (h *house) forget(c *exec.Cmd) {
	for i, w := range h.workers {
		if w == c {
			h.workers = append(h.workers[:i], h.workers[i+1:]...)
			return
		}
	}
}

// awaitWorkers waits until n workers have shown themselves.
func (h *house) awaitWorkers(n int) {
	h.t.Helper()
	require.True(h.t, assertEventually(patience, func() bool {
		living, err := h.app.LivingWorkers(context.Background(), 10*time.Second)
		return err == nil && len(living) >= n
	}))
}

// start uploads the world's people and starts the list.
func (h *house) start() app.List {
	h.began = time.Now()
	l, err := h.app.Start(h.t.Context(), h.as, h.app.Upload(h.as, "people.csv", h.file).Ref, app.StartParams{})
	require.NoError(h.t, err)
	return l
}

// until waits for something about the list. Stores may be away meanwhile.
func (h *house) until(l app.List, what string, good func(app.List, app.Progress) bool) app.List {
	h.t.Helper()
	var now app.List
	var p app.Progress
	ok := assertEventually(patience, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		got, err := h.app.List(ctx, h.as.Account, l.Ref)
		if err != nil {
			return false
		}
		progress, err := h.app.Progress(ctx, got)
		if err != nil {
			return false
		}
		now, p = got, progress
		return good(got, progress)
	})
	require.True(h.t, ok, "never %s: list is %s, %d of %d done, %d failed, %d retrying", what, now.State, p.Done, p.Total, p.Failed, p.Retrying)
	return now
}

func assertEventually(within time.Duration, good func() bool) bool {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if good() {
			return true
		}
	}
	return false
}

func done(n int64) func(app.List, app.Progress) bool {
	return func(l app.List, p app.Progress) bool { return p.Done >= n || l.Ended() }
}

func ended(l app.List, _ app.Progress) bool { return l.Ended() }

// finish waits for the end of the list, checks every promise and notes the drill.
func (h *house) finish(l app.List, format string, args ...any) {
	h.t.Helper()
	l = h.until(l, "ended", ended)
	require.Equal(h.t, app.ListFinished, l.State, "%s %s", l.Reason, l.Note)
	h.check(l)
	h.note(l.Total, format, args...)
}

// check holds the promises: every row once, in order, with an answer; every find charged once; counters equal the records;
// no file that belongs to nobody. Rows that were poison are as many as the drill made.
func (h *house) check(l app.List, poison ...int64) {
	h.t.Helper()
	h.checkFile(l)
	count := func(query string) (n int64) {
		h.t.Helper()
		require.NoError(h.t, h.app.DB.Raw(query, l.ID).Scan(&n).Error)
		return n
	}
	require.Equal(h.t, count("SELECT COUNT(DISTINCT person_key) FROM records WHERE list_id = ? AND status = 'valid'"),
		count("SELECT COUNT(*) FROM credit_entries WHERE kind = 'find' AND record_id IN (SELECT id FROM records WHERE list_id = ?)"), "each found row is charged once")
	var credits int64
	require.NoError(h.t, h.app.DB.Raw("SELECT a.credits - (SELECT SUM(amount) FROM credit_entries WHERE account_id = a.id) FROM accounts a WHERE id = ?", h.as.Account).Scan(&credits).Error)
	require.Zero(h.t, credits, "the balance is the sum of the ledger")
	var failures []struct {
		RowNo                   int64
		Reason, Note            string
		Crashes, Tries, Attempt int
	}
	require.NoError(h.t, h.app.DB.Raw("SELECT row_no, reason, note, crashes, tries, attempt FROM records WHERE list_id = ? AND state = 'failed' ORDER BY row_no", l.ID).Scan(&failures).Error)
	require.Len(h.t, failures, len(poison), "no row failed for a fault of ours: %+v", failures)
	for i, f := range failures {
		require.Equal(h.t, poison[i], f.RowNo)
		require.Equal(h.t, "poison", f.Reason)
	}
	require.Equal(h.t, count("SELECT COUNT(*) FROM records WHERE list_id = ? AND state IN ('done', 'failed')"), count("SELECT SUM(rows) FROM list_counts WHERE list_id = ?"), "counters equal the records")
	h.checkStorage()
}

// checkFile reads the result file.
func (h *house) checkFile(l app.List) {
	h.t.Helper()
	d, err := h.app.Download(h.t.Context(), h.as.Account, l, sheet.CSV, false)
	require.NoError(h.t, err)
	defer d.Body.Close()
	require.Positive(h.t, d.Size, "it is the stored file, and up to date")
	out, err := sheet.NewReader(d.Body, sheet.Dialect{Format: sheet.CSV, Comma: ",", Header: true}, sheet.DefaultLimits())
	require.NoError(h.t, err)
	for i, truth := range h.truths {
		row, err := out.Next()
		require.NoError(h.t, err, "the file ends before row %d", i+1)
		require.Equal(h.t, truth.Person.Last, row.Cells[1], "row %d is where it was", i+1)
		status := row.Cells[len(l.Columns)+1]
		require.NotContains(h.t, []string{"", app.RecordPending, app.RecordQueued, app.RecordRetrying}, status, "row %d has ended", i+1)
		if !h.oldAnswers && truth.Email != "" && (status == "invalid" || status == "not_found") {
			require.Failf(h.t, "false "+status, "row %d has the mailbox %s: %s", i+1, truth.Email, h.evidence(l, i+1))
		}
	}
	_, err = out.Next()
	require.ErrorIs(h.t, err, io.EOF, "no row twice")
}

// evidence is how a row was decided, for a drill that failed by it.
func (h *house) evidence(l app.List, row int) (record string) {
	h.app.DB.Raw("SELECT row_to_json(r)::text FROM records r WHERE list_id = ? AND row_no = ?", l.ID, row).Scan(&record)
	return record
}

// checkStorage looks for files that belong to no list.
func (h *house) checkStorage() {
	h.t.Helper()
	var refs []string
	require.NoError(h.t, h.app.DB.Raw("SELECT ref FROM lists").Scan(&refs).Error)
	for f, err := range h.app.Files.List(h.t.Context(), "") {
		require.NoError(h.t, err)
		parts := strings.Split(f.Key, "/")
		require.Contains(h.t, refs, parts[len(parts)-2], "%s is a file of nobody", f.Key)
	}
}

// interrupt asks a process to stop and reports its exit code.
func interrupt(c *exec.Cmd) int {
	_ = c.Process.Signal(syscall.SIGTERM)
	_ = c.Wait()
	return c.ProcessState.ExitCode()
}

type truth = mailworld.Truth

// freePort is one that a process may listen on.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// metric sums a counter over all its labels.
func metric(t *testing.T, url, name string) float64 {
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	sum := 0.0
	for line := range strings.Lines(string(body)) {
		if label, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(label, name+"{") {
			n, err := strconv.ParseFloat(value[strings.LastIndexByte(value, ' ')+1:], 64)
			require.NoError(t, err)
			sum += n
		}
	}
	return sum
}
