package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/finder"
	"beagle/app/mailworld"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

// initialled is a company whose people have an initial in their address that no row tells; Ron Sanderson has none, and nobody tells how he is written.
func initialled(domain string, b mailworld.Behaviour) mailworld.Company {
	c := mailworld.Company{Name: "Marchmont Surveyors", Domain: domain, Behaviour: b, Pattern: "fL"}
	for _, p := range [][3]string{{"Jane", "Willoughby", "jqwilloughby"}, {"Tom", "Hartfield", "tbhartfield"}, {"Anna", "Pemberton", "akpemberton"}, {"Ron", "Sanderson", "rsanderson"}} {
		c.People = append(c.People, mailworld.Person{First: p[0], Last: p[1], Full: p[0] + " " + p[1], Email: p[2] + "@" + domain})
	}
	return c
}

const takesAll, tells = "marchmont.example", "marchmont-tells.example"

// colleaguesAt are those people of an initialled company whose addresses an account knows.
func colleaguesAt(e *apptest.Env, domain string) (known []app.KnownEmail) {
	c, _ := e.World.Company(domain)
	for _, p := range c.People[:3] {
		known = append(known, app.KnownEmail{Email: p.Email, First: p.First, Last: p.Last})
	}
	return known
}

// findRon asks for the one whose address no colleague's pattern explains.
func findRon(t *testing.T, e *apptest.Env, as app.Actor, domain string) finder.Result {
	t.Helper()
	r, err := e.FindOne(t.Context(), as, app.FindParams{First: "Ron", Last: "Sanderson", Domain: domain})
	require.NoError(t, err)
	return r
}

// TestKnownAddressesThatNoPatternExplainsStillTell: what `beagle bench finder` makes of colleagues' shapes the product makes too, for the account that knows them.
func TestKnownAddressesThatNoPatternExplainsStillTell(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewAt(t, s, mailworld.Of(mailworld.Options{}, initialled(takesAll, mailworld.CatchAll), initialled(tells, mailworld.Accurate)))
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		for _, domain := range []string{takesAll, tells} {
			sum, err := e.AddKnown(t.Context(), as, app.KnownRight, colleaguesAt(e, domain))
			require.NoError(t, err)
			require.Equal(t, []int{3, 0}, []int{sum.Stored, sum.Taught}, "none of them shows a pattern")
		}
		guess := findRon(t, e, as, takesAll)
		require.Equal(t, []string{"rsanderson@" + takesAll, "accept_all"}, []string{guess.Email, guess.Status})
		require.Contains(t, guess.Evidence.Score[0].Why, "3 known addresses")
		ranked, err := finder.Rank(finder.Person{First: "Ron", Last: "Sanderson", Domain: takesAll}, asPeople(colleaguesAt(e, takesAll)))
		require.NoError(t, err)
		require.Equal(t, ranked[0].Email, guess.Email)
		require.InDelta(t, ranked[0].P, guess.Evidence.Score[0].Factor, 0.0006, "the ranking of the benchmark")
		theirs := findRon(t, e, other, takesAll)
		require.Equal(t, "ron.sanderson@"+takesAll, theirs.Email, "nobody else learns of it")

		found := findRon(t, e, as, tells)
		require.Equal(t, []string{"rsanderson@" + tells, "valid"}, []string{found.Email, found.Status})
		require.Equal(t, found.Email, found.Evidence.Guess.Email, "the likeliest before anybody was asked")
		known, err := e.DomainSearch(t.Context(), as.Account, takesAll, "")
		require.NoError(t, err)
		require.Empty(t, known.Pattern, "a shape is not shown as a pattern")
		require.Len(t, known.Emails, 4)

		_, err = e.AddKnown(t.Context(), as, app.KnownBounce, colleaguesAt(e, takesAll))
		require.NoError(t, err)
		require.NoError(t, e.DB.Exec("DELETE FROM single_answers").Error)
		require.Equal(t, theirs.Email, findRon(t, e, as, takesAll).Email, "bounced addresses take their lesson back")
	})
}

// asPeople are known addresses as the ranking takes them.
func asPeople(known []app.KnownEmail) (out []finder.Person) {
	for _, k := range known {
		out = append(out, finder.Person{First: k.First, Last: k.Last, Email: k.Email})
	}
	return out
}

// TestShapesOfAFilesAddressesTellToo, unless an address is several people's, or its owner has opted out.
func TestShapesOfAFilesAddressesTellToo(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewAt(t, s, mailworld.Of(mailworld.Options{}, initialled(takesAll, mailworld.CatchAll)))
		e.Work()
		as, other, third := e.NewActor("owner@one.example"), e.NewActor("owner@two.example"), e.NewActor("owner@three.example")
		file := func(addresses ...string) []byte {
			var b strings.Builder
			b.WriteString("first_name,last_name,domain,email\n")
			for i, k := range append(colleaguesAt(e, takesAll), app.KnownEmail{First: "Ron", Last: "Sanderson"}) {
				b.WriteString(k.First + "," + k.Last + "," + takesAll + "," + addresses[i] + "\n")
			}
			return []byte(b.String())
		}
		guess := func(as app.Actor, body []byte) (string, finder.Evidence) {
			tb := readTable(t, e.Result(as, e.Run(as, "given.csv", body), sheet.CSV, true), ',')
			var r app.Record
			var ev finder.Evidence
			require.NoError(t, e.DB.Where("account_id = ? AND first_name = 'Ron'", as.Account).Order("id DESC").First(&r).Error)
			require.NoError(t, json.Unmarshal([]byte(r.Evidence), &ev))
			return tb.cell(t, 3, "found_email"), ev
		}
		at := "@" + takesAll
		email, _ := guess(as, file("jqwilloughby"+at, "tbhartfield"+at, "akpemberton"+at, ""))
		require.Equal(t, "rsanderson"+at, email)
		email, ev := guess(other, file("jotter"+at, "jotter"+at, "jotter"+at, ""))
		require.Equal(t, "ron.sanderson"+at, email)
		require.NotContains(t, ev.Score[0].Why, "known", "an office's address is nobody's")

		for _, k := range colleaguesAt(e, takesAll) {
			_, err := e.Suppress(t.Context(), app.Actor{Operator: true}, k.Email)
			require.NoError(t, err)
		}
		email, ev = guess(third, file("jqwilloughby"+at, "tbhartfield"+at, "akpemberton"+at, ""))
		require.Equal(t, "ron.sanderson"+at, email, "the opted-out teach nothing, though they stand in the account's file")
		require.NotContains(t, ev.Score[0].Why, "known")
		sum, err := e.AddKnown(t.Context(), third, app.KnownRight, colleaguesAt(e, takesAll))
		require.NoError(t, err)
		require.Zero(t, sum.Stored)
		require.Equal(t, "ron.sanderson"+at, findRon(t, e, third, takesAll).Email)
	})
}

// TestKnownAddressesTellHowTheirCompanyWritesNames: where a name leaves a choice, such as a double family name, the known addresses' choice is guessed.
func TestKnownAddressesTellHowTheirCompanyWritesNames(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewAt(t, s, mailworld.Of(mailworld.Options{}, initialled(takesAll, mailworld.CatchAll)))
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		at := "@" + takesAll
		known := []app.KnownEmail{{Email: "jane.willoughby" + at, First: "Jane", Last: "Willoughby-Marsh"}, {Email: "tom.hartfield" + at, First: "Tom", Last: "Hartfield-Lowe"},
			{Email: "anna.pemberton" + at, First: "Anna", Last: "Pemberton"}}
		_, err := e.AddKnown(t.Context(), as, app.KnownRight, known)
		require.NoError(t, err)
		ask := func(as app.Actor) finder.Result {
			r, err := e.FindOne(t.Context(), as, app.FindParams{First: "Ron", Last: "Sanderson-Tate", Domain: takesAll})
			require.NoError(t, err)
			return r
		}
		guess := ask(as)
		require.Equal(t, "ron.sanderson"+at, guess.Email)
		ranked, err := finder.Rank(finder.Person{First: "Ron", Last: "Sanderson-Tate", Domain: takesAll}, asPeople(known))
		require.NoError(t, err)
		require.Equal(t, ranked[0].Email, guess.Email)
		require.InDelta(t, ranked[0].P, guess.Evidence.Score[0].Factor, 0.0006)
		require.Equal(t, "ron.sanderson-tate"+at, ask(other).Email, "for the account that knows them")
	})
}
