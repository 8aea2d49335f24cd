package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"beagle/app"
	"beagle/app/config"
	"beagle/app/probe"

	"github.com/spf13/cobra"
)

const doctorTimeout = 2 * time.Minute

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check this installation: database, Redis, files, and how mail servers see it: port 25, name, reverse DNS, blocklists", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), doctorTimeout)
			defer cancel()
			return doctor(ctx, cmd.OutOrStdout(), c)
		},
	}
}

// doctor prints a line per check and fails when one of them did.
func doctor(ctx context.Context, w io.Writer, c config.Config) error {
	sick := 0
	report := func(part string, err error, mend string) {
		if err == nil {
			printf(w, "ok    %s\n", part)
			return
		}
		sick++
		printf(w, "BAD   %s: %v\n      %s\n", part, err, mend)
	}
	if c.DatabaseURL == "" {
		printf(w, "-     services: DATABASE_URL is not set; `beagle up` brings its own\n")
	} else {
		doctorServices(ctx, report)
	}
	if c.SecretKey == "" {
		printf(w, "?     secrets of webhooks: kept in clear, since SECRET_KEY is not set\n      Set it to what `openssl rand -hex 32` prints; secrets that are there are sealed then.\n")
	}
	for _, warning := range c.Warnings() {
		printf(w, "?     %s %s\n", warning.Variable, warning.Text)
	}
	bad, err := doctorMail(ctx, w, c)
	if err != nil {
		return err
	}
	if sick += bad; sick > 0 {
		return fmt.Errorf("%d checks failed", sick)
	}
	return nil
}

func doctorServices(ctx context.Context, report func(string, error, string)) {
	o, err := openServices(ctx)
	report("database, Redis and file store can be reached", err, "Check DATABASE_URL, REDIS_URL, S3_ENDPOINT, S3_BUCKET and the AWS_ keys.")
	if err != nil {
		return
	}
	bad := o.Ready(ctx)
	for _, part := range []struct{ name, mend string }{
		{"database", "Check DATABASE_URL."}, {"migrations", "Run `beagle migrate`."}, {"redis", "Check REDIS_URL."}, {"files", "Check S3_BUCKET and its rights."},
	} {
		report(part.name, bad[part.name], part.mend)
	}
	report("closing", o.Close(), "Look at the log.")
}

// doctorMail looks at this machine as mail servers see it. What could not be found out is no failure.
func doctorMail(ctx context.Context, w io.Writer, c config.Config) (sick int, err error) {
	p, err := probe.New(app.ProberConfig(c))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for _, f := range p.Health(ctx, app.HealthOptions(c)).Findings {
		mark := map[probe.Tri]string{probe.Yes: "ok   ", probe.No: "BAD  "}[f.OK]
		if mark == "" {
			mark = "?    "
		}
		printf(w, "%s %s: %s\n", mark, f.Part, f.Text)
		if f.Mend != "" {
			printf(w, "      %s\n", f.Mend)
		}
		if f.OK == probe.No {
			sick++
		}
	}
	return sick, nil
}
