package app_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/finder"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"
)

// childEnv makes this test binary the process that looks up suspected rows.
const childEnv = "BEAGLE_TEST_ISOLATED"

// beIsolated finds everybody, Slow after a while, except that Boom ends it, and Sorry cannot be asked about.
func beIsolated() {
	err := app.ServeIsolatedBy(context.Background(), func(_ context.Context, _ string, p finder.Person) (finder.Result, error) {
		switch p.First {
		case "Slow":
			time.Sleep(slowLookup)
		case "Boom":
			time.Sleep(slowLookup / 3)
			os.Exit(3)
		case "Sorry":
			return finder.Result{}, errors.New("no database")
		}
		return finder.Result{Email: strings.ToLower(p.First) + "@" + p.Domain, Status: finder.StatusValid, Score: 90, Reason: "mailbox_exists"}, nil
	}, os.Stdin, os.Stdout)
	if err != nil {
		os.Exit(1)
	}
}

const slowLookup = 300 * time.Millisecond

func testChild() *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	return cmd
}

// people is a file of n people whose names nobody shares.
func people(n int) string {
	var b strings.Builder
	b.WriteString("first name,last name,domain\n")
	for i := range n {
		fmt.Fprintf(&b, "P%d,Ash,alder.example\n", i)
	}
	return b.String()
}

func TestRowThatEndsEveryProcessIsSetAsideAndItsNeighboursAreNot(t *testing.T) {
	e := apptest.New(t)
	e.IsolateBy(testChild)
	as := e.NewActor("owner@alder.example")
	l, _ := running(t, e, as, people(20)+"Boom,Ash,alder.example\n")
	require.NoError(t, e.DB.Exec("UPDATE records SET crashes = ?", app.IsolatedFrom).Error)
	e.Work()
	l = e.WaitFor(as, l.Ref, app.List.Ended)
	require.Equal(t, app.ListFinished, l.State)
	rows := records(t, e, as, l, app.RecordQuery{})
	for _, r := range rows[:20] {
		require.Equal(t, app.RecordDone, r.State, "row %d: %s", r.RowNo, r.Note)
		require.Equal(t, strings.ToLower(r.FirstName)+"@alder.example", r.Email)
	}
	require.Equal(t, "poison", rows[20].Reason)
	require.Equal(t, 3, rows[20].Crashes)
	countersEqualRecords(t, e, l)
}

func TestErrorOfAnIsolatedLookupIsNoCrash(t *testing.T) {
	e := apptest.New(t)
	e.IsolateBy(testChild)
	for range app.IsolatedMax + 1 { // the child lives on and answers the next one
		_, err := e.AskIsolated(t.Context(), finder.Person{First: "Sorry"})
		require.EqualError(t, err, "no database")
	}
	r, err := e.AskIsolated(t.Context(), finder.Person{First: "Ada", Domain: "alder.example"})
	require.NoError(t, err)
	require.Equal(t, "ada@alder.example", r.Email)
	_, err = e.AskIsolated(t.Context(), finder.Person{First: "Boom"})
	require.ErrorIs(t, err, app.ErrDied)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.AskIsolated(ctx, finder.Person{First: "Boom"})
	require.ErrorIs(t, err, context.Canceled, "a worker that stops blames nobody")
}

func TestRowsBesideTheOneThatEndsTheirProcessAreAskedAboutAgain(t *testing.T) {
	e := apptest.New(t)
	started := 0
	var mu sync.Mutex
	e.IsolateBy(func() *exec.Cmd {
		mu.Lock()
		defer mu.Unlock()
		started++
		return testChild()
	})
	var group errgroup.Group
	for i := range app.IsolatedRows {
		group.Go(func() error {
			who := finder.Person{First: "Slow", Last: strconv.Itoa(i), Domain: "alder.example"}
			if i == app.IsolatedRows/2 {
				who.First = "Boom"
			}
			r, err := e.AskIsolated(t.Context(), who)
			switch {
			case who.First == "Boom" && !errors.Is(err, app.ErrDied):
				return fmt.Errorf("the one to blame got %v", err)
			case who.First == "Slow" && r.Email != "slow@alder.example":
				return fmt.Errorf("row %d got %q, %v", i, r.Email, err)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Greater(t, started, 2, "they shared a process, and each had another to itself then")
}

func TestSuspectedRowIsLookedUpHereWhenNoProcessCanBeStarted(t *testing.T) {
	for name, command := range map[string]*exec.Cmd{"no such program": exec.Command("/nonexistent"), "ends at once": exec.Command("true")} {
		t.Run(name, func(t *testing.T) {
			e := apptest.New(t)
			e.IsolateBy(func() *exec.Cmd { return exec.Command(command.Path) })
			as := e.NewActor("owner@alder.example")
			truth := someoneFound(t, e.World)
			l, _ := running(t, e, as, fmt.Sprintf("first name,last name,domain\n%s,%s,%s\n", truth.Person.First, truth.Person.Last, truth.Company.Domain))
			require.NoError(t, e.DB.Exec("UPDATE records SET crashes = ?", app.IsolatedFrom).Error)
			e.Work()
			e.WaitFor(as, l.Ref, app.List.Ended)
			require.Equal(t, truth.Email, records(t, e, as, l, app.RecordQuery{})[0].Email)
		})
	}
}

// Workers die at any time and for any reason, a few rows in their hands or many: only the row that is the reason becomes poison.
func TestOnlyTheRowThatEndsProcessesBecomesPoison(t *testing.T) {
	e := apptest.New(t)
	e.IsolateBy(testChild)
	as := e.NewActor("owner@alder.example")
	rapid.Check(t, func(rt *rapid.T) {
		_, rows := running(t, e, as, people(8))
		culprit := rows[rapid.IntRange(0, len(rows)-1).Draw(rt, "culprit")].ID
		workers, children := 0, 0 // that the culprit has ended
		answered := map[int64]bool{}
		kills := rapid.IntRange(0, app.IsolatedDeaths-1-app.IsolatedFrom).Draw(rt, "kills") // with those of the culprit below what sets a row aside without proof
		for round := 0; kills > 0 || children == 0; round++ {
			require.Less(rt, round, 40, "the culprit is never found")
			require.NoError(rt, e.DB.Raw("SELECT * FROM records WHERE list_id = ? ORDER BY id", rows[0].ListID).Scan(&rows).Error)
			var held []app.Record
			guilty := false
			for _, r := range rows {
				elsewhere := rapid.IntRange(0, 3).Draw(rt, "elsewhere") == 0 && round%4 > 0
				if answered[r.ID] || r.State == app.RecordFailed || elsewhere {
					continue
				}
				guilty = guilty || r.ID == culprit
				held = append(held, r)
			}
			at := slices.IndexFunc(held, func(r app.Record) bool { return r.ID == culprit })
			switch {
			case guilty && held[at].Crashes >= app.IsolatedFrom:
				children++
				require.NoError(rt, e.SetAside(t.Context(), held[at]))
			case guilty:
				workers++
				workerDies(rt, e, held)
			case kills > 0:
				kills--
				workerDies(rt, e, held)
			default:
				for _, r := range held {
					answered[r.ID] = true
				}
			}
		}
		require.LessOrEqual(rt, workers, app.IsolatedFrom)
		require.Equal(rt, 1, children)
		var poison []int64
		require.NoError(rt, e.DB.Raw("SELECT id FROM records WHERE list_id = ? AND reason = 'poison'", rows[0].ListID).Scan(&poison).Error)
		require.Equal(rt, []int64{culprit}, poison)
		require.NoError(rt, e.DB.Exec("UPDATE lists SET state = 'canceled' WHERE id = ?", rows[0].ListID).Error)
	})
}

// workerDies is the death of a worker with rows in its hands, and the sweep that notices it.
func workerDies(rt *rapid.T, e *apptest.Env, held []app.Record) {
	long := time.Now().UTC().Add(-time.Minute)
	tasks := []string{}
	for _, r := range held {
		tasks = append(tasks, fmt.Sprintf(`"record:%d:%d"`, r.ID, r.Attempt))
		require.NoError(rt, e.DB.Exec("UPDATE records SET state = 'queued', queued_at = ? WHERE id = ?", long, r.ID).Error)
	}
	require.NoError(rt, e.DB.Exec("DELETE FROM workers").Error)
	require.NoError(rt, e.DB.Exec("INSERT INTO workers (id, host, holding, started_at, beat_at) VALUES ('dead', 'h', ?, ?, ?)", "["+strings.Join(tasks, ",")+"]", long, long).Error)
	_, err := e.SweepOnce(context.Background(), nil)
	require.NoError(rt, err)
}
