package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"beagle/app"
	"beagle/app/config"
	"beagle/app/embedded"
	"beagle/app/mailworld"
	"beagle/app/report"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
)

// opened is an app with what was started for it. Close ends all of it, in the right order.
type opened struct {
	*app.App
	world   *mailworld.World
	closers []func() error
}

// Close ends the app and whatever was started for it.
func (o *opened) Close() error {
	var errs []error
	for i := len(o.closers) - 1; i >= 0; i-- {
		errs = append(errs, o.closers[i]())
	}
	return errors.Join(errs...)
}

// The demo world's patience, and ours with it: long enough for its greylisting of 8 s, short enough to be watched.
const (
	demoTimeout = 4 * time.Second
	demoTries   = 3
	demoWait    = 10 * time.Second
)

// embeddedShutdown is how long somebody who pressed Ctrl-C waits at most; what was not finished goes on at the next start.
const embeddedShutdown = 3 * time.Second

// openServices opens the app on the services that the environment names.
func openServices(ctx context.Context) (*opened, error) {
	c, err := config.Load()
	if err != nil {
		return nil, err
	}
	o := &opened{}
	if err := o.open(ctx, c, app.Options{Log: logger(c, os.Stderr), Isolated: isolated}); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// openEmbedded opens the app on embedded stores in dir, migrated; demo adds the simulated mail world.
func openEmbedded(ctx context.Context, dir string, demo bool, log func(config.Config) *slog.Logger) (_ *opened, err error) {
	c, err := config.Load()
	if err != nil {
		return nil, err
	}
	o := &opened{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	stack, err := embedded.Start(dir)
	if err != nil {
		return nil, err
	}
	o.closers = append(o.closers, stack.Close)
	c = stack.Configure(c)
	c.SecureCookies = false // plain HTTP on this machine
	c.Shutdown, c.DrainDelay = min(c.Shutdown, embeddedShutdown), 0
	c.Run.KeepMail = c.Run.SMTPURL == ""
	var dial app.DialFunc
	if demo {
		if dial, err = o.startWorld(&c, mailworld.Demo()); err != nil {
			return nil, err
		}
	}
	if err := o.open(ctx, c, app.Options{Dial: dial, Log: log(c)}); err != nil {
		return nil, err
	}
	if err := o.Migrate(ctx); err != nil {
		return nil, err
	}
	return o, nil
}

// startWorld runs the simulated mail world and points the prober at it.
func (o *opened) startWorld(c *config.Config, w *mailworld.World) (app.DialFunc, error) {
	if err := w.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulated mail world: %w", err)
	}
	o.world = w
	o.closers = append(o.closers, w.Close)
	c.Probe.DNSServer, c.Probe.SMTPPort, c.Probe.AllowPrivate = w.DNSAddr(), w.SMTPPort(), true
	c.Probe.Timeout = demoTimeout
	c.Worker.MaxTries, c.Worker.MaxWait = demoTries, demoWait
	if c.Probe.Helo == "" {
		c.Probe.Helo = "beagle.example"
	}
	return w.Dial, nil
}

func (o *opened) open(ctx context.Context, c config.Config, options app.Options) error {
	reporter, err := report.New(report.Config{DSN: c.Run.SentryDSN, Environment: c.Run.Environment, Release: version()})
	if err != nil {
		return err
	}
	o.closers = append(o.closers, reporter.Close)
	options.Log, options.Version = slog.New(reporter.Handler(report.Clean(options.Log.Handler()))), version()
	a, err := app.Open(ctx, c, options)
	if err != nil {
		return err
	}
	o.App = a
	o.closers = append(o.closers, a.Close)
	return nil
}

// openFor opens the embedded stores when a folder is named or no database is configured, and else the services.
func openFor(ctx context.Context, data string) (*opened, error) {
	c, err := config.Load()
	if err != nil {
		return nil, err
	}
	if data == "" && c.DatabaseURL != "" {
		return openServices(ctx)
	}
	if data == "" {
		data = defaultData
	}
	if !embedded.Exists(data) {
		return nil, fmt.Errorf("there is no installation in the folder %s: name that of `beagle up` with --data, or set DATABASE_URL", data)
	}
	return openEmbedded(ctx, data, false, quiet)
}

func logger(c config.Config, out *os.File) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // config has checked it
	if c.LogFormat != "text" {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(out, &tint.Options{Level: level, NoColor: !isatty.IsTerminal(out.Fd())}))
}

// text is the log of `beagle up`: for eyes, unless the operator asked for JSON.
func text(c config.Config) *slog.Logger {
	c.LogFormat = cmp.Or(c.LogFormat, "text")
	return logger(c, os.Stderr)
}

// quiet is the log of commands that answer one question: only what went wrong.
func quiet(c config.Config) *slog.Logger {
	c.LogLevel, c.LogFormat = "error", "text"
	return logger(c, os.Stderr)
}

func printf(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
