package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"beagle/web"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func webCommand() *cobra.Command {
	return &cobra.Command{
		Use: "web", Short: "Serve pages and API on $PORT", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error {
				listener, err := listen(":"+strconv.Itoa(o.Config.Port), o.Config.Port)
				if err != nil {
					return err
				}
				group, ctx := errgroup.WithContext(ctx)
				group.Go(func() error { return serve(ctx, o, listener, web.Options{}) })
				group.Go(func() error { o.KeepPoints(ctx); return nil })
				if o.Config.Worker.EmbedInWeb {
					group.Go(func() error { return o.Work(ctx) })
				}
				return group.Wait()
			})
		},
	}
}

func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Run jobs: imports, lookups, exports", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), work)
		},
	}
}

// work runs jobs, and shows /metrics and /healthz on WORKER_PORT.
func work(ctx context.Context, o *opened) error {
	group, ctx := errgroup.WithContext(ctx)
	if port := o.Config.Run.WorkerPort; port != 0 {
		listener, err := listen(":"+strconv.Itoa(port), port)
		if err != nil {
			return err
		}
		group.Go(func() error { return web.ServeWorker(ctx, o.App, listener) })
	}
	group.Go(func() error { o.KeepPoints(ctx); return nil })
	group.Go(func() error { return o.Work(ctx) })
	return group.Wait()
}

func clockCommand() *cobra.Command {
	return &cobra.Command{
		Use: "clock", Short: "Keep things moving: lost rows and jobs, schedules, cleaning, autoscaling", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error {
				group, ctx := errgroup.WithContext(ctx)
				group.Go(func() error { o.KeepPoints(ctx); return nil })
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

func listen(addr string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("port %d cannot be used (take another with PORT or --port): %w", port, err)
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
