package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"beagle/app"
	"beagle/app/config"
	"beagle/app/finder"

	"github.com/hibiken/asynq"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const bareQueue = "bench-bare"

// fanoutBench is one run of `beagle bench fanout`.
type fanoutBench struct {
	rows, workers int
	profile       string
	work          bool // this process is one of the workers
}

func benchFanoutCommand() *cobra.Command {
	b := fanoutBench{}
	cmd := &cobra.Command{
		Use: "fanout", Short: "Record jobs whose lookup costs nothing, beside bare asynq no-op tasks on the same Redis", Args: cobra.NoArgs,
		Long: "Needs DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to, and no worker running on them.",
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	cmd.Flags().IntVar(&b.rows, "rows", 50_000, "rows of the list")
	cmd.Flags().IntVar(&b.workers, "workers", 1, "worker processes; one is this process")
	cmd.Flags().StringVar(&b.profile, "cpuprofile", "", "write a CPU profile of the record jobs to this file (of one worker)")
	cmd.Flags().BoolVar(&b.work, "work", false, "be one of several workers")
	_ = cmd.Flags().MarkHidden("work")
	return cmd
}

func (b *fanoutBench) run(ctx context.Context, out io.Writer) (err error) {
	if b.work {
		return onTrivial(ctx, func(o *opened) error { return o.Work(ctx) })
	}
	bare, err := bareAsynq(ctx, b.rows)
	if err != nil {
		return err
	}
	var ours float64
	var used cpuTimes
	err = profiled(b.profile, func() error {
		return onTrivial(ctx, func(o *opened) (err error) {
			ours, used, err = b.fanout(ctx, o)
			return err
		})
	})
	if err != nil {
		return err
	}
	printf(out, "bare asynq, 1 server, 1 queue  %8.0f tasks/s\nrecord jobs, processes: %-3d    %8.0f rows/s   %.0f %% of bare\n", bare, b.workers, ours, 100*ours/bare)
	printf(out, "CPU time of a row              %8.0f µs: workers %.0f, PostgreSQL %.0f, Redis %.0f\n", each(used.ours+used.postgres+used.redis, b.rows),
		each(used.ours, b.rows), each(used.postgres, b.rows), each(used.redis, b.rows))
	printf(out, "processors busy                %8.0f %%, by these %.0f %%\n", 100*used.busy.Seconds()/used.all.Seconds(),
		100*(used.ours+used.postgres+used.redis).Seconds()/used.all.Seconds())
	return nil
}

// bareAsynq measures what asynq alone does: one server, one queue, handlers that do nothing.
func bareAsynq(ctx context.Context, n int) (float64, error) {
	c, err := config.Load()
	if err != nil {
		return 0, err
	}
	redis, err := asynq.ParseRedisURI(c.RedisURL)
	if err != nil {
		return 0, fmt.Errorf("REDIS_URL: %w", err)
	}
	client := asynq.NewClient(redis)
	defer client.Close()
	var group sync.WaitGroup
	var failed atomic.Value
	for w := range 32 {
		group.Go(func() {
			for i := w; i < n; i += 32 {
				if _, err := client.EnqueueContext(ctx, asynq.NewTask("noop", nil), asynq.Queue(bareQueue)); err != nil {
					failed.Store(err)
					return
				}
			}
		})
	}
	if group.Wait(); failed.Load() != nil {
		return 0, failed.Load().(error)
	}
	left := atomic.Int64{}
	left.Store(int64(n))
	done := make(chan struct{})
	server := asynq.NewServer(redis, asynq.Config{Concurrency: c.Worker.Concurrency, Queues: map[string]int{bareQueue: 1}, TaskCheckInterval: 100 * time.Millisecond, LogLevel: asynq.FatalLevel})
	began := time.Now()
	err = server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		if left.Add(-1) == 0 {
			close(done)
		}
		return nil
	}))
	if err != nil {
		return 0, fmt.Errorf("starting asynq: %w", err)
	}
	defer server.Shutdown()
	select {
	case <-done:
		return float64(n) / time.Since(began).Seconds(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// onTrivial opens an app that finds everybody at once.
func onTrivial(ctx context.Context, use func(*opened) error) (err error) {
	c, err := config.Load()
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, c, app.Options{Log: quiet(c), Ask: func(_ context.Context, _ string, p finder.Person) (finder.Result, error) {
		return finder.Result{Email: "x@" + p.Domain, Status: finder.StatusValid, Score: 97, Pattern: "{first}.{last}", Reason: "mailbox_exists"}, nil
	}})
	if err != nil {
		return err
	}
	o := &opened{App: a, closers: []func() error{a.Close}}
	defer func() { err = errors.Join(err, o.Close()) }()
	if err := o.Migrate(ctx); err != nil {
		return err
	}
	return use(o)
}

// fanout measures a whole list through the workers: feeding, queue, group commit, acknowledgement.
func (b *fanoutBench) fanout(ctx context.Context, o *opened) (rate float64, used cpuTimes, err error) {
	list, as, err := fanoutList(ctx, o, b.rows)
	if err != nil {
		return 0, used, err
	}
	before, err := readCPU(ctx, o)
	if err != nil {
		return 0, used, err
	}
	group, working := errgroup.WithContext(ctx)
	working, stop := context.WithCancel(working)
	defer func() {
		stop()
		err = errors.Join(err, group.Wait())
	}()
	began := time.Now()
	for range b.workers - 1 {
		group.Go(func() error { return fanoutWorker(working) })
	}
	group.Go(func() error { return o.Work(working) })
	for err == nil && !list.Ended() {
		time.Sleep(benchPoll / 2)
		list, err = o.List(ctx, as.Account, list.Ref)
	}
	rate = float64(b.rows) / time.Since(began).Seconds()
	if err == nil {
		used, err = readCPU(ctx, o)
	}
	return rate, used.since(before), err
}

// fanoutWorker runs one more worker until ctx ends.
func fanoutWorker(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "bench", "fanout", "--work")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("a worker of the benchmark: %w", err)
	}
	return nil
}

// fanoutList is an imported list that nobody works on yet.
func fanoutList(ctx context.Context, o *opened, rows int) (app.List, app.Actor, error) {
	file, err := benchFile(rows)
	if err != nil {
		return app.List{}, app.Actor{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Seek(0, 0); err != nil {
		return app.List{}, app.Actor{}, err
	}
	user, err := o.AddUser(ctx, fmt.Sprintf("bench-%d@localhost", time.Now().UnixNano()), "a password nobody needs", "bench", false)
	if err != nil {
		return app.List{}, app.Actor{}, err
	}
	list, err := o.Upload(ctx, user.Actor(), app.UploadParams{Filename: "bench.csv", Body: file, Size: -1})
	if err != nil {
		return app.List{}, app.Actor{}, err
	}
	if list, err = o.Start(ctx, user.Actor(), list.Ref, app.StartParams{}); err != nil {
		return app.List{}, app.Actor{}, err
	}
	return list, user.Actor(), o.Import(ctx, list.ID)
}
