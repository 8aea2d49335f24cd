package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"beagle/app/finder"
	"beagle/app/mailworld"
	"beagle/app/probe"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// Times of `beagle bench probe`: longer than the slowest server of the gallery that does answer, short enough to be waited for.
const (
	lessonReply   = 8 * time.Second
	lessonConnect = 2 * time.Second
	lessonDNS     = 500 * time.Millisecond
	lessonMany    = 16 // names that nobody has; more than a server of mailworld.AcceptsAfter refuses
	// An address that a server has: itself, an invented name, and an invented name of another shape.
	lessonRCPTs = 3
)

func benchProbeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "probe", Short: "The catalogue of mail-server behaviours as a table: behaviour, expected verdict, got", Args: cobra.NoArgs,
		Long: "Asks for one address of each behaviour of the simulated mail world over real sockets, as the process verify does, and compares the verdict\nwith the catalogue's. Takes about half a minute: some servers are slow on purpose. Fails unless every verdict is right.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchProbe(cmd.Context(), cmd.OutOrStdout(), lessons)
		},
	}
}

// learned is a lesson with what was said of its address.
type learned struct {
	lesson
	got   string
	score int
}

func (l learned) right() bool { return l.got == l.want && l.score < 100 }

// benchProbe prints a line per lesson, and what the world saw of us.
func benchProbe(ctx context.Context, out io.Writer, lessons []lesson) (err error) {
	world := mailworld.Gallery(mailworld.Options{})
	if err := world.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	all, err := takeLessons(ctx, world, lessons)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	printf(table, "row\tbehaviour\texpected\tgot\t\n")
	right := 0
	for _, l := range all {
		mark := "WRONG"
		if l.right() {
			right, mark = right+1, ""
		}
		printf(table, "%d\t%s\t%s\t%s\t%s\n", l.row, l.what, l.want, l.got, mark)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	printf(out, "\n%d of %d verdicts right (%.1f %%), over %d rows of the catalogue\n", right, len(all), percent(right, len(all)), rowsOf(all))
	if faults := manners(world.Stats()); faults != "" {
		return errors.New(faults)
	}
	printf(out, "no breach of SMTP, nothing sent beyond RCPT, no score of 100\n")
	if right < len(all) {
		return fmt.Errorf("%d verdicts are wrong", len(all)-right)
	}
	return nil
}

// manners names what the world holds against us.
func manners(s mailworld.Stats) string {
	if s.Faults > 0 || s.DATACommands > 0 {
		return fmt.Sprintf("%d breaches of SMTP, %d DATA: %+v", s.Faults, s.DATACommands, s.FaultSamples)
	}
	domain := mailworld.AccurateSmall.GalleryDomain()
	for _, h := range s.Hosts {
		if h.Domain == domain && h.RCPTs > lessonRCPTs {
			return fmt.Sprintf("%d RCPTs for one address of %s: more names were asked than needed", h.RCPTs, domain)
		}
	}
	return ""
}

func rowsOf(all []learned) int {
	rows := map[int]bool{}
	for _, l := range all {
		rows[l.row] = true
	}
	return len(rows)
}

// takeLessons asks every company at the same time, and one company's addresses one after the other.
func takeLessons(ctx context.Context, world *mailworld.World, lessons []lesson) (_ []learned, err error) {
	prober, err := probe.New(probe.Config{DNSServer: world.DNSAddr(), SMTPPort: world.SMTPPort(), AllowPrivate: true, Helo: "beagle.example", Dial: world.Dial,
		BannerTimeout: lessonReply, ReplyTimeout: lessonReply, ConnectTimeout: lessonConnect, DNSTimeout: lessonDNS})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, prober.Close()) }()
	f := finder.New(prober, nil, finder.Options{})
	all := make([]learned, len(lessons))
	byCompany := map[mailworld.Behaviour][]int{}
	for i, l := range lessons {
		byCompany[l.at] = append(byCompany[l.at], i)
	}
	var group errgroup.Group
	for at, places := range byCompany {
		company, ok := world.Company(at.GalleryDomain())
		if !ok {
			return nil, fmt.Errorf("the gallery has no %s", at)
		}
		group.Go(func() error {
			for _, i := range places {
				all[i] = lessons[i].take(ctx, f, company)
			}
			return ctx.Err()
		})
	}
	return all, group.Wait()
}

func (l lesson) take(ctx context.Context, f *finder.Finder, c mailworld.Company) learned {
	var r finder.Result
	switch l.who {
	case present:
		r = f.Verify(ctx, c.Roles[0]+"@"+c.Domain)
	case flagged:
		r = f.Verify(ctx, c.People[0].Email)
	case accents:
		r = f.Verify(ctx, "jürgen.nemo@"+c.Domain)
	case many:
		for i := range lessonMany {
			r = f.Verify(ctx, fmt.Sprintf("nemo%d@%s", i, c.Domain))
		}
	default:
		r = f.Verify(ctx, "nemo.nobody@"+c.Domain)
	}
	got := r.Status + " " + r.Reason
	if r.RetryAfter > 0 {
		got += " again"
	}
	return learned{l, got, r.Score}
}
