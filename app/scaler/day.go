package scaler

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// The simulated day: a slow wave, a burst of an upload about once an hour, noise. Workers are there at once when they are asked for.
const (
	dayStep      = 10 * time.Second
	dayPerWorker = 0.5 // events a second
	dayBursts    = 24.0
	dayBurst     = 500
	dayBurstMost = 6000
	flapTime     = 30 * time.Minute // workers taken away so soon after some were added are a flap
)

// Day is what came of a simulated day.
type Day struct {
	Ticks, Changes, Flaps int
	Late                  int     // ticks at which the rule wanted more than slack above what there was and did not get it
	Fewest, Most          int     // workers
	BacklogMinutes        float64 // thousands of event-minutes
	WorkerHours           float64
}

// Decider is Decide, or what it is compared with.
type Decider func(now time.Time, b Backlog, before State, r Rules) Decision

// FixedRule is the rule without hysteresis or cool-down: what every tick wants, it gets.
func FixedRule(now time.Time, b Backlog, s State, r Rules) Decision {
	n, why := r.wish(b.Waiting, 0)
	return Decision{Workers: n, Change: n != s.Workers, Why: why, State: State{At: now, Workers: n}}
}

// SimulateDay runs a day of spiky work, the same in every run, and carries each decision out by driver.
func SimulateDay(ctx context.Context, r Rules, decide Decider, driver Driver) (Day, error) {
	dice := rand.New(rand.NewPCG(7, 11))
	day := Day{Fewest: math.MaxInt}
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var lastUp time.Time
	state, waiting, processed := State{}, 0.0, 0.0
	workers, err := driver.Workers(ctx)
	if err != nil {
		return Day{}, fmt.Errorf("simulating a day: %w", err)
	}
	for s := time.Duration(0); s < 24*time.Hour; s += dayStep {
		waiting += arrivals(s, dice)
		done := math.Min(waiting, float64(workers)*dayPerWorker*dayStep.Seconds())
		waiting, processed = waiting-done, processed+done
		day.BacklogMinutes += waiting * dayStep.Minutes() / 1000
		day.WorkerHours += float64(workers) * dayStep.Hours()
		if s%r.Interval != 0 {
			continue
		}
		now := start.Add(s)
		state.Workers = workers
		d := decide(now, Backlog{int64(waiting), int64(processed)}, state, r)
		day.note(d, workers, now.Sub(lastUp), r, int64(waiting))
		if d.Change {
			if d.Workers > workers {
				lastUp = now
			}
			if err := driver.Set(ctx, d.Workers); err != nil {
				return Day{}, fmt.Errorf("simulating a day: %w", err)
			}
		}
		if workers, err = driver.Workers(ctx); err != nil {
			return Day{}, fmt.Errorf("simulating a day: %w", err)
		}
		state = d.State
	}
	return day, nil
}

// arrivals are the events that come in one step.
func arrivals(s time.Duration, dice *rand.Rand) float64 {
	n := dayStep.Seconds() * (0.3 + 3*math.Max(0, math.Sin((s.Hours()-6)/24*2*math.Pi))) * (0.5 + dice.Float64())
	if dice.Float64() < dayBursts/float64(24*time.Hour/dayStep) {
		n += dayBurst + dice.Float64()*dayBurstMost
	}
	return n
}

// note counts one tick.
func (day *Day) note(d Decision, have int, sinceUp time.Duration, r Rules, waiting int64) {
	day.Ticks++
	day.Fewest, day.Most = min(day.Fewest, d.Workers), max(day.Most, d.Workers)
	if wish, _ := r.wish(waiting, 0); r.Target == 0 && float64(d.Workers) < (1-slack)*float64(wish) {
		day.Late++
	}
	if !d.Change {
		return
	}
	day.Changes++
	if d.Workers < have && sinceUp < flapTime {
		day.Flaps++
	}
}
