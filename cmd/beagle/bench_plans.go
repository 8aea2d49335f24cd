package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"beagle/app"
	"beagle/app/db"
	"beagle/web"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const (
	plansLists    = 40               // finished lists that share half of the rows
	plansTries    = 5                // times each page is asked for
	plansWork     = 20 * time.Second // a worker works on the running list
	plansKept     = 400              // different statements
	plansShown    = 110              // characters of a statement in the table
	plansPassword = "a password nobody needs"
)

// plansBench is one run of `beagle bench plans`.
type plansBench struct {
	rows int
	file string
	out  io.Writer
	seen statements
	o    *opened
}

func benchPlansCommand() *cobra.Command {
	b := plansBench{seen: statements{by: map[string]*statement{}}}
	cmd := &cobra.Command{
		Use: "plans", Short: "How PostgreSQL runs the statements of pages, API and worker, with many rows in the database", Args: cobra.NoArgs,
		Long: "Needs DATABASE_URL of an empty PostgreSQL database, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to. Fills the database with\n" +
			"--rows records, half of them in one running list, asks for pages and API reads, lets a worker work for a while, and explains (ANALYZE) every statement that\n" +
			"touches records. One that reads a whole table is marked.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out = cmd.OutOrStdout()
			return b.run(cmd.Context())
		},
	}
	cmd.Flags().IntVar(&b.rows, "rows", 10_000_000, "records")
	cmd.Flags().StringVar(&b.file, "plans", "", "write the whole plans to this file")
	return cmd
}

func (b *plansBench) run(ctx context.Context) (err error) {
	if b.o, err = openUnlimited(ctx, quiet); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.o.Close()) }()
	user, err := b.o.AddUser(ctx, "plans@localhost", plansPassword, "plans", false)
	if err != nil {
		return fmt.Errorf("the database must be empty: %w", err)
	}
	list, err := b.seed(ctx, user.Actor())
	if err != nil {
		return err
	}
	db.Watch(b.o.DB, b.seen.add)
	if err := b.askAll(ctx, user, list); err != nil {
		return err
	}
	if err := b.work(ctx); err != nil {
		return err
	}
	db.Watch(b.o.DB, nil)
	return b.tell(ctx)
}

// seed makes one running list, of which the first half has answers, and finished lists.
func (b *plansBench) seed(ctx context.Context, as app.Actor) (app.List, error) {
	began := time.Now()
	running, err := b.fill(ctx, as, "running", b.rows/2, b.rows/4)
	if err != nil {
		return running, err
	}
	for i := range plansLists {
		if _, err := b.fill(ctx, as, "list "+strconv.Itoa(i+1), b.rows/2/plansLists, b.rows/2/plansLists); err != nil {
			return running, err
		}
	}
	for _, sql := range []string{
		"INSERT INTO list_counts (list_id, state, status, reason, rows) SELECT list_id, state, status, reason, COUNT(*) FROM records WHERE state = 'done' GROUP BY 1, 2, 3, 4",
		"VACUUM ANALYZE",
	} {
		if err := b.o.DB.WithContext(ctx).Exec(sql).Error; err != nil {
			return running, fmt.Errorf("filling the database: %w", err)
		}
	}
	var size string
	if err := b.o.DB.WithContext(ctx).Raw("SELECT pg_size_pretty(pg_total_relation_size('records'))").Scan(&size).Error; err != nil {
		return running, err
	}
	printf(b.out, "%d records in %d lists, %s with indexes, made in %.0f s\n\n", b.rows, plansLists+1, size, time.Since(began).Seconds())
	return b.o.List(ctx, as.Account, running.Ref)
}

// fill makes a list of that many rows, the first of them with answers.
func (b *plansBench) fill(ctx context.Context, as app.Actor, name string, rows, done int) (app.List, error) {
	l, err := b.o.CreateList(ctx, as, name, app.ProcessFind, "", []string{"first name", "last name", "domain"}, [][]string{{"Ada", "Ash", "onegate.example"}})
	if err != nil {
		return l, err
	}
	if err := b.o.Import(ctx, l.ID); err != nil {
		return l, err
	}
	state, ended := app.ListRunning, any(nil)
	if done == rows {
		state, ended = app.ListFinished, time.Now().UTC()
	}
	var companies []string
	for _, c := range b.o.world.Companies() {
		companies = append(companies, c.Domain)
	}
	g := b.o.DB.WithContext(ctx)
	return l, errors.Join(
		g.Exec(`UPDATE lists SET state = ?, total = ?, imported = ?, finished_at = ?, result_at = ? WHERE id = ?`, state, rows, rows, ended, ended, l.ID).Error,
		g.Exec(`DELETE FROM records WHERE list_id = ?`, l.ID).Error,
		g.Exec(`INSERT INTO records (list_id, account_id, row_no, cells, first_name, last_name, domain, person_key, state, status, email, score, reason, pattern, note, evidence, checked_at)
			SELECT @list, @account, n, '["Ada","' || name || '","' || domain || '"]', 'Ada', name, domain, concat(CAST(@list AS bigint), '-', n), CASE WHEN n <= @done THEN 'done' ELSE 'pending' END,
			CASE WHEN n > @done THEN '' WHEN n % 10 = 0 THEN 'unknown' WHEN n % 10 = 1 THEN 'not_found' WHEN n % 10 = 2 THEN 'accept_all' ELSE 'valid' END,
			CASE WHEN n > @done OR n % 10 < 2 THEN '' ELSE 'ada.' || lower(name) || chr(64) || domain END, CASE WHEN n > @done OR n % 10 < 2 THEN 0 ELSE 30 + n % 70 END,
			CASE WHEN n > @done THEN '' WHEN n % 10 = 0 THEN 'timeout' WHEN n % 10 = 1 THEN 'mailbox_not_found' WHEN n % 10 = 2 THEN 'accepts_all' ELSE 'mailbox_exists' END,
			'{first}.{last}', 'The mail server accepts this address and refuses invented ones.', CASE WHEN n > @done THEN '' ELSE repeat('{"why":"x"}', 60) END, CASE WHEN n > @done THEN NULL ELSE now() END
			FROM (SELECT n, 'Ash' || translate(n::text, '0123456789', 'abcdefghik') AS name, (string_to_array(@companies, ','))[1 + n % @many ] AS domain FROM generate_series(1, @rows) AS n) AS people`,
			map[string]any{"list": l.ID, "account": as.Account, "done": done, "rows": rows, "companies": strings.Join(companies, ","), "many": len(companies)}).Error)
}

// askAll asks for what people and programs look at.
func (b *plansBench) askAll(ctx context.Context, user app.User, list app.List) error {
	token, _, err := b.o.SignIn(ctx, user.Email, plansPassword, "127.0.0.1", "bench")
	if err != nil {
		return err
	}
	_, key, err := b.o.CreateKey(ctx, user.Actor(), "bench", false)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(ctx)
	group.Go(func() error { return serve(serving, b.o, listener, web.Options{}) })
	group.Go(func() error {
		defer stop()
		asker := &beside{base: "http://" + listener.Addr().String()}
		page, api := "/lists/"+list.Ref, "/v2/lists/"+list.Ref
		printf(b.out, "%-28s %10s %10s\n", "read", "median ms", "slowest")
		for _, r := range []besidePage{
			{"lists page", "/lists"}, {"list page", page}, {"its live part", page + "/progress"}, {"one status", page + "?status=not_found"},
			{"one reason", page + "?status=unknown&reason=timeout"}, {"rows far down", page + "?after=" + strconv.FormatInt(int64(list.Total-1000), 36)}, {"by score", page + "?sort=score"},
			{"by address", page + "?sort=email"}, {"a status by score", page + "?status=accept_all&sort=score"}, {"a range of scores", page + "?min_score=41&max_score=42"},
			{"a search with a hit", page + "?q=ashb"}, {"domains page", "/domains/onegate.example"}, {"usage page", "/usage"},
			{"API lists", "/v2/lists"}, {"API list", api}, {"API records", api + "/records?limit=100"}, {"API domain search", "/v2/domain-search?domain=onegate.example"},
		} {
			if err := b.time(serving, asker, r, token, key); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

func (b *plansBench) time(ctx context.Context, asker *beside, r besidePage, token, key string) error {
	b.seen.name(r.name)
	var took []time.Duration
	for range plansTries {
		began := time.Now()
		if err := asker.ask(ctx, r.path, token, key); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	printf(b.out, "%-28s %10.1f %10.1f\n", r.name, milliseconds(took, 50), milliseconds(took, 100))
	return nil
}

// work lets a worker take rows of the running list.
func (b *plansBench) work(ctx context.Context) error {
	b.seen.name("worker")
	working, stop := context.WithTimeout(ctx, plansWork)
	defer stop()
	return b.o.Work(working)
}

// tell explains every statement that touched records.
func (b *plansBench) tell(ctx context.Context) error {
	var plans bytes.Buffer
	printf(b.out, "\n%-28s %6s %9s  %-4s %s\n", "first seen in", "calls", "worst ms", "", "statement, and how rows are read")
	for _, s := range b.seen.touching("records") {
		plan, err := db.Explain(ctx, b.o.DB, s.sample)
		if err != nil {
			plan = []string{"not explained: " + err.Error()}
		}
		mark, scans := "", []string{}
		for _, line := range plan {
			if strings.Contains(line, "Seq Scan on records") {
				mark = "ALL"
			}
			if at := scanOf.FindString(line); at != "" && !slices.Contains(scans, at) {
				scans = append(scans, at)
			}
		}
		printf(b.out, "%-28s %6d %9.1f  %-4s %.*s\n%58s%s\n", s.scene, s.calls, s.worst.Seconds()*1000, mark, plansShown, columns.ReplaceAllString(s.shape, "$1 … $2"), "", strings.Join(scans, ", "))
		fmt.Fprintf(&plans, "-- %s, %d calls, worst %.1f ms\n-- %s\n%s\n\n", s.scene, s.calls, s.worst.Seconds()*1000, s.shape, strings.Join(plan, "\n"))
	}
	if b.file == "" {
		return nil
	}
	return os.WriteFile(b.file, plans.Bytes(), 0o644)
}

var scanOf = regexp.MustCompile(`(Index Only Scan|Index Scan|Bitmap Index Scan|Bitmap Heap Scan|Seq Scan|Tid Scan)( Backward)?( using| on) \w+`)

// statement is all calls of one shape.
type statement struct {
	scene, shape, sample string
	calls                int
	worst                time.Duration
}

// statements keeps what was sent to the database.
type statements struct {
	mu    sync.Mutex
	scene string
	by    map[string]*statement
}

func (s *statements) name(scene string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scene = scene
}

var (
	literals = regexp.MustCompile(`'(?:[^']|'')*'|\b\d+\b`)
	columns  = regexp.MustCompile(`\b(SELECT|SET) .{40,}? (FROM|WHERE)\b`)
	lengths  = regexp.MustCompile(`\?(?:,\s*\?)+`)
)

// add keeps the slowest statement of each shape, with its values.
func (s *statements) add(text string, took time.Duration) {
	shape := lengths.ReplaceAllString(literals.ReplaceAllString(strings.Join(strings.Fields(text), " "), "?"), "?…")
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.by[shape]
	if k == nil {
		if len(s.by) >= plansKept {
			return
		}
		k = &statement{scene: s.scene, shape: shape}
		s.by[shape] = k
	}
	if k.calls++; took >= k.worst {
		k.worst, k.sample = took, text
	}
}

// touching are the statements about a table, slowest first.
func (s *statements) touching(table string) []*statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	about := regexp.MustCompile(`\b` + table + `\b`)
	var out []*statement
	for _, k := range s.by {
		if about.MatchString(k.shape) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b *statement) int { return int(b.worst - a.worst) })
	return out
}
