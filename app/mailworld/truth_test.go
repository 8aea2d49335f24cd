package mailworld

import (
	"strings"
	"testing"

	"github.com/gosimple/unidecode"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// guesses lists the strict forms of a name in a way of its own, so that the generator is not checked with itself.
func guesses(first, last string) map[string]bool {
	german := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ø", "oe", "å", "aa", "Ö", "oe", "Ü", "ue", "Ø", "oe", "Å", "aa")
	tidy := func(s string) string { return strings.ToLower(strings.ReplaceAll(unidecode.Unidecode(s), "'", "")) }
	parts := func(name string) []string {
		var all []string
		for _, s := range []string{tidy(name), tidy(german.Replace(name))} {
			words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '-' })
			all = append(all, words[0], words[len(words)-1], strings.Join(words, ""), strings.Join(words, "-"))
		}
		return all
	}
	out := map[string]bool{}
	for _, f := range parts(first) {
		for _, l := range parts(last) {
			for _, sep := range []string{"", ".", "_", "-"} {
				for _, pair := range [][2]string{{f, l}, {f[:1], l}, {l, f}, {l, f[:1]}} {
					out[pair[0]+sep+pair[1]] = true
				}
			}
		}
	}
	return out
}

// noCollision checks that nobody's strict forms lead to somebody else's mailbox, in one company.
func noCollision(t require.TestingT, c Company) {
	owner := map[string]string{}
	for _, r := range c.Roles {
		owner[r] = "nobody"
	}
	for _, p := range c.People {
		if p.Email == "" {
			continue
		}
		require.Empty(t, owner[localOf(p.Email)], "two people share %s", p.Email)
		owner[localOf(p.Email)] = p.Full
		for _, a := range p.Aliases {
			require.Empty(t, owner[localOf(a)])
			owner[localOf(a)] = p.Full
		}
	}
	for _, p := range c.People {
		for guess := range guesses(p.First, p.Last) {
			if owner[guess] != "" {
				require.Equal(t, p.Full, owner[guess], "%s at %s", guess, c.Domain)
			}
		}
		given, surname := spelling{given: "join"}.givenToken(p.First), spelling{}.surnameToken(p.Last)
		if by := owner[localPart(c.Pattern, given, surname)]; by != "" {
			require.Equal(t, p.Full, by, "main pattern at %s", c.Domain)
		}
	}
}

func TestNobodyInTheDemoCanBeTakenForANamesakeByAStrictForm(t *testing.T) {
	for _, c := range Demo().Companies() {
		noCollision(t, c)
	}
}

func TestNobodyInAGeneratedWorldCanBeTakenForANamesakeByAStrictForm(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := New(Options{Seed: rapid.Int64().Draw(rt, "seed"), Companies: 6, PeoplePerCompany: rapid.IntRange(1, 30).Draw(rt, "people")})
		for _, c := range w.Companies() {
			noCollision(rt, c)
		}
	})
}

func TestDemoHasTrapsOfNamesakesWithLooseAliases(t *testing.T) {
	w := Demo()
	traps := map[string]bool{}
	for _, truth := range w.ContactsTruth() {
		if truth.Kind != KindAbsent {
			continue
		}
		boxes := mailboxes(truth.Company)
		for _, local := range []string{fold(truth.Person.First, false), fold(truth.Person.Last, true)} {
			if boxes[local] != noBox {
				traps[truth.Company.Domain] = true
			}
		}
	}
	require.Equal(t, map[string]bool{"alderbrook.example": true, "brightwater.example": true, "hofmann-kessler.example": true}, traps)
}

func TestDemoHasEveryOrdinaryBehaviourAndMostPeopleAtHostsThatTell(t *testing.T) {
	w := Demo()
	seen := map[Behaviour]int{}
	kinds := map[string]int{}
	for _, truth := range w.ContactsTruth() {
		seen[truth.Company.Behaviour]++
		kinds[truth.Kind]++
	}
	for _, b := range Behaviours()[:26] { // Accurate to PlainText
		require.NotZero(t, seen[b], b)
	}
	rows := len(w.ContactsTruth())
	require.GreaterOrEqual(t, rows, 240)
	require.Greater(t, seen[Accurate]+seen[AccurateSmall], rows/2)
	require.GreaterOrEqual(t, kinds[KindAbsent], 25)
	for _, kind := range []string{KindFound, KindAcceptAll, KindUnknown, KindInvalidDomain} {
		require.NotZero(t, kinds[kind], kind)
	}
	for _, b := range Behaviours()[:26] {
		for _, c := range w.Companies() {
			if c.Behaviour == b && b.traits().kind == KindFound {
				require.Contains(t, kindsAt(c), KindFound, b)
				require.Contains(t, kindsAt(c), KindAbsent, b)
			}
		}
	}
}

func kindsAt(c Company) []string {
	var kinds []string
	for i := range c.People {
		kinds = append(kinds, truthOf(&c, &c.People[i]).Kind)
	}
	return kinds
}

func TestTruthOfFlaggedPeople(t *testing.T) {
	w := Demo()
	flagged := 0
	for _, truth := range w.ContactsTruth() {
		p := truth.Person
		if p.FullMailbox || p.Busy {
			flagged++
			require.Equal(t, KindFound, truth.Kind)
		}
		if p.Disabled {
			flagged++
			require.Equal(t, KindAbsent, truth.Kind)
			require.Empty(t, truth.Email)
			require.False(t, truth.OrUnknown)
		}
		require.Equal(t, truth.Kind == KindFound, truth.Email != "" && truth.Company.Behaviour.traits().kind == KindFound)
	}
	require.Equal(t, 5, flagged)
}

func TestExpectedKnowsEverybodyByName(t *testing.T) {
	w := Demo()
	truth, ok := w.Expected("jürgen müller", "Hofmann-Kessler.example")
	require.True(t, ok)
	require.Equal(t, "juergen.mueller@hofmann-kessler.example", truth.Email)
	truth, ok = w.Expected("Emma Whitfield", "alderbrook.example")
	require.True(t, ok)
	require.Equal(t, KindAbsent, truth.Kind)
	_, ok = w.Expected("Emma Whitfield", "brightwater.example")
	require.False(t, ok)
	for _, row := range w.ContactsTruth() {
		again, ok := w.Expected(row.Person.Full, row.Company.Domain)
		require.True(t, ok)
		require.Equal(t, row, again)
	}
}

func TestLocalPartsFollowTheirTemplates(t *testing.T) {
	for template, want := range map[string]string{
		"F.L": "maria.lopez", "fL": "mlopez", "F": "maria", "Fl": "marial", "FL": "marialopez", "L": "lopez", "Lf": "lopezm",
		"L.F": "lopez.maria", "F_L": "maria_lopez", "F-L": "maria-lopez", "fl": "ml", "fL2": "mlo", "f2L": "malopez",
		"FL2": "marialo", "fL8": "mlopez", "f2l2": "malo",
	} {
		require.Equal(t, want, localPart(template, "maria", "lopez"), template)
	}
	require.Equal(t, "wschwarz", localPart("fL8", "wilhelm", "schwarzenberger"))
}

func TestSpellingFollowsTheHouseRules(t *testing.T) {
	fold := spelling{given: "keep", surname: "keep", two: "first", particles: "join"}
	german := spelling{expand: true, given: "join", surname: "join", two: "join", particles: "drop"}
	for _, c := range []struct {
		sp                          spelling
		first, last, given, surname string
	}{
		{fold, "Jürgen", "Müller", "jurgen", "muller"},
		{german, "Jürgen", "Strauß", "juergen", "strauss"},
		{fold, "Søren", "Ødegård", "soren", "odegard"},
		{german, "Søren", "Kjær", "soeren", "kjaer"},
		{fold, "Hans-Peter", "Smith-Jones", "hans-peter", "smith-jones"},
		{german, "Hans-Peter", "Smith-Jones", "hanspeter", "smithjones"},
		{fold, "María José", "García López", "maria", "garcia"},
		{german, "María José", "García López", "mariajose", "garcialopez"},
		{fold, "Sanne", "van den Berg", "sanne", "vandenberg"},
		{german, "Sanne", "van den Berg", "sanne", "berg"},
		{fold, "Łukasz", "Dąbrowski", "lukasz", "dabrowski"},
		{fold, "Işık", "O'Brien", "isik", "obrien"},
		{fold, "İpek", "al-Masri", "ipek", "al-masri"},
		{spelling{surname: "first", two: "last"}, "Ľubica", "Silva Santos", "lubica", "santos"},
	} {
		require.Equal(t, c.given, c.sp.givenToken(c.first))
		require.Equal(t, c.surname, c.sp.surnameToken(c.last))
	}
}
