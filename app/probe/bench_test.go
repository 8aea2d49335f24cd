package probe

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkCheck asks 64 at a time over 50 companies; connections and RCPTs per address are the figures that matter.
func BenchmarkCheck(b *testing.B) {
	for _, latency := range []time.Duration{0, 20 * time.Millisecond} {
		b.Run(fmt.Sprintf("latency %s", latency), func(b *testing.B) {
			w := newWorld(b)
			var domains []Domain
			p := w.prober()
			for i := range 50 {
				w.company(fmt.Sprintf("c%d.test", i), &mta{delay: latency})
				domains = append(domains, lookup(p, fmt.Sprintf("c%d.test", i)))
			}
			var n atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					d := domains[n.Add(1)%50]
					require.Equal(b, Valid, p.Check(context.Background(), d, here+"@"+d.Name).Status)
				}
			})
			b.ReportMetric(float64(p.Stats().Connections)/float64(b.N), "connections/op")
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	r, err := parse("550 5.0.0 <zoe.missing@acme.test>: Recipient address rejected: the mailbox is unavailable for reasons unknown\r\n")
	require.NoError(b, err)
	for b.Loop() {
		judge(r, DefaultGreylistDelay)
	}
}
