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
