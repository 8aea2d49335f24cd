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

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills
	err := rootCommand().ExecuteContext(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "beagle: "+err.Error())
		os.Exit(1)
	}
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
