package probe

import (
	"context"
	"slices"
	"time"
)

// DomainState says what the DNS makes of a mail domain.
type DomainState string

// The states. All but StateOK are a verdict on every address of the domain.
const (
	StateOK             DomainState = "ok"
	StateNullMX         DomainState = "null_mx"
	StateNoMX           DomainState = "no_mx"
	StateDomainNotFound DomainState = "domain_not_found"
	StateUnroutable     DomainState = "unroutable"
	StateDNSFailed      DomainState = "dns_failed" // temporary
)

// Bounds of what is kept of a domain, and for how long.
const (
	maxHosts       = 20
	maxIPs         = 8 // per host
	minTTL         = time.Minute
	maxTTL         = 24 * time.Hour
	maxNegativeTTL = time.Hour        // what does not exist may be made any minute
	failureTTL     = 30 * time.Second // RFC 2308 §7 allows 5 minutes
	dnsRetryAfter  = time.Minute
)

// Host is one MX host with the addresses that may be dialled, IPv4 first.
type Host struct {
	Name string   `json:"name"` // lower case, no trailing dot
	Pref int      `json:"pref"` // lower is better
	IPs  []string `json:"ips"`
}

// Domain is what the DNS says of a mail domain. It may be kept by the caller for TTL.
type Domain struct {
	Name       string        `json:"name"` // as CleanDomain returns it
	State      DomainState   `json:"state"`
	Implicit   bool          `json:"implicit"` // no MX: the domain's own address is the mail server (RFC 5321 §5.1)
	Hosts      []Host        `json:"hosts"`    // by preference, at most 20
	Provider   string        `json:"provider"` // "google", "microsoft365", …; "" = not recognised
	Webmail    bool          `json:"webmail"`
	Disposable bool          `json:"disposable"`
	CheckedAt  time.Time     `json:"checked_at"`
	TTL        time.Duration `json:"ttl"`    // nanoseconds
	Detail     string        `json:"detail"` // what the DNS said, in words
}

// servers are the names of the mail servers, sorted.
func (d Domain) servers() []string {
	names := make([]string, len(d.Hosts))
	for i, h := range d.Hosts {
		names[i] = h.Name
	}
	slices.Sort(names)
	return names
}

// Verdict is what the domain's state means for every address in it; ok is false when the mail servers must be asked.
func (d Domain) Verdict() (Status, Reason, bool) {
	switch d.State {
	case StateOK:
		return "", "", false
	case StateNullMX:
		return Invalid, NullMX, true
	case StateNoMX:
		return Invalid, NoMX, true
	case StateDomainNotFound:
		return Invalid, DomainNotFound, true
	case StateUnroutable:
		return Invalid, Unroutable, true
	}
	return Unknown, DNSFailed, true
}

// Lookup finds the mail servers of a domain, from memory when the DNS said so within its TTL. It never fails: a name
// that is no domain is StateDomainNotFound, and a DNS that cannot be asked, the end of ctx included, StateDNSFailed.
func (p *Prober) Lookup(ctx context.Context, domain string) Domain {
	now := p.cfg.now()
	name, err := aLabels(domain)
	if err != nil {
		return Domain{Name: domain, State: StateDomainNotFound, CheckedAt: now, TTL: maxTTL, Detail: err.Error()}
	}
	failed := Domain{Name: name, State: StateDNSFailed, CheckedAt: now, TTL: failureTTL, Detail: "closed"}
	if !p.enter() {
		return failed
	}
	defer p.leave()
	d, err := p.resolver.domain(ctx, name)
	if err != nil {
		failed.Detail = err.Error()
		return failed
	}
	return d
}
