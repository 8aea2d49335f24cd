package probe

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var errClosed = errors.New("the prober is closed")

// pool decides who may have a session: at most perHost to one MX host and total in all, connecting and closing ones
// included. Waiters of a host are served in order; hosts that only the total holds back take turns.
type pool struct {
	perHost, total int
	idleTimeout    time.Duration
	running        *sync.WaitGroup // the goroutines that say QUIT
	peak           atomic.Int64    // most sessions to one host at once

	mu      sync.Mutex
	closed  bool
	open    int
	hosts   map[string]*hostSlots
	idle    *list.List // of *session, idle for longest first
	stalled []*hostSlots
}

// hostSlots is the state of one MX host. While there are waiters there is no idle session.
type hostSlots struct {
	name    string
	open    int
	idle    []*list.Element // of pool.idle, idle for longest first
	waiters *list.List      // of chan *session
	stalled bool            // stands in pool.stalled
}

func newPool(c Config, running *sync.WaitGroup) *pool {
	return &pool{perHost: c.MaxPerHost, total: c.MaxSessions, idleTimeout: c.IdleTimeout, running: running,
		hosts: map[string]*hostSlots{}, idle: list.New()}
}

// acquire waits for a session to host, or for a slot to open one with, which is nil. A slot must be given back by free,
// a session by release. err is the end of ctx or errClosed.
func (p *pool) acquire(ctx context.Context, host string) (*session, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	h := p.host(host)
	if h.waiters.Len() == 0 {
		if len(h.idle) > 0 {
			s := p.takeIdle(h.idle[len(h.idle)-1])
			p.mu.Unlock()
			return s, nil
		}
		if h.open < p.perHost && p.open < p.total && len(p.stalled) == 0 {
			p.take(h)
			p.mu.Unlock()
			return nil, nil
		}
	}
	grant := make(chan *session, 1)
	place := h.waiters.PushBack(grant)
	p.stall(h)
	p.makeRoom()
	p.dispatch()
	p.mu.Unlock()
	select {
	case s := <-grant:
		return s, nil
	case <-ctx.Done():
		p.giveUp(h, place, grant)
		return nil, ctx.Err()
	}
}

// giveUp leaves the queue, and passes on what was granted in the same moment.
func (p *pool) giveUp(h *hostSlots, place *list.Element, grant chan *session) {
	p.mu.Lock()
	select {
	case s := <-grant:
		p.mu.Unlock()
		if s != nil {
			p.release(s, true)
		} else {
			p.free(h.name)
		}
	default:
		h.waiters.Remove(place)
		p.tidy(h)
		p.mu.Unlock()
	}
}

// release gives a session back: to the next waiter of its host, to the idle ones, or to its end when it is not worth
// keeping or its slot is wanted elsewhere.
func (p *pool) release(s *session, keep bool) {
	s.served++
	s.freeSince = time.Now()
	p.mu.Lock()
	h := p.host(s.host)
	first := h.waiters.Front()
	switch {
	case !keep || p.closed:
	case first != nil:
		h.waiters.Remove(first).(chan *session) <- s
		p.mu.Unlock()
		return
	case len(p.stalled) == 0:
		place := p.idle.PushBack(s)
		h.idle = append(h.idle, place)
		s.idleTimer = time.AfterFunc(p.idleTimeout, func() { p.expire(place) })
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	p.retire(s)
}

// retire ends a session on a goroutine of its own. Its slot is free when the server has closed too.
func (p *pool) retire(s *session) {
	p.running.Go(func() {
		s.end()
		p.free(s.host)
	})
}

// expire ends a session whose idle time is over, if it is still idle.
func (p *pool) expire(place *list.Element) {
	p.mu.Lock()
	s := place.Value.(*session)
	h := p.hosts[s.host]
	if p.closed || h == nil || !h.holds(place) {
		p.mu.Unlock()
		return
	}
	p.takeIdle(place)
	p.running.Add(1) // before close can have begun to wait
	p.mu.Unlock()
	defer p.running.Done()
	p.retire(s)
}

func (h *hostSlots) holds(place *list.Element) bool {
	for _, e := range h.idle {
		if e == place {
			return true
		}
	}
	return false
}

// free gives a slot back.
func (p *pool) free(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.host(host)
	h.open--
	p.open--
	p.stall(h)
	p.dispatch()
	p.tidy(h)
}

// close ends all idle sessions. Those in use end when they are released.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	var idle []*session
	for p.idle.Len() > 0 {
		idle = append(idle, p.takeIdle(p.idle.Front()))
	}
	p.mu.Unlock()
	for _, s := range idle {
		p.retire(s)
	}
}

// sessions counts what is open and who waits.
func (p *pool) sessions() Sessions {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := Sessions{Busy: p.open - p.idle.Len(), Idle: p.idle.Len()}
	for _, h := range p.hosts {
		now.Waiting += h.waiters.Len()
	}
	return now
}

// What follows must be called with mu held.

func (p *pool) host(name string) *hostSlots {
	h, ok := p.hosts[name]
	if !ok {
		h = &hostSlots{name: name, waiters: list.New()}
		p.hosts[name] = h
	}
	return h
}

// tidy forgets a host that holds nothing.
func (p *pool) tidy(h *hostSlots) {
	if h.open == 0 && h.waiters.Len() == 0 && !h.stalled {
		delete(p.hosts, h.name)
	}
}

func (p *pool) take(h *hostSlots) {
	h.open++
	p.open++
	p.peak.Store(max(p.peak.Load(), int64(h.open)))
}

func (p *pool) takeIdle(place *list.Element) *session {
	s := p.idle.Remove(place).(*session)
	s.idleTimer.Stop()
	h := p.hosts[s.host]
	for i, e := range h.idle {
		if e == place {
			h.idle = append(h.idle[:i], h.idle[i+1:]...)
			break
		}
	}
	return s
}

// stall puts a host with waiters and room of its own into the line for the total.
func (p *pool) stall(h *hostSlots) {
	if !h.stalled && h.waiters.Len() > 0 && h.open < p.perHost {
		h.stalled = true
		p.stalled = append(p.stalled, h)
	}
}

// makeRoom ends the session that was idle for longest when only the total holds somebody back.
func (p *pool) makeRoom() {
	if p.open >= p.total && len(p.stalled) > 0 && p.idle.Len() > 0 {
		p.retire(p.takeIdle(p.idle.Front()))
	}
}

// dispatch hands free slots out, one to each host in turn.
func (p *pool) dispatch() {
	for p.open < p.total && len(p.stalled) > 0 {
		h := p.stalled[0]
		p.stalled[0] = nil
		p.stalled = p.stalled[1:]
		h.stalled = false
		if h.open < p.perHost && h.waiters.Len() > 0 {
			p.take(h)
			h.waiters.Remove(h.waiters.Front()).(chan *session) <- nil
			p.stall(h)
		}
		p.tidy(h)
	}
}
