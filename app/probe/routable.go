package probe

import (
	"fmt"
	"net/netip"
	"syscall"
)

// neverDialled is refused even with AllowPrivate: nothing there is a mail server, and cloud metadata is.
var neverDialled = prefixes(
	"0.0.0.0/8",          // this network: 0.0.0.0 is the machine itself (RFC 791)
	"169.254.0.0/16",     // link-local, cloud metadata (RFC 3927)
	"168.63.129.16/32",   // Azure's wire server: a public address that only answers inside
	"100.100.100.200/32", // Alibaba Cloud metadata
	"192.0.0.0/24",       // IETF protocol assignments, Oracle Cloud metadata (RFC 6890)
	"224.0.0.0/4",        // multicast (RFC 5771)
	"240.0.0.0/4",        // reserved and broadcast (RFC 1112)
	"fd00:ec2::/32",      // AWS metadata
	"fe80::/10",          // link-local (RFC 4291)
	"fec0::/10",          // site-local (RFC 3879)
	"ff00::/8",           // multicast (RFC 4291)
	"::/128",             // unspecified
)

// privateNets is refused unless AllowPrivate (IANA special-purpose registries, RFC 6890).
var privateNets = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
	"100.64.0.0/10",                                     // carrier-grade NAT (RFC 6598)
	"127.0.0.0/8",                                       // loopback
	"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation (RFC 5737)
	"192.88.99.0/24", // 6to4 relays (RFC 7526)
	"198.18.0.0/15",  // benchmarks (RFC 2544)
	"2001::/23",      // Teredo, ORCHID and other protocol assignments (RFC 2928)
	"2001:db8::/32",  // documentation (RFC 3849)
	"2002::/16",      // 6to4: carries any IPv4 address (RFC 3056)
	"3fff::/20",      // documentation (RFC 9637)
)

// globalUnicast is all of IPv6 that is handed out to networks (RFC 4291 §2.4). What lies outside, such as ::1,
// fc00::/7 and NAT64's 64:ff9b::/96, counts as private.
var globalUnicast = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func within(ip netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// routable says whether a mail server may live at ip. Addresses with a zone and IPv4 dressed as IPv6 are refused
// whatever they hold: no honest AAAA record has them.
func routable(ip netip.Addr, allowPrivate bool) bool {
	if !ip.IsValid() || ip.Zone() != "" || ip.Is4In6() || within(ip, neverDialled) {
		return false
	}
	if allowPrivate {
		return true
	}
	if ip.Is6() && !globalUnicast.Contains(ip) {
		return false
	}
	return !within(ip, privateNets)
}

// unroutableError is the refusal to dial.
type unroutableError struct{ addr string }

func (e *unroutableError) Error() string {
	return fmt.Sprintf("refused to dial %s: not a public address", e.addr)
}

// checkDialled refuses host:port whose host is not an IP that may be dialled. Run on what is really dialled, after any
// resolution, it leaves DNS rebinding nothing to gain.
func checkDialled(addr string, allowPrivate bool) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !routable(ap.Addr(), allowPrivate) {
		return &unroutableError{addr}
	}
	return nil
}

// dialControl is a net.Dialer.Control that holds checkDialled against the address given to connect(2).
func dialControl(allowPrivate bool) func(network, addr string, _ syscall.RawConn) error {
	return func(_, addr string, _ syscall.RawConn) error { return checkDialled(addr, allowPrivate) }
}
