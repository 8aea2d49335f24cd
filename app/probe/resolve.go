package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// Bounds of the resolver's memory and work.
const (
	domainCache   = 20_000           // domains
	addressCache  = 20_000           // host names
	hostsAtOnce   = 4                // hosts of one domain that are resolved side by side
	lookupTimeout = 60 * time.Second // one domain with all its hosts
)

// cached is a value that is true until a moment. golang-lru's own expirable cache is not used: it starts a goroutine
// that cannot be stopped (v2.0.7), and knows one TTL for all.
type cached[T any] struct {
	value T
	until time.Time
}

// resolver turns domains into Domains. Questions for the same name at the same time are one question.
type resolver struct {
	dns          *dnsClient
	allowPrivate bool
	ctx          context.Context // ends when the Prober closes; the flights run in it, not in their first caller's
	flights      singleflight.Group
	running      *sync.WaitGroup
	domains      *lru.Cache[string, cached[Domain]]
	addresses    *lru.Cache[string, cached[addressSet]]
	shuffle      func(n int, swap func(i, j int))
	now          func() time.Time
}

// addressSet is what a host name resolves to.
type addressSet struct {
	kind   dnsKind
	ips    []string // that may be dialled
	barred []string // that may not
	ttl    time.Duration
	detail string
}

func newResolver(ctx context.Context, c Config, client *dnsClient, running *sync.WaitGroup) (*resolver, error) {
	domains, err := lru.New[string, cached[Domain]](domainCache)
	if err != nil {
		return nil, fmt.Errorf("make domain cache: %w", err)
	}
	addresses, err := lru.New[string, cached[addressSet]](addressCache)
	if err != nil {
		return nil, fmt.Errorf("make address cache: %w", err)
	}
	r := &resolver{dns: client, allowPrivate: c.AllowPrivate, ctx: ctx, running: running, domains: domains, addresses: addresses, now: c.now}
	r.shuffle = rand.Shuffle
	if c.Seed != 0 {
		r.shuffle = func(n int, swap func(i, j int)) { rand.New(rand.NewPCG(c.Seed, c.Seed)).Shuffle(n, swap) }
	}
	return r, nil
}

// domain answers from memory or asks; err is the end of ctx only.
func (r *resolver) domain(ctx context.Context, name string) (Domain, error) {
	if c, ok := r.domains.Get(name); ok && r.now().Before(c.until) {
		return c.value.clone(), nil
	}
	if err := ctx.Err(); err != nil {
		return Domain{}, err
	}
	r.running.Add(1)
	flight := r.flights.DoChan(name, func() (any, error) {
		if c, ok := r.domains.Get(name); ok && r.now().Before(c.until) {
			return c.value, nil // a flight has landed since the look above
		}
		ctx, cancel := context.WithTimeout(r.ctx, lookupTimeout)
		defer cancel()
		d := r.find(ctx, name)
		if r.ctx.Err() == nil {
			r.domains.Add(name, cached[Domain]{d, d.CheckedAt.Add(d.TTL)})
		}
		return d, nil
	})
	select {
	case res := <-flight:
		r.running.Done()
		return res.Val.(Domain).clone(), nil
	case <-ctx.Done():
		go func() { <-flight; r.running.Done() }() // the flight goes on for others and for the cache, within lookupTimeout
		return Domain{}, ctx.Err()
	}
}

// clone keeps callers from sharing the cache's slices.
func (d Domain) clone() Domain {
	d.Hosts = slices.Clone(d.Hosts)
	for i := range d.Hosts {
		d.Hosts[i].IPs = slices.Clone(d.Hosts[i].IPs)
	}
	return d
}

// find asks for the MX records and decides by RFC 5321 §5.1 what they mean.
func (r *resolver) find(ctx context.Context, name string) Domain {
	d := Domain{Name: name, Webmail: isWebmail(name), Disposable: isDisposable(name)}
	mx := r.dns.query(ctx, name, dns.TypeMX)
	d.TTL, d.Detail = mx.ttl, mx.detail
	switch mx.kind {
	case dnsFailed:
		d.State = StateDNSFailed
	case dnsNXDomain:
		d.State = StateDomainNotFound
	case dnsNoData:
		d.Implicit = true
		r.resolveHosts(ctx, &d, []Host{{Name: name}})
	default:
		hosts, null := r.mxHosts(mx.records)
		switch {
		case null:
			d.State, d.Detail = StateNullMX, "the domain says that it takes no mail (null MX)"
		case len(hosts) == 0:
			d.State, d.Detail = StateNoMX, "no MX record names a usable host"
		default:
			r.resolveHosts(ctx, &d, hosts)
		}
	}
	d.Provider = providerOf(d.Hosts)
	d.CheckedAt = r.now()
	d.TTL = clampTTL(d.State, d.TTL)
	return d
}

func clampTTL(s DomainState, ttl time.Duration) time.Duration {
	switch s {
	case StateDNSFailed:
		return failureTTL
	case StateOK:
		return min(max(ttl, minTTL), maxTTL)
	}
	return min(max(ttl, minTTL), maxNegativeTTL)
}

// mxHosts sorts MX records by preference, at random among equals (RFC 5321 §5.1), and keeps the first maxHosts.
// null is RFC 7505: "." and nothing else.
func (r *resolver) mxHosts(records []dns.RR) (hosts []Host, null bool) {
	seen := map[string]bool{}
	for _, rr := range records {
		mx, ok := rr.(*dns.MX)
		if !ok {
			continue
		}
		name := strings.TrimSuffix(dns.CanonicalName(mx.Mx), ".")
		if name == "" {
			null = true
			continue
		}
		if validHostName(name) && !seen[name] {
			seen[name] = true
			hosts = append(hosts, Host{Name: name, Pref: int(mx.Preference)})
		}
	}
	slices.SortFunc(hosts, func(a, b Host) int { return strings.Compare(a.Name, b.Name) })
	r.shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	slices.SortStableFunc(hosts, func(a, b Host) int { return a.Pref - b.Pref })
	return hosts[:min(len(hosts), maxHosts)], null && len(hosts) == 0 && len(records) == 1
}

// resolveHosts fills in the addresses and the state. Hosts without a usable address are left out.
func (r *resolver) resolveHosts(ctx context.Context, d *Domain, hosts []Host) {
	sets := make([]addressSet, len(hosts))
	var g errgroup.Group
	g.SetLimit(hostsAtOnce)
	for i, h := range hosts {
		g.Go(func() error {
			sets[i] = r.address(ctx, h.Name, d.Implicit)
			return nil
		})
	}
	_ = g.Wait() // the functions return no error
	d.judge(hosts, sets)
}

// judge keeps the hosts that can be asked and derives the state. A host whose address the DNS could not tell just now
// stays in the list without IPs, so that the hosts after it still count as its backups.
func (d *Domain) judge(hosts []Host, sets []addressSet) {
	var dialable bool
	var failed, barred, absent string
	for i, s := range sets {
		h := hosts[i]
		switch {
		case len(s.ips) > 0:
			dialable = true
			d.Hosts = append(d.Hosts, Host{Name: h.Name, Pref: h.Pref, IPs: s.ips})
			d.TTL = shorter(d.TTL, s.ttl)
		case s.kind == dnsFailed:
			failed, d.TTL = s.detail, minTTL
			d.Hosts = append(d.Hosts, Host{Name: h.Name, Pref: h.Pref})
		case len(s.barred) > 0:
			barred = h.Name + " has only addresses that are not public: " + strings.Join(s.barred, " ")
		default:
			absent = s.detail
		}
	}
	switch {
	case dialable:
		d.State, d.Detail = StateOK, describe(d)
		return
	case failed != "":
		d.State, d.Detail = StateDNSFailed, failed
	case barred != "":
		d.State, d.Detail = StateUnroutable, barred
	default:
		d.State, d.Detail = StateNoMX, absent
	}
	d.Hosts = nil
}

func describe(d *Domain) string {
	var b strings.Builder
	if d.Implicit {
		b.WriteString("no MX record; the domain's own address stands in: ")
	}
	for i, h := range d.Hosts {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s (%s)", h.Pref, h.Name, strings.Join(h.IPs, " "))
	}
	return b.String()
}
