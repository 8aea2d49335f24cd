package mailworld

import (
	"sort"
	"sync"
	"sync/atomic"
)

const (
	faultSamples   = 32  // kept to be shown; all are counted
	faultLineBytes = 120 // of the offending line
)

// Stats are the figures of a world since its last Start.
type Stats struct {
	Connections  int // SMTP connections accepted
	RCPTs        int // RCPT commands received
	DNSQueries   int
	DATACommands int // must stay 0: verifying never sends mail
	Faults       int // breaches of SMTP by clients
	PeakPerHost  int // most connections open at once to one MX host
	Peak         int // most connections open at once in all
	FaultSamples []Fault
	Hosts        []HostStats // hosts that saw a connection, by name
}

// HostStats are the figures of one MX host.
type HostStats struct {
	Name, Domain                           string
	Connections, Open, Peak, RCPTs, Faults int
}

// Fault is one breach of the protocol by a client.
type Fault struct {
	Host string
	Kind string // what was wrong, in words
	Line string // the line that showed it, cut
}

// gauge counts what is open and remembers the most that was.
type gauge struct{ open, peak atomic.Int64 }

func (g *gauge) add() {
	n := g.open.Add(1)
	for {
		peak := g.peak.Load()
		if n <= peak || g.peak.CompareAndSwap(peak, n) {
			return
		}
	}
}

func (g *gauge) done() { g.open.Add(-1) }

type hostCounters struct {
	gauge
	connections, rcpts, faults atomic.Int64
}

type counters struct {
	gauge
	connections, rcpts, dnsQueries, data, faults atomic.Int64

	hosts []hostCounters // by host.index

	mu      sync.Mutex
	samples []Fault
}

func (c *counters) fault(h *host, kind, line string) {
	c.faults.Add(1)
	c.hosts[h.index].faults.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.samples) < faultSamples {
		c.samples = append(c.samples, Fault{Host: h.name, Kind: kind, Line: line[:min(len(line), faultLineBytes)]})
	}
}

func (r *run) stats() Stats {
	s := Stats{
		Connections: int(r.connections.Load()), RCPTs: int(r.rcpts.Load()), DNSQueries: int(r.dnsQueries.Load()),
		DATACommands: int(r.data.Load()), Faults: int(r.faults.Load()), Peak: int(r.peak.Load()),
	}
	r.counters.mu.Lock()
	s.FaultSamples = append([]Fault(nil), r.samples...)
	r.counters.mu.Unlock()
	for i, h := range r.world.hosts {
		c := &r.hosts[i]
		if c.connections.Load() == 0 {
			continue
		}
		hs := HostStats{
			Name: h.name, Domain: h.domain, Connections: int(c.connections.Load()), Open: int(c.open.Load()),
			Peak: int(c.peak.Load()), RCPTs: int(c.rcpts.Load()), Faults: int(c.faults.Load()),
		}
		s.PeakPerHost = max(s.PeakPerHost, hs.Peak)
		s.Hosts = append(s.Hosts, hs)
	}
	sort.Slice(s.Hosts, func(i, j int) bool { return s.Hosts[i].Name < s.Hosts[j].Name })
	return s
}
