// Package apptest gives tests a whole app on real stores with a simulated mail world.
package apptest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest/services"
	"beagle/app/config"
	"beagle/app/embedded"
	"beagle/app/mailworld"

	"github.com/stretchr/testify/require"
)

// Patience is how long a test waits for something that the app does by itself.
const Patience = 2 * time.Minute

// Password is what every user made by NewActor signs in with.
const Password = "seven quiet foxes"

// Env is an app with its stores and its world. The test's end closes all of it.
type Env struct {
	*app.App
	World *mailworld.World
	t     testing.TB
}

// Stack makes a configuration on stores of one kind.
type Stack struct {
	Name      string
	Configure func(t testing.TB, c config.Config) config.Config
}

// Embedded is SQLite, in-process Redis and S3 on a folder.
var Embedded = Stack{"embedded", func(t testing.TB, c config.Config) config.Config {
	stack, err := embedded.Start(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return stack.Configure(c)
}}

// Services is real PostgreSQL, Redis and an S3 server.
var Services = Stack{"services", func(t testing.TB, c config.Config) config.Config {
	c.DatabaseURL, c.RedisURL = services.Postgres(t), services.Redis(t)
	s3 := services.S3(t)
	c.S3 = config.S3{Endpoint: s3.Endpoint, Bucket: s3.Bucket, Region: s3.Region, AccessKey: s3.AccessKey, SecretKey: s3.SecretKey, PathStyle: true}
	return c
}}

// OnEach runs a test on every stack.
func OnEach(t *testing.T, test func(t *testing.T, s Stack)) {
	for _, s := range []Stack{Embedded, Services} {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel() // they wait for mail servers more than they work
			test(t, s)
		})
	}
}

// Config is the default configuration, pointed at a stack and a world.
func Config(t testing.TB, s Stack, w *mailworld.World) config.Config {
	c, err := config.Parse(map[string]string{"SECURE_COOKIES": "false", "WORKER_RECORD_SERVERS": "2", "PROBE_HELO": "beagle.example", "DRAIN_DELAY": "0s"})
	require.NoError(t, err)
	c = s.Configure(t, c)
	c.Worker.MaxTries, c.Worker.MaxWait, c.Probe.Timeout = 3, 2*time.Second, 3*time.Second
	c.Probe.DNSServer, c.Probe.SMTPPort, c.Probe.AllowPrivate = w.DNSAddr(), w.SMTPPort(), true
	return c
}

// New is an app on the embedded stack with the demo world. change may alter the configuration.
func New(t testing.TB, change ...func(*config.Config)) *Env { return NewOn(t, Embedded, change...) }

// NewOn is an app on a stack with the demo world.
func NewOn(t testing.TB, s Stack, change ...func(*config.Config)) *Env {
	return NewIn(t, s, mailworld.Options{GreylistFor: time.Second}, change...)
}

// NewIn is an app on a stack with a demo world of one's own.
func NewIn(t testing.TB, s Stack, o mailworld.Options, change ...func(*config.Config)) *Env {
	return NewAt(t, s, mailworld.DemoWith(o), change...)
}

// NewAt is an app on a stack at a world that is not started yet.
func NewAt(t testing.TB, s Stack, w *mailworld.World, change ...func(*config.Config)) *Env {
	require.NoError(t, w.Start())
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	c := Config(t, s, w)
	for _, f := range change {
		f(&c)
	}
	e := Open(t, c, w)
	require.NoError(t, e.Migrate(t.Context()))
	return e
}

// Open opens another app on stores that a test already has: a second process, as it were.
func Open(t testing.TB, c config.Config, w *mailworld.World) *Env { return OpenAt(t, c, w, nil) }

// OpenAt is Open with a clock of the test's own; nil is the system's.
func OpenAt(t testing.TB, c config.Config, w *mailworld.World, now func() time.Time) *Env {
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("BEAGLE_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	a, err := app.Open(context.Background(), c, app.Options{Log: log, Dial: w.Dial, Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return &Env{App: a, World: w, t: t}
}

// NewActor makes an account and gives its owner. The address tells accounts apart.
func (e *Env) NewActor(email string) app.Actor {
	user, err := e.AddUser(e.t.Context(), email, Password, "", false)
	require.NoError(e.t, err)
	return user.Actor()
}

// Work runs the app as a worker until the test ends or stop is called.
func (e *Env) Work() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.App.Work(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(e.t, <-done)
	})
	e.t.Cleanup(stop)
	return stop
}

// Upload sends a file.
func (e *Env) Upload(as app.Actor, name string, body []byte) app.List {
	l, err := e.App.Upload(e.t.Context(), as, app.UploadParams{Filename: name, Body: bytes.NewReader(body), Size: int64(len(body))})
	require.NoError(e.t, err)
	return l
}

// Run uploads a file, starts it as detected and waits for its end. A worker must be running.
func (e *Env) Run(as app.Actor, name string, body []byte) app.List {
	l, err := e.Start(e.t.Context(), as, e.Upload(as, name, body).Ref, app.StartParams{})
	require.NoError(e.t, err)
	return e.WaitFor(as, l.Ref, app.List.Ended)
}

// WaitFor waits until a list is as the test wants it.
func (e *Env) WaitFor(as app.Actor, ref string, good func(app.List) bool) app.List {
	var l app.List
	require.Eventually(e.t, func() bool {
		var err error
		l, err = e.List(context.Background(), as.Account, ref)
		return err == nil && good(l)
	}, Patience, 50*time.Millisecond, "list %s stands still in state %s", ref, l.State)
	return l
}

// Result downloads a list's file.
func (e *Env) Result(as app.Actor, l app.List, format string, raw bool) []byte {
	d, err := e.Download(e.t.Context(), as.Account, l, format, raw)
	require.NoError(e.t, err)
	defer d.Body.Close()
	body, err := io.ReadAll(d.Body)
	require.NoError(e.t, err)
	return body
}

// Prompt are the contacts whose mail servers answer at once: for tests of the pipeline, which need not wait for slow ones.
func (e *Env) Prompt() []byte {
	all := bytes.SplitAfter(e.World.ContactsCSV(), []byte("\n"))
	out := slices.Clone(all[0])
	for i, truth := range e.World.ContactsTruth() {
		if truth.Company.Behaviour == mailworld.Accurate || truth.Company.Behaviour == mailworld.CatchAll {
			out = append(out, all[i+1]...)
		}
	}
	return out
}

// Example reads a file of examples/.
func Example(t testing.TB, name string) []byte {
	for dir := "."; ; dir = filepath.Join(dir, "..") {
		body, err := os.ReadFile(filepath.Join(dir, "examples", name))
		if err == nil {
			return body
		}
		abs, _ := filepath.Abs(dir)
		require.NotEqual(t, "/", abs, "examples/%s was not found above the test", name)
	}
}
