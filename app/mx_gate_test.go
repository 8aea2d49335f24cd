package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"beagle/app/apptest/services"
	"beagle/app/probe"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// onBothRedis runs a test on the in-process Redis and on a real one. Each process has a client of its own.
func onBothRedis(t *testing.T, test func(t *testing.T, connect func() *redis.Client)) {
	for name, url := range map[string]func(t *testing.T) string{
		"embedded": func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() },
		"services": func(t *testing.T) string { return services.Redis(t) },
	} {
		t.Run(name, func(t *testing.T) {
			opt, err := redis.ParseURL(url(t))
			require.NoError(t, err)
			test(t, func() *redis.Client {
				client := redis.NewClient(opt)
				t.Cleanup(func() { require.NoError(t, client.Close()) })
				return client
			})
		})
	}
}

// process is a gate as one process has it. Its keeper runs until the test ends.
func process(t *testing.T, client *redis.Client, id string, most, perMinute int) *mxGate {
	g := newMXGate(client, id, most, perMinute, slog.New(slog.DiscardHandler))
	g.open(func(...string) {})
	t.Cleanup(g.close)
	return g
}

func enter(t *testing.T, g *mxGate, host string) probe.Leave {
	leave, err := g.Enter(context.Background(), host)
	require.NoError(t, err)
	return leave
}

func TestSessionsOfAllProcessesCountTogether(t *testing.T) {
	onBothRedis(t, func(t *testing.T, connect func() *redis.Client) {
		one, two := process(t, connect(), "one", 2, 6000), process(t, connect(), "two", 2, 6000)
		first := enter(t, one, "mx.test")
		require.NotNil(t, first.Done)
		require.NotNil(t, enter(t, two, "mx.test").Done)
		third := enter(t, two, "mx.test")
		require.Nil(t, third.Done)
		require.Positive(t, third.Wait)
		require.NotNil(t, enter(t, two, "other.test").Done, "hosts count each for itself")
		first.Done()
		first.Done() // twice is once
		require.Eventually(t, func() bool { return enter(t, two, "mx.test").Done != nil }, 5*time.Second, time.Millisecond)
		require.Nil(t, enter(t, one, "mx.test").Done)
	})
}

func TestManyProcessesNeverPassTheLimit(t *testing.T) {
	onBothRedis(t, func(t *testing.T, connect func() *redis.Client) {
		var open, peak atomic.Int64
		var all sync.WaitGroup
		for n := range 4 {
			g := process(t, connect(), fmt.Sprint(n), 3, 60_000)
			for range 5 {
				all.Go(func() {
					for done := 0; done < 10; {
						leave, err := g.Enter(context.Background(), "mx.test")
						if err != nil {
							t.Error(err)
							return
						}
						if leave.Done == nil {
							time.Sleep(time.Millisecond)
							continue
						}
						now := open.Add(1)
						for most := peak.Load(); now > most && !peak.CompareAndSwap(most, now); most = peak.Load() {
						}
						done++
						open.Add(-1)
						leave.Done()
					}
				})
			}
		}
		all.Wait()
		require.LessOrEqual(t, peak.Load(), int64(3))
	})
}

func TestLeaseOfADeadProcessRunsOutAndALivingOneIsRenewed(t *testing.T) {
	redisServer := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: redisServer.Addr()})
	defer client.Close()
	began := time.Now()
	redisServer.SetTime(began)
	dead := newMXGate(client, "dead", 1, 6000, slog.New(slog.DiscardHandler)) // its keeper never runs
	living := newMXGate(client, "living", 1, 6000, slog.New(slog.DiscardHandler))
	require.NotNil(t, enter(t, dead, "mx.test").Done)
	require.NotNil(t, enter(t, living, "other.test").Done)
	for after := mxRenew; after < mxLease; after += mxRenew {
		redisServer.SetTime(began.Add(after))
		living.renew()
		require.Nil(t, enter(t, living, "mx.test").Done, after)
	}
	redisServer.SetTime(began.Add(mxLease))
	require.NotNil(t, enter(t, living, "mx.test").Done)
	require.Nil(t, enter(t, dead, "other.test").Done, "a lease that is renewed holds")
}

func TestNewSessionsOfAllProcessesKeepOnePace(t *testing.T) {
	onBothRedis(t, func(t *testing.T, connect func() *redis.Client) {
		one, two := process(t, connect(), "one", 100, 60), process(t, connect(), "two", 100, 60)
		for range mxAtOnce / 2 {
			require.NotNil(t, enter(t, one, "mx.test").Done)
			require.NotNil(t, enter(t, two, "mx.test").Done)
		}
		var leave probe.Leave
		for range 3 { // a second may have passed meanwhile
			leave = enter(t, one, "mx.test")
		}
		require.Nil(t, leave.Done)
		require.Positive(t, leave.Wait)
		require.LessOrEqual(t, leave.Wait, time.Second)
	})
}

func TestRestIsKnownToAllProcessesUntilItEnds(t *testing.T) {
	onBothRedis(t, func(t *testing.T, connect func() *redis.Client) {
		one, two := process(t, connect(), "one", 4, 6000), process(t, connect(), "two", 4, 6000)
		one.Rest("mx.test", probe.BlockedByServer, time.Minute)
		require.Eventually(t, func() bool { return enter(t, two, "mx.test").Rest > 0 }, 5*time.Second, time.Millisecond)
		leave := enter(t, two, "mx.test")
		require.Equal(t, probe.BlockedByServer, leave.Why)
		require.LessOrEqual(t, leave.Rest, time.Minute)
		require.Greater(t, leave.Rest, 50*time.Second)
		require.NotNil(t, enter(t, two, "other.test").Done)
	})
}

func TestIdleSessionsAreYieldedToProcessesThatWait(t *testing.T) {
	onBothRedis(t, func(t *testing.T, connect func() *redis.Client) {
		holder := newMXGate(connect(), "holder", 1, 6000, slog.New(slog.DiscardHandler))
		var held probe.Leave
		yielded := make(chan []string, 1)
		holder.open(func(hosts ...string) {
			yielded <- hosts
			held.Done()
		})
		t.Cleanup(holder.close)
		held = enter(t, holder, "mx.test")
		enter(t, holder, "quiet.test")
		waiting := process(t, connect(), "waiting", 1, 6000)
		require.Nil(t, enter(t, waiting, "mx.test").Done)
		require.Equal(t, []string{"mx.test"}, <-yielded)
		require.Eventually(t, func() bool { return enter(t, waiting, "mx.test").Done != nil }, 5*time.Second, time.Millisecond)
	})
}

func TestGateWithoutRedisSaysSoAtOnceAndComesBack(t *testing.T) {
	redisServer := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: redisServer.Addr(), MaxRetries: -1, DialTimeout: 50 * time.Millisecond})
	defer client.Close()
	g := newMXGate(client, "one", 1, 6000, slog.New(slog.DiscardHandler))
	held := enter(t, g, "mx.test")
	redisServer.SetError("LOADING")
	_, err := g.Enter(context.Background(), "mx.test")
	require.Error(t, err)
	_, err = g.Enter(context.Background(), "mx.test")
	require.ErrorIs(t, err, errRedisAway, "it is left alone for a while")
	held.Done()
	redisServer.SetError("")
	g.mu.Lock()
	g.until = time.Time{}
	g.mu.Unlock()
	require.NotNil(t, enter(t, g, "mx.test").Done, "what was given back meanwhile is told with the next question")
}
