package scaler

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	seed  = Rules{Min: 3, Max: 50, EventsPerWorker: 100, Interval: 10 * time.Minute}
)

func TestFixedRuleIsOneWorkerForAHundredEventsWithinBounds(t *testing.T) {
	for waiting, want := range map[int64]int{0: 3, 1: 3, 300: 3, 301: 4, 1000: 10, 4999: 50, 5000: 50, math.MaxInt64: 50} {
		d := Decide(start, Backlog{Waiting: waiting}, State{}, seed)
		require.Equal(t, want, d.Workers, "%d events: %s", waiting, d.Why)
		require.True(t, d.Change)
	}
}

func TestBurstIsFollowedAtOnceAndItsEndOnlyAfterAWhile(t *testing.T) {
	s := State{Workers: 3}
	d := Decide(start, Backlog{Waiting: 2000}, s, seed)
	require.Equal(t, 20, d.Workers)
	for tick := 1; tick < holdTicks; tick++ {
		d = Decide(start.Add(time.Duration(tick)*seed.Interval), Backlog{}, d.State, seed)
		require.False(t, d.Change, d.Why)
	}
	d = Decide(start.Add(holdTicks*seed.Interval), Backlog{}, d.State, seed)
	require.Equal(t, 3, d.Workers, d.Why)
}

func TestSmallChangesAreLeftAlone(t *testing.T) {
	require.False(t, Decide(start, Backlog{Waiting: 3500}, State{Workers: 30}, seed).Change)
	require.False(t, Decide(start, Backlog{Waiting: 2900}, State{Workers: 30}, seed).Change)
	require.Equal(t, 50, Decide(start, Backlog{Waiting: 9000}, State{Workers: 49}, seed).Workers, "the most there may be is always worth it")
	require.Equal(t, 3, Decide(start, Backlog{}, State{Workers: 4}, seed).Workers, "so is the least")
}

func TestTargetUsesTheMeasuredSpeed(t *testing.T) {
	rules := seed
	rules.Target = 5 * time.Minute
	d := Decide(start, Backlog{Waiting: 1000, Processed: 0}, State{Workers: 10}, rules)
	require.Equal(t, 10, d.Workers, "the fixed rule until the speed is known")
	// 10 workers did 12,000 events in 600 s: 2 a second each, 600 within the target.
	d = Decide(start.Add(rules.Interval), Backlog{Waiting: 9000, Processed: 12_000}, d.State, rules)
	require.InDelta(t, 2, d.State.Rate, 1e-9)
	require.Equal(t, 15, d.Workers, d.Why)
	idle := Decide(start.Add(2*rules.Interval), Backlog{Waiting: 0, Processed: 12_001}, d.State, rules)
	require.InDelta(t, 2, idle.State.Rate, 1e-9, "idle time says nothing about speed")
	flushed := Decide(start.Add(2*rules.Interval), Backlog{Waiting: 50, Processed: 7}, d.State, rules)
	require.InDelta(t, 2, flushed.State.Rate, 1e-9, "a counter that began again says nothing either")
}

func TestDecisionIsAlwaysWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rules{Min: rapid.IntRange(0, 10).Draw(t, "min"), EventsPerWorker: rapid.IntRange(1, 1000).Draw(t, "events"), Interval: time.Minute,
			Target: time.Duration(rapid.IntRange(0, 600).Draw(t, "target")) * time.Second}
		r.Max = r.Min + rapid.IntRange(1, 100).Draw(t, "range")
		s, now := State{Workers: rapid.IntRange(0, 500).Draw(t, "have")}, start
		for range 20 {
			now = now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "wait")) * time.Second)
			d := Decide(now, Backlog{rapid.Int64Range(0, math.MaxInt64).Draw(t, "waiting"), rapid.Int64().Draw(t, "processed")}, s, r)
			if d.Workers < r.Min || d.Workers > r.Max || d.Why == "" || len(d.State.Wishes) > maxWishes+1 {
				t.Fatalf("%+v", d)
			}
			s = d.State
		}
	})
}

// A day against the stand-in of the Heroku API: every decision is asked for and carried out by HTTP.
func TestASpikyDayIsFollowedWithoutFlapping(t *testing.T) {
	target := seed
	target.Target = 10 * time.Minute
	simulate := func(r Rules, decide Decider) Day {
		p := &platform{t: t, quantity: r.Min}
		h, _ := heroku(t, p)
		day, err := SimulateDay(t.Context(), r, decide, h)
		require.NoError(t, err)
		require.Equal(t, 144, day.Ticks)
		require.GreaterOrEqual(t, day.Fewest, 3)
		require.LessOrEqual(t, day.Most, 50)
		require.Equal(t, 1+day.Ticks+day.Changes, len(p.asked), "asked at every tick, told at every change")
		return day
	}
	plain, steady, measured := simulate(seed, FixedRule), simulate(seed, Decide), simulate(target, Decide)
	require.Equal(t, 50, steady.Most, "a burst gets all there is")
	require.Zero(t, steady.Late, "a burst is followed at the next tick")
	require.Zero(t, steady.Flaps)
	require.Zero(t, measured.Flaps)
	require.Less(t, steady.Changes, plain.Changes*2/3)
	require.Less(t, steady.BacklogMinutes, plain.BacklogMinutes)
	require.Less(t, measured.WorkerHours, steady.WorkerHours, "what is measured need not be guessed")
}

func TestDayEndsWhenTheDriverFails(t *testing.T) {
	p := &platform{t: t, answers: []func(http.ResponseWriter){status(404)}}
	h, _ := heroku(t, p)
	_, err := SimulateDay(t.Context(), seed, Decide, h)
	require.ErrorContains(t, err, "404")
}
