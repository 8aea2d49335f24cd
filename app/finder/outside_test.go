package finder

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAddressesOutsideTheGrammarTellTheirShape: what no template explains still says how colleagues are written.
func TestAddressesOutsideTheGrammarTellTheirShape(t *testing.T) {
	n, err := ParseName("Jane", "Willoughby", "")
	require.NoError(t, err)
	for local, want := range map[string]outside{
		"jane.q.willoughby": outsideDotted, "j.willow": outsideDottedInitial, "ext-willoughby": outsideSeparated, "jqwilloughby": outsideInitial,
		"kjanes": outsideGiven, "mcwilloughby": outsideFamily, "xyz": outsideShort, "octopus": outsideHandle,
	} {
		require.Empty(t, Infer(n, local), local)
		require.Equal(t, want, n.outsideShape(local), local)
	}
}

// TestAColleagueWithAnUnknownMiddleInitial: jqwilloughby@ makes rsanderson@ likelier than a handle does, and jane.q.willoughby@ ron.sanderson@.
func TestAColleagueWithAnUnknownMiddleInitial(t *testing.T) {
	p := func(known, local string) float64 {
		ranked, err := Rank(Person{First: "Ron", Last: "Sanderson", Domain: "corp.test"}, []Person{{First: "Jane", Last: "Willoughby", Domain: "corp.test", Email: known + "@corp.test"}})
		require.NoError(t, err)
		for _, r := range ranked {
			if r.Email == local+"@corp.test" {
				return r.P
			}
		}
		return 0
	}
	require.Greater(t, p("jqwilloughby", "rsanderson"), 1.2*p("octopus", "rsanderson"))
	require.Greater(t, p("jane.q.willoughby", "ron.sanderson"), 1.2*p("octopus", "ron.sanderson"))
	require.Less(t, p("jane.q.willoughby", "rsanderson"), 0.7*p("octopus", "rsanderson"))
}

// TestHyphensGoWhereNothingDividesTheName: the same family name is joined in jsmithjones@ and kept in jane.smith-jones@.
func TestHyphensGoWhereNothingDividesTheName(t *testing.T) {
	first := func(known string) string {
		ranked, err := Rank(Person{First: "Jane", Last: "Harper-Quill", Domain: "corp.test"}, []Person{{First: "Ron", Last: "Sanderson", Domain: "corp.test", Email: known + "@corp.test"}})
		require.NoError(t, err)
		return ranked[0].Email
	}
	require.Equal(t, "jharperquill@corp.test", first("rsanderson"))
	require.Equal(t, "jane.harper-quill@corp.test", first("ron.sanderson"))
}
