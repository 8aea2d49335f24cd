package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"beagle/app/config"
	"beagle/app/db"
	"beagle/app/files"
	"beagle/app/finder"
	"beagle/app/probe"
	"beagle/app/report"
	"beagle/app/trace"
	"beagle/migrations"

	"github.com/alexedwards/argon2id"
	"gorm.io/gorm"
)

// App is the product on its three stores. Open makes one; web and cmd call its methods.
type App struct {
	Config  config.Config
	DB      *gorm.DB
	Queue   *Queue
	Files   *files.Store
	Prober  *probe.Prober
	Finder  *finder.Finder
	Metrics *Metrics
	Trace   *trace.Tracer // nil: no traces are made
	Log     *slog.Logger
	Now     func() time.Time

	id       string // of this process, among the workers
	hashing  slots
	lookups  slots // of records: so many at once
	halts    halts
	noHash   string // what a password is compared with when there is no user
	optOuts  optOuts
	question AskFunc // what a record job asks
	opened   time.Time
	migrated atomic.Bool // all migrations were seen to have run
	paces    paceRests
	pacer    paceCounter
	keys     keyring
	calls    callBook
	sealer   sealer
	memory   *domainMemory
	scores   scoreRests
	gate     *mxGate
	health   healthCache
	settler  *settler
	mailer   mailer // nil: this installation sends no mail

	isolation *isolation // nil: rows that workers died with are looked up like others
}

// Options are what tests and the demo world set beside the configuration.
type Options struct {
	Log     *slog.Logger     // nil: nothing is logged
	Version string           // of this program, for traces
	Now     func() time.Time // nil: time.Now in UTC
	Dial    DialFunc         // nil: the system's; the demo world's where its addresses cannot be dialled
	Ask     AskFunc          // nil: the finder; benchmarks of the pipeline take an answer that costs nothing
	// Isolated makes the process that looks up rows with which workers died: one that calls ServeIsolated on its standard input and
	// output. nil: such rows are looked up like others.
	Isolated func() *exec.Cmd
}

// AskFunc answers a question in place of the finder.
type AskFunc func(ctx context.Context, process string, p finder.Person) (finder.Result, error)

// Open connects to the database, Redis and the file store named by c. It does not migrate.
func Open(ctx context.Context, c config.Config, o Options) (_ *App, err error) {
	if err := c.NeedServices(); err != nil {
		return nil, err
	}
	a := &App{Config: c, Log: o.Log, Now: o.Now, hashing: make(slots, hashSlots), lookups: make(slots, max(1, c.Worker.Concurrency*c.Worker.RecordServers))}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	if a.Now == nil {
		a.Now = func() time.Time { return time.Now().UTC() }
	}
	a.opened = a.Now()
	host, _ := os.Hostname()
	a.id = fmt.Sprintf("%s/%d/%s", host, os.Getpid(), newRef()[:8])
	if a.Trace, err = trace.New(trace.Config{Endpoint: c.Run.TraceURL, Headers: c.Run.TraceHeaders, Version: o.Version, Process: a.id, Scrub: report.Scrub}); err != nil {
		return nil, err
	}
	if a.noHash, err = argon2id.CreateHash(newRef(), passwordCost); err != nil {
		return nil, fmt.Errorf("preparing password checks: %w", err)
	}
	if a.sealer, err = newSealer(c.SecretKey); err != nil {
		return nil, err
	}
	if a.DB, err = db.Open(ctx, c.DatabaseURL); err != nil {
		return nil, err
	}
	if a.Queue, err = openQueue(ctx, c.RedisURL, a.Log); err != nil {
		return nil, err
	}
	if a.Files, err = files.Open(ctx, files.Config{Endpoint: c.S3.Endpoint, Bucket: c.S3.Bucket, Region: c.S3.Region,
		AccessKey: c.S3.AccessKey, SecretKey: c.S3.SecretKey, PathStyle: c.S3.PathStyle}); err != nil {
		return nil, err
	}
	if err := a.openFinder(o.Dial); err != nil {
		return nil, err
	}
	if a.Metrics, err = newMetrics(a); err != nil {
		return nil, err
	}
	if err := a.openMailer(); err != nil {
		return nil, err
	}
	a.settler = newSettler(a)
	a.openCalls()
	a.isolation = newIsolation(o.Isolated)
	if a.question = o.Ask; a.question == nil {
		a.question = a.ask
	}
	return a, nil
}

// maxSessions is how many SMTP sessions a process keeps open: enough that a list over many domains does not open them again and again.
const maxSessions = 2000

// openFinder makes the prober and the finder on top of it.
func (a *App) openFinder(dial DialFunc) (err error) {
	p := a.Config.Probe
	gate := newMXGate(a.Queue.Redis, a.id, p.MaxPerHost, p.SessionsPerMinute, a.Log)
	c := ProberConfig(a.Config)
	c.Gate, c.Dial, c.Log, c.Now = gate, dial, a.Log, a.Now
	if a.Prober, err = probe.New(c); err != nil {
		return fmt.Errorf("preparing the prober: %w", err)
	}
	gate.open(a.Prober.Yield)
	a.gate = gate
	if a.memory, err = newDomainMemory(a); err != nil {
		return fmt.Errorf("preparing the memory of domains: %w", err)
	}
	a.Finder = finder.New(a.Prober, a.memory, finder.Options{Log: a.Log, Now: a.Now, NoSMTP: a.patternOnly})
	return nil
}

// ProberConfig is what a configuration says of asking mail servers.
func ProberConfig(c config.Config) probe.Config {
	p := c.Probe
	helo := p.Helo
	if helo == "" {
		var err error
		if helo, err = os.Hostname(); err != nil || helo == "" {
			helo = "localhost.localdomain"
		}
	}
	return probe.Config{DNSServer: p.DNSServer, SMTPPort: p.SMTPPort, Helo: helo, MailFrom: p.MailFrom, Proxy: p.Proxy, Sources: p.Sources(),
		AllowPrivate: p.AllowPrivate, MaxPerHost: p.MaxPerHost, MaxSessions: maxSessions, SessionsPerMinute: p.SessionsPerMinute,
		BannerTimeout: p.Timeout, ReplyTimeout: p.Timeout}
}

// Migrate brings the database up to date: the release step.
func (a *App) Migrate(ctx context.Context) error { return db.Migrate(ctx, a.DB, migrations.FS) }

// Close ends what Open began. Workers must have stopped.
func (a *App) Close() error {
	var errs []error
	a.calls.close()
	if a.settler != nil {
		a.settler.close()
	}
	a.isolation.close()
	if a.Prober != nil {
		errs = append(errs, a.Prober.Close())
	}
	if a.gate != nil {
		a.gate.close()
	}
	if a.Files != nil {
		a.Files.Close()
	}
	if a.Queue != nil {
		errs = append(errs, a.Queue.close())
	}
	if a.DB != nil {
		errs = append(errs, db.Close(a.DB))
	}
	return errors.Join(append(errs, a.Trace.Close())...)
}

// Ready tells which of the parts behind the app do not answer: the name of the part and what is wrong. Empty means ready. All parts are asked
// at once, so that a slow one does not take the others' time.
func (a *App) Ready(ctx context.Context) map[string]error {
	var mu sync.Mutex
	bad := map[string]error{}
	note := func(part string, err error) {
		if err != nil {
			mu.Lock()
			bad[part] = err
			mu.Unlock()
		}
	}
	var parts sync.WaitGroup
	parts.Go(func() { a.readyDatabase(ctx, note) })
	parts.Go(func() { note("redis", a.Queue.Redis.Ping(ctx).Err()) })
	parts.Go(func() { note("files", a.Files.Check(ctx)) })
	parts.Wait()
	return bad
}

func (a *App) readyDatabase(ctx context.Context, note func(part string, err error)) {
	conn, err := a.DB.DB()
	if err == nil {
		err = conn.PingContext(ctx)
	}
	note("database", err)
	if err != nil || a.migrated.Load() {
		return
	}
	pending, err := db.Pending(ctx, a.DB, migrations.FS)
	if err == nil && pending > 0 {
		err = fmt.Errorf("%d migrations have not run: beagle migrate", pending)
	}
	a.migrated.Store(err == nil) // they do not go away again, and looking costs a query each
	note("migrations", err)
}
