package app_test

import (
	"sync/atomic"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/db"
	"beagle/app/finder"
	"beagle/app/mailworld"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

// quiet is a company that takes every name and of which nothing is known; open is one that tells.
const quiet, open = "quietcombe.example", "opengate.example"

// guessing is an app at companies that take every name and one that tells, with a clock of its own.
func guessing(t *testing.T, s apptest.Stack, later *atomic.Int64) *apptest.Env {
	tellsAll := initialled(open, mailworld.Accurate)
	tellsAll.People[3].Email = "ron.sanderson@" + open
	w := mailworld.Of(mailworld.Options{}, initialled(takesAll, mailworld.CatchAll), initialled(quiet, mailworld.CatchAll), tellsAll)
	require.NoError(t, w.Start())
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	e := apptest.OpenAt(t, apptest.Config(t, s, w), w, func() time.Time { return time.Now().UTC().Add(time.Duration(later.Load())) })
	require.NoError(t, e.Migrate(t.Context()))
	return e
}

const guessedFile = "first_name,last_name,domain\nRon,Sanderson," + takesAll + "\nRon,Sanderson," + quiet + "\nRon,Sanderson," + open + "\n"

// TestGuessesAreMadeAnewAndVerifiedAnswersAreReused: the same file again is the same result byte for byte until something new is known of a
// domain; then its guess is another one, and nobody is asked for it.
func TestGuessesAreMadeAnewAndVerifiedAnswersAreReused(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		var later atomic.Int64
		e := guessing(t, s, &later)
		e.Work()
		as := e.NewActor("owner@one.example")
		var last app.List
		run := func() string {
			last = e.Run(as, "people.csv", []byte(guessedFile))
			return string(e.Result(as, last, sheet.CSV, true))
		}
		emails := func(result string) (out []string) {
			tb := readTable(t, []byte(result), ',')
			for row := range 3 {
				out = append(out, tb.cell(t, row, "email"))
			}
			return out
		}
		plain := []string{"ron.sanderson@" + takesAll, "ron.sanderson@" + quiet, "ron.sanderson@" + open}
		first := run()
		require.Equal(t, plain, emails(first))
		asked := e.World.Stats()
		later.Store(int64(5 * time.Second))
		require.Equal(t, first, run(), "the same observations, the same bytes")

		later.Store(int64(10 * time.Second)) // the file tells times to the second
		_, err := e.AddKnown(t.Context(), as, app.KnownRight, colleaguesAt(e, takesAll))
		require.NoError(t, err)
		second := run()
		require.Equal(t, []string{"rsanderson@" + takesAll, plain[1], plain[2]}, emails(second), "known addresses changed one guess")
		before, now := readTable(t, []byte(first), ','), readTable(t, []byte(second), ',')
		for _, row := range []int{1, 2} {
			require.Equal(t, before.cell(t, row, "checked_at"), now.cell(t, row, "checked_at"), "the others have the age they had")
		}
		require.NotEqual(t, before.cell(t, 0, "checked_at"), now.cell(t, 0, "checked_at"))
		later.Store(int64(15 * time.Second))
		require.Equal(t, second, run(), "a guess that comes out the same keeps its age")

		observed(t, e, quiet)
		later.Store(int64(25 * time.Second)) // what a process remembers of the counts is over
		require.Equal(t, []string{"rsanderson@" + takesAll, "rsanderson@" + quiet, plain[2]}, emails(run()), "what servers said changed another")
		require.Equal(t, asked.RCPTs, e.World.Stats().RCPTs, "nobody was asked again")

		_, err = e.RunAgain(t.Context(), as, last.Ref, app.Selection{})
		require.NoError(t, err)
		l := e.WaitFor(as, last.Ref, func(l app.List) bool { return l.Ended() && l.ResultVersion > 1 })
		require.Equal(t, []string{"rsanderson@" + takesAll, "rsanderson@" + quiet, plain[2]}, emails(string(e.Result(as, l, sheet.CSV, true))))
		n, err := e.Changed(t.Context(), l)
		require.NoError(t, err)
		require.Zero(t, n, "a fresh run of the same shows no change")
		_, err = e.AddKnown(t.Context(), as, app.KnownBounce, colleaguesAt(e, takesAll))
		require.NoError(t, err)
		_, err = e.RunAgain(t.Context(), as, last.Ref, app.Selection{})
		require.NoError(t, err)
		l = e.WaitFor(as, last.Ref, func(l app.List) bool { return l.Ended() && l.ResultVersion > 2 })
		n, err = e.Changed(t.Context(), l)
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "but what bounces took back")
	})
}

// observed notes what other servers of a domain said before it took every name: three people have the family name with an initial.
func observed(t *testing.T, e *apptest.Env, domain string) {
	t.Helper()
	require.NoError(t, e.DB.Exec("INSERT INTO domain_patterns (domain, pattern, hits, misses) VALUES (?, 'fL', 3, 0)", domain).Error)
	for _, hash := range []string{"a", "b", "c"} {
		require.NoError(t, e.DB.Exec("INSERT INTO observations (domain, address_hash, pattern, hit, source, seen_at) VALUES (?, ?, 'fL', ?, 'lookup', ?)",
			domain, hash, true, e.Now()).Error)
	}
}

// TestAKeptGuessOfASingleQuestionIsMadeAnew, by the API and the page alike, at once and within a time.
func TestAKeptGuessOfASingleQuestionIsMadeAnew(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := guessing(t, s, new(atomic.Int64))
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		require.Equal(t, "ron.sanderson@"+takesAll, findRon(t, e, as, takesAll).Email)
		require.Equal(t, "ron.sanderson@"+takesAll, findRon(t, e, other, takesAll).Email)
		valid := findRon(t, e, as, open)
		asked := e.World.Stats()
		_, err := e.AddKnown(t.Context(), as, app.KnownRight, append(colleaguesAt(e, takesAll), colleaguesAt(e, open)...))
		require.NoError(t, err)
		r, pending, err := e.FindWithin(t.Context(), as, app.FindParams{First: "Ron", Last: "Sanderson", Domain: takesAll}, time.Minute)
		require.NoError(t, err)
		require.Equal(t, []any{"rsanderson@" + takesAll, false}, []any{r.Email, pending})
		require.Equal(t, r.Email, findRon(t, e, as, takesAll).Email)
		require.Equal(t, "ron.sanderson@"+takesAll, findRon(t, e, other, takesAll).Email, "for the account that knows them")
		r, pending, err = e.FindWithin(t.Context(), as, app.FindParams{First: "Ron", Last: "Sanderson", Domain: takesAll}, 0)
		require.NoError(t, err)
		require.Equal(t, []any{"rsanderson@" + takesAll, false}, []any{r.Email, pending}, "without time the kept one is the answer")
		require.Equal(t, valid.Email, findRon(t, e, as, open).Email)
		require.Equal(t, asked.RCPTs, e.World.Stats().RCPTs, "nobody was asked again")
		require.Equal(t, asked.Connections, e.World.Stats().Connections)
	})
}

// TestAGuessStaysWhereTheServerSaysLessThanItDid: its accept-all answer is too old, and nobody answers now.
func TestAGuessStaysWhereTheServerSaysLessThanItDid(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		var later atomic.Int64
		e := guessing(t, s, &later)
		e.Work()
		as := e.NewActor("owner@one.example")
		file := []byte("first_name,last_name,domain\nRon,Sanderson," + takesAll + "\n")
		first := string(e.Result(as, e.Run(as, "ron.csv", file), sheet.CSV, true))
		single := findRon(t, e, as, takesAll)
		_, err := e.AddKnown(t.Context(), as, app.KnownRight, colleaguesAt(e, takesAll))
		require.NoError(t, err)
		require.NoError(t, e.World.Close())
		later.Store(int64(8 * 24 * time.Hour))
		require.Equal(t, first, string(e.Result(as, e.Run(as, "ron.csv", file), sheet.CSV, true)))
		require.Equal(t, single.Email, findRon(t, e, as, takesAll).Email)
	})
}

// TestAnEarlierAnswerAboutSomebodyWhoOptedOutIsNotReused, neither for the address nor for its whole domain.
func TestAnEarlierAnswerAboutSomebodyWhoOptedOutIsNotReused(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := guessing(t, s, new(atomic.Int64))
		e.Work()
		as := e.NewActor("owner@one.example")
		e.Run(as, "people.csv", []byte(guessedFile))
		for _, subject := range []string{"ron.sanderson@" + open, quiet} {
			_, err := e.Suppress(t.Context(), app.Actor{Operator: true}, subject)
			require.NoError(t, err)
		}
		rows := records(t, e, as, e.Run(as, "people.csv", []byte(guessedFile)), app.RecordQuery{})
		require.Equal(t, finder.StatusAcceptAll, rows[0].Status)
		for _, r := range rows[1:] {
			require.Equal(t, []string{"", finder.StatusUnknown, "suppressed"}, []string{r.Email, r.Status, r.Reason})
		}
	})
}

func TestWhatAGuessFollowsFromIsReadByIndexes(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		plan := planOf(t, e.DB, "SELECT name FROM domains WHERE name IN ('a.example', 'b.example') AND (EXISTS (SELECT 1 FROM observations AS o WHERE o.domain = name) "+
			"OR EXISTS (SELECT 1 FROM known_emails AS k WHERE k.account_id = 1 AND k.domain = name AND k.kind <> 'found') "+
			"OR EXISTS (SELECT 1 FROM records WHERE account_id = 1 AND address <> '' AND "+db.GivenDomain(e.DB)+" = name AND list_id > 0))")
		require.Contains(t, plan, "records_given")
		require.Contains(t, plan, "known_emails_domain")
	})
}
