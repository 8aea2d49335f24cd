package probe

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Bounds of a look at our own health.
const (
	maxCanaries  = 5
	maxZones     = 20
	maxAddresses = 20
	quorum       = 2 // canaries that must be out of reach before it is our port that is closed
)

// HealthOptions say what is looked at.
type HealthOptions struct {
	Canaries  []string     // domains whose mail servers are asked whether port 25 is open from here, best of different providers
	Zones     []string     // DNS blocklists (RFC 5782)
	Addresses []netip.Addr // how the world sees us; empty: Config.Sources, else what a canary says it sees
}

// Finding is one thing that was looked at.
type Finding struct {
	Part string `json:"part"`           // "port 25", "HELO name", "reverse DNS", "blocklist"
	OK   Tri    `json:"ok"`             // Unsure: could not be found out
	Text string `json:"text"`           // what was tried and what came of it
	Mend string `json:"mend,omitempty"` // what to do about it
}

// Health is how the world of mail servers sees us.
type Health struct {
	At       time.Time `json:"at"`
	Port25   Tri       `json:"port_25"` // may we speak to mail servers at all?
	Listed   []string  `json:"listed"`  // "192.0.2.7 by zen.spamhaus.org"
	Findings []Finding `json:"findings"`
}

// Well reports that nothing speaks against asking mail servers.
func (h Health) Well() bool { return h.Port25 != No && len(h.Listed) == 0 }

func (h *Health) add(part string, ok Tri, text, mend string) {
	if ok == Yes {
		mend = ""
	}
	h.Findings = append(h.Findings, Finding{part, ok, printable(text, maxText), mend})
}

// Health looks at what mail servers hold against a client: whether port 25 is open, whether the name we greet with is a good
// one, whether our address resolves to that name and back, and whether it is on a blocklist. It sends nothing but EHLO and QUIT.
func (p *Prober) Health(ctx context.Context, o HealthOptions) Health {
	h := Health{At: time.Now(), Port25: Unsure, Listed: []string{}}
	if !p.enter() {
		return h
	}
	defer p.leave()
	ctx, stop := p.bound(ctx)
	defer stop()
	seen := p.canaries(ctx, &h, o.Canaries[:min(len(o.Canaries), maxCanaries)])
	p.checkHelo(ctx, &h)
	ours := o.Addresses
	if len(ours) == 0 {
		ours = p.sources
	}
	if len(ours) == 0 && seen.IsValid() {
		ours = []netip.Addr{seen}
	}
	ours = slices.DeleteFunc(slices.Clone(ours), func(ip netip.Addr) bool { return !routable(ip.Unmap(), p.cfg.AllowPrivate) })
	if len(ours) == 0 {
		h.add("reverse DNS", Unsure, "our public address is not known from here", "Set PROBE_PUBLIC_ADDRESSES to the address that mail servers see.")
		return h
	}
	for _, ip := range ours[:min(len(ours), maxAddresses)] {
		p.checkReverse(ctx, &h, ip.Unmap())
	}
	for _, zone := range o.Zones[:min(len(o.Zones), maxZones)] {
		p.checkZone(ctx, &h, zone, ours)
	}
	return h
}

// canaries connects to well-known mail servers, and returns the address that one of them says it sees.
func (p *Prober) canaries(ctx context.Context, h *Health, domains []string) (seen netip.Addr) {
	var tried []string
	failed := 0
	for _, domain := range domains {
		d, err := p.resolver.domain(ctx, domain)
		if err != nil || len(d.Hosts) == 0 || len(d.Hosts[0].IPs) == 0 {
			tried = append(tried, domain+": no mail server found in the DNS")
			continue
		}
		host, ip := d.Hosts[0].Name, d.Hosts[0].IPs[0]
		greeting, sees, err := p.greetCanary(ctx, host, ip)
		if err != nil {
			failed++
			tried = append(tried, fmt.Sprintf("%s [%s]: %s", host, ip, inWords(err)))
			continue
		}
		h.Port25 = Yes
		tried = append(tried, fmt.Sprintf("%s [%s] greets: %s", host, ip, greeting))
		if !seen.IsValid() {
			seen = sees
		}
	}
	if h.Port25 != Yes && failed > 0 && failed >= min(quorum, len(domains)) && ctx.Err() == nil {
		h.Port25 = No
	}
	mend := "Many providers close it. Ask yours to open it, run the workers elsewhere, or set PROBE_PROXY=socks5://… Until then addresses are ranked by pattern and MX only."
	if h.Port25 == Unsure {
		mend = "Check DNS_SERVER, and PROBE_CANARIES: domains whose mail servers are tried."
	}
	h.add("port 25", h.Port25, strings.Join(tried, "; "), mend)
	return seen
}

// seesAddress is how servers name the client in their answer to EHLO: "mx.test at your service, [192.0.2.7]".
var seesAddress = regexp.MustCompile(`\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]`)

// greetCanary goes as far as EHLO. Whatever is answered shows that the port is open.
func (p *Prober) greetCanary(ctx context.Context, host, ip string) (greeting string, sees netip.Addr, err error) {
	conn, err := p.connect(ctx, host, ip)
	if err != nil {
		return "", sees, err
	}
	s := newSession(conn, host, ip, &p.cfg, nil)
	defer s.quit()
	rep, err := s.greeting(ctx)
	if err != nil {
		return "", sees, err
	}
	greeting = printable(fmt.Sprintf("%d %s", rep.code, rep.text), 120)
	if rep.code != 220 {
		return greeting, sees, nil
	}
	if rep, err = s.hello(ctx); err == nil {
		if m := seesAddress.FindStringSubmatch(rep.text); m != nil {
			sees, _ = netip.ParseAddr(m[1])
		}
	}
	return greeting, sees, nil
}

// checkHelo looks at the name that we greet with (RFC 5321 §4.1.4): a full one that resolves.
func (p *Prober) checkHelo(ctx context.Context, h *Health) {
	const part = "HELO name"
	const mend = "Set PROBE_HELO to a host name of yours that resolves to this address, the same as its reverse DNS."
	name := strings.ToLower(p.cfg.Helo)
	switch {
	case name == "" || strings.HasPrefix(name, "["):
		h.add(part, No, "we greet with an address literal, which many servers refuse", mend)
	case !strings.Contains(name, ".") || localName(name):
		h.add(part, No, name+" is not a name in the public DNS", mend)
	default:
		switch set := p.resolver.askAddress(ctx, name); set.kind {
		case dnsFound:
			h.add(part, Yes, name+" resolves to "+strings.Join(append(set.ips, set.barred...), ", "), "")
		case dnsFailed:
			h.add(part, Unsure, set.detail, "Check DNS_SERVER.")
		default:
			h.add(part, No, name+" does not resolve", mend)
		}
	}
}

func localName(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return slices.Contains([]string{"local", "localdomain", "localhost", "internal", "lan", "home", "arpa"}, last)
}

// checkReverse looks whether the address's name is ours and leads back to it. Servers ask for both (RFC 7372 X.7.25).
func (p *Prober) checkReverse(ctx context.Context, h *Health, ip netip.Addr) {
	const part = "reverse DNS"
	mend := fmt.Sprintf("Ask whoever gives you %s to set its PTR record to the name in PROBE_HELO, and let that name resolve to %s.", ip, ip)
	names, answer := p.namesOf(ctx, ip)
	switch {
	case answer.kind == dnsFailed:
		h.add(part, Unsure, answer.detail, "Check DNS_SERVER.")
		return
	case len(names) == 0:
		h.add(part, No, ip.String()+" has no PTR record", mend)
		return
	}
	helo := strings.ToLower(p.cfg.Helo)
	if !slices.Contains(names, helo) {
		h.add(part, No, fmt.Sprintf("%s is called %s, and we greet as %s", ip, strings.Join(names, ", "), helo), mend)
		return
	}
	set := p.resolver.askAddress(ctx, helo)
	back := slices.Contains(set.ips, ip.String()) || slices.Contains(set.barred, ip.String())
	switch {
	case back:
		h.add(part, Yes, fmt.Sprintf("%s is called %s, which leads back to it", ip, helo), "")
	case set.kind == dnsFailed:
		h.add(part, Unsure, set.detail, "Check DNS_SERVER.")
	default:
		h.add(part, No, fmt.Sprintf("%s is called %s, which does not lead back to it", ip, helo), mend)
	}
}

// namesOf are the PTR names of an address.
func (p *Prober) namesOf(ctx context.Context, ip netip.Addr) ([]string, dnsAnswer) {
	reverse, err := dns.ReverseAddr(ip.String())
	if err != nil {
		return nil, dnsAnswer{kind: dnsFailed, detail: err.Error()}
	}
	answer := p.resolver.dns.query(ctx, reverse, dns.TypePTR)
	var names []string
	for _, rr := range answer.records[:min(len(answer.records), maxHosts)] {
		if ptr, ok := rr.(*dns.PTR); ok {
			names = append(names, strings.TrimSuffix(dns.CanonicalName(ptr.Ptr), "."))
		}
	}
	return names, answer
}
