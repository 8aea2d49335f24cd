package finder

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEveryTemplateRendersAndIsInferredBack(t *testing.T) {
	n, err := ParseName("", "", "Bernard Xavier Holzmann")
	require.NoError(t, err)
	tok := Tokens{First: "bernard", F: "b", Middle: "xavier", M: "x", Last: "holzmann", L: "h"}
	want := map[string]string{"F.L": "bernard.holzmann", "fL": "bholzmann", "fL8": "bholzman", "Lf8": "holzmanb", "f2L": "beholzmann", "FL2": "bernardho", "f2l2": "beho", "F-M.L": "bernard-xavier.holzmann", "F_l": "bernard_h"}
	require.Len(t, Templates(), 49)
	for _, tpl := range Templates() {
		local, ok := Render(tpl.ID, tok)
		require.True(t, ok, tpl.ID)
		if w := want[tpl.ID]; w != "" {
			require.Equal(t, w, local)
		}
		id, ok := PatternID(tpl.Reads)
		require.True(t, ok, tpl.Reads)
		require.Equal(t, tpl.ID, id)
		require.Equal(t, tpl.Reads, Readable(tpl.ID))
		found := Infer(n, local)
		require.NotEmpty(t, found, "%s: %s", tpl.ID, local)
		require.Equal(t, tpl.ID, found[0].ID, local)
		require.NotEmpty(t, Infer(n, strings.ToUpper(local)+"2"), "a digit and capitals are looked past")
	}
	require.Empty(t, Infer(n, "zorro"))
	require.Empty(t, Infer(n, ""))
	require.Equal(t, "F.L", Infer(n, "bernard.holzmann+news")[0].ID)
}

func TestTemplatesNeedTheirTokens(t *testing.T) {
	_, ok := Render("F.L", Tokens{First: "ann"})
	require.False(t, ok)
	_, ok = Render("X.Y", Tokens{First: "ann", Last: "smith"})
	require.False(t, ok)
	for id, class := range map[string]strict{"F.L": whole, "L_F": whole, "fL": initial, "f.L": initial, "F": loose, "L": loose, "fl": loose, "Fl": initial, "F.M": loose, "fL2": loose, "FL2": initial, "fL8": initial, "fmL": initial} {
		require.Equal(t, class, templates().all[templates().byID[id]].strict, id)
	}
}

func TestRenderedNamesAreInferred(t *testing.T) {
	letters := rapid.StringMatching(`[a-z]{4,12}`)
	rapid.Check(t, func(t *rapid.T) {
		first, last := letters.Draw(t, "first"), letters.Draw(t, "last")
		n, err := ParseName(first, last, "")
		if err != nil || n.Swapped > 0 || len(n.First.Forms) == 0 || len(n.Last.Forms) == 0 {
			return
		}
		tpl := rapid.SampledFrom(Templates()).Draw(t, "template")
		local, ok := tpl.render(Tokens{First: n.First.Forms[0].Text, F: n.First.Initials[0].Text, Last: n.Last.Forms[0].Text, L: n.Last.Initials[0].Text})
		if !ok || !wellFormed(local) || RoleAccount(local) {
			return
		}
		ids := []string{}
		for _, i := range Infer(n, local) {
			ids = append(ids, i.ID)
		}
		require.Contains(t, ids, tpl.ID, local)
	})
}

// ranked lists the local parts for a name at a domain with counts.
func ranked(t *testing.T, name, domain string, counts map[string]Count) []candidate {
	t.Helper()
	region := regionOf(domain)
	n, err := parseName("", "", name, region)
	require.NoError(t, err)
	return rank(n, newPosterior(region, counts, n))
}

func TestRankingFollowsRegionAndEvidence(t *testing.T) {
	for _, c := range []struct {
		name, domain string
		counts       map[string]Count
		want         string
	}{
		{"John Smith", "acme.com", nil, "john.smith"}, {"John Smith", "acme.io", nil, "john"}, {"Jürgen Müller", "acme.de", nil, "juergen.mueller"},
		{"Søren Ågård", "acme.dk", nil, "soren.agard"}, {"Jan de Vries", "acme.nl", nil, "jan"}, {"Juan Pérez Gómez", "acme.es", nil, "juan.perez"}, {"João Pérez Gomes", "acme.com.br", nil, "joao.gomes"},
		{"John Smith", "acme.com", map[string]Count{"fL": {Hits: 1}}, "jsmith"}, {"John Smith", "acme.com", map[string]Count{"f.L": {Hits: 1}}, "j.smith"},
		{"John Smith", "acme.com", map[string]Count{"L.F": {Hits: 2}}, "smith.john"}, {"John Smith", "acme.com", map[string]Count{"F.L": {Misses: 3}}, "jsmith"},
		{"John Smith", "acme.com", map[string]Count{"F.L": {Hits: 5, Misses: 4}}, "john.smith"}, {"John Q Smith", "acme.com", map[string]Count{"fmL": {Hits: 3}}, "jqsmith"},
		{"Jan van der Berg", "acme.nl", map[string]Count{"f.L": {Hits: 2}}, "j.vanderberg"}, {"John Smith", "acme.com", map[string]Count{"no such id": {Hits: 9}, "F": {Hits: -4}}, "john.smith"},
	} {
		require.Equal(t, c.want, ranked(t, c.name, c.domain, c.counts)[0].local, fmt.Sprint(c))
	}
}

func TestPosteriorIsNearTheMeasuredShares(t *testing.T) {
	// P(next uses first.last | k known all do), measured: 0.855, 0.893, 0.922.
	top := templates().byID["F.L"]
	for hits, want := range map[int]float64{1: 0.855, 2: 0.893, 5: 0.922} {
		p := newPosterior("com", map[string]Count{"F.L": {Hits: hits}}, Name{})
		require.InDelta(t, want, p.share[top], 0.02, "k=%d", hits)
	}
	for region := range priors().Region {
		p := newPosterior(region, nil, Name{})
		sum := p.other
		for _, s := range p.share {
			require.Positive(t, s, "no template is impossible anywhere")
			sum += s
		}
		require.InDelta(t, 1, sum, 1e-9)
	}
}

func TestOneHandWritesBothUmlauts(t *testing.T) {
	at := map[string]int{}
	for i, c := range ranked(t, "Jürgen Müller", "acme.com", map[string]Count{"F.L": {Hits: 5}}) {
		at[c.local] = i + 1
	}
	require.Equal(t, 1, at["juergen.mueller"])
	require.Equal(t, 2, at["jurgen.muller"], "both or none are respelled")
}

func TestRoleLikeCandidatesAreNeverMade(t *testing.T) {
	for _, c := range ranked(t, "Hans Richter", "acme.de", map[string]Count{"fl": {Hits: 9}}) {
		require.False(t, RoleAccount(c.local), c.local)
	}
	for _, role := range []string{"info", "Sales", "support2", "info-uk", "hr", "no-reply", "team.uk", "marketing"} {
		require.True(t, RoleAccount(role), role)
	}
	for _, person := range []string{"john.smith", "jsmith", "infante", "sal", "web.ster-jones"} {
		require.False(t, RoleAccount(person), person)
	}
}

func TestReorderedCountsChangeNothing(t *testing.T) {
	counts := map[string]Count{}
	for i, tpl := range Templates() {
		counts[tpl.ID] = Count{Hits: i % 3, Misses: i % 5}
	}
	first := ranked(t, "Anna-Lena Müller", "acme.de", counts)
	for range 5 {
		require.Equal(t, first, ranked(t, "Anna-Lena Müller", "acme.de", counts))
	}
}
