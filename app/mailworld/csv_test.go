package mailworld

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
)

func TestExampleFilesAreThoseOfTheDemoWorld(t *testing.T) {
	w := Demo()
	for name, want := range map[string][]byte{"contacts.csv": w.ContactsCSV(), "messy.csv": w.MessyCSV()} {
		path := filepath.Join("..", "..", "examples", name)
		if *update {
			require.NoError(t, os.WriteFile(path, want, 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "%s differs: run go test ./app/mailworld -update", name)
	}
}

func TestContactsCSVHoldsOneRowForEachTruth(t *testing.T) {
	w := Demo()
	rows, err := csv.NewReader(bytes.NewReader(w.ContactsCSV())).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"First Name", "Last Name", "Company", "Website", "Job Title", "City"}, rows[0])
	truths := w.ContactsTruth()
	require.Len(t, rows, len(truths)+1)
	for i, truth := range truths {
		row := rows[i+1]
		require.Equal(t, i+1, truth.Row)
		require.Equal(t, truth.Person.Full, row[0]+" "+row[1])
		require.Equal(t, truth.Company.Name, row[2])
		require.Contains(t, strings.ToLower(row[3]), truth.Company.Domain)
		for _, cell := range row {
			require.NotEmpty(t, cell)
		}
	}
}

func TestMessyCSVHoldsOneRowForEachTruth(t *testing.T) {
	w := Demo()
	plain, err := charmap.Windows1252.NewDecoder().Bytes(w.MessyCSV())
	require.NoError(t, err)
	require.NotContains(t, string(plain), "\x1a", "every letter has its place in Windows-1252")
	in := csv.NewReader(bytes.NewReader(plain))
	in.Comma = ';'
	rows, err := in.ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"Kontakt", "Firma", "Webseite", "Notiz"}, rows[0])
	truths := w.MessyTruth()
	require.Len(t, rows, len(truths)+1)
	require.InDelta(t, 60, len(truths), 5)
	kinds := map[string]int{}
	for i, truth := range truths {
		require.Equal(t, i+1, truth.Row)
		kinds[truth.Kind]++
		if truth.Kind != KindJunk {
			require.Contains(t, strings.ToLower(rows[i+1][2]), truth.Company.Domain)
			require.Contains(t, strings.ToLower(rows[i+1][0]), strings.ToLower(truth.Person.Last))
		}
	}
	for _, kind := range []string{KindFound, KindAbsent, KindAcceptAll, KindInvalidDomain} {
		require.NotZero(t, kinds[kind], kind)
	}
	require.GreaterOrEqual(t, kinds[KindJunk], 12)
	require.Contains(t, string(plain), "\u00a0")
	require.Contains(t, string(plain), "\r\nMesse Kopenhagen\r\n")
}

func TestGeneratedWorldsAreTheSameForASeed(t *testing.T) {
	o := Options{Seed: 7, Companies: 40, People: 500}
	a, b := New(o), New(o)
	require.Equal(t, a.CSV(), b.CSV())
	require.Equal(t, a.ContactsCSV(), b.ContactsCSV())
	require.Equal(t, a.Companies(), b.Companies())
	require.Nil(t, a.MessyCSV())
	o.Seed = 8
	require.NotEqual(t, a.CSV(), New(o).CSV())
	require.Equal(t, Demo().ContactsCSV(), DemoWith(Options{Seed: 5}).ContactsCSV())
}

func TestGeneratedWorldHasTheSizesAndTheMixAskedFor(t *testing.T) {
	w := New(Options{Companies: 800, People: 10_000})
	require.Len(t, w.Companies(), 800)
	require.Len(t, w.Truths(), 10_000)
	seen := map[Behaviour]int{}
	patterns := map[string]int{}
	domains := map[string]bool{}
	for _, c := range w.Companies() {
		seen[c.Behaviour]++
		patterns[c.Pattern]++
		require.False(t, domains[c.Domain])
		domains[c.Domain] = true
		require.NotEmpty(t, c.People)
	}
	require.Equal(t, 560, seen[Accurate])
	require.Equal(t, 144, seen[CatchAll])
	require.InDelta(t, 0.475, float64(patterns["F.L"])/800, 0.06)
	rows, err := csv.NewReader(bytes.NewReader(w.CSV())).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 10_001)
	require.Equal(t, []string{"first", "last", "domain"}, rows[0])
}

func TestMixIsDealtInExactShares(t *testing.T) {
	w := New(Options{Companies: 10, PeoplePerCompany: 2, Mix: map[Behaviour]int{Greylist: 1, TempFail: 2, Accurate: 0, CatchAll: -3}})
	seen := map[Behaviour]int{}
	for _, c := range w.Companies() {
		seen[c.Behaviour]++
	}
	require.Equal(t, map[Behaviour]int{Greylist: 3, TempFail: 7}, seen)
	require.Equal(t, Accurate, New(Options{Companies: 1, Mix: map[Behaviour]int{CatchAll: 0}}).Companies()[0].Behaviour)
}

func TestSizesBeyondTheLimitsAreCut(t *testing.T) {
	w := New(Options{Companies: 3, PeoplePerCompany: 100_000, Mix: map[Behaviour]int{Accurate: 1}})
	require.LessOrEqual(t, len(w.Truths()), 3*maxPeople)
	require.Greater(t, len(w.Truths()), 100)
}

func TestCalmMixHasNobodyWhoMakesUsWait(t *testing.T) {
	for b := range CalmMix() {
		require.NotContains(t, []Behaviour{Greylist, GreylistEach, TempFail, PolicyBlock, Refused, Silent, Slow, Tarpit}, b)
	}
	require.Equal(t, 700, CalmMix()[Accurate])
}
