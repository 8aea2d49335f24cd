package app

import (
	"context"
	"time"

	"beagle/app/finder"
)

// FeedOnce tops the queue up once.
func (a *App) FeedOnce(ctx context.Context) (int, error) {
	return (&feeder{app: a, after: map[int64]int64{}}).feed(ctx)
}

// Settle commits any answer to an attempt of a record, as a job would; again > 0 says when to come back.
func (a *App) Settle(ctx context.Context, r Record, attempt int, status string, again time.Duration) error {
	t := r.task()
	t.Attempt = attempt
	return a.settler.settle(ctx, a.outcome(t, finder.Result{Email: "x@" + r.Domain, Status: status, Score: 50, Reason: "drawn", RetryAfter: again}))
}
