package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"runtime/debug"
	"time"

	"beagle/app"
	"beagle/web"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func webCommand() *cobra.Command {
	return &cobra.Command{
		Use: "web", Short: "Serve pages and API on $PORT", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error {
				keepSmall()
				if !o.Config.Worker.EmbedInWeb {
					collectSeldom()
				}
				listener, err := listen(o.Config.Listen(o.Config.Port, ""))
				if err != nil {
					return err
				}
				group, ctx := errgroup.WithContext(ctx)
				group.Go(func() error { return serve(ctx, o, listener, web.Options{}) })
				group.Go(func() error { o.KeepPoints(ctx); return nil })
				group.Go(func() error { o.Attend(ctx, app.KindWeb); return nil })
				if o.Config.Worker.EmbedInWeb {
					group.Go(func() error { return o.Work(ctx) })
				}
				return group.Wait()
			})
		},
	}
}

// webGarbage is how much a web process may allocate between two collections, in percent of what is live. Little is (20 to 30 MiB), and
// with Go's 100 a fifth of the time of an API read went into collecting.
const webGarbage = 400

// collectSeldom sets webGarbage unless GOGC says something else.
func collectSeldom() {
	const standard = 100
	if set := debug.SetGCPercent(webGarbage); set != standard {
		debug.SetGCPercent(set)
	}
}

// softMemory is what web and worker stay below as far as collecting garbage can do it, in bytes: the smallest machines have 512 MiB.
const softMemory = 256 << 20

// keepSmall sets softMemory unless GOMEMLIMIT says something else.
func keepSmall() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(softMemory)
	}
}

func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Run jobs: imports, lookups, exports", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keepSmall()
			return onServices(cmd.Context(), work)
		},
	}
}

// work runs jobs, and shows /metrics and /healthz on WORKER_PORT. At WORKER_MAX_AGE it drains and ends well, to be started anew by
// whatever keeps it running.
func work(ctx context.Context, o *opened) error {
	for _, w := range o.Config.Warnings() {
		o.Log.WarnContext(ctx, w.Variable+" "+w.Text)
	}
	if age := o.Config.Worker.MaxAge; age > 0 {
		age += time.Duration(float64(age) * maxAgeSpread * rand.Float64())
		old, cancel := context.WithTimeoutCause(ctx, age, errOld)
		defer cancel()
		context.AfterFunc(old, func() {
			if errors.Is(context.Cause(old), errOld) {
				o.Log.InfoContext(old, "worker drains and ends: WORKER_MAX_AGE", "age", age)
			}
		})
		ctx = old
	}
	group, ctx := errgroup.WithContext(ctx)
	if port := o.Config.Run.WorkerPort; port != 0 {
		listener, err := listen(o.Config.Listen(port, ""))
		if err != nil {
			return err
		}
		group.Go(func() error { return web.ServeWorker(ctx, o.App, listener) })
	}
	group.Go(func() error { o.KeepPoints(ctx); return nil })
	group.Go(func() error { o.Attend(ctx, app.KindWorker); return nil })
	group.Go(func() error { return o.Work(ctx) })
	return group.Wait()
}

// maxAgeSpread is how much longer than WORKER_MAX_AGE a worker may live, as a part of it, so that workers do not all end at once.
const maxAgeSpread = 0.2

var errOld = errors.New("WORKER_MAX_AGE")

func clockCommand() *cobra.Command {
	return &cobra.Command{
		Use: "clock", Short: "Keep things moving: lost rows and jobs, schedules, cleaning, autoscaling", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error {
				group, ctx := errgroup.WithContext(ctx)
				group.Go(func() error { o.KeepPoints(ctx); return nil })
				group.Go(func() error { o.Attend(ctx, app.KindClock); return nil })
				group.Go(func() error { o.Clock(ctx); return nil })
				return group.Wait()
			})
		},
	}
}

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database up to date (the release step)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error { return o.Migrate(ctx) })
		},
	}
}

func onServices(ctx context.Context, run func(context.Context, *opened) error) error {
	o, err := openServices(ctx)
	if err != nil {
		return err
	}
	return errors.Join(run(ctx, o), o.Close())
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used (BIND_ADDRESS, and PORT or --port, or WORKER_PORT name another): %w", addr, err)
	}
	return l, nil
}

func serve(ctx context.Context, o *opened, l net.Listener, options web.Options) error {
	options.Version = version()
	server, err := web.New(o.App, options)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	o.Log.InfoContext(ctx, "web started", "addr", l.Addr().String(), "pid", os.Getpid())
	return server.Serve(ctx, l)
}
