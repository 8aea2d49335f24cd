package app_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// explicit are the events by which a person asks for ended rows again.
var explicit = []string{"retry failed", "run again", "edit", "delete record", "delete list", "clear"}

// nextStates are the states that a list may come to from each, in one event.
var nextStates = map[string][]string{
	app.ListRunning:   {app.ListPaused, app.ListExporting, app.ListCanceled, app.ListDeleting},
	app.ListPaused:    {app.ListRunning, app.ListExporting, app.ListCanceled, app.ListDeleting},
	app.ListExporting: {app.ListFinished, app.ListRunning, app.ListDeleting},
	app.ListFinished:  {app.ListRunning, app.ListExporting, app.ListDeleting},
	app.ListCanceled:  {app.ListRunning, app.ListExporting, app.ListDeleting},
	app.ListDeleting:  {},
}

// machine is one list under events in any order, and what it was like before the last one.
type machine struct {
	*apptest.Env
	rt    *rapid.T
	ctx   context.Context
	as    app.Actor
	ahead *atomic.Int64
	ref   string
	id    int64
	state string
	rows  map[int64]app.Record
	early app.Suspects
	turn  int // tells lists and dead workers apart
}

// Whatever happens to a list in whatever order, it is in a state that makes sense, and it comes to its end when it is left alone.
func TestEventsInAnyOrderKeepAListWhole(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(c *config.Config) { c.Credits, c.Worker.MaxTries = true, 3 })
		ahead := shifted(e)
		as := e.NewActor("owner@alder.example")
		require.NoError(t, e.GrantCredits(t.Context(), as.Account, 1_000_000))
		turn := 0
		rapid.Check(t, func(rt *rapid.T) {
			turn += 1000
			m := &machine{Env: e, rt: rt, ctx: t.Context(), as: as, ahead: ahead, rows: map[int64]app.Record{}, turn: turn}
			m.begin(rapid.IntRange(1, 6).Draw(rt, "people"), rapid.Bool().Draw(rt, "bad line"))
			events := m.events()
			names := make([]string, 0, len(events))
			for name := range events {
				names = append(names, name)
			}
			slices.Sort(names)
			for range rapid.IntRange(1, 25).Draw(rt, "events") {
				name := rapid.SampledFrom(names).Draw(rt, "event")
				m.happens(name, events[name])
			}
			m.leaveAlone()
		})
	})
}

// begin makes a list in which every second person comes twice.
func (m *machine) begin(people int, badLine bool) {
	var file strings.Builder
	file.WriteString("first name,last name,domain\n")
	for i := range people {
		line := fmt.Sprintf("P%d,Ash,%s\n", i, m.domain())
		file.WriteString(strings.Repeat(line, 1+i%2))
	}
	if badLine {
		file.WriteString("too,many,cells,here," + strings.Repeat("x,", 1200) + "\n")
	}
	l, err := m.Start(m.ctx, m.as, m.Upload(m.as, "people.csv", []byte(file.String())).Ref, app.StartParams{})
	require.NoError(m.rt, err)
	require.NoError(m.rt, m.Import(m.ctx, l.ID))
	m.ref, m.id = l.Ref, l.ID
	m.look()
}

// domain is one that no other list asks about.
func (m *machine) domain() string { return fmt.Sprintf("d%d.example", m.turn/1000) }

// happens lets one event happen. A refusal is an answer; everything else must work.
func (m *machine) happens(name string, event func() error) {
	if err := event(); err != nil {
		_, refused := app.Refusal(err)
		require.True(m.rt, refused, "%s: %v", name, err)
	}
	state, rows := m.state, m.rows
	m.look()
	if m.state != state {
		require.Contains(m.rt, nextStates[state], m.state, "%s moved the list from %s", name, state)
		if state == app.ListFinished || state == app.ListCanceled {
			require.True(m.rt, slices.Contains(explicit, name) || name == "add", "%s moved the list from %s to %s", name, state, m.state)
		}
	}
	for id, before := range rows {
		now, there := m.rows[id]
		if !there {
			require.True(m.rt, slices.Contains(explicit, name), "%s lost row %d", name, id)
			continue
		}
		require.GreaterOrEqual(m.rt, now.Attempt, before.Attempt, name)
		require.GreaterOrEqual(m.rt, now.Run, before.Run, name)
		if rowEnded(before) && (now.State != before.State || now.Email != before.Email || now.Status != before.Status) {
			require.Contains(m.rt, explicit, name, "an ended row changed")
			require.Greater(m.rt, now.Run, before.Run, "it began anew")
		}
	}
}

func rowEnded(r app.Record) bool { return r.State == app.RecordDone || r.State == app.RecordFailed }

// look reads the list and checks all that must hold at any time.
func (m *machine) look() {
	var l []app.List
	require.NoError(m.rt, m.DB.Where("id = ?", m.id).Find(&l).Error)
	m.rows = map[int64]app.Record{}
	if len(l) == 0 {
		m.state = app.ListDeleting
		return
	}
	m.state = l[0].State
	var rows []app.Record
	require.NoError(m.rt, m.DB.Where("list_id = ?", m.id).Order("id").Find(&rows).Error)
	counts := map[string]int64{}
	open := 0
	for _, r := range rows {
		m.rows[r.ID] = r
		if !rowEnded(r) {
			open++
			continue
		}
		counts[r.State+" "+r.Status+" "+r.Reason]++
	}
	if m.state == app.ListDeleting {
		return
	}
	var kept []struct {
		State, Status, Reason string
		Rows                  int64
	}
	require.NoError(m.rt, m.DB.Table("list_counts").Where("list_id = ? AND rows <> 0", m.id).Find(&kept).Error)
	tallies := map[string]int64{}
	for _, k := range kept {
		tallies[k.State+" "+k.Status+" "+k.Reason] = k.Rows
	}
	require.Equal(m.rt, counts, tallies, "counters are the records'")
	require.EqualValues(m.rt, len(rows), l[0].Total)
	if m.state == app.ListExporting || m.state == app.ListFinished {
		require.Zero(m.rt, open, "a list in state %s has no open rows", m.state)
	}
	m.lookAtCharges()
}

func (m *machine) lookAtCharges() {
	var paid struct{ Questions, Charges, Drift int64 }
	require.NoError(m.rt, m.DB.Raw(`SELECT (SELECT COUNT(*) FROM paid_answers WHERE account_id = a.id) AS questions,
		(SELECT COUNT(*) FROM credit_entries WHERE account_id = a.id AND kind = 'find') AS charges,
		a.credits - (SELECT SUM(amount) FROM credit_entries WHERE account_id = a.id) AS drift FROM accounts a WHERE a.id = ?`, m.as.Account).Scan(&paid).Error)
	require.Equal(m.rt, paid.Questions, paid.Charges, "a question is paid for once")
	require.Zero(m.rt, paid.Drift, "the balance is the sum of the ledger")
	for _, r := range m.rows {
		if r.State == app.RecordDone && r.Status == "valid" && r.PersonKey != "" {
			var n int64
			require.NoError(m.rt, m.DB.Raw("SELECT COUNT(*) FROM paid_answers WHERE account_id = ? AND person_key = ?", m.as.Account, r.PersonKey).Scan(&n).Error)
			require.EqualValues(m.rt, 1, n, "a found row is paid for")
		}
	}
}

// some is a row that is as the event needs it.
func (m *machine) some(good func(app.Record) bool) (app.Record, bool) {
	var ids []int64
	for id, r := range m.rows {
		if good(r) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return app.Record{}, false
	}
	slices.Sort(ids)
	return m.rows[rapid.SampledFrom(ids).Draw(m.rt, "row")], true
}

func anyRow(app.Record) bool                 { return true }
func queuedRow(r app.Record) bool            { return r.State == app.RecordQueued }
func rowID(r app.Record) string              { return strconv.FormatInt(r.ID, 10) }
func controlled(_ app.List, err error) error { return err }

// events are what can happen to a list.
func (m *machine) events() map[string]func() error {
	withRow := func(good func(app.Record) bool, event func(app.Record) error) func() error {
		return func() error {
			if r, ok := m.some(good); ok {
				return event(r)
			}
			return nil
		}
	}
	return map[string]func() error{
		"feed": func() error { _, err := m.FeedOnce(m.ctx); return err },
		"answer": withRow(queuedRow, func(r app.Record) error {
			return m.Settle(m.ctx, r, r.Attempt, rapid.SampledFrom([]string{"valid", "unknown", "not_found"}).Draw(m.rt, "status"), 0)
		}),
		"come back later": withRow(queuedRow, func(r app.Record) error { return m.Settle(m.ctx, r, r.Attempt, "unknown", time.Minute) }),
		"late answer": withRow(anyRow, func(r app.Record) error {
			err := m.Settle(m.ctx, r, r.Attempt-rapid.IntRange(1, 3).Draw(m.rt, "late by"), "valid", 0)
			var now app.Record
			require.NoError(m.rt, m.DB.First(&now, r.ID).Error)
			require.Equal(m.rt, r, now, "it changes nothing")
			return err
		}),
		"crash": m.crash,
		"sweep": m.sweep,
		"time passes": func() error {
			m.ahead.Add(int64(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour}).Draw(m.rt, "time")))
			return nil
		},
		"export":        func() error { return m.Export(m.ctx, m.id) },
		"pause":         func() error { return controlled(m.Pause(m.ctx, m.as, m.ref)) },
		"resume":        func() error { return controlled(m.Resume(m.ctx, m.as, m.ref)) },
		"cancel":        func() error { return controlled(m.Cancel(m.ctx, m.as, m.ref)) },
		"retry failed":  func() error { return controlled(m.RetryFailed(m.ctx, m.as, m.ref)) },
		"run again":     m.runAgain,
		"add":           m.add,
		"edit":          withRow(anyRow, m.edit),
		"delete record": withRow(anyRow, func(r app.Record) error { return m.DeleteRecord(m.ctx, m.as, m.ref, rowID(r)) }),
		"delete list":   m.delete,
		"clear":         func() error { return m.Clear(m.ctx, m.id) },
	}
}

// crash is the death of a worker with some of the queued rows in its hands.
func (m *machine) crash() error {
	var tasks []string
	for _, r := range m.rows {
		if r.State == app.RecordQueued && r.ID%3 > 0 {
			tasks = append(tasks, fmt.Sprintf(`"record:%d:%d"`, r.ID, r.Attempt))
		}
	}
	m.turn++
	long := m.Now().Add(-time.Minute)
	err := m.DB.Exec("INSERT INTO workers (id, host, holding, started_at, beat_at) VALUES (?, 'h', ?, ?, ?)",
		fmt.Sprintf("dead%d", m.turn), "["+strings.Join(tasks, ",")+"]", long, long).Error
	if err != nil {
		return err
	}
	m.ahead.Add(int64(10 * time.Second))
	return m.sweep()
}

func (m *machine) sweep() (err error) {
	m.early, err = m.SweepOnce(m.ctx, m.early)
	return err
}

func (m *machine) runAgain() error {
	which := app.Selection{}
	if r, ok := m.some(anyRow); ok && rapid.Bool().Draw(m.rt, "one row") {
		which.IDs = []string{rowID(r)}
	}
	_, err := m.RunAgain(m.ctx, m.as, m.ref, which)
	return err
}

func (m *machine) add() error {
	name := rapid.SampledFrom([]string{"P0", "P1", "New"}).Draw(m.rt, "name")
	_, err := m.AddRecords(m.ctx, m.as, m.ref, []map[string]string{{"first name": name, "last name": "Ash", "domain": m.domain()}})
	return err
}

func (m *machine) edit(r app.Record) error {
	name := rapid.SampledFrom([]string{"P0", "P1", "Edited"}).Draw(m.rt, "name")
	_, err := m.EditRecord(m.ctx, m.as, m.ref, rowID(r), map[string]string{"first name": name, "last name": "Ash", "domain": m.domain()})
	return err
}

// delete happens to one list of four only, so that the others live long enough.
func (m *machine) delete() error {
	if rapid.IntRange(0, 3).Draw(m.rt, "really") > 0 {
		return nil
	}
	return m.DeleteList(m.ctx, m.as, m.ref)
}

// leaveAlone lets workers, sweep and exporter do what they do, and nobody interfere: the list ends.
func (m *machine) leaveAlone() {
	if m.state == app.ListPaused {
		m.happens("resume", m.events()["resume"])
	}
	for range 30 {
		if m.state == app.ListFinished || m.state == app.ListCanceled || m.state == app.ListDeleting {
			break
		}
		for _, name := range []string{"feed", "sweep", "export"} {
			m.happens(name, m.events()[name])
		}
		for _, r := range m.rows {
			if queuedRow(r) {
				m.happens("answer", func() error { return m.Settle(m.ctx, r, r.Attempt, "valid", 0) })
			}
		}
		m.ahead.Add(int64(3 * time.Minute))
	}
	if m.state == app.ListDeleting {
		require.NoError(m.rt, m.Clear(m.ctx, m.id))
		m.look()
		require.Empty(m.rt, m.rows)
		return
	}
	require.Contains(m.rt, []string{app.ListFinished, app.ListCanceled}, m.state, "it never ended")
}
