package finder

import (
	"context"
	"sync"
)

// gates let one question at a time through for each domain, so that the second row on a domain nobody
// knows profits from the first. A gate exists only while somebody holds or awaits it.
type gates struct {
	mu sync.Mutex
	by map[string]*gate
}

type gate struct {
	turn chan struct{} // holds one token while the gate is free
	refs int
}

// enter waits for a domain's turn; false when ctx ended first. leave must be called after true.
func (g *gates) enter(ctx context.Context, domain string) bool {
	g.mu.Lock()
	if g.by == nil {
		g.by = map[string]*gate{}
	}
	d := g.by[domain]
	if d == nil {
		d = &gate{turn: make(chan struct{}, 1)}
		d.turn <- struct{}{}
		g.by[domain] = d
	}
	d.refs++
	g.mu.Unlock()
	select {
	case <-d.turn:
		return true
	case <-ctx.Done():
		g.drop(domain, d)
		return false
	}
}

// leave gives the turn to the next.
func (g *gates) leave(domain string) {
	g.mu.Lock()
	d := g.by[domain]
	g.mu.Unlock()
	d.turn <- struct{}{}
	g.drop(domain, d)
}

func (g *gates) drop(domain string, d *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if d.refs--; d.refs == 0 {
		delete(g.by, domain)
	}
}
