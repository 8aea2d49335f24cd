// Package scaler decides how many workers there should be, and tells whoever starts and stops them.
//
// Deciding is a pure function of what waits, what was decided before and the rules; a Driver carries a decision out.
package scaler

import (
	"fmt"
	"math"
	"time"
)

// How a decision is kept from flapping: more workers are had at once, fewer only when they were enough for holdTicks ticks,
// and a change smaller than slack of the present number is not worth a restart.
const (
	holdTicks  = 3
	slack      = 0.2
	rateWeight = 0.5 // of the newest measurement in the average
	maxWishes  = 100 // kept, whatever the interval
)

// Rules are what an operator sets.
type Rules struct {
	Min, Max        int           // workers
	EventsPerWorker int           // the fixed rule: one worker for so many waiting events
	Interval        time.Duration // between two decisions
	Target          time.Duration // drain the backlog within this time, from measured speed; 0 = the fixed rule
}

// Backlog is what was measured now.
type Backlog struct {
	Waiting   int64 // events of the queues high, default and records; what is in low may wait
	Processed int64 // events ended since ever, to measure speed; it may begin again at 0
}

// State is what one decision leaves to the next. The zero State knows nothing.
type State struct {
	At        time.Time `json:"at"`
	Workers   int       `json:"workers"` // as decided
	Waiting   int64     `json:"waiting"`
	Processed int64     `json:"processed"`
	Rate      float64   `json:"rate"` // events per second and worker while there was work; 0 = never measured
	Wishes    []Wish    `json:"wishes"`
}

// Wish is how many workers the rule asked for at one time.
type Wish struct {
	At      time.Time `json:"at"`
	Workers int       `json:"workers"`
}

// Decision is how many workers there should be, and why.
type Decision struct {
	Workers int    // within Min and Max
	Change  bool   // it differs from what there is
	Why     string // a sentence for people
	State   State  // for the next decision
}

// Decide tells how many workers there should be. before.Workers is how many there are; 0 = nobody knows.
func Decide(now time.Time, b Backlog, before State, r Rules) Decision {
	rate := measure(now, b, before)
	wish, why := r.wish(b.Waiting, rate)
	wishes := append(recent(before.Wishes, now.Add(-r.Interval*holdTicks)), Wish{now, wish})
	have := before.Workers
	workers := have
	switch highest := largest(wishes); {
	case have == 0:
		workers = wish
	case wish > have && worthIt(have, wish, r.Max):
		workers = wish
	case wish > have:
		why += "; too few more to be worth a change"
	case highest < have && (highest == r.Min || worthIt(have, highest, r.Max)):
		workers = highest
		if highest != wish {
			why += fmt.Sprintf("; %d were wanted lately", highest)
		}
	case wish < have:
		why += fmt.Sprintf("; %d stay, since so many were wanted in the last %s or the change is too small", have, r.Interval*holdTicks)
	}
	workers = min(max(workers, r.Min), r.Max)
	return Decision{Workers: workers, Change: workers != have, Why: why,
		State: State{At: now, Workers: workers, Waiting: b.Waiting, Processed: b.Processed, Rate: rate, Wishes: wishes}}
}

// wish is what the rule alone asks for.
func (r Rules) wish(waiting int64, rate float64) (int, string) {
	if r.Target > 0 && rate > 0 {
		perWorker := rate * r.Target.Seconds()
		raw := atMost(float64(waiting) / perWorker)
		n := min(max(raw, r.Min), r.Max)
		return n, fmt.Sprintf("%d events wait; a worker does %.2f a second, so %d drain them within %s; between %d and %d that is %d", waiting, rate, raw, r.Target, r.Min, r.Max, n)
	}
	raw := atMost(float64(waiting) / float64(r.EventsPerWorker))
	n := min(max(raw, r.Min), r.Max)
	return n, fmt.Sprintf("%d events wait; one worker for %d is %d; between %d and %d that is %d", waiting, r.EventsPerWorker, raw, r.Min, r.Max, n)
}

// atMost rounds up, within what an int of any machine holds.
func atMost(x float64) int { return int(min(math.Ceil(x), math.MaxInt32)) }

// measure averages the speed of a worker over times in which work waited from one decision to the next.
func measure(now time.Time, b Backlog, before State) float64 {
	since, done := now.Sub(before.At).Seconds(), b.Processed-before.Processed
	if before.At.IsZero() || before.Workers == 0 || before.Waiting == 0 || b.Waiting == 0 || since <= 0 || done <= 0 {
		return before.Rate
	}
	rate := float64(done) / since / float64(before.Workers)
	if before.Rate == 0 {
		return rate
	}
	return before.Rate + rateWeight*(rate-before.Rate)
}

func recent(wishes []Wish, since time.Time) []Wish {
	kept := make([]Wish, 0, len(wishes)+1)
	for _, w := range wishes {
		if w.At.After(since) {
			kept = append(kept, w)
		}
	}
	return kept[max(0, len(kept)-maxWishes):]
}

func largest(wishes []Wish) int {
	most := 0
	for _, w := range wishes {
		most = max(most, w.Workers)
	}
	return most
}

// worthIt tells whether a change is large enough. The upper bound is always worth it: a burst needs all there is.
func worthIt(have, want, most int) bool {
	return want == most || math.Abs(float64(want-have)) >= slack*float64(have)
}
