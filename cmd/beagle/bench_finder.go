package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"beagle/app/finder"

	"github.com/spf13/cobra"
)

// benchFinderCommand measures the ranking alone: no network, no mail server.
func benchFinderCommand() *cobra.Command {
	var file string
	var known int
	cmd := &cobra.Command{
		Use: "finder", Short: "How good the ranking of addresses is, on people whose address is known; asks nobody", Args: cobra.NoArgs,
		Long: "Reads a CSV with the columns first_name, last_name, domain and expected_email. With --known K each person's colleagues, K other rows\nof the same domain, are given with their addresses; people with fewer than K colleagues in the file are left out.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := os.Open(file)
			if err != nil {
				return fmt.Errorf("opening the pairs: %w", err)
			}
			defer f.Close()
			people, err := readPairs(f)
			if err != nil {
				return err
			}
			s := rankAll(people, known)
			s.print(cmd.OutOrStdout())
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "pairs", "", "the CSV file")
	cmd.Flags().IntVar(&known, "known", 0, "addresses of the same domain that are known")
	_ = cmd.MarkFlagRequired("pairs")
	return cmd
}

// readPairs reads people with the address that is right in Email.
func readPairs(r io.Reader) ([]finder.Person, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the header of the pairs: %w", err)
	}
	var at [4]int
	for i, name := range []string{"first_name", "last_name", "domain", "expected_email"} {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			return nil, fmt.Errorf("the pairs have no column %s", name)
		}
	}
	var people []finder.Person
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return people, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the pairs: %w", err)
		}
		if len(row) > slices.Max(at[:]) {
			people = append(people, finder.Person{First: row[at[0]], Last: row[at[1]], Domain: strings.ToLower(row[at[2]]), Email: strings.ToLower(row[at[3]])})
		}
	}
}

const bins = 10

// rankings sum up where the right address was ranked, and how well the first's probability was calibrated.
type rankings struct {
	known, people, domains, refused int
	hits                            [10]int // right at rank i+1
	brier                           float64
	bin                             [bins]struct {
		n, right  int
		predicted float64
	}
}

// rankAll ranks for every person with known colleagues or more.
func rankAll(people []finder.Person, known int) *rankings {
	by := map[string][]int{}
	for i, p := range people {
		by[p.Domain] = append(by[p.Domain], i)
	}
	s := &rankings{known: known}
	for _, members := range by {
		if len(members) <= known {
			continue
		}
		s.domains++
		for i, m := range members {
			var colleagues []finder.Person
			for k := range known {
				colleagues = append(colleagues, people[members[(i+k+1)%len(members)]])
			}
			s.add(people[m], colleagues)
		}
	}
	return s
}

func (s *rankings) add(p finder.Person, colleagues []finder.Person) {
	s.people++
	asked := p
	asked.Email = ""
	ranked, err := finder.Rank(asked, colleagues)
	if err != nil || len(ranked) == 0 {
		s.refused++
		return
	}
	for i, r := range ranked[:min(len(ranked), len(s.hits))] {
		if r.Email == p.Email {
			s.hits[i]++
		}
	}
	right, first := 0.0, ranked[0]
	b := &s.bin[min(int(first.P*bins), bins-1)]
	b.n++
	b.predicted += first.P
	if first.Email == p.Email {
		right = 1
		b.right++
	}
	s.brier += (first.P - right) * (first.P - right)
}

func (s *rankings) print(w io.Writer) {
	printf(w, "%d people at %d domains, %d known addresses each; %d names could not be used (they count as misses)\n", s.people, s.domains, s.known, s.refused)
	sum := 0
	for i, n := range s.hits {
		if sum += n; i == 0 || i == 2 || i == 4 || i == 9 {
			printf(w, "  hit@%-3d %6.1f %%\n", i+1, percent(sum, s.people))
		}
	}
	scored := max(s.people-s.refused, 1)
	var ece float64
	for _, b := range s.bin {
		ece += abs(b.predicted-float64(b.right)) / float64(scored)
	}
	printf(w, "  Brier   %6.4f\n  ECE     %6.4f\n\n  predicted      people  predicted   right\n", s.brier/float64(scored), ece)
	for i, b := range s.bin {
		if b.n > 0 {
			printf(w, "  %3d-%3d %%  %9d  %7.1f %%  %5.1f %%\n", i*100/bins, (i+1)*100/bins, b.n, 100*b.predicted/float64(b.n), percent(b.right, b.n))
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }
