package finder

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"beagle/app/mailworld"
	"beagle/app/probe"
)

func TestFewOutcomesCorrectNothing(t *testing.T) {
	require.Equal(t, 0.8, Corrected([]CalibrationBin{{Count: leastOutcomes - 1, Predicted: 0.8}}, 0.8))
	require.Less(t, Corrected([]CalibrationBin{{Count: 10_000, Right: 5000, Predicted: 0.8}}, 0.8), 0.51)
}

// TestCorrectionKeepsTheOrderOfScores: whatever came of the answers, a probability stays one and a better score stays better.
func TestCorrectionKeepsTheOrderOfScores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var bins []CalibrationBin
		for i := range 10 {
			n := rapid.IntRange(0, 500).Draw(t, "count")
			bins = append(bins, CalibrationBin{Count: n, Right: rapid.IntRange(0, n).Draw(t, "right"), Predicted: (float64(i) + rapid.Float64Range(0, 0.99).Draw(t, "at")) / 10})
		}
		a, b := rapid.Float64Range(0, 1).Draw(t, "a"), rapid.Float64Range(0, 1).Draw(t, "b")
		low, high := Corrected(bins, min(a, b)), Corrected(bins, max(a, b))
		require.LessOrEqual(t, low, high+1e-12)
		require.GreaterOrEqual(t, low, 0.0)
		require.LessOrEqual(t, high, 1.0)
	})
}

// stopped is a Prober whose observations are all of one moment.
type stopped struct{ Prober }

func (s stopped) Lookup(ctx context.Context, domain string) probe.Domain {
	d := s.Prober.Lookup(ctx, domain)
	d.CheckedAt = clock
	return d
}

func (s stopped) AcceptAllBeside(ctx context.Context, d probe.Domain, addresses []string) (probe.AcceptAllAnswer, []probe.Answer) {
	a, answers := s.Prober.AcceptAllBeside(ctx, d, addresses)
	a.At = clock
	return a, answers
}

// TestTheSameObservationsGiveTheSameBytes: two processes that see the same answers at the same time say the same.
func TestTheSameObservationsGiveTheSameBytes(t *testing.T) {
	w := mailworld.Demo()
	noon := func() time.Time { return clock }
	answer := func(truth mailworld.Truth) []byte {
		f := New(stopped{newOracle(w)}, nil, Options{Now: noon})
		f.Calibrate(Calibration{Verified: []CalibrationBin{{Count: 1000, Right: 900, Predicted: 0.97}}})
		r := f.Find(t.Context(), Person{First: truth.Person.First, Last: truth.Person.Last, Domain: truth.Company.Domain, Alone: true})
		body, err := json.Marshal(r)
		require.NoError(t, err)
		return body
	}
	for _, truth := range w.ContactsTruth() {
		if truth.Person == nil || truth.Company == nil {
			continue
		}
		once := answer(truth)
		require.NotEmpty(t, once)
		for range 3 {
			require.Equal(t, string(once), string(answer(truth)))
		}
	}
}

func TestOwnOutcomesCorrectTheScore(t *testing.T) {
	w := mailworld.Demo()
	for _, truth := range w.ContactsTruth() {
		if truth.Kind != mailworld.KindFound {
			continue
		}
		p := Person{First: truth.Person.First, Last: truth.Person.Last, Domain: truth.Company.Domain, Alone: true}
		plain := New(newOracle(w), nil, Options{}).Find(t.Context(), p)
		if plain.Status != StatusValid {
			continue
		}
		f := New(newOracle(w), nil, Options{})
		f.Calibrate(Calibration{Verified: []CalibrationBin{{Count: 1000, Right: 500, Predicted: 0.95}}})
		r := f.Find(t.Context(), p)
		require.InDelta(t, 50, r.Score, 3)
		require.Equal(t, plain.Evidence.Raw, r.Evidence.Raw, "the raw score is kept")
		require.Equal(t, "What 1000 answers of this kind turned out to be worth here.", r.Evidence.Score[len(r.Evidence.Score)-1].Why)
		return
	}
	t.Fatal("nobody in the demo world is found alone")
}
