package probe

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Prober asks DNS and mail servers. It is safe for use by many goroutines and must be closed.
type Prober struct {
	cfg      Config
	dial     dialFunc
	sources  sources
	resolver *resolver
	pool     *pool
	memory   *memory
	names    *inventor
	stats    counters
	log      *slog.Logger

	ctx     context.Context // ends on Close
	cancel  context.CancelFunc
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // calls, look-ups and QUITs under way
}

type counters struct{ connections, rcpts, dnsQueries, reused atomic.Int64 }

// Stats counts what a Prober did since New.
type Stats struct {
	Connections int64 `json:"connections"`   // TCP connections tried to MX hosts
	RCPTs       int64 `json:"rcpts"`         // RCPT commands answered
	DNSQueries  int64 `json:"dns_queries"`   // DNS messages sent, retries included
	Reused      int64 `json:"reused"`        // questions that found an open session
	PeakPerHost int64 `json:"peak_per_host"` // most sessions to one MX host at once
}

// Sessions are the SMTP sessions of a Prober at this moment.
type Sessions struct {
	Busy    int // a question is asked in it; those that connect or say QUIT included
	Idle    int // kept open for the next question
	Waiting int // questions that wait for a session, because their host or all hosts have as many as they may
}

// New checks the configuration; its error names the wrong field. It opens no connection.
func New(c Config) (*Prober, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	p := &Prober{cfg: c, log: c.Log, names: newInventor(c.Seed)}
	if p.dial, err = newDialer(c); err != nil {
		return nil, err
	}
	if p.sources, err = newSources(c); err != nil {
		return nil, err
	}
	client, err := newDNSClient(c, resolvConf, &p.stats)
	if err != nil {
		return nil, err
	}
	if p.memory, err = newMemory(c); err != nil {
		return nil, err
	}
	p.pool = newPool(c, &p.running)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if p.resolver, err = newResolver(p.ctx, c, client, &p.running); err != nil {
		p.cancel()
		return nil, err
	}
	return p, nil
}

// Close ends questions under way (their answer is Unknown), QUITs the pooled sessions and returns when no goroutine is left.
func (p *Prober) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.pool.close()
	p.running.Wait()
	return nil
}

// Stats returns the counters as they are now.
func (p *Prober) Stats() Stats {
	return Stats{
		Connections: p.stats.connections.Load(),
		RCPTs:       p.stats.rcpts.Load(),
		DNSQueries:  p.stats.dnsQueries.Load(),
		Reused:      p.stats.reused.Load(),
		PeakPerHost: p.pool.peak.Load(),
	}
}

// Sessions counts what is open and who waits.
func (p *Prober) Sessions() Sessions { return p.pool.sessions() }

// enter counts a call in, unless the Prober is closed; leave must follow.
func (p *Prober) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.running.Add(1)
	return true
}

func (p *Prober) leave() { p.running.Done() }

// bound makes a context that also ends when the Prober is closed.
func (p *Prober) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(p.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
