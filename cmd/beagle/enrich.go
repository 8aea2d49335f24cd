package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"beagle/app"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

const (
	enrichPoll = 200 * time.Millisecond
	enrichUser = "enrich@localhost"
)

func enrichCommand() *cobra.Command {
	var e enrichment
	cmd := &cobra.Command{
		Use: "enrich IN.csv", Short: "Run the whole pipeline on one file", Args: cobra.ExactArgs(1),
		Long: "Find the addresses of the people in a file (CSV, XLSX or JSON lines) and write the file with the answers appended.\nCtrl-C stops and writes what was found so far.",
		RunE: func(cmd *cobra.Command, args []string) error {
			e.in, e.notes = args[0], cmd.ErrOrStderr()
			return e.run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&e.out, "output", "o", "", "where the result goes (default: IN.enriched.csv)")
	cmd.Flags().StringVar(&e.process, "process", app.ProcessFind, strings.Join(app.Processes, ", "))
	cmd.Flags().BoolVar(&e.demo, "demo", false, "simulate mail servers and DNS")
	cmd.Flags().BoolVar(&e.noHeader, "no-header", false, "the first row is a person, whatever it looks like")
	cmd.Flags().BoolVar(&e.raw, "raw", false, "do not guard cells that a spreadsheet would take for formulas")
	return cmd
}

// enrichment is one run of `beagle enrich`: the pipeline on stores that are thrown away afterwards.
type enrichment struct {
	in, out, process string
	demo, raw        bool
	noHeader         bool
	notes            io.Writer
}

func (e *enrichment) run(ctx context.Context) (err error) {
	if e.out == "" {
		e.out = strings.TrimSuffix(e.in, filepath.Ext(e.in)) + ".enriched.csv"
	}
	in, err := os.Open(e.in)
	if err != nil {
		return err
	}
	defer in.Close()
	dir, err := os.MkdirTemp("", "beagle-enrich-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o, err := openEmbedded(ctx, dir, e.demo, quiet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	user, err := o.AddUser(ctx, enrichUser, "a password nobody needs", "enrich", false)
	if err != nil {
		return err
	}
	as := user.Actor()
	list, err := e.upload(ctx, o, as, in)
	if err != nil {
		return err
	}
	return e.work(ctx, o, as, list)
}

func (e *enrichment) upload(ctx context.Context, o *opened, as app.Actor, in *os.File) (app.List, error) {
	info, err := in.Stat()
	if err != nil {
		return app.List{}, err
	}
	list, err := o.Upload(ctx, as, app.UploadParams{Filename: e.in, Process: e.process, Body: in, Size: info.Size()})
	if err != nil {
		return app.List{}, err
	}
	var params app.StartParams
	if e.noHeader {
		list.Dialect.Header, list.Dialect.Skip = false, 0
		params.Dialect = &list.Dialect
	}
	return o.Start(ctx, as, list.Ref, params)
}

// work runs a worker until the list has ended or somebody stops it, and writes the result either way.
func (e *enrichment) work(ctx context.Context, o *opened, as app.Actor, list app.List) error {
	working, stop := context.WithCancel(ctx)
	worked := make(chan error, 1)
	go func() { worked <- o.Work(working) }()
	began := time.Now()
	list, last, err := e.watch(ctx, o, as, list)
	stop()
	err = errors.Join(err, <-worked)
	stopped := ctx.Err() != nil
	if err != nil && !stopped {
		return err
	}
	if list.State == app.ListFailed {
		return errors.New(list.Note)
	}
	if last.Total == 0 {
		return errors.New("stopped before the first row")
	}
	if err := e.write(context.WithoutCancel(ctx), o, as, list); err != nil {
		return err
	}
	e.summary(last, time.Since(began), stopped)
	return nil
}

func (e *enrichment) watch(ctx context.Context, o *opened, as app.Actor, list app.List) (app.List, app.Progress, error) {
	bar := e.bar()
	defer func() { _ = bar.Finish() }()
	for {
		got, err := o.List(context.WithoutCancel(ctx), as.Account, list.Ref)
		if err != nil {
			return list, app.Progress{}, err
		}
		progress, err := o.Progress(context.WithoutCancel(ctx), got)
		if err != nil {
			return list, app.Progress{}, err
		}
		if progress.Total > 0 {
			bar.ChangeMax64(progress.Total)
			_ = bar.Set64(progress.Done + progress.Failed)
			bar.Describe(describe(o, progress))
		}
		if got.Ended() || ctx.Err() != nil {
			return got, progress, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(enrichPoll):
		}
	}
}

func describe(o *opened, p app.Progress) string {
	s := fmt.Sprintf("%d found", p.Found)
	if p.Retrying > 0 && p.NextRetry != nil {
		s += fmt.Sprintf(", %d asked to come back (next in %s)", p.Retrying, max(0, p.NextRetry.Sub(o.Now())).Round(time.Second))
	}
	return s
}

// bar is drawn on a terminal only: a log file gets the summary.
func (e *enrichment) bar() *progressbar.ProgressBar {
	var to io.Writer = io.Discard
	if f, ok := e.notes.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		to = f
	}
	return progressbar.NewOptions64(1, progressbar.OptionSetWriter(to), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("rows"), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
}

// write puts the result beside its final name first, so that a half-written file is never taken for a result.
func (e *enrichment) write(ctx context.Context, o *opened, as app.Actor, list app.List) (err error) {
	d, err := o.Download(ctx, as.Account, list, "csv", e.raw)
	if err != nil {
		return err
	}
	defer d.Body.Close()
	f, err := os.CreateTemp(filepath.Dir(e.out), ".beagle-*.csv")
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, d.Body)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if err := os.Rename(f.Name(), e.out); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

func (e *enrichment) summary(p app.Progress, took time.Duration, stopped bool) {
	if stopped {
		printf(e.notes, "Stopped. The file holds what was found so far.\n")
	}
	ended := p.Done + p.Failed
	printf(e.notes, "%s: %d rows, %d ended in %s (%.1f rows/s)\n", e.out, p.Total, ended, took.Round(100*time.Millisecond), float64(ended)/took.Seconds())
	statuses := make([]string, 0, len(p.ByStatus))
	for s := range p.ByStatus {
		statuses = append(statuses, s)
	}
	slices.SortFunc(statuses, func(x, y string) int { return int(p.ByStatus[y] - p.ByStatus[x]) })
	for _, s := range statuses {
		printf(e.notes, "  %-12s %6d\n", s, p.ByStatus[s])
		for _, r := range p.ByReason {
			if r.Status == s && len(p.ByReason) > 1 {
				printf(e.notes, "    %-24s %6d\n", r.Reason, r.Rows)
			}
		}
	}
	if left := p.Waiting + p.Retrying; left > 0 {
		printf(e.notes, "  %-12s %6d\n", "not ended", left)
	}
}
