package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"beagle/app/config"
	"beagle/app/embedded"
	"beagle/web"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const (
	defaultData   = "beagle-data"
	defaultPort   = 3000
	loopback      = "127.0.0.1" // plain HTTP is for this machine, unless BIND_ADDRESS says otherwise
	operatorEmail = "operator@localhost"
	signInFile    = "sign-in.txt" // in the data folder, readable by its owner only
)

func upCommand() *cobra.Command {
	var demo bool
	var port int
	var data string
	cmd := &cobra.Command{
		Use: "up", Short: "Run everything in one process, on stores of its own", Args: cobra.NoArgs,
		Long: "Run web, worker and clock in one process on a SQLite file, an in-process Redis and files in a folder.\nWith --demo mail servers and DNS are simulated too: nothing leaves this machine.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load()
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("port") {
				port = c.Port
			}
			return up(cmd.Context(), cmd.OutOrStdout(), c.Listen(port, loopback), data, demo)
		},
	}
	cmd.Flags().BoolVar(&demo, "demo", false, "simulate mail servers and DNS; try it with examples/contacts.csv")
	cmd.Flags().IntVar(&port, "port", defaultPort, "port to serve on")
	cmd.Flags().StringVar(&data, "data", defaultData, "folder for the database and the files")
	return cmd
}

func up(ctx context.Context, out io.Writer, addr, data string, demo bool) (err error) {
	listener, err := listen(addr)
	if err != nil {
		return err
	}
	release, err := claim(data)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, release()) }()
	known := embedded.Exists(data)
	o, err := openEmbedded(ctx, data, demo, text)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	signIn, err := firstSignIn(ctx, o, data)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := o.Afresh(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	if o.Config.BaseURL == "" {
		o.Config.BaseURL = "http://" + listener.Addr().String()
	}
	printf(out, "\n  Beagle is up: http://%s\n\n%s\n", listener.Addr(), indent(signIn))
	options := web.Options{}
	if demo {
		options = web.Options{Demo: true, Sample: o.world.ContactsCSV(), SignIn: operatorEmail}
		printf(out, "  The mail world is simulated. Try it with examples/contacts.csv\n")
	}
	printf(out, "%s", aboutData(data, known))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, o, listener, options) })
	group.Go(func() error { return o.Work(ctx) })
	group.Go(func() error { o.Schedules(ctx); return nil })
	group.Go(func() error { o.KeepPoints(ctx); return nil })
	return group.Wait()
}

// claim refuses a folder that another process is up on: each would take the other's records for lost, and answer from a queue of its own.
func claim(data string) (release func() error, err error) {
	release, taken, err := embedded.Claim(data)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, errors.Join(fmt.Errorf("another `beagle up` runs on the folder %s: stop that one first, or name another folder with --data", data), release())
	}
	return release, nil
}

// aboutData says where everything is kept. A folder that was mistyped would otherwise look like an installation that lost its lists.
func aboutData(data string, known bool) string {
	if dir, err := filepath.Abs(data); err == nil {
		data = dir
	}
	if !known {
		return fmt.Sprintf("  This is a new installation: there was none in %s.\n  Stop with Ctrl-C; start again and everything goes on.\n\n", data)
	}
	return fmt.Sprintf("  Data is in %s. Stop with Ctrl-C; start again and everything goes on.\n\n", data)
}

// firstSignIn makes the operator's account and an API key when nobody can sign in yet, and keeps what to type in a file.
func firstSignIn(ctx context.Context, o *opened, data string) (string, error) {
	file := filepath.Join(data, signInFile)
	has, err := o.HasUsers(ctx)
	if err != nil {
		return "", err
	}
	if has {
		kept, err := os.ReadFile(file)
		if err != nil {
			return "Sign in with an account that was made before.\n", nil
		}
		return string(kept), nil
	}
	password := strings.ToLower(rand.Text()[:20])
	user, err := o.AddUser(ctx, operatorEmail, password, "Operator", true)
	if err != nil {
		return "", fmt.Errorf("making the operator's account: %w", err)
	}
	_, secret, err := o.CreateKey(ctx, user.Actor(), "First key", false)
	if err != nil {
		return "", fmt.Errorf("making an API key: %w", err)
	}
	text := fmt.Sprintf("Sign in:   %s\nPassword:  %s\nAPI key:   %s\n", operatorEmail, password, secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("keeping the sign-in: %w", err)
	}
	return text, nil
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}
