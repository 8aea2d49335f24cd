package probe

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// house is a Gate that several probers share.
type house struct {
	mu      sync.Mutex
	most    int
	open    map[string]int
	rests   map[string]time.Duration
	away    atomic.Bool
	entered atomic.Int64
}

func newHouse(most int) *house {
	return &house{most: most, open: map[string]int{}, rests: map[string]time.Duration{}}
}

func (g *house) Enter(_ context.Context, host string) (Leave, error) {
	if g.away.Load() {
		return Leave{}, errors.New("away")
	}
	g.entered.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.rests[host] > 0:
		return Leave{Rest: g.rests[host], Why: BlockedByServer}, nil
	case g.open[host] >= g.most:
		return Leave{Wait: time.Millisecond}, nil
	}
	g.open[host]++
	var once sync.Once
	return Leave{Done: func() {
		once.Do(func() {
			g.mu.Lock()
			g.open[host]--
			g.mu.Unlock()
		})
	}}, nil
}

func (g *house) Rest(host string, _ Reason, left time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rests[host] = left
}

func (g *house) holds() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, open := range g.open {
		n += open
	}
	return n
}

func TestTwoProbersBehindOneGateKeepOneLimit(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{delay: time.Millisecond})
	g := newHouse(2)
	probers := []*Prober{w.prober(func(c *Config) { c.Gate, c.RCPTsPerSession = g, 5 }), w.prober(func(c *Config) { c.Gate, c.RCPTsPerSession = g, 5 })}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if a := check(probers[i%2], here+"@acme.test"); a.Status != Valid {
				t.Errorf("%+v", a)
			}
			if i%10 == 0 {
				probers[i%2].Yield("mx.acme.test", "unknown.test")
			}
		})
	}
	stop, yielding := make(chan struct{}), sync.WaitGroup{}
	yielding.Go(func() { // as the keeper of a real gate does while others wait
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				probers[0].Yield("mx.acme.test")
				probers[1].Yield("mx.acme.test")
			}
		}
	})
	wg.Wait()
	close(stop)
	yielding.Wait()
	require.LessOrEqual(t, m.peak.Load(), int64(2))
	require.Equal(t, int64(40), m.rcpts.Load())
	for _, p := range probers {
		require.NoError(t, p.Close())
	}
	require.Zero(t, g.holds(), "every leave is given back")
}

func TestGateIsAskedOncePerSession(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{})
	g := newHouse(4)
	p := w.prober(func(c *Config) { c.Gate, c.RCPTsPerSession = g, 10 })
	for range 20 {
		require.Equal(t, Valid, check(p, here+"@acme.test").Status)
	}
	require.Equal(t, int64(2), g.entered.Load())
}

func TestLeaveIsGivenBackWhenNoSessionComesOfIt(t *testing.T) {
	w := newWorld(t)
	w.zone("dead.test. IN MX 1 mx.dead.test.", "mx.dead.test. IN A 10.0.0.9")
	w.company("busy.test", &mta{banner: "421 busy"})
	w.company("drop.test", &mta{raw: nil, rcpt: always("")})
	g := newHouse(1)
	p := w.prober(func(c *Config) { c.Gate = g })
	for _, domain := range []string{"dead.test", "busy.test", "drop.test"} {
		require.Equal(t, Unknown, check(p, here+"@"+domain).Status)
	}
	require.NoError(t, p.Close())
	require.Zero(t, g.holds())
}

func TestRestIsToldToTheOtherProcesses(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{banner: "421 busy"})
	g := newHouse(4)
	ours, theirs := w.prober(func(c *Config) { c.Gate, c.RestAfter = g, 2 }), w.prober(func(c *Config) { c.Gate = g })
	for range 2 {
		check(ours, here+"@acme.test")
	}
	a := check(theirs, here+"@acme.test")
	require.Equal(t, want{Unknown, BlockedByServer}, want{a.Status, a.Reason})
	require.Contains(t, a.Text, "rests")
	require.Positive(t, a.RetryAfter)
	require.Equal(t, int64(2), m.conns.Load(), "the other process did not dial")
	left, _ := theirs.memory.resting("mx.acme.test")
	require.Positive(t, left, "and remembers it")
}

func TestGateThatIsAwayLeavesTheLocalLimits(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{delay: time.Millisecond})
	g := newHouse(0) // would let nobody in
	g.away.Store(true)
	p := w.prober(func(c *Config) { c.Gate, c.MaxPerHost, c.RCPTsPerSession = g, 2, 5 })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a := check(p, here+"@acme.test"); a.Status != Valid {
				t.Errorf("%+v", a)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, m.peak.Load(), int64(2))
}

func TestWaitingForLeaveEndsWithTheQuestion(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{})
	g := newHouse(0)
	p := w.prober(func(c *Config) { c.Gate = g })
	d := p.Lookup(context.Background(), "acme.test")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	a := p.Check(ctx, d, here+"@acme.test")
	require.Equal(t, want{Unknown, Timeout}, want{a.Status, a.Reason})
	require.Contains(t, a.Lines[0].Text, "waiting: mx.acme.test has as many sessions")
	require.Zero(t, m.conns.Load())
	left, _ := p.memory.resting("mx.acme.test")
	require.Zero(t, left)
}

func TestNewSessionsToAHostComeAtAPace(t *testing.T) {
	c, err := Config{SessionsPerMinute: 600}.complete()
	require.NoError(t, err)
	m, err := newMemory(c)
	require.NoError(t, err)
	for i := range startsAtOnce + 1 {
		require.Zero(t, m.start("h"), i)
	}
	require.InDelta(t, 100*time.Millisecond, m.start("h"), float64(50*time.Millisecond))
	require.Zero(t, m.start("other"))
}

func TestRestsGrowAndDoNotEndTogether(t *testing.T) {
	seen := map[time.Duration]bool{}
	for n := range 30 {
		d := restTime(time.Minute, n)
		long := min(time.Minute<<min(n, 16), maxRest)
		require.LessOrEqual(t, d, long)
		require.GreaterOrEqual(t, d, long/2)
		seen[restTime(time.Hour, 0)] = true
	}
	require.Greater(t, len(seen), 20)
	c, err := Config{RestAfter: 1, RestFor: time.Minute}.complete()
	require.NoError(t, err)
	m, err := newMemory(c)
	require.NoError(t, err)
	var last time.Duration
	for range 4 {
		last = m.failed("h", Timeout)
	}
	require.Greater(t, last, 3*time.Minute)
	m.works("h")
	require.LessOrEqual(t, m.failed("h", Timeout), time.Minute, "a host that worked begins anew")
}
