package app

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"beagle/app/db"
	"beagle/app/finder"

	"gorm.io/gorm"
)

// errClosed is what a job gets that comes after the settler was closed; it is tried again elsewhere.
var errClosed = errors.New("shutting down")

// How answers are committed in groups: a flusher takes what waits and stays open for flushLinger, since a transaction costs as
// much as twenty rows. Answers come one by one from the queue. With 4 ms four processes spent 630 us of processor time on a row, with 12
// 500; with 25 one process stood still waiting.
const (
	flushMax      = 500
	flushLinger   = 12 * time.Millisecond
	flushTimeout  = 30 * time.Second
	flushersMany  = 2 // on Postgres
	flushersOne   = 1 // SQLite has one writer
	settleWaiting = 4096
)

// outcome is an answer on its way into the database.
type outcome struct {
	ID       int64
	Attempt  int
	State    string
	Email    string
	Status   string
	Score    int
	Pattern  string
	Reason   string
	Note     string
	Evidence string
	Tries    int

	list, account int64
	run           int
	key           string
	learned       []finder.Observation
	next, checked time.Time
	done          chan error
}

// settler is the group-commit writer of a process.
type settler struct {
	app    *App
	in     chan *outcome
	stop   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
	meters meters
}

func newSettler(a *App) *settler {
	s := &settler{app: a, in: make(chan *outcome, settleWaiting), stop: make(chan struct{})}
	n := flushersMany
	if db.EngineOf(a.DB) == db.SQLite {
		n = flushersOne
	}
	for range n {
		s.wg.Go(s.run)
	}
	return s
}

// close ends the flushers; what waits is refused and will be looked up again.
func (s *settler) close() {
	s.once.Do(func() { close(s.stop) })
	s.wg.Wait()
}

// settle hands in answers and waits until they are committed. It is no error when another answer to the same attempt came first.
func (s *settler) settle(ctx context.Context, answers ...*outcome) error {
	for _, o := range answers {
		o.done = make(chan error, 1)
		select {
		case s.in <- o:
		case <-s.stop:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var errs []error
	for _, o := range answers {
		select {
		case err := <-o.done:
			errs = append(errs, err)
		case <-s.stop:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

func (s *settler) run() {
	for {
		select {
		case <-s.stop:
			return
		case first := <-s.in:
			group := s.gather(first)
			err := s.app.flush(group)
			for _, o := range group {
				o.done <- err
			}
		}
	}
}

func (s *settler) gather(first *outcome) []*outcome {
	group := []*outcome{first}
	linger := time.NewTimer(flushLinger)
	defer linger.Stop()
	for len(group) < flushMax {
		select {
		case o := <-s.in:
			group = append(group, o)
		case <-linger.C:
			return group
		}
	}
	return group
}

// flush commits a group in one transaction: answers, the answers of their twins, counters, charges and what was learned, and rows that are
// handed back. Then it ends the lists that have no open record left.
func (a *App) flush(group []*outcome) error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	var ended []settled
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		group, back := split(group)
		err := handBack(ctx, tx, back)
		if err != nil || len(group) == 0 {
			return err
		}
		if ended, err = writeOutcomes(ctx, tx, group); err != nil {
			return err
		}
		if err := learn(tx, group); err != nil {
			return err
		}
		if a.Config.Credits {
			if err := a.chargeFound(tx, ended); err != nil {
				return err
			}
		}
		return countOutcomes(ctx, tx, ended) // last: the row locks here are the ones that flushers of one list share
	})
	if err != nil {
		return fmt.Errorf("committing %d answers: %w", len(group), err)
	}
	lists := map[int64]int{}
	for _, r := range ended {
		lists[r.ListID]++
	}
	ids := make([]int64, 0, len(lists))
	for id, n := range lists {
		ids = append(ids, id)
		a.settler.meters.add(id, n)
	}
	if err := a.endIfDone(ctx, ids); err != nil {
		a.Log.ErrorContext(ctx, "list not ended; the sweep will", "error", err)
	}
	return nil
}

// settled is a record that has just reached its end.
type settled struct {
	ID        int64
	ListID    int64
	AccountID int64
	State     string
	Status    string
	Reason    string
	Run       int
	PersonKey string
	Twin      bool
}

// writeOutcomes writes the answers whose attempt is still the current one, and gives the answers of done records to their twins.
func writeOutcomes(ctx context.Context, tx *gorm.DB, group []*outcome) ([]settled, error) {
	slices.SortStableFunc(group, byRecord) // one order of locks for all flushers
	distinct := slices.CompactFunc(slices.Clone(group), func(x, y *outcome) bool { return byRecord(x, y) == 0 })
	values, args, err := outcomeBatch(tx, distinct)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, tx, `UPDATE records SET state = v.state, email = v.email, status = v.status, score = v.score, pattern = v.pattern, reason = v.reason,
		note = v.note, evidence = v.evidence, tries = v.tries, next_attempt_at = v.next_attempt_at, checked_at = v.checked_at,
		attempt = CASE WHEN v.state = 'retrying' THEN records.attempt + 1 ELSE records.attempt END
		FROM `+values+` WHERE records.id = v.id AND records.attempt = v.attempt AND records.state IN ('queued', 'pending')
		RETURNING records.id, records.attempt - CASE WHEN records.state = 'retrying' THEN 1 ELSE 0 END`, args...)
	if err != nil {
		return nil, fmt.Errorf("writing answers: %w", err)
	}
	var ended []settled
	err = db.Each(rows, func(rows *sql.Rows) error {
		var won outcome
		if err := rows.Scan(&won.ID, &won.Attempt); err != nil {
			return err
		}
		at, _ := slices.BinarySearchFunc(distinct, &won, byRecord)
		if o := distinct[at]; o.State != RecordRetrying {
			ended = append(ended, settled{o.ID, o.list, o.account, o.State, o.Status, o.Reason, o.run, o.key, false})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("writing answers: %w", err)
	}
	return withTwins(ctx, tx, ended)
}

// split tells answers from rows that are handed back.
func split(group []*outcome) (answers, back []*outcome) {
	for _, o := range group {
		if o.State == RecordPending {
			back = append(back, o)
		} else {
			answers = append(answers, o)
		}
	}
	slices.SortFunc(back, byRecord)
	return answers, back
}

// byRecord orders answers by record and attempt. Of two to the same attempt the one that was handed in first is written.
func byRecord(x, y *outcome) int {
	return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Attempt, y.Attempt))
}

func outcomeBatch(tx *gorm.DB, group []*outcome) (values string, args []any, err error) {
	var ids []int64
	var attempts, scores, tries []int
	var states, emails, statuses, patterns, reasons, notes, evidence []string
	var next, checked []time.Time
	for _, o := range group {
		ids, attempts, scores, tries = append(ids, o.ID), append(attempts, o.Attempt), append(scores, o.Score), append(tries, o.Tries)
		states, emails, statuses, patterns = append(states, o.State), append(emails, o.Email), append(statuses, o.Status), append(patterns, o.Pattern)
		reasons, notes, evidence = append(reasons, o.Reason), append(notes, o.Note), append(evidence, o.Evidence)
		next, checked = append(next, o.next), append(checked, o.checked)
	}
	return db.Batch(tx, "v", db.Column{Name: "id", Type: "bigint", Values: ids}, db.Column{Name: "attempt", Type: "integer", Values: attempts},
		db.Column{Name: "state", Type: "text", Values: states}, db.Column{Name: "email", Type: "text", Values: emails},
		db.Column{Name: "status", Type: "text", Values: statuses}, db.Column{Name: "score", Type: "integer", Values: scores},
		db.Column{Name: "pattern", Type: "text", Values: patterns}, db.Column{Name: "reason", Type: "text", Values: reasons},
		db.Column{Name: "note", Type: "text", Values: notes}, db.Column{Name: "evidence", Type: "text", Values: evidence},
		db.Column{Name: "tries", Type: "integer", Values: tries}, db.Column{Name: "next_attempt_at", Type: "timestamptz", Values: next},
		db.Column{Name: "checked_at", Type: "timestamptz", Values: checked})
}

// withTwins gives the answers of records that have just ended to the rows that repeat them.
func withTwins(ctx context.Context, tx *gorm.DB, ended []settled) ([]settled, error) {
	if len(ended) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(ended))
	for i, r := range ended {
		ids[i] = r.ID
	}
	among, arg, err := db.InArray(tx, ids)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, tx, `UPDATE records SET state = s.state, email = s.email, status = s.status, score = s.score, pattern = s.pattern, reason = s.reason,
		note = s.note, evidence = s.evidence, checked_at = s.checked_at
		FROM records AS s WHERE records.twin_of = s.id AND records.twin_of `+among+` AND records.state = 'pending'
		RETURNING records.id, records.list_id, records.account_id, records.state, records.status, records.reason, records.run, records.person_key`, arg)
	if err != nil {
		return nil, fmt.Errorf("writing the answers of repeated rows: %w", err)
	}
	err = db.Each(rows, func(rows *sql.Rows) error {
		r := settled{Twin: true}
		err := rows.Scan(&r.ID, &r.ListID, &r.AccountID, &r.State, &r.Status, &r.Reason, &r.Run, &r.PersonKey)
		ended = append(ended, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("writing the answers of repeated rows: %w", err)
	}
	return ended, nil
}

// tally is a row of list_counts.
type tally struct {
	ListID int64
	State  string
	Status string
	Reason string
}

// countOutcomes adds the group to the lists' counters: one upsert for the whole group, never one per row.
func countOutcomes(ctx context.Context, tx *gorm.DB, ended []settled) error {
	if len(ended) == 0 {
		return nil
	}
	sums := map[tally]int64{}
	for _, r := range ended {
		sums[tally{r.ListID, r.State, r.Status, r.Reason}]++
	}
	keys := make([]tally, 0, len(sums))
	for k := range sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y tally) int {
		return cmp.Or(cmp.Compare(x.ListID, y.ListID), cmp.Compare(x.State, y.State), cmp.Compare(x.Status, y.Status), cmp.Compare(x.Reason, y.Reason))
	})
	var lists, counts []int64
	var states, statuses, reasons []string
	for _, k := range keys {
		lists, counts, states = append(lists, k.ListID), append(counts, sums[k]), append(states, k.State)
		statuses, reasons = append(statuses, k.Status), append(reasons, k.Reason)
	}
	values, args, err := db.Batch(tx, "v", db.Column{Name: "list_id", Type: "bigint", Values: lists}, db.Column{Name: "state", Type: "text", Values: states},
		db.Column{Name: "status", Type: "text", Values: statuses}, db.Column{Name: "reason", Type: "text", Values: reasons},
		db.Column{Name: "n", Type: "bigint", Values: counts})
	if err != nil {
		return err
	}
	err = db.Exec(ctx, tx, `INSERT INTO list_counts (list_id, state, status, reason, rows) SELECT list_id, state, status, reason, n FROM `+values+` WHERE true
		ON CONFLICT (list_id, state, status, reason) DO UPDATE SET rows = list_counts.rows + excluded.rows`, args...)
	if err != nil {
		return fmt.Errorf("counting answers: %w", err)
	}
	return nil
}

// endIfDone moves running lists whose every record has ended on to the export, and notes that an ended list has changed, so that
// the sweep builds its file anew. It is called after the commit: of two flushers that commit a list's last rows at the same
// time the later one sees them all.
func (a *App) endIfDone(ctx context.Context, lists []int64) error {
	var errs []error
	for _, id := range lists {
		var state []string
		err := a.DB.WithContext(ctx).Raw(`UPDATE lists SET state = CASE WHEN state = 'running' THEN 'exporting' ELSE state END, changed_at = ?
			WHERE id = ? AND (state IN ('finished', 'canceled') OR (state = 'running'
				AND total <= (SELECT COALESCE(SUM(rows), 0) FROM list_counts WHERE list_id = ?))) RETURNING state`, a.Now(), id, id).Scan(&state).Error
		if err != nil {
			errs = append(errs, fmt.Errorf("ending list %d: %w", id, err))
		} else if len(state) == 1 && state[0] == ListExporting {
			errs = append(errs, a.ExportLater(ctx, List{ID: id}))
		}
	}
	return errors.Join(errs...)
}
