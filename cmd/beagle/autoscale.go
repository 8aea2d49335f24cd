package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func autoscaleCommand() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "autoscale", Short: "Decide how many workers there should be, once; the clock does it by itself", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onServices(cmd.Context(), func(ctx context.Context, o *opened) error { return autoscale(ctx, cmd.OutOrStdout(), o, dry) })
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print the decision and change nothing")
	return cmd
}

func autoscale(ctx context.Context, w io.Writer, o *opened, dry bool) error {
	backlog, err := o.Backlog(ctx)
	if err != nil {
		return err
	}
	d, err := o.Autoscale(ctx, dry)
	if err != nil {
		return err
	}
	verb := "stay as they are"
	if d.Change {
		verb = "would be set"
		if !dry {
			verb = "were set"
		}
	}
	printf(w, "backlog   %d (high %d, default %d, records %d)\nworkers   %d %s (AUTOSCALE=%s)\nwhy       %s\n",
		backlog.Total(), backlog.High, backlog.Default, backlog.Records, d.Workers, verb, o.Config.Scale.Driver, d.Why)
	if o.Config.Scale.Driver == "off" && !dry {
		return fmt.Errorf("AUTOSCALE is off: nobody was told")
	}
	return nil
}
