package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"beagle/app"
	"beagle/app/db"

	"github.com/spf13/cobra"
)

// scaling is one run of `beagle bench scaling`.
type scaling struct {
	worldFlags
	atOnce  int
	workers []int
	out     io.Writer
}

func benchScalingCommand() *cobra.Command {
	s := scaling{}
	cmd := &cobra.Command{
		Use: "scaling", Short: "The same list with 1, 2 and 4 worker processes", Args: cobra.NoArgs,
		Long: "Needs DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to, and no worker running on them. Each run has a world of its own without mail\nservers that make us wait, and few lookups at once in each worker, so that it is the workers that are measured and not the processors: the share of these that was busy\nis printed beside. Efficiency is rows a second until 95 % are answered, against as many times those of one worker.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.out = cmd.OutOrStdout()
			return onServices(cmd.Context(), s.run)
		},
	}
	s.worldFlags.flags(cmd)
	for name, value := range map[string]string{"calm": "true", "people": "1500", "companies": "120"} {
		flag := cmd.Flags().Lookup(name)
		flag.DefValue = value
		_ = flag.Value.Set(value)
	}
	cmd.Flags().IntVar(&s.atOnce, "at-once", 3, "lookups at once in each worker")
	cmd.Flags().IntSliceVar(&s.workers, "workers", []int{1, 2, 4}, "numbers of worker processes")
	return cmd
}

// scaled is what one number of workers did.
type scaled struct {
	course
	used                cpuTimes
	rcpts, conns, peaks float64
}

func (s *scaling) run(ctx context.Context, o *opened) error {
	printf(s.out, "%d people, %d companies, %s per reply, %d lookups at once in each worker\n", s.people, s.companies, s.latency, s.atOnce)
	printf(s.out, "workers  rows/s  efficiency  RCPT/row  connections/row  peak/host  processors busy  by these\n")
	one := 0.0
	for _, n := range s.workers {
		got, err := s.measure(ctx, o, n)
		if err != nil {
			return fmt.Errorf("%d workers: %w", n, err)
		}
		pace := got.pace(95)
		if one == 0 {
			one = pace / float64(n)
		}
		busy, by := got.used.busy.Seconds(), (got.used.ours + got.used.postgres + got.used.redis).Seconds()
		printf(s.out, "%7d %7.0f %9.0f %% %9.2f %16.3f %10.0f %14.0f %% %7.0f %%\n", n, pace, 100*pace/one/float64(n), got.rcpts, got.conns, got.peaks,
			100*busy/got.used.all.Seconds(), 100*by/got.used.all.Seconds())
	}
	return nil
}

// measure runs the list with n workers that are up before it starts, in a world that nobody has asked before.
func (s *scaling) measure(ctx context.Context, o *opened, n int) (got scaled, err error) {
	b := benchmark{worldFlags: s.worldFlags, workers: n, atOnce: s.atOnce, out: io.Discard}
	return got, b.inWorld(ctx, o, func() error {
		for range n {
			if err := b.start(ctx, "worker"); err != nil {
				return err
			}
		}
		if err := workersAreUp(ctx, o, n); err != nil {
			return err
		}
		user, err := o.AddUser(ctx, fmt.Sprintf("bench-%d@localhost", time.Now().UnixNano()), "a password nobody needs", "bench", false)
		if err != nil {
			return err
		}
		before, err := readCPU(ctx, o)
		if err != nil {
			return err
		}
		if got.course, err = b.runList(ctx, o, user.Actor()); err != nil {
			return err
		}
		after, err := readCPU(ctx, o)
		if err != nil {
			return err
		}
		stats, rows := b.world.Stats(), float64(len(got.course))
		got.used = after.since(before)
		got.rcpts, got.conns, got.peaks = float64(stats.RCPTs)/rows, float64(stats.Connections)/rows, float64(stats.PeakPerHost)
		return nil
	})
}

// runList runs the world's people as one list and tells when its rows were answered.
func (b *benchmark) runList(ctx context.Context, o *opened, as app.Actor) (course, error) {
	file := string(b.world.CSV())
	list, err := o.Upload(ctx, as, app.UploadParams{Filename: "bench.csv", Body: strings.NewReader(file), Size: int64(len(file))})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if list, err = o.Start(ctx, as, list.Ref, app.StartParams{}); err != nil {
		return nil, err
	}
	if list, err = b.wait(ctx, o, as, list); err != nil {
		return nil, err
	}
	if list.State != app.ListFinished {
		return nil, errors.New("the list is " + list.State + ": " + list.Reason)
	}
	return readCourse(ctx, o, list, began)
}

// workersAreUp waits until n workers have shown that they live, and have had time to hear of each other.
func workersAreUp(ctx context.Context, o *opened, n int) error {
	const beats = 3 * time.Second
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(benchPoll) {
		living := 0
		if err := db.QueryRow(ctx, o.DB, "SELECT COUNT(*) FROM workers WHERE beat_at > ?", time.Now().Add(-beats)).Scan(&living); err != nil {
			return fmt.Errorf("counting workers: %w", err)
		}
		if living == n {
			time.Sleep(beats)
			return nil
		}
	}
	return errors.New("there are not " + strconv.Itoa(n) + " workers: does another one run on these services?")
}
