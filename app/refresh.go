package app

import (
	"context"
	"fmt"
	"time"

	"beagle/app/probe"

	"golang.org/x/sync/errgroup"
)

// What the clock asks DNS again, so that a list finds facts of its domains that are young: only domains that somebody has learned of lately.
const (
	refreshEvery  = time.Hour
	refreshAge    = 24 * time.Hour
	refreshSeen   = 30 * 24 * time.Hour
	refreshMost   = 1000 // in one round
	refreshAtOnce = 16
)

// refreshDomains asks DNS again about domains that are in use and whose facts are a day old. What DNS could not say leaves them as they are.
func (a *App) refreshDomains(ctx context.Context) (string, error) {
	now := a.Now()
	var names []string
	err := a.DB.WithContext(ctx).Raw(`SELECT name FROM domains WHERE checked_at < ? AND EXISTS (SELECT 1 FROM observations WHERE domain = domains.name AND seen_at > ?)
		ORDER BY checked_at LIMIT ?`, now.Add(-refreshAge), now.Add(-refreshSeen), refreshMost).Scan(&names).Error
	if err != nil {
		return "", fmt.Errorf("reading domains to refresh: %w", err)
	}
	var group errgroup.Group
	group.SetLimit(refreshAtOnce)
	silent := make([]bool, len(names))
	for i, name := range names {
		group.Go(func() error {
			facts := a.Prober.Lookup(ctx, name)
			if status, _, _ := facts.Verdict(); ctx.Err() != nil || (facts.State != probe.StateOK && status != probe.Invalid) {
				silent[i] = true
				return nil
			}
			return a.memory.Remember(ctx, facts, nil)
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	left := 0
	for _, s := range silent {
		if s {
			left++
		}
	}
	return fmt.Sprintf("asked about %d domains, %d without an answer", len(names), left), ctx.Err()
}
