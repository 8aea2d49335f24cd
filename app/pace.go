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
	paceBatch   = 512             // requests counted in one round trip, at most
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

// paceAsk is one request that waits to be counted.
type paceAsk struct {
	keys   []string // of the counters in Redis
	keep   time.Duration
	counts []int64
	token  string
	err    error
	done   chan struct{}
}

// paceCounter counts requests in groups: those that come while a round trip to Redis is under way share the next one. Nobody waits for
// a timer, and each request's round trip begins after it came: it sees every revocation before it.
type paceCounter struct {
	mu      sync.Mutex
	waiting []*paceAsk
	busy    bool
}

// countRequest counts one request under each name in the window that now lies in, and gives the counts, the token of the keys, and how
// long the window still lasts. An error says that nobody can know.
func (a *App) countRequest(ctx context.Context, window time.Duration, names ...string) (used []int64, token string, reset time.Duration, err error) {
	now := a.Now()
	if a.paces.resting(now) {
		return nil, "", 0, errRedisAway
	}
	began := now.Truncate(window)
	ask := &paceAsk{keys: make([]string, len(names)), counts: make([]int64, len(names)), keep: 2 * window, done: make(chan struct{})}
	for i, name := range names {
		ask.keys[i] = "beagle:pace:" + name + ":" + strconv.FormatInt(began.Unix(), 10)
	}
	a.pacer.join(a, ask)
	select {
	case <-ask.done:
		return ask.counts, ask.token, began.Add(window).Sub(now), ask.err
	case <-ctx.Done():
		return nil, "", 0, fmt.Errorf("counting a request: %w", ctx.Err())
	}
}

func (p *paceCounter) join(a *App, ask *paceAsk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, ask)
	if !p.busy {
		p.busy = true
		go p.run(a)
	}
}

// run counts group after group until nobody waits.
func (p *paceCounter) run(a *App) {
	for {
		p.mu.Lock()
		group := p.waiting
		if len(group) == 0 {
			p.busy = false
			p.mu.Unlock()
			return
		}
		if len(group) > paceBatch {
			group, p.waiting = group[:paceBatch], group[paceBatch:]
		} else {
			p.waiting = nil
		}
		p.mu.Unlock()
		err := a.countGroup(group)
		for _, ask := range group {
			ask.err = err
			close(ask.done)
		}
	}
}

// countGroup counts a group of requests in one round trip. Each gets the counts as they would be if it had come alone, in this order.
func (a *App) countGroup(group []*paceAsk) error {
	ctx, cancel := context.WithTimeout(context.Background(), paceTimeout)
	defer cancel()
	type counter struct {
		n    int64 // requests of the group so far
		keep time.Duration
		cmd  *redis.IntCmd
	}
	counters := map[string]*counter{}
	for _, ask := range group {
		for i, key := range ask.keys {
			c := counters[key]
			if c == nil {
				c = &counter{keep: ask.keep}
				counters[key] = c
			}
			c.n++
			ask.counts[i] = c.n
		}
	}
	pipe := a.Queue.Redis.Pipeline()
	seen := pipe.Get(ctx, keyToken)
	for key, c := range counters {
		c.cmd = pipe.IncrBy(ctx, key, c.n)
		pipe.Expire(ctx, key, c.keep)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) { // Nil: no key was ever revoked
		a.paces.rest(a.Now().Add(paceRest))
		return fmt.Errorf("counting requests: %w", err)
	}
	for _, ask := range group {
		ask.token = seen.Val()
		for i, key := range ask.keys {
			ask.counts[i] += counters[key].cmd.Val() - counters[key].n
		}
	}
	return nil
}

var errRedisAway = errors.New("redis did not answer a moment ago")
