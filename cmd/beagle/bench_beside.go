package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"beagle/app"
	"beagle/app/mailworld"

	"github.com/spf13/cobra"
)

// What is done beside the large list.
const (
	besideLists = 5                     // small lists, one after the other
	besideRows  = 10                    // rows of each
	besideEvery = 20 * time.Millisecond // between two requests: an open loop, so that a slow answer does not slow the questions down
	besideWarm  = 10 * time.Second      // of the large list running before anything is measured
)

func benchBesideCommand() *cobra.Command {
	b := beside{benchmark: benchmark{workers: 1}}
	cmd := &cobra.Command{
		Use: "beside", Short: "What others feel while a large list runs: small lists, pages, API reads, memory of Redis", Args: cobra.NoArgs,
		Long: "Needs DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to. Starts web, worker and clock processes and a simulated mail\nworld, starts a list of --rows rows, and beside it lists of 10 rows of another account, and 50 requests per second for pages and API reads. The large list\nis canceled at the end.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out = cmd.OutOrStdout()
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error {
				return b.inWorld(ctx, o, func() error { return b.measure(ctx, o) })
			})
		},
	}
	b.worldFlags.flags(cmd)
	cmd.Flags().IntVar(&b.rows, "rows", 1_000_000, "rows of the large list")
	cmd.Flags().DurationVar(&b.watch, "watch", 30*time.Second, "how long pages and API are asked")
	return cmd
}

// beside is one run of `beagle bench beside`.
type beside struct {
	benchmark
	rows  int
	watch time.Duration
	base  string // of the web process
}

func (b *beside) measure(ctx context.Context, o *opened) (err error) {
	if err := b.startAll(ctx); err != nil {
		return err
	}
	large, err := b.user(ctx, o, "large")
	if err != nil {
		return err
	}
	before, err := redisMemory(ctx, o)
	if err != nil {
		return err
	}
	list, err := b.startLarge(ctx, o, large.Actor())
	if err != nil {
		return err
	}
	defer func() {
		_, stop := o.Cancel(context.WithoutCancel(ctx), large.Actor(), list.Ref)
		err = errors.Join(err, stop)
	}()
	if err := b.smallLists(ctx, o); err != nil {
		return err
	}
	if err := b.askPages(ctx, o, large, list); err != nil {
		return err
	}
	return b.tell(ctx, o, large.Actor(), list, before)
}

// startAll starts the three processes and waits for the web process to answer.
func (b *beside) startAll(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("finding a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	b.base = "http://127.0.0.1:" + strconv.Itoa(port)
	for _, role := range []string{"web", "worker", "clock"} {
		if err := b.start(ctx, role, "PORT="+strconv.Itoa(port), "SECURE_COOKIES=false", "API_REQUESTS_PER_KEY=100000", "API_REQUESTS_PER_ACCOUNT=100000"); err != nil {
			return err
		}
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(benchPoll) {
		if answer, err := http.Get(b.base + "/readyz"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("the web process does not answer")
}

func (b *beside) user(ctx context.Context, o *opened, name string) (app.User, error) {
	return o.AddUser(ctx, fmt.Sprintf("%s-%d@localhost", name, time.Now().UnixNano()), besidePassword, name, false)
}

const besidePassword = "a password nobody needs"

// startLarge starts the large list and waits until it has run for a while.
func (b *beside) startLarge(ctx context.Context, o *opened, as app.Actor) (app.List, error) {
	file, err := b.largeFile()
	if err != nil {
		return app.List{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return app.List{}, err
	}
	began := time.Now()
	list, err := o.Upload(ctx, as, app.UploadParams{Filename: "large.csv", Body: file, Size: -1})
	if err != nil {
		return list, err
	}
	if list, err = o.Start(ctx, as, list.Ref, app.StartParams{}); err != nil {
		return list, err
	}
	for list.State != app.ListRunning {
		if list.Ended() {
			return list, fmt.Errorf("the large list is %s: %s", list.State, list.Note)
		}
		if err := pause(ctx, benchPoll); err != nil {
			return list, err
		}
		if list, err = o.List(ctx, as.Account, list.Ref); err != nil {
			return list, err
		}
	}
	printf(b.out, "%d rows uploaded and imported in %.1f s\n", list.Total, time.Since(began).Seconds())
	return list, pause(ctx, besideWarm)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// largeFile names other people at the world's companies, so that the rows cost what rows cost and none repeats another.
func (b *beside) largeFile() (*os.File, error) {
	f, err := os.CreateTemp("", "beagle-bench-*.csv")
	if err != nil {
		return nil, fmt.Errorf("making a file: %w", err)
	}
	companies := b.world.Companies()
	w := bufio.NewWriter(f)
	printf(w, "First Name,Last Name,Company,Website,Job Title,City\n")
	for i := range b.rows {
		c := companies[i%len(companies)]
		printf(w, "Ada,%s,%s,https://www.%s/about,Head of Things,Town %d\n", surname(i), c.Name, c.Domain, i%977)
	}
	return f, w.Flush()
}

// surname spells a number in letters.
func surname(n int) string {
	name := []byte("Ash")
	for ; n > 0; n /= 20 {
		name = append(name, "bcdfghjklmnpqrstvwxz"[n%20])
	}
	return string(name)
}

// smallLists times lists of ten people at hosts that tell, from the start to the finished file.
func (b *beside) smallLists(ctx context.Context, o *opened) error {
	var took []time.Duration
	people := b.findable()
	for i := range besideLists {
		user, err := b.user(ctx, o, "small")
		if err != nil {
			return err
		}
		rows := make([][]string, besideRows)
		for j := range rows {
			t := people[(i*besideRows+j)%len(people)]
			rows[j] = []string{t.Person.First, t.Person.Last, t.Company.Domain}
		}
		began := time.Now()
		list, err := o.CreateList(ctx, user.Actor(), "small", "find", "", []string{"first_name", "last_name", "domain"}, rows)
		if err != nil {
			return err
		}
		for !list.Ended() {
			if err := pause(ctx, benchPoll/5); err != nil {
				return err
			}
			if list, err = o.List(ctx, user.AccountID, list.Ref); err != nil {
				return err
			}
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	printf(b.out, "%d lists of %d rows beside it: median %.2f s, slowest %.2f s from start to finished file\n", besideLists, besideRows, took[len(took)/2].Seconds(), took[len(took)-1].Seconds())
	return nil
}

// findable are people with mailboxes at accurate hosts, each at another company as far as there are so many.
func (b *beside) findable() []mailworld.Truth {
	var all []mailworld.Truth
	for _, t := range b.world.Truths() {
		if t.Kind == mailworld.KindFound && t.Company.Behaviour == mailworld.Accurate && t.Person.First != "" && t.Person.Last != "" {
			all = append(all, t)
		}
	}
	return all
}

// besidePage is something that people look at while lists run.
type besidePage struct{ name, path string }

// askPages asks for pages and API reads in turn at a steady pace and tells how long the answers took.
func (b *beside) askPages(ctx context.Context, o *opened, user app.User, list app.List) error {
	token, _, err := o.SignIn(ctx, user.Email, besidePassword, "127.0.0.1", "bench")
	if err != nil {
		return err
	}
	_, key, err := o.CreateKey(ctx, user.Actor(), "bench", false)
	if err != nil {
		return err
	}
	pages := []besidePage{{"lists page", "/lists"}, {"list page", "/lists/" + list.Ref}, {"records by status", "/lists/" + list.Ref + "?status=not_found"},
		{"API list", "/v2/lists/" + list.Ref}, {"API records", "/v2/lists/" + list.Ref + "/records?limit=100"}}
	type answer struct {
		page int
		took time.Duration
		err  error
	}
	answers := make(chan answer, int(b.watch/besideEvery)+1)
	asked := 0
	for deadline := time.Now().Add(b.watch); time.Now().Before(deadline); asked++ {
		page := asked % len(pages)
		go func() {
			began := time.Now()
			err := b.ask(ctx, pages[page].path, token, key)
			answers <- answer{page, time.Since(began), err}
		}()
		if err := pause(ctx, besideEvery); err != nil {
			return err
		}
	}
	times := make([][]time.Duration, len(pages))
	for range asked {
		a := <-answers
		if a.err != nil {
			return fmt.Errorf("%s: %w", pages[a.page].name, a.err)
		}
		times[a.page] = append(times[a.page], a.took)
	}
	for i, p := range pages {
		slices.Sort(times[i])
		printf(b.out, "  %-18s %5d answers  p50 %6.1f ms  p99 %6.1f ms\n", p.name, len(times[i]), milliseconds(times[i], 50), milliseconds(times[i], 99))
	}
	return nil
}

func milliseconds(sorted []time.Duration, percentile int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[(len(sorted)-1)*percentile/100].Microseconds()) / 1000
}

func (b *beside) ask(ctx context.Context, path, token, key string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		return err
	}
	if strings.HasPrefix(path, "/v2/") {
		req.Header.Set("Authorization", "Bearer "+key)
	} else {
		req.AddCookie(&http.Cookie{Name: "beagle", Value: token})
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

// tell reports how the large list fared meanwhile, and what it costs in memory.
func (b *beside) tell(ctx context.Context, o *opened, as app.Actor, list app.List, before int) error {
	p, err := o.Progress(ctx, list)
	if err != nil {
		return err
	}
	after, err := redisMemory(ctx, o)
	if err != nil {
		return err
	}
	printf(b.out, "large list: %d of %d rows done, %.0f rows/s\nRedis: %.1f MiB more than before it\n", p.Done, p.Total, p.RowsPerSecond, float64(after-before)/(1<<20))
	for _, child := range b.procs {
		child.look()
		printf(b.out, "peak memory, %-8s %5d MiB\n", child.role, child.peak)
	}
	return nil
}

// redisMemory is what Redis uses, in bytes.
func redisMemory(ctx context.Context, o *opened) (int, error) {
	info, err := o.Queue.Redis.Info(ctx, "memory").Result()
	if err != nil {
		return 0, fmt.Errorf("asking Redis for its memory: %w", err)
	}
	_, rest, found := strings.Cut(info, "used_memory:")
	if !found {
		return 0, errors.New("Redis does not tell its memory")
	}
	return strconv.Atoi(strings.Fields(rest)[0])
}
