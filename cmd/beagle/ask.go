package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"beagle/app"
	"beagle/app/config"
	"beagle/app/finder"
	"beagle/app/mailworld"
	"beagle/app/probe"

	"github.com/spf13/cobra"
)

// forgetful is the memory of a command that asks one question.
type forgetful struct{}

func (forgetful) Recall(context.Context, string) (finder.Known, error) { return finder.Known{}, nil }
func (forgetful) Remember(context.Context, probe.Domain, *probe.AcceptAllAnswer) error {
	return nil
}

// asking are the flags of commands that ask one question.
type asking struct{ explain, json, demo bool }

func (f *asking) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.explain, "explain", false, "show how we know")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the whole answer as JSON")
	cmd.Flags().BoolVar(&f.demo, "demo", false, "simulate mail servers and DNS")
}

func findCommand() *cobra.Command {
	var p finder.Person
	var f asking
	cmd := &cobra.Command{
		Use: "find", Short: "Find one person's address", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.ask(cmd, func(ctx context.Context, x *finder.Finder) finder.Result { return x.Find(ctx, p) })
		},
	}
	cmd.Flags().StringVar(&p.First, "first", "", "first name")
	cmd.Flags().StringVar(&p.Last, "last", "", "last name")
	cmd.Flags().StringVar(&p.Full, "name", "", "full name, instead of --first and --last")
	cmd.Flags().StringVar(&p.Domain, "domain", "", "the company's domain or website")
	cmd.Flags().StringVar(&p.Company, "company", "", "the company's name, when the domain is not known")
	f.flags(cmd)
	p.Alone = true // no colleagues will follow
	cmd.MarkFlagsOneRequired("domain", "company")
	cmd.MarkFlagsOneRequired("first", "last", "name")
	return cmd
}

func verifyCommand() *cobra.Command {
	var f asking
	cmd := &cobra.Command{
		Use: "verify ADDRESS", Short: "Check one address", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.ask(cmd, func(ctx context.Context, x *finder.Finder) finder.Result { return x.Verify(ctx, args[0]) })
		},
	}
	f.flags(cmd)
	return cmd
}

func (f *asking) ask(cmd *cobra.Command, question func(context.Context, *finder.Finder) finder.Result) (err error) {
	c, err := config.Load()
	if err != nil {
		return err
	}
	p := app.ProberConfig(c)
	if f.demo {
		world := mailworld.Demo()
		if err := world.Start(); err != nil {
			return fmt.Errorf("starting the simulated mail world: %w", err)
		}
		defer func() { err = errors.Join(err, world.Close()) }()
		p.DNSServer, p.SMTPPort, p.AllowPrivate, p.Dial, p.Helo = world.DNSAddr(), world.SMTPPort(), true, world.Dial, "beagle.example"
	}
	prober, err := probe.New(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prober.Close()) }()
	// PROBE_MODE=auto asks: there is no clock that has looked, and one question harms nobody's name.
	noSMTP := func() bool { return c.Health.Mode == config.ProbePattern }
	r := question(cmd.Context(), finder.New(prober, forgetful{}, finder.Options{NoSMTP: noSMTP}))
	if f.json {
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	f.print(cmd.OutOrStdout(), r)
	return nil
}

func (f *asking) print(w io.Writer, r finder.Result) {
	if r.Email != "" {
		printf(w, "%s  ", r.Email)
	}
	printf(w, "%s, score %d\n%s (%s)\n", r.Status, r.Score, r.Sentence, r.Reason)
	if r.RetryAfter > 0 {
		printf(w, "Worth asking again in %s.\n", r.RetryAfter)
	}
	if !f.explain {
		return
	}
	e := r.Evidence
	printf(w, "\nRule: %s\n", e.Why)
	for _, part := range e.Score {
		printf(w, "  × %.3f  %s\n", part.Factor, part.Why)
	}
	if e.Domain != nil {
		printf(w, "\nDNS: %s is %s %s\n", e.Domain.Name, e.Domain.State, e.Domain.Detail)
		for _, h := range e.Domain.Hosts {
			printf(w, "  MX %s\n", h)
		}
	}
	if e.AcceptAll != nil {
		printf(w, "Accepts every name: %s (%s)\n", e.AcceptAll.Verdict, e.AcceptAll.Reason)
	}
	printf(w, "\nCandidates:\n")
	for _, c := range e.Candidates {
		printf(w, "  %5.1f %%  %-40s %-20s %s %s\n", 100*c.Posterior, c.Email, c.Pattern, c.Verdict, c.Reason)
	}
	printf(w, "\nConversation:\n")
	for _, l := range e.Transcript {
		printf(w, "  %s %s %s\n", l.At.Format("15:04:05.000"), l.From, l.Text)
	}
}
