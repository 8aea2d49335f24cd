package mailworld

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	defaultGreylistFor = 8 * time.Second
	demoLatency        = 4 * time.Millisecond
)

// Options shape a generated world. The zero value is a usable one.
type Options struct {
	Seed             int64             // the same seed and sizes give the same world, byte for byte
	Companies        int               // default 24, at most 20,000
	PeoplePerCompany int               // average, default 12, at most 200
	People           int               // in all; 0 = Companies * PeoplePerCompany
	Latency          time.Duration     // before each SMTP reply (once for a pipelined group, as on a real line)
	Port             int               // common SMTP port; 0 = a free one
	DNSPort          int               // UDP and TCP on 127.0.0.1; 0 = a free one
	Mix              map[Behaviour]int // weights of the behaviours; nil = 70 % accurate, 18 % catch-all, the rest spread
	GreylistFor      time.Duration     // how long a greylisting host turns a client away; default 8 s
}

// World is a simulated mail internet. Its description is immutable; all methods may be called from many goroutines.
type World struct {
	options   Options
	companies []Company
	hosts     []*host
	zones     map[string]*zone
	rows      []Truth    // the rows of ContactsCSV and CSV, in their order
	messy     []messyRow // the rows of MessyCSV, in their order; only the demo world has them
	index     map[string]int

	held       sync.Map // domain to the channel whose end lets its servers speak; see Hold
	oneAddress bool     // tests: do without 127.64.0.0/16 even where it can be bound

	mu  sync.Mutex
	run *run // the last start; kept after Close so that its figures can be read
}

// build lays out the addresses, the zones and the rows of a world from its companies.
func build(o Options, companies []Company) *World {
	if o.GreylistFor <= 0 {
		o.GreylistFor = defaultGreylistFor
	}
	w := &World{options: o, companies: companies, zones: map[string]*zone{}}
	for i := range w.companies {
		w.settle(&w.companies[i])
	}
	w.rows = shuffledRows(w.companies, o.Seed)
	w.index = indexRows(w.rows)
	return w
}

// Companies returns all companies of the world with their people. The slices are the world's own: read only.
func (w *World) Companies() []Company { return w.companies }

// Company finds one by its mail domain.
func (w *World) Company(domain string) (Company, bool) {
	for _, c := range w.companies {
		if c.Domain == domain {
			return c, true
		}
	}
	return Company{}, false
}

// Start opens the DNS server and every MX host's listener. A world can be started again after Close, with fresh figures
// and an empty greylist.
func (w *World) Start() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run != nil && !w.run.closed {
		return errors.New("mail world: already started")
	}
	r, err := newRun(w)
	if err != nil {
		return fmt.Errorf("mail world: %w", err)
	}
	w.run = r
	return nil
}

// Close ends all connections and waits until no goroutine of the world is left. Closing twice, or a world that was
// never started, does nothing.
func (w *World) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run == nil || w.run.closed {
		return nil
	}
	return w.run.close()
}

// DNSAddr is the host:port of the DNS server (UDP and TCP); "" before Start.
func (w *World) DNSAddr() string {
	if r := w.current(); r != nil {
		return r.dnsAddr
	}
	return ""
}

// SMTPPort is the port of every MX host; 0 before Start.
func (w *World) SMTPPort() int {
	if r := w.current(); r != nil {
		return r.port
	}
	return 0
}

// Dial connects to an address of the world on any system: directly where 127.64.x.y can be bound, else by the real
// listener that stands for it. Whatever is not an SMTP host of the world is refused, so a demo cannot reach outside.
func (w *World) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	there, err := w.resolve(addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, there)
}

// Stats returns the figures since the last Start; they can still be read after Close.
func (w *World) Stats() Stats {
	if r := w.current(); r != nil {
		return r.stats()
	}
	return Stats{}
}

func (w *World) current() *run {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.run
}
