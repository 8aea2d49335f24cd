package web

import (
	"testing"

	"beagle/app"
	"beagle/app/finder"

	"github.com/stretchr/testify/require"
)

func TestReliabilityDotsStandWherePromiseMeetsOutcome(t *testing.T) {
	views := reliabilityViews([]app.Reliability{{Kind: app.CalibrationGuessed, Bins: []finder.CalibrationBin{{}, {Count: 1, Predicted: 0.2}, {Count: 50_000, Right: 50_000, Predicted: 1}}}})
	require.Len(t, views, 1)
	require.Equal(t, "Addresses that nobody could ask about", views[0].Title)
	require.Equal(t, 50_001, views[0].Outcomes)
	require.Equal(t, "-10 -10 220 220", views[0].Box)
	require.Equal(t, []reliabilityBin{{1, "20 %", "0 %", "40.0", "200.0", "2.7"}, {50_000, "100 %", "100 %", "200.0", "0.0", "9.0"}}, views[0].Bins, "empty bins are left out")
}
