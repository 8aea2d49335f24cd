package app

import (
	"context"
	"fmt"
	"maps"
	"time"

	"beagle/app/db"
	"beagle/app/finder"
)

// What an account's own known addresses teach is for that account: it changes neither what others are told nor what others may find out.
// The finder asks its memory with the context of the question, which says whose question it is.

type accountKey struct{}

// forAccount says whose question ctx is for.
func forAccount(ctx context.Context, account int64) context.Context {
	return context.WithValue(ctx, accountKey{}, account)
}

func accountOf(ctx context.Context) int64 {
	account, _ := ctx.Value(accountKey{}).(int64)
	return account
}

// ownKey is an account and a domain.
type ownKey struct {
	account int64
	domain  string
}

// ownPatterns are the counts to be added to the shared ones of a domain for an account; some are negative.
type ownPatterns struct {
	counts map[string]finder.Count
	until  time.Time
}

func (m *domainMemory) withOwn(ctx context.Context, known finder.Known, key ownKey) (finder.Known, error) {
	own, ok := m.own.Get(key)
	if !ok || !m.app.Now().Before(own.until) {
		counts, err := m.readOwn(ctx, key)
		if err != nil {
			return known, err
		}
		own = ownPatterns{counts, m.app.Now().Add(domainCacheTTL)}
		m.own.Add(key, own)
	}
	if len(own.counts) == 0 {
		return known, nil
	}
	sums := maps.Clone(known.Patterns)
	if sums == nil {
		sums = map[string]finder.Count{}
	}
	for pattern, c := range own.counts {
		sum := finder.Count{Hits: max(0, sums[pattern].Hits+c.Hits), Misses: max(0, sums[pattern].Misses+c.Misses)}
		if sums[pattern] = sum; sum == (finder.Count{}) {
			delete(sums, pattern)
		}
	}
	known.Patterns = sums
	return known, nil
}

// readOwn counts an account's known addresses at a domain. One that lookups have an opinion of already is not counted twice, and where
// the account knows better its word stands.
func (m *domainMemory) readOwn(ctx context.Context, key ownKey) (map[string]finder.Count, error) {
	var rows []struct{ Email, Pattern, Kind string }
	err := m.app.DB.WithContext(ctx).Table("known_emails").Where("account_id = ? AND domain = ? AND pattern <> ''", key.account, key.domain).
		Limit(maxDomainEmails).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading known addresses at %s: %w", key.domain, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	hashes := make([]string, len(rows))
	for i, r := range rows {
		hashes[i] = hashSecret(r.Email)
	}
	among, arg, err := db.Among(m.app.DB, hashes)
	if err != nil {
		return nil, err
	}
	var seen []struct {
		AddressHash, Pattern string
		Hit                  bool
	}
	err = m.app.DB.WithContext(ctx).Table("observations").Where("domain = ? AND address_hash "+among, key.domain, arg).Find(&seen).Error
	if err != nil {
		return nil, fmt.Errorf("reading observations of %s: %w", key.domain, err)
	}
	hit := map[[2]string]bool{}
	for _, o := range seen {
		hit[[2]string{o.AddressHash, o.Pattern}] = o.Hit
	}
	counts := map[string]finder.Count{}
	for i, r := range rows {
		right := r.Kind != KnownBounce
		before, known := hit[[2]string{hashes[i], r.Pattern}]
		c := counts[r.Pattern]
		c.Hits += vote(right, known, before)
		c.Misses += vote(!right, known, !before)
		counts[r.Pattern] = c
	}
	return counts, nil
}

// vote is what an opinion adds to a sum that may hold another one of the same address already.
func vote(now, known, before bool) int {
	switch {
	case now && !(known && before):
		return 1
	case !now && known && before:
		return -1
	}
	return 0
}
