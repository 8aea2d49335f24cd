package main

import (
	"context"
	"io"

	"beagle/app"

	"github.com/spf13/cobra"
)

func calibrateCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use: "calibrate", Short: "Compare scores with what became of the addresses, and correct them from now on", Args: cobra.NoArgs,
		Long: "Reads the answers of this installation whose address was later confirmed or came back (known addresses and bounces), and the guesses\nthat servers then confirmed or refused. Stores what corrects the scores; workers take it up within a minute. A kind with fewer than\n100 outcomes is shown but corrects nothing.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := openFor(cmd.Context(), data)
			if err != nil {
				return err
			}
			defer func() { _ = o.Close() }()
			return calibrate(cmd.Context(), cmd.OutOrStdout(), o.App)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "folder of `beagle up`, instead of DATABASE_URL")
	return cmd
}

func calibrate(ctx context.Context, w io.Writer, a *app.App) error {
	all, err := a.Calibrate(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		printf(w, "%s: %d outcomes, calibration error %.3f raw, %.3f corrected\n", r.Kind, r.Outcomes(), r.Error(false), r.Error(true))
		if r.Outcomes() == 0 {
			continue
		}
		printf(w, "  predicted     answers   right\n")
		for _, b := range r.Bins {
			if b.Count > 0 {
				printf(w, "  %7.1f %%  %10d  %5.1f %%\n", 100*b.Predicted, b.Count, 100*b.Observed())
			}
		}
	}
	return nil
}
