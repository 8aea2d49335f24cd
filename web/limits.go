package web

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"beagle/app"
)

// maxCounted bounds how many accounts or addresses a limiter remembers.
const maxCounted = 50_000

// limiter counts requests per key in fixed windows, in this process.
type limiter struct {
	policy string // how the RateLimit headers name it
	quota  int
	window time.Duration
	now    func() time.Time
	mu     sync.Mutex
	counts map[string]*windowCount
}

type windowCount struct {
	ends time.Time
	used int
}

func newLimiter(policy string, quota int, window time.Duration, now func() time.Time) *limiter {
	return &limiter{policy: policy, quota: quota, window: window, now: now, counts: map[string]*windowCount{}}
}

// take counts one request of key when there is room for it. left is what remains and reset when the window ends.
func (l *limiter) take(key string) (left int, reset time.Duration, ok bool) { return l.count(key, 1) }

// peek says what take would, without counting.
func (l *limiter) peek(key string) (left int, reset time.Duration, ok bool) { return l.count(key, 0) }

func (l *limiter) count(key string, n int) (left int, reset time.Duration, ok bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts[key]
	if c == nil || !now.Before(c.ends) {
		l.makeRoom(now)
		c = &windowCount{ends: now.Add(l.window)}
		l.counts[key] = c
	}
	ok = c.used < l.quota
	if ok {
		c.used += n
	}
	return l.quota - c.used, c.ends.Sub(now), ok
}

// makeRoom drops windows that have ended. When all are live (somebody sends from very many addresses) it forgets them
// all: a limiter must not become the memory leak that it protects from.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.counts) < maxCounted {
		return
	}
	for key, c := range l.counts {
		if !now.Before(c.ends) {
			delete(l.counts, key)
		}
	}
	if len(l.counts) >= maxCounted {
		clear(l.counts)
	}
}

// headers tells the client where it stands: the newer RateLimit fields of draft-ietf-httpapi-ratelimit-headers, and the
// older three that most clients read.
func (l *limiter) headers(h http.Header, left int, reset time.Duration) {
	seconds := strconv.Itoa(int(math.Ceil(reset.Seconds())))
	quota, remaining := strconv.Itoa(l.quota), strconv.Itoa(left)
	h.Set("RateLimit-Policy", `"`+l.policy+`";q=`+quota+";w="+strconv.Itoa(int(l.window.Seconds())))
	h.Set("RateLimit", `"`+l.policy+`";r=`+remaining+";t="+seconds)
	h.Set("RateLimit-Limit", quota)
	h.Set("RateLimit-Remaining", remaining)
	h.Set("RateLimit-Reset", seconds)
}

// tooMany refuses a request whose window is used up.
func (l *limiter) tooMany(h http.Header, reset time.Duration) error {
	wait := int(math.Ceil(reset.Seconds()))
	h.Set("Retry-After", strconv.Itoa(wait))
	return app.Refuse(app.CodeTooMany, "too_many_requests", "Too many requests: at most %d in %s. Try again in %d seconds.", l.quota, l.window, wait)
}

// maxStreams is how many live pages one account may have open in this process. More of them fall back to asking now and then.
const maxStreams = 50

// gauge counts what is open, per account.
type gauge struct {
	most int
	mu   sync.Mutex
	open map[int64]int
}

func newGauge(most int) *gauge { return &gauge{most: most, open: map[int64]int{}} }

// enter takes a place; leave gives it back.
func (g *gauge) enter(account int64) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[account] >= g.most {
		return nil, false
	}
	g.open[account]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.open[account]--; g.open[account] == 0 {
			delete(g.open, account)
		}
	}, true
}
