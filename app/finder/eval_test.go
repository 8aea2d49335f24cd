package finder

import (
	"testing"

	"github.com/stretchr/testify/require"

	"beagle/app/mailworld"
)

// TestEveryoneInTheDemoWorldIsFoundInAnyOrder: whatever comes first and however many at once, people
// with a mailbox on a host that tells are found, and nobody else is.
func TestEveryoneInTheDemoWorldIsFoundInAnyOrder(t *testing.T) {
	w := mailworld.Demo()
	truths := w.ContactsTruth()
	for seed := range uint64(20) {
		o := newOracle(w)
		o.yields = 8
		f, wrong := judge(o, truths, shuffled(o, truths, seed, []int{1, 4, 16, 64}[seed%4]))
		require.Empty(t, wrong, "order %d", seed)
		require.Equal(t, f.findable, f.found)
		require.Zero(t, f.noBox+f.falseAbsent)
	}
}

// TestAWorldOfManyCompaniesIsFoundCheaply holds the figures of a generated world of the usual mix.
func TestAWorldOfManyCompaniesIsFoundCheaply(t *testing.T) {
	w := mailworld.New(mailworld.Options{Seed: 1, Companies: 300, PeoplePerCompany: 13})
	o := newOracle(w)
	truths := w.Truths()
	f, wrong := judge(o, truths, shuffled(o, truths, 1, 16))
	t.Log(f)
	for _, s := range wrong {
		t.Log(s)
	}
	require.Zero(t, f.noBox)
	require.LessOrEqual(t, f.falseAbsent, 2)
	require.GreaterOrEqual(t, share(f.right, f.valid), 0.998)
	require.GreaterOrEqual(t, share(f.found, f.findable), 0.99)
	require.LessOrEqual(t, share(f.rcpts, f.rows), 2.5)
	require.LessOrEqual(t, share(f.learnedRcpts, f.learnedRows), 2.3)
	require.LessOrEqual(t, share(f.presentRcpts, f.presentRows), 1.3)
	require.GreaterOrEqual(t, share(f.guessed, f.usual), 0.8, "of what always first.last in the usual spelling could reach")
}
