package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"beagle/app"

	"github.com/spf13/cobra"
)

func benchImportCommand() *cobra.Command {
	var rows int
	cmd := &cobra.Command{
		Use: "import", Short: "A file into records and out again, without lookups", Args: cobra.NoArgs,
		Long: "Needs DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to. Generates a CSV of --rows rows, and times upload, import and export in this process.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error { return benchImport(ctx, o, cmd, rows) })
		},
	}
	cmd.Flags().IntVar(&rows, "rows", 1_000_000, "rows of the file")
	return cmd
}

func benchImport(ctx context.Context, o *opened, cmd *cobra.Command, rows int) (err error) {
	if err := o.Migrate(ctx); err != nil {
		return err
	}
	file, err := benchFile(rows)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	user, err := o.AddUser(ctx, fmt.Sprintf("bench-%d@localhost", time.Now().UnixNano()), "a password nobody needs", "bench", false)
	if err != nil {
		return err
	}
	size, err := file.Seek(0, 2)
	if err != nil {
		return err
	}
	if _, err := file.Seek(0, 0); err != nil {
		return err
	}
	as := user.Actor()
	var list app.List
	step := func(name string, work func() error) error {
		began := time.Now()
		if err := work(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		took := time.Since(began)
		printf(cmd.OutOrStdout(), "%-8s %8.2f s  %9.0f rows/s\n", name, took.Seconds(), float64(rows)/took.Seconds())
		return nil
	}
	err = errors.Join(
		step("upload", func() error {
			var err error
			list, err = o.Upload(ctx, as, app.UploadParams{Filename: "bench.csv", Body: file, Size: size})
			return err
		}),
		step("import", func() error {
			if _, err := o.Start(ctx, as, list.Ref, app.StartParams{}); err != nil {
				return err
			}
			return o.Import(ctx, list.ID)
		}),
		step("export", func() error { return o.Export(ctx, list.ID) }),
	)
	printf(cmd.OutOrStdout(), "peak memory %d MiB\n", peakMemory(os.Getpid()))
	return errors.Join(err, o.DeleteList(ctx, as, list.Ref), o.Clear(ctx, list.ID))
}

// benchFile writes a file like the exports that people upload. The people are numbers.
func benchFile(rows int) (*os.File, error) {
	f, err := os.CreateTemp("", "beagle-bench-*.csv")
	if err != nil {
		return nil, fmt.Errorf("making a file: %w", err)
	}
	w := bufio.NewWriter(f)
	printf(w, "First Name,Last Name,Company,Website,Job Title,City\n")
	for i := range rows {
		company := i % 50_000
		printf(w, "Ada,Ash%d,Company %d,https://www.company%d.example/about,Head of Things,Town %d\n", i, company, company, i%977)
	}
	return f, w.Flush()
}
