package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"beagle/app/finder"
	"beagle/app/probe"
)

// suppressionsFresh is how long "nobody has opted out here" is believed: most installations have no entry, and then no row asks.
const suppressionsFresh = 10 * time.Second

// optOuts remembers whether there is any suppression at all.
type optOuts struct {
	mu   sync.Mutex
	any  bool
	seen time.Time
}

// suppressed tells whether the owner of an address or of a domain asked not to be processed. Only hashes are kept.
func (a *App) suppressed(ctx context.Context, addressOrDomain string) (bool, error) {
	some, err := a.anySuppressed(ctx)
	if err != nil || !some {
		return false, err
	}
	s := strings.ToLower(strings.TrimSpace(addressOrDomain))
	hashes := []string{hashSecret(s)}
	if domain, err := probe.CleanDomain(s); err == nil {
		hashes = append(hashes, hashSecret(domain))
	}
	var hits int64
	if err := a.DB.WithContext(ctx).Table("suppressions").Where("hash IN ?", hashes).Count(&hits).Error; err != nil {
		return false, fmt.Errorf("reading the opt-out list: %w", err)
	}
	return hits > 0, nil
}

func (a *App) anySuppressed(ctx context.Context) (bool, error) {
	a.optOuts.mu.Lock()
	defer a.optOuts.mu.Unlock()
	if a.Now().Sub(a.optOuts.seen) < suppressionsFresh {
		return a.optOuts.any, nil
	}
	var one []string
	if err := a.DB.WithContext(ctx).Table("suppressions").Limit(1).Pluck("hash", &one).Error; err != nil {
		return false, fmt.Errorf("reading the opt-out list: %w", err)
	}
	a.optOuts.any, a.optOuts.seen = len(one) > 0, a.Now()
	return a.optOuts.any, nil
}

// suppressedResult is the answer about somebody who asked not to be processed.
func suppressedResult(address string) finder.Result {
	return finder.Result{Email: address, Status: finder.StatusUnknown, Reason: "suppressed",
		Sentence: "The owner asked not to be processed. Please do not process this address yourself."}
}
