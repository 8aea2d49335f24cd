package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Requests are counted in Redis, where all web processes see them. While it does not answer, callers count for themselves.
const (
	paceTimeout = 200 * time.Millisecond
	paceRest    = 5 * time.Second // how long Redis is left alone after it did not answer
)

// paceRests remembers that Redis was away.
type paceRests struct {
	mu    sync.Mutex
	until time.Time
}

func (p *paceRests) resting(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.until)
}

func (p *paceRests) rest(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = until
}

// countRequest counts one request under each name in the window that now lies in, and gives the counts, the token of the keys, and how
// long the window still lasts. An error says that nobody can know.
func (a *App) countRequest(ctx context.Context, window time.Duration, names ...string) (used []int64, token string, reset time.Duration, err error) {
	now := a.Now()
	if a.paces.resting(now) {
		return nil, "", 0, errRedisAway
	}
	began := now.Truncate(window)
	ctx, cancel := context.WithTimeout(ctx, paceTimeout)
	defer cancel()
	pipe := a.Queue.Redis.Pipeline()
	seen := pipe.Get(ctx, keyToken)
	counts := make([]*redis.IntCmd, len(names))
	for i, name := range names {
		key := "beagle:pace:" + name + ":" + strconv.FormatInt(began.Unix(), 10)
		counts[i] = pipe.Incr(ctx, key)
		pipe.Expire(ctx, key, 2*window)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: no key was ever revoked
		a.paces.rest(now.Add(paceRest))
		return nil, "", 0, fmt.Errorf("counting a request: %w", err)
	}
	for _, c := range counts {
		used = append(used, c.Val())
	}
	return used, seen.Val(), began.Add(window).Sub(now), nil
}

var errRedisAway = errors.New("redis did not answer a moment ago")
