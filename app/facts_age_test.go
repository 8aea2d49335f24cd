package app_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/mailworld"
	"beagle/app/probe"

	"github.com/stretchr/testify/require"
)

// TestFactsOfADomainAreAskedForOnceInTheirTTL: of two lists with other people of one company the second asks DNS nothing while what it said
// holds, neither in the process that asked nor in one that reads it from the database; a third list, later, asks anew.
func TestFactsOfADomainAreAskedForOnceInTheirTTL(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		company := mailworld.Company{Name: "Fenwick Tiles", Domain: "fenwick.example", Behaviour: mailworld.Accurate, Pattern: "F.L"}
		for _, p := range [][2]string{{"Jane", "Willoughby"}, {"Tom", "Hartfield"}, {"Anna", "Pemberton"}, {"Ron", "Sanderson"}} {
			company.People = append(company.People, mailworld.Person{First: p[0], Last: p[1], Full: p[0] + " " + p[1], Email: strings.ToLower(p[0]+"."+p[1]) + "@" + company.Domain})
		}
		w := mailworld.Of(mailworld.Options{}, company)
		require.NoError(t, w.Start())
		t.Cleanup(func() { require.NoError(t, w.Close()) })
		var later atomic.Int64
		now := func() time.Time { return time.Now().UTC().Add(time.Duration(later.Load())) }
		c := apptest.Config(t, s, w)
		e := apptest.OpenAt(t, c, w, now)
		require.NoError(t, e.Migrate(t.Context()))
		as, another := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		asked := func(e *apptest.Env, as app.Actor, person int) int {
			before, p := w.Stats().DNSQueries, company.People[person]
			stop := e.Work()
			defer stop()
			l := e.Run(as, "one.csv", []byte("first_name,last_name,domain\n"+p.First+","+p.Last+","+company.Domain+"\n"))
			r := records(t, e, as, l, app.RecordQuery{})[0]
			require.Equal(t, []string{app.RecordDone, p.Email}, []string{r.State, r.Email})
			require.False(t, r.CheckedAt.Before(l.CreatedAt), "looked up, not an earlier answer")
			return w.Stats().DNSQueries - before
		}
		first := asked(e, as, 0)
		require.Equal(t, 3, first, "MX, A and AAAA")
		facts, err := e.Domain(t.Context(), as.Account, company.Domain)
		require.NoError(t, err)
		ttl := facts.Facts.TTL
		require.Equal(t, 5*time.Minute, ttl, "of the world's records")

		later.Store(int64(ttl - time.Minute))
		require.Zero(t, asked(e, as, 1), "the facts still hold")
		other := apptest.OpenAt(t, c, w, now)
		require.Zero(t, asked(other, as, 2), "for a process that did not ask too")
		later.Store(int64(ttl + time.Minute))
		require.Equal(t, first, asked(e, as, 3), "and are asked anew when their time is over")
		again, err := e.Domain(t.Context(), as.Account, company.Domain)
		require.NoError(t, err)
		require.Equal(t, probe.StateOK, again.Facts.State)
		require.GreaterOrEqual(t, again.Facts.CheckedAt.Sub(facts.Facts.CheckedAt), ttl)
		require.Zero(t, asked(other, another, 0), "one process's answer is all processes'")
	})
}
