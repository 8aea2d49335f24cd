// Command beagle is the whole product: every process type, the command line and the benchmarks.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := untilTold(context.Background())
	defer stop()
	err := rootCommand().ExecuteContext(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "beagle: "+err.Error())
		os.Exit(1)
	}
}

// sameWish is how long after the first signal others mean the same: a terminal sends Ctrl-C to a Procfile runner and to its processes, and the
// runner then sends them SIGTERM.
const sameWish = time.Second

// untilTold is a context that ends with the first SIGINT or SIGTERM. A second Ctrl-C kills; another SIGTERM does not: who is in a hurry has SIGKILL.
func untilTold(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.AfterFunc(sameWish, func() { signal.Reset(os.Interrupt) }) })
	return ctx, stop
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "beagle",
		Short: "Beagle turns a CSV of people into a CSV of people with work e-mail addresses",
		Long: `Beagle turns a CSV of people into a CSV of people with work e-mail addresses.

To try it:       beagle up --demo        everything in one process, with a simulated mail world
One file:        beagle enrich people.csv -o found.csv
In production:   beagle migrate; beagle web, beagle worker, beagle clock
                 on DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET`,
		SilenceUsage: true, SilenceErrors: true, Version: version(),
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(upCommand(), webCommand(), workerCommand(), clockCommand(), migrateCommand(), enrichCommand(),
		findCommand(), verifyCommand(), userCommand(), keyCommand(), creditsCommand(), doctorCommand(), calibrateCommand(), autoscaleCommand(), isolatedCommand(), worldCommand(), mcpCommand(), benchCommand())
	return root
}

// version is the commit the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "development"
}
