package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"beagle/app/db"

	"gorm.io/gorm"
)

// A list that is paused, canceled or deleted asks nobody any more and costs nothing more, but for rows that are being looked up at
// that moment. Its rows that wait in the queue are handed back by the worker that takes them: they are pending again, under a new attempt.
const (
	haltLook  = time.Second // how long a worker goes by the state of a list that it has read
	haltLists = 4096        // whose state is kept
)

// errHalted is what a lookup gets whose list goes no further.
var errHalted = errors.New("the list goes no further")

// halts are the lists that this process has rows of, and whether they go on.
type halts struct {
	mu    sync.Mutex
	lists map[int64]haltSeen
}

type haltSeen struct {
	halted bool
	until  time.Time
}

// halted reports whether the rows of a list are not to be looked up now.
func (a *App) halted(ctx context.Context, list int64) (bool, error) {
	now := a.Now()
	a.halts.mu.Lock()
	seen, known := a.halts.lists[list]
	a.halts.mu.Unlock()
	if known && now.Before(seen.until) {
		return seen.halted, nil
	}
	var state string
	err := db.QueryRow(ctx, a.DB, "SELECT state FROM lists WHERE id = ?", list).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("reading the state of list %d: %w", list, err)
	}
	seen = haltSeen{state == ListPaused || state == ListCanceled || state == ListDeleting, now.Add(haltLook)}
	a.halts.mu.Lock()
	defer a.halts.mu.Unlock()
	if a.halts.lists == nil || len(a.halts.lists) >= haltLists {
		a.halts.lists = map[int64]haltSeen{}
	}
	a.halts.lists[list] = seen
	return seen.halted, nil
}

// handedBack is what becomes of a row that is not looked up.
func handedBack(t recordTask) *outcome {
	return &outcome{ID: t.ID, Attempt: t.Attempt, list: t.List, State: RecordPending}
}

// handBack makes rows pending again.
func handBack(ctx context.Context, tx *gorm.DB, group []*outcome) error {
	if len(group) == 0 {
		return nil
	}
	var ids []int64
	var attempts []int
	for _, o := range group {
		ids, attempts = append(ids, o.ID), append(attempts, o.Attempt)
	}
	values, args, err := db.Batch(tx, "v", db.Column{Name: "id", Type: "bigint", Values: ids}, db.Column{Name: "attempt", Type: "integer", Values: attempts})
	if err != nil {
		return err
	}
	err = db.Exec(ctx, tx, `UPDATE records SET state = 'pending', attempt = records.attempt + 1 FROM `+values+`
		WHERE records.id = v.id AND records.attempt = v.attempt AND records.state = 'queued'`, args...)
	if err != nil {
		return fmt.Errorf("handing rows back: %w", err)
	}
	return nil
}
