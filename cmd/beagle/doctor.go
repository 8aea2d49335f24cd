package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"beagle/app/config"

	"github.com/spf13/cobra"
)

const doctorTimeout = 10 * time.Second

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check this installation: database, Redis, files, port 25, DNS", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 6*doctorTimeout)
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
	report("outgoing port 25", port25(ctx), "Many providers close it. Ask yours, run the worker elsewhere, or set PROBE_PROXY=socks5://…")
	_, err := net.DefaultResolver.LookupMX(ctx, "example.com")
	var none *net.DNSError
	if errors.As(err, &none) && none.IsNotFound {
		err = nil
	}
	report("DNS", err, "Set DNS_SERVER=host:port to a resolver that answers, best one of your own.")
	if sick > 0 {
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

// port25 asks a mail server that anybody may ask whether it answers from here.
func port25(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "gmail-smtp-in.l.google.com:25")
	if err != nil {
		return err
	}
	return conn.Close()
}
