package app

import (
	"context"
	"errors"
	"fmt"
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

// CountRequest counts one request under each name in the window that now lies in, and gives the counts and how long the window
// still lasts. An error says that nobody can know.
func (a *App) CountRequest(ctx context.Context, window time.Duration, names ...string) (used []int64, reset time.Duration, err error) {
	now := a.Now()
	a.paces.mu.Lock()
	resting := now.Before(a.paces.until)
	a.paces.mu.Unlock()
	if resting {
		return nil, 0, errRedisAway
	}
	began := now.Truncate(window)
	ctx, cancel := context.WithTimeout(ctx, paceTimeout)
	defer cancel()
	pipe := a.Queue.Redis.Pipeline()
	for _, name := range names {
		key := fmt.Sprintf("beagle:pace:%s:%d", name, began.Unix())
		pipe.Incr(ctx, key)
		pipe.Expire(ctx, key, 2*window)
	}
	answers, err := pipe.Exec(ctx)
	if err != nil {
		a.paces.mu.Lock()
		a.paces.until = now.Add(paceRest)
		a.paces.mu.Unlock()
		return nil, 0, fmt.Errorf("counting a request: %w", err)
	}
	for i := 0; i < len(answers); i += 2 {
		used = append(used, answers[i].(*redis.IntCmd).Val())
	}
	return used, began.Add(window).Sub(now), nil
}

var errRedisAway = errors.New("redis did not answer a moment ago")
