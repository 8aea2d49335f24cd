package app_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/db"
	"beagle/app/finder"
	"beagle/app/mailworld"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// unusual is an accept-all company of the world whose people do not write first.last, with some of its people who do as all there.
func unusual(t *testing.T, e *apptest.Env) []mailworld.Truth {
	t.Helper()
	by := map[string][]mailworld.Truth{}
	for _, truth := range e.World.ContactsTruth() {
		if truth.Kind == mailworld.KindAcceptAll && truth.Email != "" && truth.Company.Pattern != "F.L" {
			by[truth.Company.Domain] = append(by[truth.Company.Domain], truth)
			if people := by[truth.Company.Domain]; len(people) == 4 {
				return people
			}
		}
	}
	t.Fatal("the world has no such company")
	return nil
}

// guessOf runs a list of one person and returns the answer.
func guessOf(t *testing.T, e *apptest.Env, as app.Actor, p mailworld.Truth) (email, status string) {
	l := e.Run(as, "one.csv", []byte("first_name,last_name,domain\n"+p.Person.First+","+p.Person.Last+","+p.Company.Domain+"\n"))
	tb := readTable(t, e.Result(as, l, sheet.CSV, true), ',')
	return tb.cell(t, 0, "email"), tb.cell(t, 0, "status")
}

func TestAddressesInAFileTeachItsAccountHowTheCompanyWritesThem(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		e.Work()
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		people := unusual(t, e)
		var file strings.Builder
		file.WriteString("first_name,last_name,domain,email\n")
		for i, p := range people {
			given := strings.ToUpper(p.Email[:1]) + p.Email[1:]
			if i == 3 {
				given = ""
			}
			file.WriteString(p.Person.First + "," + p.Person.Last + "," + p.Company.Domain + "," + given + "\n")
		}
		l := e.Run(as, "given.csv", []byte(file.String()))
		tb := readTable(t, e.Result(as, l, sheet.CSV, true), ',')
		require.Equal(t, "accept_all", tb.cell(t, 3, "status"))
		require.Equal(t, people[3].Email, tb.cell(t, 3, "found_email"), "the row without an address follows its colleagues'")

		email, status := guessOf(t, e, as, people[3])
		require.Equal(t, []string{people[3].Email, "accept_all"}, []string{email, status}, "so do rows of the account's other lists")
		email, _ = guessOf(t, e, other, people[3])
		require.NotEqual(t, people[3].Email, email, "nobody else learns of it")
	})
}

func TestWhatAFileSaysOfAnAddressEndsWithItsList(t *testing.T) {
	e := apptest.New(t)
	e.Work()
	as := e.NewActor("owner@one.example")
	at := unusual(t, e)[0].Company.Domain
	l := e.Run(as, "given.csv", []byte("first_name,last_name,domain,email\nAda,Ash,"+at+",ash_ada@"+at+"\nBen,Birch,"+at+",birch_ben@"+at+"\nCy,Cedar,"+at+",info@"+at+"\n"))
	pattern := func() string {
		known, err := e.DomainSearch(context.Background(), as.Account, at, "")
		require.NoError(t, err)
		return known.Pattern
	}
	require.Eventually(t, func() bool { return pattern() == "{last}_{first}" }, apptest.Patience, 100*time.Millisecond)
	require.NoError(t, e.DeleteList(t.Context(), as, l.Ref))
	require.NoError(t, e.Clear(t.Context(), l.ID))
	require.Eventually(t, func() bool { return pattern() == "" }, apptest.Patience, 100*time.Millisecond, "it is remembered for seconds only")
}

func TestACompanysDomainComesFromTheAccountsOtherRows(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		e.Work()
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		e.Run(as, "both.csv", []byte("first_name,last_name,company,domain\nMia,Moss,Ash & Alder Holding GmbH,onegate.example\nIvo,Iris,ASH AND ALDER,onegate.example\nEva,Elm,Elsewhere Ltd,gmail.com\n"))
		ask := func(as app.Actor) (r app.Record, ev finder.Evidence) {
			l := e.Run(as, "company.csv", []byte("first_name,last_name,company\nGrace,Yates,\"Ash and Alder, Inc.\"\n"))
			require.NoError(t, e.DB.Where("list_id = ?", l.ID).First(&r).Error)
			require.NoError(t, json.Unmarshal([]byte(r.Evidence), &ev))
			return r, ev
		}
		r, ev := ask(as)
		require.Equal(t, []string{"valid", "company_lists"}, []string{r.Status, ev.DomainSource})
		require.True(t, strings.HasSuffix(r.Email, "@onegate.example"), r.Email)
		require.Contains(t, ev.Score[len(ev.Score)-1].Why, "2 of 2 rows of your lists")
		require.Less(t, ev.Score[len(ev.Score)-1].Factor, 1.0)
		r, ev = ask(other)
		require.Equal(t, []string{"unknown", ""}, []string{r.Status, ev.DomainSource}, "what one account's rows say is not for others")
		var pairs int64
		require.NoError(t, e.DB.Table("company_domains").Where("domain = 'gmail.com'").Count(&pairs).Error)
		require.Zero(t, pairs, "a webmail provider is nobody's company")
	})
}

func TestReadingACompanysDomainsUsesTheIndexes(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		for query, index := range map[string]string{
			"SELECT domain, SUM(rows) FROM company_domains WHERE account_id = 1 AND company = 'ash' GROUP BY domain":                             "company_domains_company",
			"SELECT id FROM records WHERE account_id = 1 AND address <> '' AND " + db.GivenDomain(e.DB) + " = 'onegate.example' AND list_id > 0": "records_given",
		} {
			require.Contains(t, planOf(t, e.DB, query), index)
		}
	})
}

// planOf is how a query is run, without regard to how small the tables are.
func planOf(t *testing.T, g *gorm.DB, query string) (plan string) {
	t.Helper()
	require.NoError(t, g.Transaction(func(tx *gorm.DB) error {
		if db.EngineOf(tx) == db.SQLite {
			var steps []struct{ Detail string }
			err := tx.Raw("EXPLAIN QUERY PLAN " + query).Scan(&steps).Error
			for _, s := range steps {
				plan += s.Detail + "\n"
			}
			return err
		}
		if err := tx.Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
			return err
		}
		var lines []string
		err := tx.Raw("EXPLAIN " + query).Scan(&lines).Error
		plan = strings.Join(lines, "\n")
		return err
	}))
	return plan
}

func TestACompanysDomainComesFromKnownAddressesNamedLikeIt(t *testing.T) {
	e := apptest.New(t)
	as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
	_, err := e.AddKnown(t.Context(), as, app.KnownRight, []app.KnownEmail{{Email: "mia.moss@quarrel-moss.ch", First: "Mia", Last: "Moss"}})
	require.NoError(t, err)
	source := func(as app.Actor) string {
		r, err := e.FindOne(t.Context(), as, app.FindParams{First: "Ivo", Last: "Iris", Company: "Quarrel Moss AG"})
		require.NoError(t, err)
		return r.Evidence.DomainSource
	}
	require.Equal(t, "company_addresses", source(as))
	require.Empty(t, source(other))
}

func TestAddedRowsTellOfCompaniesToo(t *testing.T) {
	e := apptest.New(t)
	e.Work()
	as := e.NewActor("owner@one.example")
	l := e.Run(as, "one.csv", []byte("first_name,last_name,company,domain\nMia,Moss,Moss Ltd,onegate.example\n"))
	_, err := e.AddRecords(t.Context(), as, l.Ref, []map[string]string{{"first_name": "Ivo", "last_name": "Iris", "company": "MOSS", "domain": "onegate.example"}})
	require.NoError(t, err)
	var rows int
	require.NoError(t, e.DB.Raw("SELECT rows FROM company_domains WHERE list_id = ? AND company = 'moss'", l.ID).Scan(&rows).Error)
	require.Equal(t, 2, rows)
}
