package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"beagle/app/db"

	"gorm.io/gorm"
)

// Calls of the API are counted in memory and written down in groups: a request writes nothing.
const (
	callsFlush   = 5 * time.Second
	callsTimeout = 10 * time.Second
)

// callKey is what calls are counted by: an API key and a day, UTC.
type callKey struct {
	Account int64
	Key     int64
	Day     string // 2006-01-02
}

type callCount struct {
	Account int64   `json:"account_id"`
	Key     int64   `json:"key_id"`
	Day     string  `json:"day"`
	Calls   int64   `json:"calls"`
	Refused int64   `json:"refused"` // too fast
	At      *string `json:"at"`
	last    time.Time
}

var callColumns = []string{"account_id bigint", "key_id bigint", "day text", "calls bigint", "refused bigint", "at timestamptz"}

// callBook counts the calls of a process until they are written.
type callBook struct {
	mu     sync.Mutex
	counts map[callKey]*callCount
	stop   context.CancelFunc
	done   chan struct{}
}

// openCalls begins to write down calls now and then.
func (a *App) openCalls() {
	ctx, cancel := context.WithCancel(context.Background())
	a.calls.stop, a.calls.done = cancel, make(chan struct{})
	go func() {
		defer close(a.calls.done)
		for ctx.Err() == nil {
			rest(ctx, callsFlush)
			a.writeCalls()
		}
	}()
}

// close writes what is left.
func (b *callBook) close() {
	if b.stop != nil {
		b.stop()
		<-b.done
	}
}

// Called notes a call that was made with a key; refused tells that it came too fast.
func (a *App) Called(u KeyUse, refused bool) {
	now := a.Now()
	k := callKey{u.Actor.Account, u.Key, now.UTC().Format(time.DateOnly)}
	a.calls.mu.Lock()
	defer a.calls.mu.Unlock()
	c := a.calls.counts[k]
	if c == nil {
		if a.calls.counts == nil {
			a.calls.counts = map[callKey]*callCount{}
		}
		c = &callCount{Account: k.Account, Key: k.Key, Day: k.Day}
		a.calls.counts[k] = c
	}
	c.last = now
	c.Calls++
	if refused {
		c.Refused++
	}
}

// writeCalls adds what was counted to the database. Counts that cannot be written wait for the next time.
func (a *App) writeCalls() {
	a.calls.mu.Lock()
	counts := a.calls.counts
	a.calls.counts = nil
	a.calls.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), callsTimeout)
	defer cancel()
	rows := make([]*callCount, 0, len(counts))
	for _, c := range counts {
		c.At = db.Time(a.DB, c.last)
		rows = append(rows, c)
	}
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return storeCalls(tx, rows) })
	if err == nil {
		return
	}
	a.Log.WarnContext(ctx, "calls not written down yet", "error", err)
	a.calls.mu.Lock()
	defer a.calls.mu.Unlock()
	if a.calls.counts == nil {
		a.calls.counts = map[callKey]*callCount{}
	}
	for k, c := range counts {
		if now := a.calls.counts[k]; now != nil {
			now.Calls, now.Refused = now.Calls+c.Calls, now.Refused+c.Refused
		} else {
			a.calls.counts[k] = c
		}
	}
}

func storeCalls(tx *gorm.DB, rows []*callCount) error {
	slices.SortFunc(rows, func(x, y *callCount) int { // one order of locks for all processes
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Key, y.Key), cmp.Compare(x.Day, y.Day))
	})
	values, arg, err := db.Rows(tx, "v", callColumns, rows)
	if err != nil {
		return err
	}
	err = tx.Exec(`INSERT INTO api_calls (account_id, key_id, day, calls, refused) SELECT account_id, key_id, day, calls, refused FROM `+values+` WHERE true
		ON CONFLICT (account_id, key_id, day) DO UPDATE SET calls = api_calls.calls + excluded.calls, refused = api_calls.refused + excluded.refused`, arg).Error
	if err != nil {
		return fmt.Errorf("counting calls: %w", err)
	}
	err = tx.Exec(`UPDATE api_keys SET last_used_at = v.at FROM `+values+` WHERE api_keys.id = v.key_id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < v.at)`, arg).Error
	if err != nil {
		return fmt.Errorf("noting when keys were used: %w", err)
	}
	return nil
}

// DayCalls are the API calls of an account on one day, UTC.
type DayCalls struct {
	Day     time.Time
	Calls   int64
	Refused int64 // of these, how many came too fast
}

// CallsByDay reads the last days, today included, oldest first; days without a call are there too. The last seconds may be missing.
func (a *App) CallsByDay(ctx context.Context, account int64, days int) ([]DayCalls, error) {
	last, at := a.lastDays(days)
	var sums []struct {
		Day            string
		Calls, Refused int64
	}
	err := a.DB.WithContext(ctx).Raw(`SELECT day, SUM(calls) AS calls, SUM(refused) AS refused FROM api_calls WHERE account_id = ? AND day >= ? GROUP BY day`,
		account, last[0].Format(time.DateOnly)).Scan(&sums).Error
	if err != nil {
		return nil, fmt.Errorf("reading calls by day: %w", err)
	}
	out := make([]DayCalls, days)
	for i := range out {
		out[i].Day = last[i]
	}
	for _, s := range sums {
		if i, ok := at[s.Day]; ok {
			out[i].Calls, out[i].Refused = s.Calls, s.Refused
		}
	}
	return out, nil
}
