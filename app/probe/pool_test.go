package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHundredGoroutinesShareFewSessions(t *testing.T) {
	w := newWorld(t)
	var servers []*mta
	for i := range 5 {
		servers = append(servers, w.company(fmt.Sprintf("c%d.test", i), &mta{delay: time.Millisecond}))
	}
	p := w.prober(func(c *Config) { c.MaxPerHost = 3; c.MaxSessions = 8; c.RCPTsPerSession = 20 })
	var wg sync.WaitGroup
	for g := range 100 {
		wg.Go(func() {
			for i := range 6 {
				a := check(p, fmt.Sprintf("%s@c%d.test", here, (g+i)%5))
				if a.Status != Valid {
					t.Errorf("%+v", a)
				}
			}
		})
	}
	wg.Wait()
	var conns, peak int64
	for _, m := range servers {
		require.LessOrEqual(t, m.peak.Load(), int64(3))
		require.Equal(t, int64(120), m.rcpts.Load())
		conns += m.conns.Load()
		peak += m.peak.Load()
	}
	require.LessOrEqual(t, p.Stats().PeakPerHost, int64(3))
	require.Less(t, conns, int64(120), "sessions must be reused")
	require.NoError(t, p.Close())
	for _, m := range servers {
		require.Eventually(t, func() bool { return m.open.Load() == 0 && m.quits.Load() == m.conns.Load() }, 5*time.Second, time.Millisecond)
	}
	require.Empty(t, p.pool.hosts)
	require.Zero(t, p.pool.open)
}

func TestSessionsAreCountedWhileAskedIdleAndWaitedFor(t *testing.T) {
	w := newWorld(t)
	answer := make(chan struct{})
	w.company("a.test", &mta{rcpt: func(*client, string) string { <-answer; return "250 ok" }})
	p := w.prober(func(c *Config) { c.MaxPerHost = 1 })
	require.Zero(t, p.Sessions())
	var asked sync.WaitGroup
	for range 2 {
		asked.Go(func() { check(p, here+"@a.test") })
	}
	require.Eventually(t, func() bool { return p.Sessions() == Sessions{Busy: 1, Waiting: 1} }, 5*time.Second, time.Millisecond)
	close(answer)
	asked.Wait()
	require.Equal(t, Sessions{Idle: 1}, p.Sessions())
	require.NoError(t, p.Close())
	require.Zero(t, p.Sessions())
}

func TestIdleSessionMakesRoomForAnotherHost(t *testing.T) {
	w := newWorld(t)
	a := w.company("a.test", &mta{})
	w.company("b.test", &mta{})
	p := w.prober(func(c *Config) { c.MaxSessions = 1 })
	for range 3 {
		require.Equal(t, Valid, check(p, here+"@a.test").Status)
		require.Equal(t, Valid, check(p, here+"@b.test").Status)
	}
	require.Equal(t, int64(3), a.quits.Load())
}

// TestPoolLosesNoSlotAndNoWaiter drives the pool alone with callers that come, leave in the middle and break sessions.
func TestPoolLosesNoSlotAndNoWaiter(t *testing.T) {
	var running sync.WaitGroup
	c, err := Config{MaxPerHost: 2, MaxSessions: 5, IdleTimeout: 2 * time.Millisecond}.complete()
	require.NoError(t, err)
	p := newPool(c, &running)
	var mu sync.Mutex
	inUse := map[string]int{}
	var callers sync.WaitGroup
	for g := range 60 {
		callers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			for range 200 {
				host := fmt.Sprintf("h%d", rng.IntN(6))
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(3000))*time.Microsecond)
				s, err := p.acquire(ctx, host)
				cancel()
				if err != nil {
					continue
				}
				mu.Lock()
				inUse[host]++
				if inUse[host] > 2 {
					t.Errorf("%d in use at %s", inUse[host], host)
				}
				mu.Unlock()
				if s == nil && rng.IntN(4) > 0 {
					s = &session{host: host, conn: nopConn{}, broken: true}
				}
				mu.Lock()
				inUse[host]--
				mu.Unlock()
				if s == nil {
					p.free(host)
				} else {
					p.release(s, rng.IntN(5) > 0)
				}
			}
		})
	}
	callers.Wait()
	for i := range 6 { // whoever comes now is served
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		s, err := p.acquire(ctx, fmt.Sprintf("h%d", i))
		require.NoError(t, err)
		if s == nil {
			p.free(fmt.Sprintf("h%d", i))
		} else {
			p.release(s, false)
		}
		cancel()
	}
	p.close()
	running.Wait()
	require.Zero(t, p.open)
	require.Empty(t, p.hosts)
	_, err = p.acquire(context.Background(), "h0")
	require.ErrorIs(t, err, errClosed)
}

type nopConn struct{ fixedAddr }

func (nopConn) Close() error                { return nil }
func (nopConn) SetDeadline(time.Time) error { return nil }

func TestHostsTakeTurnsWhenOnlyTheTotalHoldsThemBack(t *testing.T) {
	w := newWorld(t)
	w.company("busy.test", &mta{delay: time.Millisecond})
	w.company("small.test", &mta{})
	p := w.prober(func(c *Config) { c.MaxSessions = 1; c.RCPTsPerSession = 5 })
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	d := p.Lookup(ctx, "busy.test")
	for range 10 {
		wg.Go(func() {
			for ctx.Err() == nil {
				p.Check(ctx, d, here+"@busy.test")
			}
		})
	}
	for range 5 {
		require.Equal(t, Valid, check(p, here+"@small.test").Status)
	}
	stop()
	wg.Wait()
}

func TestHostRestsAfterFailures(t *testing.T) {
	w := newWorld(t)
	var alive atomic.Bool
	m := w.company("acme.test", &mta{hello: func(*client, string, string) string {
		if alive.Load() {
			return "250 x"
		}
		return "421 too many connections"
	}})
	p := w.prober(func(c *Config) { c.RestAfter = 3; c.RestFor = 500 * time.Millisecond })
	for range 3 {
		require.Equal(t, ServerUnavailable, check(p, here+"@acme.test").Reason)
	}
	require.Equal(t, int64(3), m.conns.Load())
	a := check(p, here+"@acme.test")
	require.Equal(t, want{Unknown, ServerUnavailable}, want{a.Status, a.Reason})
	require.Equal(t, int64(3), m.conns.Load(), "a resting host is not dialled")
	require.Positive(t, a.RetryAfter)
	require.LessOrEqual(t, a.RetryAfter, 500*time.Millisecond)
	require.Contains(t, a.Text, "rests")
	rest := func() time.Duration { left, _ := p.memory.resting("mx.acme.test"); return left }
	require.Eventually(t, func() bool { return rest() == 0 }, 5*time.Second, time.Millisecond)
	require.Equal(t, ServerUnavailable, check(p, here+"@acme.test").Reason)
	require.Equal(t, int64(4), m.conns.Load(), "one trial")
	require.Positive(t, rest(), "and another rest")
	require.Eventually(t, func() bool { return rest() == 0 }, 5*time.Second, time.Millisecond)
	alive.Store(true)
	require.Equal(t, Valid, check(p, here+"@acme.test").Status)
	require.Equal(t, Valid, check(p, here+"@acme.test").Status)
}

func TestHostRestsAfterBlocklistRefusals(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{rcpt: always("550 5.7.1 client blocked using zen.spamhaus.org")})
	p := w.prober(func(c *Config) { c.RestAfter = 2 })
	for range 5 {
		require.Equal(t, BlockedByServer, check(p, here+"@acme.test").Reason)
	}
	require.Equal(t, int64(2), m.rcpts.Load())
}

func TestTrialIsForOneCaller(t *testing.T) {
	c, err := Config{RestAfter: 1, RestFor: time.Nanosecond}.complete()
	require.NoError(t, err)
	m, err := newMemory(c)
	require.NoError(t, err)
	m.failed("h", Timeout)
	time.Sleep(time.Microsecond)
	left, _ := m.mayDial("h")
	require.Zero(t, left)
	left, why := m.mayDial("h")
	require.Positive(t, left)
	require.Equal(t, Timeout, why)
	m.undecided("h")
	left, _ = m.mayDial("h")
	require.Zero(t, left)
	m.works("h")
	left, _ = m.mayDial("h")
	require.Zero(t, left)
}

func TestDeadAddressIsTriedLast(t *testing.T) {
	w := newWorld(t)
	w.zone("acme.test. IN MX 1 mx.acme.test.", "mx.acme.test. IN A 10.0.0.8", "mx.acme.test. IN A 10.0.0.1")
	w.at("10.0.0.1", &mta{})
	p := w.prober(func(c *Config) { c.RCPTsPerSession = 1 })
	for range 3 {
		require.Equal(t, "10.0.0.1", check(p, here+"@acme.test").IP)
	}
	require.Equal(t, int64(4), p.Stats().Connections)
}

func TestManyDeadAddressesAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.zone(fmt.Sprintf("acme.test. IN MX 1 mx%d.acme.test.", i), fmt.Sprintf("mx%d.acme.test. IN A 10.0.1.%d", i, i))
	}
	p := w.prober()
	d := p.Lookup(context.Background(), "acme.test")
	require.Len(t, d.Hosts, maxHosts)
	require.Equal(t, ServerUnavailable, check(p, here+"@acme.test").Reason)
	require.Equal(t, int64(maxDials), p.Stats().Connections)
}

func TestCloseAnswersThoseWhoWait(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{rcpt: always(hang)})
	p := w.prober(func(c *Config) { c.MaxPerHost = 1 })
	d := p.Lookup(context.Background(), "acme.test")
	answers := make(chan Answer, 3)
	for range 3 {
		go func() { answers <- p.Check(context.Background(), d, here+"@acme.test") }()
	}
	require.Eventually(t, func() bool { return m.rcpts.Load() == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, p.Close())
	for range 3 {
		a := <-answers
		require.Equal(t, want{Unknown, ServerUnavailable}, want{a.Status, a.Reason})
	}
	require.Equal(t, ServerUnavailable, p.Check(context.Background(), d, here+"@acme.test").Reason)
	require.Equal(t, StateDNSFailed, p.Lookup(context.Background(), "acme.test").State)
}
