package app

import (
	"context"

	"beagle/app/finder"
)

// What tests of package app_test need from inside.

// Suspects is what one round of the sweep hands to the next.
type Suspects = map[suspect]bool

// SweepOnce does one round of the sweep.
func (a *App) SweepOnce(ctx context.Context, before Suspects) (Suspects, error) {
	return a.sweepOnce(ctx, before)
}

// Answer commits an answer to an attempt of a record, as a job would.
func (a *App) Answer(ctx context.Context, r Record, attempt int, email string) error {
	return a.settler.settle(ctx, a.outcome(recordTask{ID: r.ID, List: r.ListID, Account: r.AccountID, Attempt: attempt, Run: r.Run},
		finder.Result{Email: email, Status: finder.StatusValid, Score: 97, Reason: "mailbox_exists"}))
}
