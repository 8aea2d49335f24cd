package probe

import (
	"context"
	"fmt"
	"time"
)

// Gate holds the limits per MX host over all processes that ask from here. Without one, and while it fails, they hold in this
// process alone.
type Gate interface {
	// Enter asks once for leave to open a session to host. It must be quick: there is one call for each new session, and none for an address.
	Enter(ctx context.Context, host string) (Leave, error)
	// Rest tells the other processes to leave host alone for so long. It does not wait.
	Rest(host string, why Reason, left time.Duration)
}

// Leave is a Gate's answer.
type Leave struct {
	Done func()        // not nil: a session may be opened; to be called when it is over
	Wait time.Duration // else ask again after this
	Rest time.Duration // > 0: the host rests for so long
	Why  Reason        // it rests
}

// Bounds of waiting for leave.
const (
	minLeaveWait = 20 * time.Millisecond
	maxLeaveWait = time.Second
	startsAtOnce = 20 // new sessions to one host that may come without a pause
)

// admit waits until a session to h may be opened. done is nil when there is none to open: then failure says why.
func (p *Prober) admit(ctx context.Context, h Host, q *question) (done func(), failure outcome) {
	told := false
	for {
		leave := p.leaveFor(ctx, h.Name)
		switch {
		case leave.Done != nil:
			return leave.Done, outcome{}
		case leave.Rest > 0:
			p.memory.rests(h.Name, leave.Why, leave.Rest)
			return nil, resting(h, leave.Rest, leave.Why, q)
		}
		if !told {
			q.notes.add("I", "waiting: "+h.Name+" has as many sessions from here as it may have just now")
			told = true
		}
		if err := pause(ctx, min(max(leave.Wait, minLeaveWait), maxLeaveWait)); err != nil {
			return nil, p.broken(ctx, h, fmt.Errorf("waiting for leave to ask %s: %w", h.Name, err))
		}
	}
}

// leaveFor asks the gate, or this process's own memory when there is no gate or it does not answer.
func (p *Prober) leaveFor(ctx context.Context, host string) Leave {
	if p.cfg.Gate != nil {
		if leave, err := p.cfg.Gate.Enter(ctx, host); err == nil {
			return leave
		}
	}
	if wait := p.memory.start(host); wait > 0 {
		return Leave{Wait: wait}
	}
	return Leave{Done: func() {}}
}

// pause waits; its error is the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Yield ends the idle sessions to hosts, because other processes wait for their places.
func (p *Prober) Yield(hosts ...string) {
	if !p.enter() {
		return
	}
	defer p.leave()
	for _, host := range hosts {
		p.pool.yield(host)
	}
}

// yield ends the idle sessions to one host.
func (p *pool) yield(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, ok := p.hosts[host]
	if !ok {
		return
	}
	for len(h.idle) > 0 {
		p.retire(p.takeIdle(h.idle[0]))
	}
}

// start counts a new session to a host in, unless too many were begun lately: then it says how long to wait. It is the generic
// cell rate algorithm: begun is when the sessions so far would have been over at an even pace.
func (m *memory) start(host string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, now := m.facts(host), time.Now()
	if f.begun.Before(now) {
		f.begun = now
	}
	if ahead := f.begun.Sub(now) - startsAtOnce*m.pace; ahead > 0 {
		return ahead
	}
	f.begun = f.begun.Add(m.pace)
	return 0
}
