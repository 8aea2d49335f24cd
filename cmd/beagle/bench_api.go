package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"beagle/app"
	"beagle/app/config"
	"beagle/app/mailworld"
	"beagle/web"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const (
	apiBenchRows  = 100
	apiBenchLimit = 1_000_000_000 // requests a minute: the limits are counted, and do not bite
	apiBenchWait  = 10 * time.Second
)

// apiBench is one run of `beagle bench api`.
type apiBench struct {
	time        time.Duration
	connections int
	hold        bool
	only        string
	profile     string
	out         io.Writer
	addr        string
	key         string
}

func benchAPICommand() *cobra.Command {
	b := apiBench{}
	cmd := &cobra.Command{
		Use: "api", Short: "Reads and repeated questions over HTTP, answered by this process on real services", Args: cobra.NoArgs,
		Long: "Needs DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to. Each call is asked over kept-open connections on\n" +
			"loopback; the one that asks shares the cores, and the CPU time per request of this process includes it. --hold prints the addresses and serves on, for a load generator such as wrk.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out = cmd.OutOrStdout()
			return b.run(cmd.Context())
		},
	}
	cmd.Flags().DurationVar(&b.time, "time", 5*time.Second, "how long each call is asked")
	cmd.Flags().IntVar(&b.connections, "connections", 32, "connections")
	cmd.Flags().BoolVar(&b.hold, "hold", false, "serve until interrupted instead of asking")
	cmd.Flags().StringVar(&b.only, "only", "", "ask only calls whose path has this in it")
	cmd.Flags().StringVar(&b.profile, "cpuprofile", "", "write a CPU profile to this file")
	return cmd
}

// openUnlimited opens the app, migrated, on the services of the environment and the demo world, for web in this process that is asked
// as fast as can be.
func openUnlimited(ctx context.Context, log func(config.Config) *slog.Logger) (_ *opened, err error) {
	c, err := config.Load()
	if err != nil {
		return nil, err
	}
	c.Limits = config.Limits{PerKey: apiBenchLimit, PerAccount: apiBenchLimit}
	c.SecureCookies = false // plain HTTP on this machine
	o := &opened{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	dial, err := o.startWorld(&c, mailworld.Demo())
	if err != nil {
		return nil, err
	}
	if err := o.open(ctx, c, app.Options{Dial: dial, Log: log(c)}); err != nil {
		return nil, err
	}
	return o, o.Migrate(ctx)
}

func (b *apiBench) run(ctx context.Context) (err error) {
	collectSeldom()
	o, err := openUnlimited(ctx, func(c config.Config) *slog.Logger { return logger(c, os.Stderr) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	paths, err := b.seed(ctx, o)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	b.addr = listener.Addr().String()
	group, ctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(ctx)
	group.Go(func() error { return serve(serving, o, listener, web.Options{}) })
	group.Go(func() error {
		defer stop()
		return b.ask(ctx, paths)
	})
	return group.Wait()
}

// seed makes an account with a list that has ended, and an answer that is kept.
func (b *apiBench) seed(ctx context.Context, o *opened) ([]string, error) {
	user, err := o.AddUser(ctx, fmt.Sprintf("bench-%d@localhost", time.Now().UnixNano()), "a password nobody needs", "bench", false)
	if err != nil {
		return nil, err
	}
	as := user.Actor()
	if _, b.key, err = o.CreateKey(ctx, as, "bench", false); err != nil {
		return nil, err
	}
	rows := make([][]string, apiBenchRows)
	for i := range rows {
		rows[i] = []string{"First" + strconv.Itoa(i), "Last", "onegate.example"}
	}
	l, err := o.CreateList(ctx, as, "bench", app.ProcessNone, "", []string{"first name", "last name", "domain"}, rows)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(o.Import(ctx, l.ID), o.Export(ctx, l.ID)); err != nil {
		return nil, err
	}
	found, _, err := o.Records(ctx, as.Account, l, app.RecordQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	if _, err := o.FindOne(ctx, as, app.FindParams{First: "Grace", Last: "Yates", Domain: "onegate.example"}); err != nil {
		return nil, err
	}
	if _, err := o.VerifyOne(ctx, as, "grace.yates@onegate.example"); err != nil {
		return nil, err
	}
	list := "/v2/lists/" + l.Ref
	return []string{"/v2/email-finder?domain=onegate.example&first_name=Grace&last_name=Yates", "/v2/email-verifier?email=grace.yates@onegate.example",
		"/v2/account", list, list + "/records?limit=10", list + "/records/" + strconv.FormatInt(found[0].ID, 10), "/v2/lists", "/v2/domain-search?domain=onegate.example"}, nil
}

func (b *apiBench) ask(ctx context.Context, paths []string) error {
	paths = slices.DeleteFunc(paths, func(path string) bool { return !strings.Contains(path, b.only) })
	if b.hold {
		for _, path := range paths {
			printf(b.out, "wrk -t1 -c%d -d%s --latency -H 'Authorization: Bearer %s' 'http://%s%s'\n", b.connections, b.time, b.key, b.addr, path)
		}
		<-ctx.Done()
		return nil
	}
	printf(b.out, "%-46s %8s %8s %8s %8s %8s\n", "call", "req/s", "p50 ms", "p99 ms", "max ms", "cpu µs")
	return profiled(b.profile, func() error {
		for _, path := range paths {
			if err := errors.Join(b.load(ctx, path, false), b.load(ctx, path, true)); err != nil {
				return err
			}
		}
		return nil
	})
}

// load asks one call from every connection for a time. tagged sends the ETag that the first answer had.
func (b *apiBench) load(ctx context.Context, path string, tagged bool) error {
	tag, want := "", "200"
	if tagged {
		res, err := b.once(ctx, path)
		if err != nil {
			return err
		}
		if tag = res.Header.Get("ETag"); tag == "" {
			return nil
		}
		want = "304"
	}
	busy, until := cpuTime(), time.Now().Add(b.time)
	took := make([][]time.Duration, b.connections)
	var group errgroup.Group
	for i := range took {
		group.Go(func() (err error) {
			took[i], err = b.loop(path, tag, want, until)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	name, _, _ := bytes.Cut([]byte(path), []byte("?"))
	if len(name) > 40 {
		name = append([]byte("/v2/lists/…"), name[len("/v2/lists/")+26:]...)
	}
	ms := func(share float64) float64 { return all[int(share*float64(len(all)-1))].Seconds() * 1000 }
	printf(b.out, "%-42s %s %8.0f %8.1f %8.1f %8.1f %8.0f\n", name, want, float64(len(all))/b.time.Seconds(), ms(0.5), ms(0.99), ms(1),
		float64((cpuTime()-busy).Microseconds())/float64(len(all)))
	return nil
}

// cpuTime is what this process has used of the cores, to a hundredth of a second; 0 where there is no /proc.
func cpuTime() time.Duration {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // utime and stime of proc(5), in ticks of 10 ms
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (b *apiBench) once(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.addr+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+b.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	return res, res.Body.Close()
}

// loop asks over one connection. It reads answers itself: net/http's client would take as much of the cores as the server.
func (b *apiBench) loop(path, tag, want string, until time.Time) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(until.Add(apiBenchWait)); err != nil {
		return nil, err
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + b.addr + "\r\nAuthorization: Bearer " + b.key + "\r\n"
	if tag != "" {
		request += "If-None-Match: " + tag + "\r\n"
	}
	raw, in := []byte(request+"\r\n"), bufio.NewReaderSize(conn, 64<<10)
	var took []time.Duration
	for began := time.Now(); began.Before(until); began = time.Now() {
		if _, err := conn.Write(raw); err != nil {
			return nil, err
		}
		status, err := readAnswer(in)
		if err != nil {
			return nil, err
		}
		if status != want {
			return nil, fmt.Errorf("%s was answered %s", path, status)
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// readAnswer reads one answer over and gives its status.
func readAnswer(in *bufio.Reader) (status string, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if first && len(line) > 12 {
			status = string(line[9:12])
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return "", err
			}
		}
		if len(line) <= 2 {
			_, err = in.Discard(length)
			return status, err
		}
	}
}
