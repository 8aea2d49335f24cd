package main

import (
	"fmt"
	"os"
	"time"

	"beagle/app/mailworld"

	"github.com/spf13/cobra"
)

// worldFlags describe a generated world.
type worldFlags struct {
	companies, people int
	latency           time.Duration
	seed              int64
	calm              bool
}

func (f *worldFlags) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.companies, "companies", 800, "companies in a generated world; 0 is the demo world")
	cmd.Flags().IntVar(&f.people, "people", 10_000, "people in a generated world")
	cmd.Flags().DurationVar(&f.latency, "latency", 20*time.Millisecond, "how long a mail server takes to reply")
	cmd.Flags().Int64Var(&f.seed, "seed", 1, "the same seed makes the same world")
	cmd.Flags().BoolVar(&f.calm, "calm", false, "a generated world without mail servers that greylist, say \"later\" or cannot be reached")
}

func (f *worldFlags) world(port, dnsPort int) *mailworld.World {
	if f.companies == 0 {
		return mailworld.DemoWith(mailworld.Options{Port: port, DNSPort: dnsPort})
	}
	var mix map[mailworld.Behaviour]int
	if f.calm {
		mix = mailworld.CalmMix()
	}
	return mailworld.New(mailworld.Options{Mix: mix, Seed: f.seed, Companies: f.companies, PeoplePerCompany: (f.people + f.companies - 1) / f.companies,
		Latency: f.latency, Port: port, DNSPort: dnsPort})
}

func worldCommand() *cobra.Command {
	var f worldFlags
	var port, dnsPort int
	var file string
	cmd := &cobra.Command{
		Use: "world", Short: "Run the simulated mail world alone, for trying several processes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := f.world(port, dnsPort)
			if err := w.Start(); err != nil {
				return fmt.Errorf("starting the simulated mail world: %w", err)
			}
			if file != "" {
				if err := os.WriteFile(file, w.CSV(), 0o644); err != nil {
					return fmt.Errorf("writing the world's people: %w", err)
				}
			}
			printf(cmd.OutOrStdout(), "DNS_SERVER=%s PROBE_SMTP_PORT=%d PROBE_ALLOW_PRIVATE=true\n", w.DNSAddr(), w.SMTPPort())
			<-cmd.Context().Done()
			s := w.Stats()
			printf(cmd.OutOrStdout(), "connections=%d rcpts=%d faults=%d dns_queries=%d peak_per_host=%d\n", s.Connections, s.RCPTs, s.Faults, s.DNSQueries, s.PeakPerHost)
			return w.Close()
		},
	}
	f.flags(cmd)
	cmd.Flags().IntVar(&port, "port", 0, "SMTP port of all hosts (0: any)")
	cmd.Flags().IntVar(&dnsPort, "dns-port", 0, "port of the DNS server (0: any)")
	cmd.Flags().StringVar(&file, "csv", "", "write the world's people to this file")
	return cmd
}
