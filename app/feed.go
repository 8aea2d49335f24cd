package app

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"time"

	"beagle/app/db"
	"beagle/app/finder"
)

// The feeder keeps the queue about feedAhead full and no fuller: what is in Redis stays small, and a list that
// starts now waits no longer than that behind a large one.
const (
	feedAhead     = time.Second
	feedMin       = 500  // tasks kept waiting whatever the speed
	feedChunk     = 1000 // rows of one list claimed at once
	feedBusy      = 5 * time.Millisecond
	feedIdle      = 200 * time.Millisecond
	feedError     = 2 * time.Second
	feedLease     = "feeder"
	feedLeaseTime = 5 * time.Second
	tracedRows    = 100 // rows of a list that are in its trace: enough to see what is slow, few enough for a collector
	speedWeight   = 0.2 // of the newest measurement in the average
)

// feeder hands pending records to the queue, list by list in turn. One process feeds at a time.
type feeder struct {
	app     *App
	turn    int             // whose turn it is
	after   map[int64]int64 // list → last row claimed: claims need not step over what is done
	speed   float64         // tasks taken from the queue per second, averaged
	fed     int64           // since the last measurement
	waiting int64           // in the queue at the last measurement
	at      time.Time
}

// Feed runs the feeder until ctx ends, whenever this process holds the feeder's lease.
func (a *App) Feed(ctx context.Context) {
	f := &feeder{app: a, after: map[int64]int64{}}
	defer a.release(feedLease)
	for ctx.Err() == nil {
		wait := feedIdle
		switch mine, err := a.lease(ctx, feedLease, feedLeaseTime); {
		case err != nil:
			a.Log.WarnContext(ctx, "feeder has no lease", "error", err)
			wait = feedError
		case mine:
			n, err := f.feed(ctx)
			if err != nil && ctx.Err() == nil {
				a.Log.ErrorContext(ctx, "feeding stopped", "error", err)
				wait = feedError
			} else if n > 0 {
				wait = feedBusy
			}
		}
		rest(ctx, wait)
	}
}

// rest waits, or returns early when ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// feed tops the queue up once and reports how many records it claimed.
func (f *feeder) feed(ctx context.Context) (int, error) {
	lists, err := f.app.runningLists(ctx)
	if err != nil {
		return 0, err
	}
	running := make(map[int64]bool, len(lists))
	for _, l := range lists {
		running[l.ID] = true
	}
	maps.DeleteFunc(f.after, func(id, _ int64) bool { return !running[id] }) // a list that goes on later begins with the rows that were handed back
	if len(lists) == 0 {
		return 0, nil
	}
	room, err := f.room(ctx, len(lists))
	if err != nil {
		return 0, err
	}
	claimed := 0
	share := max(1, min(feedChunk, room/len(lists)))
	for range lists {
		if room <= 0 {
			break
		}
		l := lists[f.turn%len(lists)]
		f.turn++
		n, err := f.feedList(ctx, l, min(share, room))
		if err != nil {
			return claimed, err
		}
		claimed += n
		room -= n
	}
	f.fed += int64(claimed)
	f.app.Metrics.fed.Add(float64(claimed))
	return claimed, nil
}

// room is how many tasks the queue may still take.
func (f *feeder) room(ctx context.Context, lists int) (int, error) {
	waiting, err := f.app.Queue.Redis.LLen(ctx, recordsPrefix+"pending").Result()
	if err != nil {
		return 0, fmt.Errorf("measuring the queue: %w", err)
	}
	now := f.app.Now()
	if since := now.Sub(f.at).Seconds(); since >= 0.25 {
		taken := float64(f.waiting + f.fed - waiting)
		if !f.at.IsZero() && taken >= 0 && since < 5 {
			f.speed += speedWeight * (taken/since - f.speed)
		}
		f.waiting, f.fed, f.at = waiting, 0, now
	}
	w := f.app.Config.Worker
	depth := max(feedMin, int(f.speed*feedAhead.Seconds()))
	depth = min(depth, w.WindowTotal, w.WindowPerList*lists)
	return depth - int(waiting), nil
}

// runningList is what the feeder must know of a list.
type runningList struct {
	ID        int64
	AccountID int64
	Process   string
	Refresh   bool
	Trace     string
}

// runningLists are ordered so that accounts take turns: first every account's first list, then every second one.
func (a *App) runningLists(ctx context.Context) ([]runningList, error) {
	var lists []runningList
	err := a.DB.WithContext(ctx).Raw(`SELECT id, account_id, process, refresh, trace FROM lists WHERE state = 'running'
		ORDER BY ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY id), account_id`).Scan(&lists).Error
	if err != nil {
		return nil, fmt.Errorf("reading running lists: %w", err)
	}
	return lists, nil
}

// feedList claims up to n records of a list and puts them into the queue; rows whose answer is known are settled at once.
func (f *feeder) feedList(ctx context.Context, l runningList, n int) (int, error) {
	rows, err := f.claim(ctx, l.ID, n)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	known, err := f.app.knownAnswers(ctx, l, rows)
	if err != nil {
		return 0, f.putBack(ctx, rows, err)
	}
	anew, err := f.app.guesses(ctx, l, known)
	if err != nil {
		return 0, f.putBack(ctx, rows, err)
	}
	var reused []*outcome
	tasks := make([]bulkTask, 0, len(rows))
	for _, r := range rows {
		if answer, ok := known[r.PersonKey]; ok && r.PersonKey != "" && anew[r.PersonKey] == nil {
			reused = append(reused, reuse(r, answer))
			continue
		}
		t := r.task()
		t.Guess = anew[r.PersonKey]
		if r.RowNo <= tracedRows && f.app.Trace != nil {
			t.Trace = l.Trace
		}
		task, err := t.bulk(l.Process)
		if err != nil {
			return 0, err
		}
		tasks = append(tasks, task)
	}
	if err := f.app.Queue.bulk.enqueue(ctx, tasks); err != nil {
		return 0, f.putBack(ctx, rows, err)
	}
	if err := f.app.settler.settle(ctx, reused...); err != nil {
		return 0, f.putBack(ctx, rows, err)
	}
	return len(rows), nil
}

func (r Record) task() recordTask {
	return recordTask{ID: r.ID, List: r.ListID, Account: r.AccountID, Attempt: r.Attempt, Run: r.Run, Tries: r.Tries, Key: r.PersonKey,
		First: r.FirstName, Last: r.LastName, Full: r.FullName, Domain: r.Domain, Company: r.Company, Address: r.Address, Crashes: r.Crashes,
		Waited: r.Reason == finder.ReasonAmbiguous || r.Reason == finder.ReasonPatternUnknown}
}

const claimColumns = "id, list_id, account_id, row_no, attempt, run, tries, crashes, person_key, first_name, last_name, full_name, domain, company, address, reason"

// claim marks up to n records of a list as queued: first those whose time to be tried again has come, then pending ones in row
// order, and in the end those that waited for the others.
func (f *feeder) claim(ctx context.Context, list int64, n int) ([]Record, error) {
	now := f.app.Now()
	due, err := f.mark(ctx, now, n, `list_id = ? AND state = 'retrying' AND next_attempt_at <= ? ORDER BY next_attempt_at`, list, now)
	if err != nil || len(due) >= n {
		return due, err
	}
	const pending = `list_id = ? AND state = 'pending' AND twin_of IS NULL AND row_no > ? ORDER BY row_no`
	rows, err := f.mark(ctx, now, n-len(due), pending, list, f.after[list])
	if err == nil && len(rows) == 0 && f.after[list] > 0 {
		f.after[list] = 0 // rows that came back lie behind
		rows, err = f.mark(ctx, now, n-len(due), pending, list, 0)
	}
	for _, r := range rows {
		f.after[list] = max(f.after[list], r.RowNo)
	}
	if err == nil && len(due)+len(rows) == 0 {
		return f.mark(ctx, now, n, colleaguesAsked, list, finder.ReasonAmbiguous, finder.ReasonPatternUnknown, list)
	}
	return append(due, rows...), err
}

// colleaguesAsked are rows that wait for what their colleagues' answers teach, once no colleague is left to ask.
const colleaguesAsked = `list_id = ? AND state = 'retrying' AND reason IN (?, ?)
	AND NOT EXISTS (SELECT 1 FROM records AS open WHERE open.list_id = ? AND open.state = 'queued') ORDER BY next_attempt_at`

func (f *feeder) mark(ctx context.Context, now time.Time, n int, which string, args ...any) ([]Record, error) {
	var rows []Record
	g := f.app.DB.WithContext(ctx)
	query := `UPDATE records SET state = 'queued', queued_at = ? WHERE id IN (SELECT id FROM records WHERE ` + which + ` LIMIT ? ` + db.SkipLocked(g) + `) RETURNING ` + claimColumns
	claimed, err := db.Query(ctx, g, query, append(append([]any{now}, args...), n)...)
	if err != nil {
		return nil, fmt.Errorf("claiming records: %w", err)
	}
	err = db.Each(claimed, func(claimed *sql.Rows) error {
		var r Record
		err := claimed.Scan(&r.ID, &r.ListID, &r.AccountID, &r.RowNo, &r.Attempt, &r.Run, &r.Tries, &r.Crashes, &r.PersonKey,
			&r.FirstName, &r.LastName, &r.FullName, &r.Domain, &r.Company, &r.Address, &r.Reason)
		rows = append(rows, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claiming records: %w", err)
	}
	return rows, nil
}

// putBack makes claimed records pending again, since they could not be queued. cause is returned.
func (f *feeder) putBack(ctx context.Context, rows []Record, cause error) error {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
		f.after[r.ListID] = 0
	}
	back := f.app.DB.WithContext(context.WithoutCancel(ctx)).Exec("UPDATE records SET state = 'pending' WHERE id IN ? AND state = 'queued'", ids)
	if back.Error != nil {
		f.app.Log.ErrorContext(ctx, "records not put back; the sweep will", "rows", len(ids), "error", back.Error)
	}
	return cause
}

// knownAnswers are the young answers that an account already has to the questions of rows, by person key.
func (a *App) knownAnswers(ctx context.Context, l runningList, rows []Record) (map[string]Record, error) {
	keys := make([]string, 0, len(rows))
	for _, r := range rows {
		if r.PersonKey != "" && r.Run == 1 {
			keys = append(keys, r.PersonKey)
		}
	}
	if len(keys) == 0 || l.Refresh || a.Config.Worker.ReuseDays == 0 {
		return nil, nil
	}
	return a.answersTo(ctx, l.AccountID, keys)
}

// answersTo are an account's young answers, by person key. One about somebody who opted out since is not among them.
func (a *App) answersTo(ctx context.Context, account int64, keys []string) (map[string]Record, error) {
	among, arg, err := db.Among(a.DB, keys)
	if err != nil {
		return nil, err
	}
	var found []Record
	// "+ 0" keeps PostgreSQL off the indexes that begin with the account: while its statistics are old it takes an account for small.
	err = a.DB.WithContext(ctx).Raw(`SELECT person_key, email, status, score, pattern, reason, note, evidence, checked_at FROM records
		WHERE account_id + 0 = ? AND person_key `+among+` AND person_key <> '' AND state = 'done' AND status <> ? AND checked_at > ? ORDER BY checked_at`,
		account, arg, finder.StatusUnknown, a.Now().AddDate(0, 0, -a.Config.Worker.ReuseDays)).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("reading earlier answers: %w", err)
	}
	var subjects []string
	for _, r := range found {
		if r.Email != "" {
			subjects = append(subjects, strings.ToLower(r.Email), domainOf(r.Email))
		}
	}
	gone, err := a.suppressedAmong(ctx, subjects)
	known := map[string]Record{}
	for _, r := range found {
		if !gone[hashSecret(strings.ToLower(r.Email))] && !gone[hashSecret(domainOf(r.Email))] {
			known[r.PersonKey] = r
		}
	}
	return known, err
}

// reuse gives a record the answer that the account already has, with the age it has.
func reuse(r, answer Record) *outcome {
	return &outcome{ID: r.ID, Attempt: r.Attempt, list: r.ListID, account: r.AccountID, run: r.Run, key: r.PersonKey,
		State: RecordDone, Email: answer.Email, Status: answer.Status, Score: answer.Score, Pattern: answer.Pattern, Reason: answer.Reason,
		Note: answer.Note, Evidence: answer.Evidence, Tries: r.Tries, checked: *answer.CheckedAt}
}

// lease takes or keeps a named lease for this process and reports whether it has it.
func (a *App) lease(ctx context.Context, name string, length time.Duration) (bool, error) {
	now := a.Now()
	got := a.DB.WithContext(ctx).Exec(`INSERT INTO leases (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE
		SET holder = excluded.holder, until = excluded.until WHERE leases.holder = excluded.holder OR leases.until < ?`, name, a.id, now.Add(length), now)
	if got.Error != nil {
		return false, fmt.Errorf("taking lease %s: %w", name, got.Error)
	}
	return got.RowsAffected == 1, nil
}

// release gives a lease up, so that the next process need not wait for its end.
func (a *App) release(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := a.DB.WithContext(ctx).Exec("DELETE FROM leases WHERE name = ? AND holder = ?", name, a.id).Error; err != nil {
		a.Log.WarnContext(ctx, "lease not released", "lease", name, "error", err)
	}
}
