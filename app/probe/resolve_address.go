package probe

import (
	"context"
	"net/netip"

	"github.com/miekg/dns"
)

// address resolves a host name to what may be dialled. A name without any address is asked for a second time, because a
// zone may be changing under us; only if that holds does it count as not there.
func (r *resolver) address(ctx context.Context, host string, implicit bool) addressSet {
	if c, ok := r.addresses.Get(host); ok && r.now().Before(c.until) {
		return c.value
	}
	set := r.askAddress(ctx, host)
	if !implicit && (set.kind == dnsNXDomain || set.kind == dnsNoData) {
		set = r.askAddress(ctx, host)
	}
	ttl := clampTTL(StateOK, set.ttl)
	switch set.kind {
	case dnsFailed:
		ttl = failureTTL
	case dnsNXDomain, dnsNoData:
		ttl = clampTTL(StateNoMX, set.ttl)
	}
	if ctx.Err() == nil {
		r.addresses.Add(host, cached[addressSet]{set, r.now().Add(ttl)})
	}
	return set
}

// askAddress asks for A and AAAA side by side. One of them is enough; a failure counts only when nothing was found.
func (r *resolver) askAddress(ctx context.Context, host string) addressSet {
	v6 := make(chan dnsAnswer, 1)
	go func() { v6 <- r.dns.query(ctx, host, dns.TypeAAAA) }()
	a := r.dns.query(ctx, host, dns.TypeA)
	aaaa := <-v6
	set := addressSet{kind: dnsFound, ttl: shorter(a.ttl, aaaa.ttl)}
	for _, rr := range append(a.records, aaaa.records...) {
		set.add(rr, r.allowPrivate)
	}
	if len(set.ips) > 0 {
		return set
	}
	switch {
	case a.kind == dnsFailed:
		set.kind, set.detail = dnsFailed, a.detail
	case aaaa.kind == dnsFailed:
		set.kind, set.detail = dnsFailed, aaaa.detail
	case len(set.barred) > 0:
	case a.kind == dnsNXDomain:
		set.kind, set.detail = dnsNXDomain, a.detail
	default:
		set.kind, set.detail = dnsNoData, host+" has no address"
	}
	return set
}

// add sorts one record into what may be dialled and what may not; both lists are bounded.
func (s *addressSet) add(rr dns.RR, allowPrivate bool) {
	ip, ok := recordIP(rr)
	switch {
	case !ok:
	case routable(ip, allowPrivate):
		if len(s.ips) < maxIPs {
			s.ips = append(s.ips, ip.String())
		}
	case len(s.barred) < maxIPs:
		s.barred = append(s.barred, ip.String())
	}
}

func recordIP(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		ip, ok := netip.AddrFromSlice(rr.A)
		return ip.Unmap(), ok // an A record's 4 bytes may be held in 16
	case *dns.AAAA:
		return netip.AddrFromSlice(rr.AAAA) // IPv4 in IPv6 stays as it is, to be refused
	}
	return netip.Addr{}, false
}
