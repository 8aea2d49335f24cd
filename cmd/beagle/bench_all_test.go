package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the benchmarks print, as of today: a figure that is printed otherwise is no longer found, and this test says so.
var printed = map[string]string{
	"import":    "upload       0.25 s    3980000 rows/s\nimport       8.37 s     119400 rows/s\nexport       4.67 s      99000 rows/s\npeak memory 109 MiB\n",
	"fanout":    "bare asynq, 1 server, 1 queue     14900 tasks/s\nrecord jobs, 1 process             6580 rows/s   44 % of bare\n",
	"pipeline":  "  rows per second              500\n  connections per row         0.270\n  RCPT per row                 2.43\n  protocol faults                 0\n  found on hosts that tell    99.90 %\n  calibration error of 9000 scores  0.0420\n  mailboxes asked per row at learned domains 1.75 (10 rows); of people\n  right among valid          100.00 %\n  valid where no mailbox is       0\n  not found though it is there    1\nthe pipeline is 3.3 times as fast from upload to finished file\n",
	"beside":    "5 lists of 10 rows beside it: median 0.90 s, slowest 1.50 s from start to finished file\n  lists                100 answers  p50   10.0 ms  p99  150.5 ms\n  one list             100 answers  p50   10.0 ms  p99  250.5 ms\nRedis: -0.3 MiB more than before it\n",
	"api":       "call                                              req/s   p50 ms   p99 ms   max ms   cpu µs\n/v2/account                                200     4000      7.0     21.5     40.0      110\n/v2/lists                                  200     2900      7.0     11.5     40.0      110\n",
	"probe":     "120 of 120 verdicts right (100.0 %), over 60 rows of the catalogue\n",
	"scaling":   "workers  rows/s  efficiency  RCPT/row\n      1     120       100 %      2.25\n      2     202        84 %      2.35\n      4     302        63 %      2.45\n",
	"autoscale": "| the fixed rule alone | 73 | 36 | 3 and 50 | 753 | 192 |\n| steadied (default) | 41 | 0 | 3 and 50 | 548 | 322 |\n| drain within 10m0s | 39 | 0 | 3 and 50 | 1226 | 224 |\n",
	"finder":    "  hit@1     46.1 %\n  hit@3     70.0 %\n  hit@10    86.0 %\n  Brier   0.1\n  ECE     0.0100\n",
}

func TestEveryFigureIsReadAndHeldAgainstItsGoal(t *testing.T) {
	var out bytes.Buffer
	run := func(_ context.Context, w io.Writer, args []string) (string, error) { return printed[args[0]], nil }
	require.NoError(t, benchAll(t.Context(), &out, measurements("pairs.csv", 1000), run))
	for _, line := range []string{
		"| import into the database | ≥ 100000 rows/s | 119400 rows/s | met |",
		"| export | ≥ 100000 rows/s | 99000 rows/s | **missed** |",
		"| record jobs beside bare asynq, one process | ≥ 60 % | 44 % | **missed** |",
		"| not found though it is there | ≤ 0 | 1 | **missed** |",
		"| beside one connection for each address, 16 at once | ≥ 10 times | 3.3 times | **missed** |",
		"| RCPT a row at learned domains | ≤ 1.3 | 1.75 | **missed** |",
		"| efficiency of two worker processes | ≥ 80 % | 84 % | met |",
		"| efficiency of four worker processes | ≥ 80 % | 63 % | **missed** |",
		"| pages and API beside a large list, p99 | ≤ 200 ms | 250.5 ms | **missed** |",
		"| memory of Redis for it | ≤ 10 MiB | -0.3 MiB | met |",
		"| API reads and repeated questions alone, p99 | ≤ 100 ms | 21.5 ms | met |",
		"| API reads and repeated questions alone, least | ≥ 3000 req/s | 2900 req/s | **missed** |",
		"| verdicts of the catalogue right | ≥ 100 % | 100 % | met |",
		"| flaps of the autoscaler in a day | ≤ 0 | 0 | met |",
		"| hit@1, 0 known | ≥ 45 % | 46.1 % | met |",
		"| hit@1, 5 known | ≥ 73 % | 46.1 % | **missed** |",
	} {
		require.Contains(t, out.String(), line)
	}
	require.NotContains(t, out.String(), "not measured")
}

func TestBenchmarkThatFailsIsInTheTableAndTheExitCode(t *testing.T) {
	var out bytes.Buffer
	run := func(_ context.Context, _ io.Writer, args []string) (string, error) {
		return "", errors.New("set DATABASE_URL")
	}
	all := measurements("", 1000)
	require.ErrorContains(t, benchAll(t.Context(), &out, all, run), fmt.Sprintf("%d benchmarks failed", len(all)))
	require.Contains(t, out.String(), "failed: set DATABASE_URL")
	require.Contains(t, out.String(), "| record jobs beside bare asynq, one process | ≥ 60 % | | not measured |")
}

func TestEveryMeasurementIsABenchmarkThatExists(t *testing.T) {
	names := map[string]bool{}
	for _, c := range benchCommand().Commands() {
		names[c.Name()] = true
	}
	for _, m := range measurements("pairs.csv", 1000) {
		require.True(t, names[m.args[0]], strings.Join(m.args, " "))
		require.Contains(t, printed, m.args[0])
	}
}
