package finder

import (
	"testing"
	"time"

	"beagle/app/mailworld"
)

func TestEvalDraft(t *testing.T) {
	for _, atOnce := range []int{1, 16} {
		for _, seed := range []int64{1, 2, 3} {
			w := mailworld.New(mailworld.Options{Seed: seed, Companies: 800, PeoplePerCompany: 13})
			o := newOracle(w)
			o.yields = 5
			began := time.Now()
			truths := w.Truths()
			f, wrong := judge(o, truths, shuffled(o, truths, uint64(seed), atOnce))
			t.Logf("seed %d, %d at once, %s: %s", seed, atOnce, time.Since(began).Round(time.Millisecond), f)
			if seed == 1 && atOnce == 16 {
				for _, s := range wrong {
					t.Log(s)
				}
			}
		}
	}
	w := mailworld.Demo()
	for seed := range 5 {
		o := newOracle(w)
		o.yields = 5
		truths := w.Truths()
		f, wrong := judge(o, truths, shuffled(o, truths, uint64(seed), 1+seed*4))
		t.Logf("demo %d: %s", seed, f)
		for _, s := range wrong {
			t.Log(s)
		}
	}
}
