package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"beagle/app"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func userCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "People who may sign in"}
	var email, data string
	var admin, fromStdin bool
	add := &cobra.Command{
		Use: "add", Short: "Add an account with its owner; without a password one is made and printed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			password, made, err := readPassword(cmd.InOrStdin(), fromStdin)
			if err != nil {
				return err
			}
			return onStores(cmd.Context(), data, func(ctx context.Context, o *opened) error {
				user, err := o.AddUser(ctx, email, password, "", admin)
				if err != nil {
					return err
				}
				printf(cmd.OutOrStdout(), "Added %s\n", user.Email)
				if made {
					printf(cmd.OutOrStdout(), "Password: %s\n", password)
				}
				return nil
			})
		},
	}
	add.Flags().StringVar(&email, "email", "", "address to sign in with")
	add.Flags().BoolVar(&admin, "admin", false, "this person runs the installation")
	add.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	add.Flags().StringVar(&data, "data", "", "folder of `beagle up`, instead of DATABASE_URL")
	_ = add.MarkFlagRequired("email")
	cmd.AddCommand(add)
	return cmd
}

// readPassword reads one line from standard input, or makes a password.
func readPassword(in io.Reader, fromStdin bool) (password string, made bool, err error) {
	if !fromStdin {
		return strings.ToLower(rand.Text()[:20]), true, nil
	}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		printf(os.Stderr, "Password: ")
		typed, err := term.ReadPassword(int(f.Fd()))
		printf(os.Stderr, "\n")
		return string(typed), false, err
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), false, nil
}

func keyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "API keys"}
	var email, name, data string
	var inURL bool
	add := &cobra.Command{
		Use: "add", Short: "Make an API key and print it, alone", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onStores(cmd.Context(), data, func(ctx context.Context, o *opened) error {
				user, err := o.UserByEmail(ctx, email)
				if err != nil {
					return err
				}
				_, secret, err := o.CreateKey(ctx, user.Actor(), name, inURL)
				if err != nil {
					return err
				}
				printf(cmd.OutOrStdout(), "%s\n", secret)
				return nil
			})
		},
	}
	add.Flags().StringVar(&email, "user", "", "address of the key's owner")
	add.Flags().StringVar(&name, "name", "", "what the key is for")
	add.Flags().BoolVar(&inURL, "in-url", false, "the key may come as ?api_key= (Hunter's clients send it so); logs and proxies can see it there")
	add.Flags().StringVar(&data, "data", "", "folder of `beagle up`, instead of DATABASE_URL")
	_ = add.MarkFlagRequired("user")
	cmd.AddCommand(add)
	return cmd
}

// onStores runs on the services of the environment, or on the folder of `beagle up`.
func onStores(ctx context.Context, data string, run func(context.Context, *opened) error) error {
	o, err := openFor(ctx, data)
	if err != nil {
		return err
	}
	err = run(ctx, o)
	if refused, ok := app.Refusal(err); ok {
		err = errors.New(refused.Message)
	}
	return errors.Join(err, o.Close())
}
