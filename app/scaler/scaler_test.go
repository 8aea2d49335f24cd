package scaler

import (
	"math"
	"math/rand/v2"
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

// day is what came of a simulated day.
type day struct {
	changes, flaps int     // flaps: workers taken away within half an hour of having been added
	backlogMinutes float64 // thousands
	workerHours    float64
	lateBursts     int // ticks at which the rule alone wanted much more and did not get it
}

// simulate runs a day of spiky work: a slow wave, bursts of uploads, noise. Workers do half an event a second each.
func simulate(t *testing.T, r Rules, decide func(time.Time, Backlog, State, Rules) Decision) day {
	dice := rand.New(rand.NewPCG(7, 11))
	const perWorker, step = 0.5, 10 * time.Second
	var result day
	var lastUp time.Time
	state, waiting, processed := State{Workers: r.Min}, 0.0, 0.0
	for s := time.Duration(0); s < 24*time.Hour; s += step {
		hour := s.Hours()
		waiting += step.Seconds() * (0.3 + 3*math.Max(0, math.Sin((hour-6)/24*2*math.Pi))) * (0.5 + dice.Float64())
		if dice.Float64() < 24.0/8640 { // one burst an hour or so
			waiting += 500 + dice.Float64()*6000
		}
		done := math.Min(waiting, float64(state.Workers)*perWorker*step.Seconds())
		waiting, processed = waiting-done, processed+done
		result.backlogMinutes += waiting * step.Minutes() / 1000
		result.workerHours += float64(state.Workers) * step.Hours()
		if s%r.Interval != 0 {
			continue
		}
		now := start.Add(s)
		wish, _ := r.wish(int64(waiting), 0)
		d := decide(now, Backlog{int64(waiting), int64(processed)}, state, r)
		require.GreaterOrEqual(t, d.Workers, r.Min)
		require.LessOrEqual(t, d.Workers, r.Max)
		if r.Target == 0 && float64(d.Workers) < (1-slack)*float64(wish) {
			result.lateBursts++
		}
		if d.Change {
			result.changes++
			if d.Workers > state.Workers {
				lastUp = now
			} else if now.Sub(lastUp) < 30*time.Minute {
				result.flaps++
			}
		}
		state = d.State
	}
	return result
}

// bare is the rule without hysteresis or cool-down: what the figures are compared with.
func bare(now time.Time, b Backlog, s State, r Rules) Decision {
	n, why := r.wish(b.Waiting, 0)
	return Decision{Workers: n, Change: n != s.Workers, Why: why, State: State{At: now, Workers: n}}
}

func TestASpikyDayIsFollowedWithoutFlapping(t *testing.T) {
	target := seed
	target.Target = 10 * time.Minute
	plain, steady, measured := simulate(t, seed, bare), simulate(t, seed, Decide), simulate(t, target, Decide)
	for _, row := range []struct {
		name string
		day
	}{{"rule alone", plain}, {"rule, steadied", steady}, {"target 10 min", measured}} {
		t.Logf("%-15s %3d changes, %2d flaps, %6.0f thousand event-minutes of backlog, %4.0f worker-hours", row.name, row.changes, row.flaps, row.backlogMinutes, row.workerHours)
	}
	require.Zero(t, steady.lateBursts, "a burst is followed at the next tick")
	require.Zero(t, steady.flaps)
	require.Zero(t, measured.flaps)
	require.Less(t, steady.changes, plain.changes*2/3)
	require.Less(t, steady.backlogMinutes, plain.backlogMinutes)
	require.Less(t, measured.workerHours, steady.workerHours, "what is measured need not be guessed")
}
