package finder

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"beagle/app/mailworld"
	"beagle/app/probe"
)

// oracle is a Prober that knows a simulated world's truth, without sockets: thousands of people a second.
type oracle struct {
	kinds  map[string]string // domain to mailworld kind
	terse  map[string]bool   // domains whose refusals do not say that there is no mailbox
	boxes  map[string]probe.Answer
	yields int // how many times a Check lets others go first, at random up to this
	rcpts  atomic.Int64
	groups atomic.Int64 // in how many goes

	learnedRows, learnedRcpts atomic.Int64 // of questions at domains where two people were confirmed before
	presentRows, presentRcpts atomic.Int64 // of those, about people who have a mailbox
}

func newOracle(w *mailworld.World) *oracle {
	o := &oracle{kinds: map[string]string{}, terse: map[string]bool{}, boxes: map[string]probe.Answer{}}
	for _, c := range w.Companies() {
		o.terse[c.Domain] = c.Behaviour == mailworld.Microsoft
		for _, role := range c.Roles {
			o.boxes[role+"@"+c.Domain] = yes
		}
		for _, p := range c.People {
			for _, address := range append([]string{p.Email}, p.Aliases...) {
				switch {
				case address == "":
				case p.Disabled:
					o.boxes[address] = off
				case p.FullMailbox:
					o.boxes[address] = full
				default:
					o.boxes[address] = yes
				}
			}
		}
	}
	for _, t := range w.Truths() {
		if t.Kind != mailworld.KindAbsent {
			o.kinds[t.Company.Domain] = t.Kind
		}
	}
	return o
}

func (o *oracle) Lookup(_ context.Context, domain string) probe.Domain {
	d := probe.Domain{Name: domain, State: probe.StateOK, Hosts: []probe.Host{{Name: "mx." + domain}}, CheckedAt: time.Now(), TTL: time.Hour}
	if o.kinds[domain] == mailworld.KindInvalidDomain {
		d.State, d.Hosts = probe.StateNoMX, nil
	}
	return d
}

func (o *oracle) AcceptAllBeside(ctx context.Context, d probe.Domain, addresses []string) (probe.AcceptAllAnswer, []probe.Answer) {
	a := o.acceptAll(d)
	answers := o.CheckGroup(ctx, d, addresses) // asked in any case
	if a.Verdict != probe.No {
		answers = nil
	}
	return a, answers
}

func (o *oracle) CheckGroup(ctx context.Context, d probe.Domain, addresses []string) []probe.Answer {
	if len(addresses) > 0 {
		o.groups.Add(1)
	}
	var out []probe.Answer
	for _, address := range addresses {
		out = append(out, o.Check(ctx, d, address))
	}
	return out
}

func (o *oracle) acceptAll(d probe.Domain) probe.AcceptAllAnswer {
	o.rcpts.Add(1)
	a := probe.AcceptAllAnswer{Verdict: probe.No, Reason: probe.MailboxNotFound, At: time.Now()}
	switch {
	case o.kinds[d.Name] == mailworld.KindAcceptAll:
		o.rcpts.Add(1)
		a.Verdict, a.Reason = probe.Yes, probe.AcceptsAll
	case o.kinds[d.Name] == mailworld.KindUnknown:
		a.Verdict, a.Reason = probe.Unsure, probe.BlockedByServer
	case o.terse[d.Name]:
		a.Reason = probe.RejectedUnclear
	}
	return a
}

func (o *oracle) Check(_ context.Context, d probe.Domain, address string) probe.Answer {
	o.rcpts.Add(1)
	if o.yields > 0 {
		for range rand.N(o.yields) {
			runtime.Gosched()
		}
	}
	a, ok := o.boxes[address]
	switch {
	case ok:
	case o.terse[d.Name]:
		a = unclear
	default:
		a = no
	}
	a.Address, a.At = address, time.Now()
	return a
}

// shuffled asks for every person of the truths in an order of its own, so many at once.
func shuffled(o *oracle, truths []mailworld.Truth, seed uint64, atOnce int) []Result {
	f := New(o, nil, Options{})
	results := make([]Result, len(truths))
	order := rand.New(rand.NewPCG(seed, 1)).Perm(len(truths))
	for try := 0; len(order) > 0 && try < 3; try++ { // the app asks again what may wait for colleagues
		askAll(o, f, truths, results, order, atOnce)
		var again []int
		for _, i := range order {
			if results[i].RetryAfter > 0 {
				again = append(again, i)
			}
		}
		order = again
	}
	return results
}

func askAll(o *oracle, f *Finder, truths []mailworld.Truth, results []Result, order []int, atOnce int) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				t := truths[i]
				results[i] = f.Find(context.Background(), Person{First: t.Person.First, Last: t.Person.Last, Domain: t.Company.Domain})
				if knownHits(results[i]) >= supportHits {
					o.learnedRows.Add(1)
					o.learnedRcpts.Add(int64(results[i].Evidence.Asked))
					if t.Email != "" {
						o.presentRows.Add(1)
						o.presentRcpts.Add(int64(results[i].Evidence.Asked))
					}
				}
			}
		})
	}
	for _, i := range order {
		if truths[i].Person != nil {
			next <- i
		}
	}
	close(next)
	wg.Wait()
}

// figures are what a run over a world is judged by.
type figures struct {
	rows, rcpts, learnedRows, learnedRcpts int
	presentRows, presentRcpts              int
	valid, right, noBox                    int
	findable, found, falseAbsent, held     int
	absent, absentSaid                     int
	acceptAll, guessed, usual              int // usual: at accept-all domains, people with a mailbox under first.last
}

func judge(o *oracle, truths []mailworld.Truth, results []Result) (f figures, wrong []string) {
	for i, t := range truths {
		if t.Person == nil {
			continue
		}
		f.rows++
		r := results[i]
		right := rightFor(t, r.Email)
		if r.Status == StatusValid {
			f.valid++
			switch {
			case right:
				f.right++
			case t.Email == "":
				f.noBox++
			}
		}
		bad := r.Status == StatusValid && !right
		switch t.Kind {
		case mailworld.KindFound:
			f.findable++
			switch {
			case r.Status == StatusValid && right:
				f.found++
			case r.Status == StatusNotFound:
				f.falseAbsent++
				bad = true
			default:
				f.held++
				bad = true
			}
		case mailworld.KindAbsent:
			f.absent++
			if r.Status == StatusNotFound {
				f.absentSaid++
			}
		case mailworld.KindAcceptAll:
			f.acceptAll++
			if right && r.Email != "" {
				f.guessed++
			}
			if t.Company.Pattern == "F.L" && t.Email != "" {
				f.usual++
			}
		}
		if bad {
			wrong = append(wrong, fmt.Sprintf("%s at %s (%s %s) -> %s %s %s rule %s, want %q, asked %d, hits %d", t.Person.Full, t.Company.Domain, t.Company.Behaviour, t.Company.Pattern,
				r.Status, r.Reason, r.Email, r.Evidence.Rule, t.Email, r.Evidence.Asked, knownHits(r)))
		}
	}
	f.rcpts, f.learnedRows, f.learnedRcpts = int(o.rcpts.Load()), int(o.learnedRows.Load()), int(o.learnedRcpts.Load())
	f.presentRows, f.presentRcpts = int(o.presentRows.Load()), int(o.presentRcpts.Load())
	return f, wrong
}

// knownHits is how many people of the domain were confirmed when the question was asked.
func knownHits(r Result) int {
	n := 0
	for _, p := range r.Evidence.Patterns {
		n += p.Hits
	}
	return n
}

func rightFor(t mailworld.Truth, email string) bool {
	right := strings.EqualFold(email, t.Email)
	for _, alias := range t.Person.Aliases {
		right = right || t.Email != "" && strings.EqualFold(email, alias)
	}
	return right
}

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }

func (f figures) String() string {
	return fmt.Sprintf("rows %d, RCPT/row %.2f, on learned domains %.2f (%d rows, those with a mailbox %.2f); valid %d, right %.2f %%, no mailbox %d; found %.2f %% of %d, not_found %d, unknown %d; absent said %.1f %% of %d; accept-all right %.1f %% of %d, %d have first.last",
		f.rows, share(f.rcpts, f.rows), share(f.learnedRcpts, f.learnedRows), f.learnedRows, share(f.presentRcpts, f.presentRows), f.valid, 100*share(f.right, f.valid), f.noBox,
		100*share(f.found, f.findable), f.findable, f.falseAbsent, f.held, 100*share(f.absentSaid, f.absent), f.absent, 100*share(f.guessed, f.acceptAll), f.acceptAll, f.usual)
}
