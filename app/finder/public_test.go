package finder

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRankAsksNobodyAndLearnsFromColleagues(t *testing.T) {
	ada := Person{First: "Ada", Last: "Núñez Vidal", Domain: "https://acme.example/"}
	ranked, err := Rank(ada, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"ada.nunez@acme.example", "{first}.{last}"}, []string{ranked[0].Email, ranked[0].Pattern})
	alone := ranked[0].P
	require.Less(t, alone, 0.6)
	sum := 0.0
	for _, r := range ranked {
		sum += r.P
	}
	require.Less(t, sum, calibrateNone)

	ranked, err = Rank(ada, []Person{{Full: "Ben Ortiz", Email: "bortiz@acme.example"}, {Full: "Eva Cano Ruiz", Email: "ecanoruiz@acme.example"}, {Full: "Tom Hart", Email: "thart@acme.example"}})
	require.NoError(t, err)
	require.Equal(t, "anunezvidal@acme.example", ranked[0].Email, "pattern and spelling are the colleagues'")
	require.Greater(t, ranked[0].P, alone)

	handles, err := Rank(ada, []Person{{Full: "Ben Ortiz", Email: "sparrow@acme.example"}, {Full: "Tom Hart", Email: "wolf@acme.example"}})
	require.NoError(t, err)
	require.Less(t, handles[0].P, alone, "where people have handles a name says less")
}

func TestRankRefusesWhatIsNoNameOrDomain(t *testing.T) {
	for _, p := range []Person{{Full: "Ada Lee"}, {Domain: "acme.example"}, {Full: "Ada Lee", Domain: "127.0.0.1"}, {Full: "\x00\xff", Domain: "acme.example"}} {
		_, err := Rank(p, []Person{{Full: "\xff", Email: "@"}, {}})
		var refusal *Refusal
		require.ErrorAs(t, err, &refusal)
	}
}
