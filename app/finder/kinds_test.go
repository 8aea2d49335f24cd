package finder

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// first is the local part ranked first.
func first(t *testing.T, p Person, colleagues ...Person) string {
	t.Helper()
	ranked, err := Rank(p, colleagues)
	require.NoError(t, err)
	local, _, _ := strings.Cut(ranked[0].Email, "@")
	return local
}

func TestNamesInTheWrongCellsAreRead(t *testing.T) {
	known := Person{First: "Ben", Last: "Hart", Email: "ben.hart@acme.example"}
	for _, c := range []struct{ first, last, local string }{
		{"DURAND", "Guillaume", "guillaume.durand"},
		{"Schneider", "Raphaël", "raphael.schneider"},
		{"Ngo Quoc", "Cuong", "cuong.ngo"},
		{"Ana García", "Márquez", "ana.garcia"},
		{"Guillaume", "Durand", "guillaume.durand"},
		{"James", "Thomas", "james.thomas"},
	} {
		require.Equal(t, c.local, first(t, Person{First: c.first, Last: c.last, Domain: "acme.example"}, known), "%s + %s", c.first, c.last)
	}
}

func TestUmlautsAreWrittenTheWayTheLanguageDoes(t *testing.T) {
	for full, local := range map[string]string{"Erik Hellström": "erik.hellstrom", "Ville Kangasjärvi": "ville.kangasjarvi", "Jürgen Möller": "juergen.moeller"} {
		require.Equal(t, local, first(t, Person{Full: full, Domain: "acme.com"}), full)
	}
}

func TestACompanyAbbreviatesDoubleNamesItsWay(t *testing.T) {
	p := Person{Full: "Jean-Marc Petit", Domain: "acme.com"}
	one, two := Person{Full: "Anne-Lise Roux", Email: "aroux@acme.com"}, Person{Full: "Anne-Lise Roux", Email: "alroux@acme.com"}
	require.Equal(t, "jpetit", first(t, p, one, Person{Full: "Jean-Luc Blanc", Email: "jblanc@acme.com"}))
	require.Equal(t, "jmpetit", first(t, p, two))
}

func TestAColleaguesAddressIsNotGivenToAnother(t *testing.T) {
	known := []Person{{Full: "Ada Moss", Email: "ada@acme.com"}, {Full: "Tom Hart", Email: "tom@acme.com"}, {Full: "Eva Ruiz", Email: "eva@acme.com"}}
	require.NotEqual(t, "ada", first(t, Person{Full: "Ada Stone", Domain: "acme.com"}, known...))
	require.Equal(t, "ada", first(t, Person{Full: "Ada Moss", Domain: "acme.com"}, known...), "the same person")
}

// TestKnownAddressesAlwaysMakeAProbability: whatever counts a domain has, shares stay positive, sum to 1, and
// what everybody is known to use gains.
func TestKnownAddressesAlwaysMakeAProbability(t *testing.T) {
	regions := []string{"", "com", "de", "cn/hk", "nowhere"}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom(templates().all).Draw(t, "template").ID
		n := rapid.IntRange(1, 100_000).Draw(t, "hits")
		region := rapid.SampledFrom(regions).Draw(t, "region")
		counts := map[string]Count{id: {Hits: n, Misses: rapid.IntRange(0, 1000).Draw(t, "misses")}, other: {Hits: rapid.IntRange(0, 3).Draw(t, "odd")}}
		p := newPosterior(region, counts, Name{})
		sum := p.other
		for i, s := range p.share {
			require.Greater(t, s, 0.0, templates().all[i].ID)
			sum += s
		}
		require.InDelta(t, 1, sum, 1e-9)
		if counts[id].Misses == 0 {
			require.Greater(t, p.share[templates().byID[id]], p.prior.share[templates().byID[id]])
		}
	})
}
