package main

import (
	"context"
	"strings"
	"testing"

	"beagle/app/mailworld"

	"github.com/stretchr/testify/require"
)

// catalogueRows is how many rows the catalogue of server behaviours has.
const catalogueRows = 48

func TestEveryRowOfTheCatalogueIsJudgedRight(t *testing.T) {
	t.Parallel()
	world := mailworld.Gallery(mailworld.Options{})
	require.NoError(t, world.Start())
	defer func() { require.NoError(t, world.Close()) }()
	all, err := takeLessons(context.Background(), world, lessons)
	require.NoError(t, err)
	require.Equal(t, catalogueRows, rowsOf(all))
	for _, l := range all {
		t.Run(l.what, func(t *testing.T) {
			require.Equal(t, l.want, l.got, "row %d", l.row)
			require.Less(t, l.score, 100, "no answer is certain")
		})
	}
	require.Empty(t, manners(world.Stats()))
}

func TestBenchProbeFailsOnAWrongVerdict(t *testing.T) {
	var out strings.Builder
	err := benchProbe(context.Background(), &out, []lesson{{29, "refused by name", mailworld.Accurate, nobody, isThere}, {29, "is there", mailworld.Accurate, present, isThere}})
	require.ErrorContains(t, err, "1 verdicts are wrong")
	require.Contains(t, out.String(), "1 of 2 verdicts right (50.0 %)")
	require.Contains(t, out.String(), "WRONG")
}
