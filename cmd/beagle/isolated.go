package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

const isolatedName = "isolated-lookup"

// isolatedCommand is what a worker starts for rows with which workers died. It ends with the worker, when its standard input does:
// a signal to the whole process group is for the worker alone.
func isolatedCommand() *cobra.Command {
	return &cobra.Command{
		Use: isolatedName, Short: "Look up rows for a worker, apart from its others", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGTERM)
			return onServices(context.WithoutCancel(cmd.Context()), func(ctx context.Context, o *opened) error {
				return o.ServeIsolated(ctx, cmd.InOrStdin(), cmd.OutOrStdout())
			})
		},
	}
}

// isolated makes the command. Where this program's file is gone, as after a deploy, the worker finds that out by starting it.
func isolated() *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	cmd := exec.Command(self, isolatedName)
	cmd.Stderr = os.Stderr
	return cmd
}
