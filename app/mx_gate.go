package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"beagle/app/probe"

	"github.com/redis/go-redis/v9"
)

// The limits per mail host hold over all processes: a session to one is a lease in Redis. A process renews its leases while it
// lives; those of a dead one run out. While Redis is away every process keeps the limits by itself.
const (
	mxLease      = 30 * time.Second // of a session whose process died
	mxRenew      = 10 * time.Second
	mxLook       = 250 * time.Millisecond // how often a process that holds sessions looks whether others wait for them
	mxTimeout    = 500 * time.Millisecond
	mxAway       = 5 * time.Second // how long Redis is left alone after it did not answer
	mxWait       = 100 * time.Millisecond
	mxWantedMost = 500            // hosts looked at in one look
	mxAtOnce     = 20             // new sessions to one host that may come without a pause
	mxPrefix     = "beagle:{mx}:" // one slot of a cluster: leave is given by one script, which may look at keys of one slot only
	mxWanted     = mxPrefix + "wanted"
)

// mxEnter gives leave for one session: {0} yes, {1, ms} not now, {2, ms, why} the host rests. The time is Redis's own.
// KEYS: leases, pace, rest, wanted. ARGV: token, most sessions, lease in ms, ms between new sessions, how many at once, host, tokens given back.
var mxEnter = redis.NewScript(`
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
for i = 7, #ARGV do redis.call('ZREM', KEYS[1], ARGV[i]) end
local why = redis.call('GET', KEYS[3])
if why then return {2, redis.call('PTTL', KEYS[3]), why} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[4], string.format('%.0f', now + 2000), ARGV[6])
  redis.call('PEXPIRE', KEYS[4], 10000)
  return {1, 0, ''}
end
local step = tonumber(ARGV[4])
local begun = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), now)
local ahead = begun - now - step * tonumber(ARGV[5])
if ahead > 0 then return {1, ahead, ''} end
redis.call('SET', KEYS[2], string.format('%.0f', begun + step), 'PX', string.format('%.0f', begun + step - now + 1000))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {0, 0, ''}`)

// mxRenewal makes a host's leases last longer. KEYS: leases. ARGV: lease in ms, tokens. A lease that ran out meanwhile is taken anew: the session is open.
var mxRenewal = redis.NewScript(`
local t = redis.call('TIME')
local till = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[1]))
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], till, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])`)

// mxLookout reads the hosts that somebody waits for. KEYS: wanted. ARGV: how many at most.
var mxLookout = redis.NewScript(`
local t = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)))
return redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1)`)

// mxGate is probe.Gate on Redis.
type mxGate struct {
	redis *redis.Client
	log   *slog.Logger
	id    string // of this process
	most  int
	step  time.Duration
	yield func(hosts ...string) // ends idle sessions

	mu    sync.Mutex
	next  int64
	until time.Time                  // Redis is left alone
	held  map[string]map[string]bool // host → tokens of its open sessions
	given map[string][]string        // host → tokens that Redis does not yet know to be given back
	rests map[string]mxRest          // to be told
	wake  chan struct{}
	stop  chan struct{}
	ended sync.WaitGroup
}

type mxRest struct {
	why  probe.Reason
	left time.Duration
}

func newMXGate(client *redis.Client, id string, most, perMinute int, log *slog.Logger) *mxGate {
	return &mxGate{redis: client, log: log, id: id, most: most, step: time.Minute / time.Duration(perMinute), held: map[string]map[string]bool{},
		given: map[string][]string{}, rests: map[string]mxRest{}, wake: make(chan struct{}, 1), stop: make(chan struct{})}
}

// open starts the keeper; yield is called when others wait for sessions that are idle here.
func (g *mxGate) open(yield func(hosts ...string)) {
	g.yield = yield
	g.ended.Go(g.keep)
}

// close gives back what is left. The prober must be closed.
func (g *mxGate) close() {
	close(g.stop)
	g.ended.Wait()
	g.tell()
}

// Enter is probe.Gate's: one round trip.
func (g *mxGate) Enter(ctx context.Context, host string) (probe.Leave, error) {
	token, given, err := g.begin(host)
	if err != nil {
		return probe.Leave{}, err
	}
	args := []any{token, g.most, mxLease.Milliseconds(), g.step.Milliseconds(), mxAtOnce, host}
	for _, t := range given {
		args = append(args, t)
	}
	key := mxPrefix + host
	asking, cancel := context.WithTimeout(ctx, mxTimeout)
	defer cancel()
	answer, err := mxEnter.Run(asking, g.redis, []string{key + ":leases", key + ":pace", key + ":rest", mxWanted}, args...).Slice()
	if err == nil && len(answer) != 3 {
		err = fmt.Errorf("%d values", len(answer))
	}
	if err != nil {
		g.give(host, append(given, token)...) // it may have been counted
		g.lost(ctx, err)
		return probe.Leave{}, fmt.Errorf("asking for leave at %s: %w", host, err)
	}
	kind, _ := answer[0].(int64)
	ms, _ := answer[1].(int64)
	wait := time.Duration(ms) * time.Millisecond
	switch kind {
	case 0:
		return probe.Leave{Done: g.took(host, token)}, nil
	case 1:
		return probe.Leave{Wait: max(wait, mxWait)}, nil
	}
	why, _ := answer[2].(string)
	return probe.Leave{Rest: max(wait, time.Millisecond), Why: probe.Reason(why)}, nil
}

// begin makes a token and takes the ones of the host that are to be given back.
func (g *mxGate) begin(host string) (token string, given []string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Now().Before(g.until) {
		return "", nil, errRedisAway
	}
	g.next++
	given = g.given[host]
	delete(g.given, host)
	return g.id + "/" + strconv.FormatInt(g.next, 36), given, nil
}

func (g *mxGate) lost(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // the question's own end
	}
	g.mu.Lock()
	g.until = time.Now().Add(mxAway)
	g.mu.Unlock()
	g.log.WarnContext(ctx, "limits per mail host hold in this process only while Redis is away", "error", err)
}

// took notes a lease; what it returns gives it back, once.
func (g *mxGate) took(host, token string) func() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held[host] == nil {
		g.held[host] = map[string]bool{}
	}
	g.held[host][token] = true
	return sync.OnceFunc(func() {
		g.mu.Lock()
		if delete(g.held[host], token); len(g.held[host]) == 0 {
			delete(g.held, host)
		}
		g.mu.Unlock()
		g.give(host, token)
	})
}

func (g *mxGate) give(host string, tokens ...string) {
	g.mu.Lock()
	g.given[host] = append(g.given[host], tokens...)
	g.mu.Unlock()
	g.nudge()
}

// Rest is probe.Gate's.
func (g *mxGate) Rest(host string, why probe.Reason, left time.Duration) {
	g.mu.Lock()
	g.rests[host] = mxRest{why, left}
	g.mu.Unlock()
	g.nudge()
}

func (g *mxGate) nudge() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// keep renews leases, gives back what is over, and yields what others wait for, until close.
func (g *mxGate) keep() {
	look, renew := time.NewTicker(mxLook), time.NewTicker(mxRenew)
	defer look.Stop()
	defer renew.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-g.wake:
			g.tell()
		case <-look.C:
			g.lookout()
		case <-renew.C:
			g.renew()
		}
	}
}

// away reports whether Redis is left alone now.
func (g *mxGate) away() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.until)
}

// tell sends what is to be given back and which hosts rest. What does not get through runs out by itself.
func (g *mxGate) tell() {
	g.mu.Lock()
	given, rests := g.given, g.rests
	g.given, g.rests = map[string][]string{}, map[string]mxRest{}
	away := time.Now().Before(g.until)
	g.mu.Unlock()
	if len(given)+len(rests) == 0 || away {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), mxTimeout)
	defer cancel()
	pipe := g.redis.Pipeline()
	for host, tokens := range given {
		pipe.ZRem(ctx, mxPrefix+host+":leases", tokens)
	}
	for host, r := range rests {
		pipe.Set(ctx, mxPrefix+host+":rest", string(r.why), r.left)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		g.lost(ctx, err)
	}
}

// lookout ends idle sessions to hosts that other processes wait for.
func (g *mxGate) lookout() {
	g.mu.Lock()
	none := len(g.held) == 0 || time.Now().Before(g.until)
	g.mu.Unlock()
	if none {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), mxTimeout)
	defer cancel()
	wanted, err := mxLookout.Run(ctx, g.redis, []string{mxWanted}, mxWantedMost).StringSlice()
	if err != nil && !errors.Is(err, redis.Nil) {
		g.lost(ctx, err)
		return
	}
	g.mu.Lock()
	var ours []string
	for _, host := range wanted {
		if g.held[host] != nil {
			ours = append(ours, host)
		}
	}
	g.mu.Unlock()
	if len(ours) > 0 {
		g.yield(ours...)
	}
}

// renew makes the leases of the sessions that are open here last longer.
func (g *mxGate) renew() {
	if g.away() {
		return
	}
	g.mu.Lock()
	held := make(map[string][]any, len(g.held))
	for host, tokens := range g.held {
		held[host] = []any{mxLease.Milliseconds()}
		for t := range tokens {
			held[host] = append(held[host], t)
		}
	}
	g.mu.Unlock()
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), mxRenew)
	defer cancel()
	pipe := g.redis.Pipeline()
	for host, args := range held {
		mxRenewal.Eval(ctx, pipe, []string{mxPrefix + host + ":leases"}, args...)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		g.lost(ctx, err)
	}
}
