package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"beagle/app"
	"beagle/app/mailworld"
	"beagle/app/sheet"

	"github.com/spf13/cobra"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure"}
	cmd.AddCommand(benchPipelineCommand(), benchImportCommand(), benchFanoutCommand(), benchFinderCommand(), benchProbeCommand(), benchBesideCommand(), benchPlansCommand(), benchAutoscaleCommand(),
		benchAPICommand(), benchScalingCommand(), benchAllCommand())
	return cmd
}

const benchPoll = 100 * time.Millisecond

func benchPipelineCommand() *cobra.Command {
	b := benchmark{}
	cmd := &cobra.Command{
		Use: "pipeline", Short: "One list through worker processes on real services, against a simulated mail world", Args: cobra.NoArgs,
		Long: "Needs DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to. Starts the worker and clock processes itself\n(with GREYLIST_MAX_WAIT=10s, GREYLIST_MAX_TRIES=3, PROBE_TIMEOUT=5s, so that silent and greylisting hosts do not decide the figure),\nchecks every answer against the world's truth, and prints rows per second, RCPTs and connections per row, and peak memory.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out = cmd.OutOrStdout()
			return b.run(cmd.Context())
		},
	}
	b.worldFlags.flags(cmd)
	cmd.Flags().IntVar(&b.workers, "workers", 1, "worker processes")
	cmd.Flags().IntVar(&b.atOnce, "at-once", 0, "lookups at once in each worker, and of the plain approach for each; 0 is the configured number")
	cmd.Flags().IntVar(&b.kills, "kills", 0, "how many times a worker is killed with -9 on the way and replaced")
	cmd.Flags().IntVar(&b.known, "known", 0, "addresses of each accept-all company uploaded before, as an account would; their people are not judged there")
	cmd.Flags().IntVar(&b.baseline, "baseline", 0, "people that the plain approach (one connection for each address, the catch-all question beside each) asks for afterwards")
	return cmd
}

// benchmark is one run of `beagle bench pipeline`.
type benchmark struct {
	worldFlags
	workers, kills int
	atOnce         int // lookups in each worker, 0 as configured
	known          int // addresses of each accept-all company that are given away before
	baseline       int // people that the plain approach asks for afterwards
	given          map[string]bool
	speed          float64 // rows per second
	out            io.Writer
	world          *mailworld.World
	procs          []*process
}

// process is a child of this one.
type process struct {
	role string
	cmd  *exec.Cmd
	peak int // MiB, the largest seen
}

func (b *benchmark) run(ctx context.Context) (err error) {
	o, err := openServices(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return b.inWorld(ctx, o, func() error {
		for range b.workers {
			if err := b.start(ctx, "worker"); err != nil {
				return err
			}
		}
		if err := b.start(ctx, "clock"); err != nil {
			return err
		}
		user, err := o.AddUser(ctx, fmt.Sprintf("bench-%d@localhost", time.Now().UnixNano()), "a password nobody needs", "bench", false)
		if err != nil {
			return err
		}
		return b.measure(ctx, o, user.Actor())
	})
}

// inWorld measures while the simulated mail world runs, and ends the processes that were started for it.
func (b *benchmark) inWorld(ctx context.Context, o *opened, measure func() error) (err error) {
	if err := o.Migrate(ctx); err != nil {
		return err
	}
	b.world = b.worldFlags.world(0, 0)
	if err := b.world.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.world.Close()) }()
	if err := forgetWorld(ctx, o, b.world); err != nil {
		return err
	}
	defer b.stop()
	return measure()
}

// forgetWorld drops what an earlier run has learned: companies of the same names may have other servers now.
func forgetWorld(ctx context.Context, o *opened, w *mailworld.World) error {
	var domains []string
	for _, c := range w.Companies() {
		domains = append(domains, c.Domain)
	}
	for _, of := range []string{"domains WHERE name", "observations WHERE domain", "domain_patterns WHERE domain"} {
		if err := o.DB.WithContext(ctx).Exec("DELETE FROM "+of+" IN ?", domains).Error; err != nil {
			return fmt.Errorf("forgetting an earlier world: %w", err)
		}
	}
	keys := o.Queue.Redis.Scan(ctx, 0, "beagle:{mx}:*", 1000).Iterator()
	for keys.Next(ctx) {
		if err := o.Queue.Redis.Del(ctx, keys.Val()).Err(); err != nil {
			return fmt.Errorf("forgetting an earlier world: %w", err)
		}
	}
	return keys.Err()
}

func (b *benchmark) start(ctx context.Context, role string, env ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, role)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append(os.Environ(), "DNS_SERVER="+b.world.DNSAddr(), "PROBE_SMTP_PORT="+strconv.Itoa(b.world.SMTPPort()), "PROBE_ALLOW_PRIVATE=true", "PROBE_HELO=beagle.example", "LOG_LEVEL=warn",
		"GREYLIST_MAX_WAIT=10s", "GREYLIST_MAX_TRIES=3", "PROBE_TIMEOUT=5s")
	if b.atOnce > 0 {
		cmd.Env = append(cmd.Env, "WORKER_RECORD_SERVERS=1", "WORKER_CONCURRENCY="+strconv.Itoa(b.atOnce))
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", role, err)
	}
	b.procs = append(b.procs, &process{role: role, cmd: cmd})
	return nil
}

func (b *benchmark) stop() {
	for _, p := range b.procs {
		_ = p.cmd.Process.Signal(os.Interrupt)
	}
	for _, p := range b.procs {
		_ = p.cmd.Wait()
	}
}

func (b *benchmark) measure(ctx context.Context, o *opened, as app.Actor) error {
	file := b.world.CSV()
	var err error
	if b.given, err = b.giveKnown(ctx, o, as); err != nil {
		return err
	}
	began := time.Now()
	list, err := o.Upload(ctx, as, app.UploadParams{Filename: "bench.csv", Body: strings.NewReader(string(file)), Size: int64(len(file))})
	if err != nil {
		return err
	}
	if list, err = o.Start(ctx, as, list.Ref, app.StartParams{}); err != nil {
		return err
	}
	if list, err = b.wait(ctx, o, as, list); err != nil {
		return err
	}
	took := time.Since(began)
	times, err := readCourse(ctx, o, list, began)
	if err != nil {
		return err
	}
	return b.report(ctx, o, as, list, took, times)
}

// wait watches the list and kills workers at even steps of the way.
func (b *benchmark) wait(ctx context.Context, o *opened, as app.Actor, list app.List) (app.List, error) {
	killed := 0
	for {
		got, err := o.List(ctx, as.Account, list.Ref)
		if err != nil || got.Ended() {
			return got, err
		}
		p, err := o.Progress(ctx, got)
		if err != nil {
			return got, err
		}
		for _, child := range b.procs {
			child.look()
		}
		if killed < b.kills && p.Fraction > float64(killed+1)/float64(b.kills+1) {
			killed++
			printf(b.out, "killing a worker with -9 at %d of %d rows\n", p.Done, p.Total)
			if err := b.replace(ctx, (killed-1)%b.workers); err != nil {
				return got, err
			}
		}
		select {
		case <-ctx.Done():
			return got, ctx.Err()
		case <-time.After(benchPoll):
		}
	}
}

func (b *benchmark) replace(ctx context.Context, n int) error {
	if err := b.procs[n].cmd.Process.Kill(); err != nil {
		return err
	}
	_ = b.procs[n].cmd.Wait()
	peak := b.procs[n].peak
	if err := b.start(ctx, "worker"); err != nil {
		return err
	}
	last := len(b.procs) - 1
	b.procs[n], b.procs = b.procs[last], b.procs[:last]
	b.procs[n].peak = peak
	return nil
}

// look notes the process's peak memory.
func (p *process) look() { p.peak = max(p.peak, peakMemory(p.cmd.Process.Pid)) }

// peakMemory is the largest resident memory of a process so far, in MiB; 0 where the system does not tell (not Linux).
func peakMemory(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		return 0
	}
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		return 0
	}
	return kib / 1024
}

func (b *benchmark) report(ctx context.Context, o *opened, as app.Actor, list app.List, took time.Duration, times course) error {
	p, err := o.Progress(ctx, list)
	if err != nil {
		return err
	}
	rows := float64(p.Total)
	b.speed = rows / took.Seconds()
	s := b.world.Stats()
	printf(b.out, "list %s; %d rows of %d companies, %s per reply, %d worker(s), %d kill(s), GOMAXPROCS %d\n", list.State, p.Total, b.companies, b.latency, b.workers, b.kills, runtime.GOMAXPROCS(0))
	printf(b.out, "  upload to finished file  %8.1f s\n  rows per second          %8.0f\n", took.Seconds(), b.speed)
	for _, m := range milestones {
		printf(b.out, "  %3d %% of rows answered   %8.1f s\n", m, times.until(m).Seconds())
	}
	printf(b.out, "  RCPT per row             %8.2f\n  connections per row      %8.3f\n  peak per MX host         %8d\n  protocol faults          %8d\n",
		float64(s.RCPTs)/rows, float64(s.Connections)/rows, s.PeakPerHost, s.Faults)
	for _, f := range s.FaultSamples {
		printf(b.out, "    at %s: %s: %s\n", f.Host, f.Kind, f.Line)
	}
	for _, child := range b.procs {
		printf(b.out, "  peak memory, %-10s  %8d MiB\n", child.role, child.peak)
	}
	for status, n := range p.ByStatus {
		printf(b.out, "  %-24s %8d\n", status, n)
	}
	return b.check(ctx, o, as, list, side{course: times, stats: s})
}

// check compares the result file with the world's truth, row by row, and ours with the plain approach.
func (b *benchmark) check(ctx context.Context, o *opened, as app.Actor, list app.List, ours side) error {
	d, err := o.Download(ctx, as.Account, list, sheet.CSV, true)
	if err != nil {
		return err
	}
	defer d.Body.Close()
	rows, err := sheet.NewReader(d.Body, sheet.Dialect{Format: sheet.CSV, Comma: ",", Encoding: sheet.UTF8, Header: true}, sheet.DefaultLimits())
	if err != nil {
		return err
	}
	ours.known = b.given
	email, status, score := len(list.Columns), len(list.Columns)+1, len(list.Columns)+2
	truths := b.world.Truths()
	for _, truth := range truths {
		row, err := rows.Next()
		if err != nil {
			return fmt.Errorf("the result ends before row %d: %w", truth.Row, err)
		}
		points, _ := strconv.Atoi(row.Cells[score]) // empty where there is no address
		ours.add(truth, row.Cells[email], row.Cells[status], points)
	}
	if _, err := rows.Next(); !errors.Is(err, io.EOF) {
		return errors.New("the result has more rows than the file")
	}
	ours.print(b.out)
	if err := b.printAsking(ctx, o, list, truths); err != nil {
		return err
	}
	return b.compare(ctx, o, truths, ours)
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }
