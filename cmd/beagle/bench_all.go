package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// figure is a number that a benchmark prints, and what it ought to be.
type figure struct {
	name    string
	pattern string // with one group: the number; of several matches the worst counts
	goal    float64
	least   bool // the goal is the least; else the most
	unit    string
}

// measurement is one run of a benchmark and the figures that are read from what it prints.
type measurement struct {
	args    []string
	figures []figure
}

// measurements are all of them. Recovery and faults are measured by `make drill`, with its promises as tests.
func measurements(pairs string, rows int) []measurement {
	all := []measurement{
		{[]string{"fanout"}, []figure{{"record jobs beside bare asynq, one process", `(\d+) % of bare`, 60, true, "%"}}},
		{[]string{"fanout", "--workers", "4"}, []figure{{"record jobs beside bare asynq, four processes", `(\d+) % of bare`, 85, true, "%"}}},
		{[]string{"import", "--rows", strconv.Itoa(rows)}, []figure{
			{"import into the database", `(?m)^import +[\d.]+ s +(\d+) rows/s`, 100_000, true, "rows/s"},
			{"export", `(?m)^export +[\d.]+ s +(\d+) rows/s`, 100_000, true, "rows/s"},
			{"peak memory of both", `peak memory (\d+) MiB`, 300, false, "MiB"}}},
		{[]string{"pipeline", "--people", "10000", "--companies", "800", "--latency", "20ms"}, []figure{
			{"upload to finished file", `rows per second +(\d+)`, 486, true, "rows/s"},
			{"connections a row", `connections per row +([\d.]+)`, 0.3, false, ""},
			{"RCPT a row", `RCPT per row +([\d.]+)`, 2.5, false, ""},
			{"RCPT a row at learned domains", `asked per row at learned domains ([\d.]+)`, 1.3, false, ""},
			{"breaches of SMTP", `protocol faults +(\d+)`, 0, false, ""},
			{"right among valid", `right among valid +([\d.]+) %`, 99.5, true, "%"},
			{"found on hosts that tell", `found on hosts that tell +([\d.]+) %`, 95, true, "%"},
			{"calibration error of the scores", `calibration error of \d+ scores +([\d.]+)`, 0.05, false, ""},
			{"valid where no mailbox is", `valid where no mailbox is +(\d+)`, 0, false, ""},
			{"not found though it is there", `not found though it is there +(\d+)`, 0, false, ""}}},
		{[]string{"pipeline", "--people", "10000", "--companies", "800", "--latency", "20ms", "--calm", "--baseline", "3000"}, []figure{
			{"upload to finished file, nobody making us wait", `rows per second +(\d+)`, 486, true, "rows/s"},
			{"beside one connection for each address, 200 at once", `the pipeline is ([\d.]+) times as fast`, 10, true, "times"}}},
		{[]string{"pipeline", "--people", "4000", "--companies", "320", "--latency", "20ms", "--calm", "--at-once", "16", "--baseline", "400"}, []figure{
			{"beside one connection for each address, 16 at once", `the pipeline is ([\d.]+) times as fast`, 10, true, "times"}}},
		{[]string{"scaling"}, []figure{
			{"efficiency of two worker processes", `(?m)^ +2 +\d+ +(\d+) %`, 80, true, "%"},
			{"efficiency of four worker processes", `(?m)^ +4 +\d+ +(\d+) %`, 80, true, "%"}}},
		{[]string{"beside", "--rows", strconv.Itoa(rows)}, []figure{
			{"pages and API beside a large list, p99", `p99 +([\d.]+) ms`, 200, false, "ms"},
			{"10 rows beside it, start to finished file", `slowest ([\d.]+) s`, 10, false, "s"},
			{"memory of Redis for it", `Redis: (-?[\d.]+) MiB more`, 10, false, "MiB"}}},
		{[]string{"api"}, []figure{{"API reads and repeated questions alone, p99", `(?m)^/\S+ +\d+ +\d+ +[\d.]+ +([\d.]+) +[\d.]+ +\d+$`, 100, false, "ms"},
			{"API reads and repeated questions alone, least", `(?m)^/\S+ +\d+ +(\d+) +[\d.]+ +[\d.]+ +[\d.]+ +\d+$`, 3000, true, "req/s"}}},
		{[]string{"probe"}, []figure{{"verdicts of the catalogue right", `verdicts right \(([\d.]+) %\)`, 100, true, "%"}}},
		{[]string{"autoscale"}, []figure{{"flaps of the autoscaler in a day", `(?m)^\| (?:steadied|drain).*?\| \d+ \| (\d+) \|`, 0, false, ""}}},
	}
	if pairs == "" {
		return all
	}
	for _, k := range []struct {
		known       string
		hit1, hit10 float64
	}{{"0", 45, 85}, {"1", 67, 86}, {"5", 73, 86}} {
		all = append(all, measurement{[]string{"finder", "--pairs", pairs, "--known", k.known}, []figure{
			{"hit@1, " + k.known + " known", `hit@1 +([\d.]+) %`, k.hit1, true, "%"}, {"hit@10, " + k.known + " known", `hit@10 +([\d.]+) %`, k.hit10, true, "%"},
			{"calibration error, " + k.known + " known", `ECE +([\d.]+)`, 0.03, false, ""}}})
	}
	return all
}

func benchAllCommand() *cobra.Command {
	var pairs string
	var rows int
	cmd := &cobra.Command{
		Use: "all", Short: "Every figure in one run, as a table with goals", Args: cobra.NoArgs,
		Long: "Runs the other benchmarks one after another, prints what they print, and at the end a table: goal, measured, met or missed.\nNeeds what they need: DATABASE_URL, REDIS_URL, S3_ENDPOINT and S3_BUCKET of services that may be written to. What could not be measured\nis in the table with the reason. Recovery and faults are measured by `make drill`.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchAll(cmd.Context(), cmd.OutOrStdout(), measurements(pairs, rows), runBench)
		},
	}
	cmd.Flags().StringVar(&pairs, "pairs", "", "CSV file for the accuracy of the finder (see `bench finder`); without it that is left out")
	cmd.Flags().IntVar(&rows, "rows", 1_000_000, "rows of the large files")
	return cmd
}

// runBench runs a benchmark as a process of its own, so that each has its own memory, and gives what it prints.
func runBench(ctx context.Context, w io.Writer, args []string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	var text, trouble bytes.Buffer
	c := exec.CommandContext(ctx, self, append([]string{"bench"}, args...)...)
	c.Stdout, c.Stderr = io.MultiWriter(w, &text), &trouble
	if err := c.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(trouble.String()), "\n")
		return text.String(), fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return text.String(), nil
}

// benchAll runs measurements and prints the table. A goal that was missed is no error; a benchmark that failed is.
func benchAll(ctx context.Context, w io.Writer, all []measurement, run func(context.Context, io.Writer, []string) (string, error)) error {
	var table strings.Builder
	table.WriteString("| figure | goal | measured | |\n| --- | --- | --- | --- |\n")
	failed, missed := 0, 0
	for _, m := range all {
		printf(w, "\n$ beagle bench %s\n", strings.Join(m.args, " "))
		text, err := run(ctx, w, m.args)
		if err != nil {
			failed++
			printf(w, "failed: %v\n", err)
		}
		for _, f := range m.figures {
			value, ok := f.read(text)
			word := "met"
			switch {
			case !ok:
				printf(&table, "| %s | %s | | not measured |\n", f.name, f.words(f.goal, true))
				continue
			case !f.met(value):
				word = "**missed**"
				missed++
			}
			printf(&table, "| %s | %s | %s | %s |\n", f.name, f.words(f.goal, true), f.words(value, false), word)
		}
	}
	printf(w, "\n%s", table.String())
	printf(w, "\n%d goals missed, %d benchmarks failed\n", missed, failed)
	if failed > 0 {
		return fmt.Errorf("%d benchmarks failed: see above", failed)
	}
	return nil
}

// read finds the figure in what a benchmark printed: the worst one, where there are several.
func (f figure) read(text string) (worst float64, ok bool) {
	for _, m := range regexp.MustCompile(f.pattern).FindAllStringSubmatch(text, -1) {
		value, err := strconv.ParseFloat(m[1], 64)
		if err == nil && (!ok || (value < worst) == f.least) {
			worst, ok = value, true
		}
	}
	return worst, ok
}

func (f figure) met(value float64) bool {
	if f.least {
		return value >= f.goal
	}
	return value <= f.goal
}

func (f figure) words(value float64, goal bool) string {
	sign := ""
	if goal {
		sign = "≤ "
		if f.least {
			sign = "≥ "
		}
	}
	return strings.TrimSpace(sign + strconv.FormatFloat(value, 'f', -1, 64) + " " + f.unit)
}
