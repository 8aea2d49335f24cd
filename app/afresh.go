package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Afresh is for a process that has the queue to itself and knows that it is empty, as the embedded one is after a start:
// rows that were queued become pending, and jobs of lists are queued again, without waiting for the sweep to notice.
func (a *App) Afresh(ctx context.Context) error {
	err := errors.Join(
		a.DB.WithContext(ctx).Exec("UPDATE records SET state = 'pending', attempt = attempt + 1 WHERE state = 'queued'").Error,
		a.DB.WithContext(ctx).Exec("DELETE FROM workers").Error,
		a.DB.WithContext(ctx).Exec("DELETE FROM leases").Error)
	if err != nil {
		return fmt.Errorf("emptying the queue: %w", err)
	}
	return a.moveLists(ctx, a.Now().Add(time.Second))
}
