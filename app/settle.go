package app

import (
	"cmp"
	"context"
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
// much as twenty rows. Answers come one by one from the queue, so without the pause groups were of 17-26 rows.
const (
	flushMax      = 500
	flushLinger   = 4 * time.Millisecond
	flushTimeout  = 30 * time.Second
	flushersMany  = 2 // on Postgres
	flushersOne   = 1 // SQLite has one writer
	settleWaiting = 4096
)

// outcome is an answer on its way into the database. Exported fields travel into SQL as JSON.
type outcome struct {
	ID       int64   `json:"id"`
	Attempt  int     `json:"attempt"`
	State    string  `json:"state"`
	Email    string  `json:"email"`
	Status   string  `json:"status"`
	Score    int     `json:"score"`
	Pattern  string  `json:"pattern"`
	Reason   string  `json:"reason"`
	Note     string  `json:"note"`
	Evidence string  `json:"evidence"`
	Tries    int     `json:"tries"`
	Next     *string `json:"next_attempt_at"`
	Checked  *string `json:"checked_at"`

	list, account int64
	run           int
	key           string
	learned       []finder.Observation
	next, checked time.Time
	done          chan error
}

// outcomeColumns are the fields above in PostgreSQL's types.
var outcomeColumns = []string{"id bigint", "attempt integer", "state text", "email text", "status text", "score integer", "pattern text", "reason text",
	"note text", "evidence text", "tries integer", "next_attempt_at timestamptz", "checked_at timestamptz"}

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

// flush commits a group in one transaction: answers, the answers of their twins, counters, charges and what was learned.
// Then it ends the lists that have no open record left.
func (a *App) flush(group []*outcome) error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	var ended []settled
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		if ended, err = writeOutcomes(tx, group); err != nil {
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
		return countOutcomes(tx, ended) // last: the row locks here are the ones that flushers of one list share
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

const settledColumns = "records.id, records.list_id, records.account_id, records.state, records.status, records.reason, records.run, records.person_key"

// writeOutcomes writes the answers whose attempt is still the current one, and gives the answers of done records to their twins.
func writeOutcomes(tx *gorm.DB, group []*outcome) ([]settled, error) {
	slices.SortFunc(group, func(x, y *outcome) int { return cmp.Compare(x.ID, y.ID) }) // one order of locks for all flushers
	for _, o := range group {
		o.Next, o.Checked = db.Time(tx, o.next), db.Time(tx, o.checked)
	}
	values, arg, err := db.Rows(tx, "v", outcomeColumns, group)
	if err != nil {
		return nil, err
	}
	var written []settled
	err = tx.Raw(`UPDATE records SET state = v.state, email = v.email, status = v.status, score = v.score, pattern = v.pattern, reason = v.reason,
		note = v.note, evidence = v.evidence, tries = v.tries, next_attempt_at = v.next_attempt_at, checked_at = v.checked_at,
		attempt = CASE WHEN v.state = 'retrying' THEN records.attempt + 1 ELSE records.attempt END
		FROM `+values+` WHERE records.id = v.id AND records.attempt = v.attempt AND records.state IN ('queued', 'pending')
		RETURNING `+settledColumns, arg).Scan(&written).Error
	if err != nil {
		return nil, fmt.Errorf("writing answers: %w", err)
	}
	ended := slices.DeleteFunc(written, func(r settled) bool { return r.State == RecordRetrying })
	if len(ended) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(ended))
	for i, r := range ended {
		ids[i] = r.ID
	}
	var twins []settled
	err = tx.Raw(`UPDATE records SET state = s.state, email = s.email, status = s.status, score = s.score, pattern = s.pattern, reason = s.reason,
		note = s.note, evidence = s.evidence, checked_at = s.checked_at
		FROM records AS s WHERE records.twin_of = s.id AND records.twin_of IN ? AND records.state = 'pending'
		RETURNING `+settledColumns, ids).Scan(&twins).Error
	if err != nil {
		return nil, fmt.Errorf("writing the answers of repeated rows: %w", err)
	}
	for i := range twins {
		twins[i].Twin = true
	}
	return append(ended, twins...), nil
}

// tally is a row of list_counts.
type tally struct {
	ListID int64  `json:"list_id"`
	State  string `json:"state"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

type countRow struct {
	tally
	N int64 `json:"n"`
}

// countOutcomes adds the group to the lists' counters: one upsert for the whole group, never one per row.
func countOutcomes(tx *gorm.DB, ended []settled) error {
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
	rows := make([]countRow, len(keys))
	for i, k := range keys {
		rows[i] = countRow{k, sums[k]}
	}
	values, arg, err := db.Rows(tx, "v", []string{"list_id bigint", "state text", "status text", "reason text", "n bigint"}, rows)
	if err != nil {
		return err
	}
	err = tx.Exec(`INSERT INTO list_counts (list_id, state, status, reason, rows) SELECT list_id, state, status, reason, n FROM `+values+` WHERE true
		ON CONFLICT (list_id, state, status, reason) DO UPDATE SET rows = list_counts.rows + excluded.rows`, arg).Error
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
