package main

import (
	"context"

	"beagle/app"

	"github.com/spf13/cobra"
)

func creditsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "credits", Short: "Credits of accounts"}
	var email, note, data string
	var amount int64
	add := &cobra.Command{
		Use: "add", Short: "Give credits to an account, or take them back with an amount below zero", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onStores(cmd.Context(), data, func(ctx context.Context, o *opened) error {
				g, err := o.GiveCredits(ctx, app.Actor{Operator: true}, app.GrantParams{Email: email, Amount: amount, Note: note}) // who has the shell runs the installation
				if err != nil {
					return err
				}
				printf(cmd.OutOrStdout(), "%s has %d credits now\n", g.Account, g.Left)
				if !o.Config.Credits {
					printf(cmd.ErrOrStderr(), "This installation does not count credits: set CREDITS=true\n")
				}
				return nil
			})
		},
	}
	add.Flags().StringVar(&email, "user", "", "address of somebody in the account")
	add.Flags().Int64Var(&amount, "amount", 0, "credits")
	add.Flags().StringVar(&note, "note", "", "what for; the account sees it in its ledger")
	add.Flags().StringVar(&data, "data", "", "folder of `beagle up`, instead of DATABASE_URL")
	_ = add.MarkFlagRequired("user")
	_ = add.MarkFlagRequired("amount")
	cmd.AddCommand(add)
	return cmd
}
