package probe

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Blocklists are asked in the DNS (RFC 5782): 7.2.0.192.zone for 192.0.2.7. The answer is in 127.0.0.0/8 and says why.
var (
	listAnswers = netip.MustParsePrefix("127.0.0.0/8")
	// listRefusals are answers to us and not about the address: the zone refuses our resolver, or we asked too much.
	listRefusals = netip.MustParsePrefix("127.255.255.0/24")
	// RFC 5782 §5: every zone has the one and none has the other.
	listedAlways = netip.MustParseAddr("127.0.0.2")
	listedNever  = netip.MustParseAddr("127.0.0.1")
)

// listing is what a zone says of an address.
type listing struct {
	listed Tri
	why    string
}

// checkZone asks one zone for our addresses. A zone that does not pass its own test has nothing to say about us.
func (p *Prober) checkZone(ctx context.Context, h *Health, zone string, ours []netip.Addr) {
	const part = "blocklist"
	zone = strings.ToLower(strings.Trim(zone, "."))
	if why := p.zoneFails(ctx, zone); why != "" {
		h.add(part, Unsure, zone+" "+why, "Most zones refuse public resolvers: let DNS_SERVER be a resolver of your own, or take the zone out of DNSBL_ZONES.")
		return
	}
	clean := 0
	for _, ip := range ours[:min(len(ours), maxAddresses)] {
		switch l := p.listing(ctx, zone, ip.Unmap()); l.listed {
		case Yes:
			h.Listed = append(h.Listed, fmt.Sprintf("%s by %s", ip, zone))
			h.add(part, No, fmt.Sprintf("%s is listed by %s: %s", ip, zone, l.why),
				"Read the reason, mend the cause, and ask the list to take the address off; until then ask from another address (PROBE_SOURCE_ADDRESSES, PROBE_PROXY).")
		case Unsure:
			h.add(part, Unsure, fmt.Sprintf("%s: %s", zone, l.why), "Look again later.")
		default:
			clean++
		}
	}
	if clean > 0 {
		h.add(part, Yes, fmt.Sprintf("%s does not list %d of our addresses", zone, clean), "")
	}
}

// zoneFails says in words why a zone cannot be believed, "" when it can.
func (p *Prober) zoneFails(ctx context.Context, zone string) string {
	if !validHostName(zone) {
		return "is not a name"
	}
	if l := p.listing(ctx, zone, listedAlways); l.listed != Yes {
		return "does not answer as a blocklist does: " + l.why
	}
	if l := p.listing(ctx, zone, listedNever); l.listed != No {
		return "lists everything"
	}
	return ""
}

// listing asks a zone for one address.
func (p *Prober) listing(ctx context.Context, zone string, ip netip.Addr) listing {
	name := listName(ip) + "." + dns.Fqdn(zone)
	answer := p.resolver.dns.query(ctx, name, dns.TypeA)
	switch answer.kind {
	case dnsFailed:
		return listing{Unsure, answer.detail}
	case dnsNXDomain, dnsNoData:
		return listing{No, "not listed"}
	}
	var codes []string
	for _, rr := range answer.records {
		code, ok := recordIP(rr)
		switch {
		case !ok || !listAnswers.Contains(code):
			return listing{Unsure, "its answer is not a blocklist's"}
		case listRefusals.Contains(code):
			return listing{Unsure, fmt.Sprintf("it refuses to answer us (%s)", code)}
		}
		codes = append(codes, code.String())
	}
	why := strings.Join(codes, ", ")
	for _, rr := range p.resolver.dns.query(ctx, name, dns.TypeTXT).records {
		if txt, ok := rr.(*dns.TXT); ok {
			return listing{Yes, why + ", " + printable(strings.Join(txt.Txt, ""), maxLineText)}
		}
	}
	return listing{Yes, why}
}

// listName is an address as zones have it: octets, or nibbles of IPv6, backwards (RFC 5782 §2.1, §2.4).
func listName(ip netip.Addr) string {
	reverse, err := dns.ReverseAddr(ip.String())
	if err != nil {
		return "invalid"
	}
	reverse = strings.TrimSuffix(reverse, ".in-addr.arpa.")
	return strings.TrimSuffix(reverse, ".ip6.arpa.")
}
