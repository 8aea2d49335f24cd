package app_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/apptest/services"
	"beagle/app/config"
	"beagle/app/mailworld"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		beIsolated()
		return
	}
	services.Main(m)
}

// table is a result file as a test reads it.
type table struct {
	header []string
	rows   [][]string
}

func readTable(t *testing.T, body []byte, comma rune) table {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma, r.FieldsPerRecord = comma, -1
	all, err := r.ReadAll()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return table{all[0], all[1:]}
}

func (tb table) cell(t *testing.T, row int, column string) string {
	t.Helper()
	for i := len(tb.header) - 1; i >= 0; i-- {
		if tb.header[i] == column {
			return tb.rows[row][i]
		}
	}
	t.Fatalf("no column %s in %v", column, tb.header)
	return ""
}

func TestContactsBecomeEnrichedContacts(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		e.Work()
		as := e.NewActor("owner@alder.example")
		body := apptest.Example(t, "contacts.csv")
		l := e.Run(as, "contacts.csv", body)
		require.Equal(t, app.ListFinished, l.State, "%s %s", l.Reason, l.Note)

		in := readTable(t, body, ',')
		out := readTable(t, e.Result(as, l, sheet.CSV, false), ',')
		require.Equal(t, append(in.header, "email", "status", "score", "pattern", "reason", "checked_at"), out.header)
		require.Len(t, out.rows, len(in.rows), "every row is in the output")
		for i, truth := range e.World.ContactsTruth() {
			require.Equal(t, in.rows[i], out.rows[i][:len(in.header)], "row %d keeps its cells and its place", i+1)
			holdsTruth(t, truth, out.cell(t, i, "email"), out.cell(t, i, "status"), out.cell(t, i, "reason"))
		}
		countersEqualRecords(t, e, l)
		require.Empty(t, e.World.Stats().FaultSamples, "the prober speaks SMTP without faults")
	})
}

// holdsTruth fails when an answer is not what a perfect finder may say of a person of the world.
func holdsTruth(t *testing.T, truth mailworld.Truth, email, status, reason string) {
	t.Helper()
	require.NotEmpty(t, status)
	who := "somebody"
	if truth.Person != nil {
		who = truth.Person.Full + " at " + truth.Company.Domain + " (" + string(truth.Company.Behaviour) + ")"
	}
	switch truth.Kind {
	case mailworld.KindFound:
		require.Equal(t, "valid", status, "%s has a mailbox: %s", who, reason)
		require.Equal(t, truth.Email, email, who)
	case mailworld.KindAcceptAll:
		require.Equal(t, "accept_all", status, "%s: %s", who, reason)
	default:
		require.NotEqual(t, "valid", status, "%s (%s) was given %s", who, truth.Kind, email)
		require.NotEmpty(t, reason, who)
	}
}

// countersEqualRecords compares what the list page shows with the records themselves.
func countersEqualRecords(t *testing.T, e *apptest.Env, l app.List) {
	t.Helper()
	p, err := e.Progress(t.Context(), l)
	require.NoError(t, err)
	byStatus, ended := map[string]int64{}, int64(0)
	for after := ""; ; {
		rows, next, err := e.Records(t.Context(), l.AccountID, l, app.RecordQuery{After: after, Limit: 500})
		require.NoError(t, err)
		for _, r := range rows {
			byStatus[r.Status]++
			if r.State == app.RecordDone || r.State == app.RecordFailed {
				ended++
			}
		}
		if next == "" {
			break
		}
		after = next
	}
	require.Equal(t, byStatus, p.ByStatus)
	require.Equal(t, ended, p.Done+p.Failed)
	require.Equal(t, l.Total, p.Total)
}

func TestMessyFileKeepsEveryRowAndSaysWhatIsWrong(t *testing.T) {
	e := apptest.New(t)
	e.Work()
	as := e.NewActor("owner@alder.example")
	l := e.Run(as, "messy.csv", apptest.Example(t, "messy.csv"))
	require.Equal(t, app.ListFinished, l.State)
	require.Equal(t, sheet.Windows1252, l.Dialect.Encoding)

	out := readTable(t, e.Result(as, l, sheet.CSV, true), ';')
	truths := e.World.MessyTruth()
	require.Len(t, out.rows, len(truths))
	for i, truth := range truths {
		holdsTruth(t, truth, out.cell(t, i, "email"), out.cell(t, i, "status"), out.cell(t, i, "reason"))
	}
}

func TestRepeatedRowsAreLookedUpOnceAndChargedOnce(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(c *config.Config) { c.Credits = true })
		e.Work()
		as := e.NewActor("owner@alder.example")
		require.NoError(t, e.GrantCredits(t.Context(), as.Account, 100))
		truth := someoneFound(t, e.World)
		line := truth.Person.First + "," + truth.Person.Last + "," + truth.Company.Domain + "\n"
		file := []byte("first name,last name,domain\n" + strings.Repeat(line, 20))

		first := e.Run(as, "a.csv", file)
		asked := e.World.Stats().RCPTs
		again := e.Run(as, "b.csv", file)
		for _, l := range []app.List{first, again} {
			out := readTable(t, e.Result(as, l, sheet.CSV, false), ',')
			for i := range out.rows {
				require.Equal(t, truth.Email, out.cell(t, i, "email"))
			}
			countersEqualRecords(t, e, l)
		}
		require.Equal(t, asked, e.World.Stats().RCPTs, "the second file asks nobody")
		account, err := e.Account(t.Context(), as.Account)
		require.NoError(t, err)
		require.EqualValues(t, 99, account.Credits)
	})
}

func someoneFound(t *testing.T, w *mailworld.World) mailworld.Truth {
	t.Helper()
	for _, truth := range w.ContactsTruth() {
		if truth.Kind == mailworld.KindFound && truth.Company.Behaviour == mailworld.Accurate && truth.Person.Middle == "" && truth.Person.Culture == "english" {
			return truth
		}
	}
	t.Fatal("nobody can be found in this world")
	return mailworld.Truth{}
}

func TestWorkerThatStopsInTheMiddleLosesNothing(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, err := e.Start(t.Context(), as, e.Upload(as, "contacts.csv", e.Prompt()).Ref, app.StartParams{})
		require.NoError(t, err)
		stop := e.Work()
		require.Eventually(t, func() bool {
			l = e.WaitFor(as, l.Ref, func(l app.List) bool { return l.State == app.ListRunning || l.Ended() })
			p, err := e.Progress(context.Background(), l)
			return err == nil && p.Done > 5
		}, apptest.Patience, 20*time.Millisecond)
		stop()
		second := apptest.Open(t, e.Config, e.World)
		second.Work()
		l = second.WaitFor(as, l.Ref, app.List.Ended)
		require.Equal(t, app.ListFinished, l.State)
		countersEqualRecords(t, second, l)
	})
}

func TestListRunsOnARedisCluster(t *testing.T) {
	t.Parallel()
	cluster := services.NewRedisCluster(t)
	e := apptest.NewOn(t, apptest.Services, func(c *config.Config) { c.RedisURL = cluster.URL })
	refused := e.Queue.Redis.Del(t.Context(), "one", "another").Err()
	require.ErrorContains(t, refused, "CROSSSLOT", "this cluster tells keys of one slot from others")

	as := e.NewActor("owner@alder.example")
	_, _, err := e.SignIn(t.Context(), "owner@alder.example", "wrong", "192.0.2.1", "a test")
	require.Error(t, err)
	_, _, err = e.SignIn(t.Context(), "owner@alder.example", apptest.Password, "192.0.2.1", "a test")
	require.NoError(t, err)
	e.Work()
	l := e.Run(as, "contacts.csv", e.Prompt())
	require.Equal(t, app.ListFinished, l.State)
	countersEqualRecords(t, e, l)
	limited, err := e.Queue.Redis.Keys(t.Context(), "beagle:{mx}:*").Result()
	require.NoError(t, err)
	require.NotEmpty(t, limited, "the limits of mail hosts were kept in Redis")
	stats, err := e.Queue.Redis.InfoMap(t.Context(), "errorstats").Result()
	require.NoError(t, err)
	require.Equal(t, "count=1", stats["Errorstats"]["errorstat_CROSSSLOT"], "none but the one of this test: %v", stats)
}

func TestQueueThatForgetsEverythingIsFilledAgain(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, err := e.Start(t.Context(), as, e.Upload(as, "contacts.csv", e.Prompt()).Ref, app.StartParams{})
		require.NoError(t, err)
		e.Work()
		e.WaitFor(as, l.Ref, func(l app.List) bool { return l.State != app.ListImporting })
		require.NoError(t, e.Queue.Redis.FlushAll(t.Context()).Err())
		l = e.WaitFor(as, l.Ref, app.List.Ended)
		require.Equal(t, app.ListFinished, l.State)
		countersEqualRecords(t, e, l)
	})
}
