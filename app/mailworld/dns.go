package mailworld

import (
	"net"
	"strings"

	"github.com/miekg/dns"
)

const dnsTTL = 300 // seconds, for positive and negative answers alike

// dnsManners says how a domain stands in the DNS.
type dnsManners struct {
	absent       bool // NXDOMAIN: nobody registered it
	servfail     bool
	silent       bool // queries are never answered
	truncated    bool // over UDP only TC=1 comes back: the client has to ask again over TCP
	nullMX       bool // RFC 7505, with an A record beside it that must not be used
	noMX         bool // the domain exists and has neither MX nor A
	implicit     bool // only an A record: RFC 5321 5.1
	alias        bool // the MX names are CNAMEs
	unresolvable bool // the MX names do not exist
	refused      bool // REFUSED
	v6           bool // addresses are AAAA records
	unroutable   bool // the MX names have an address that nobody may dial
	hostServfail bool // SERVFAIL for the MX names
}

type zone struct {
	apex  string // with the final dot
	how   dnsManners
	nodes map[string]*node
}

type node struct{ mx, a, aaaa, cname []dns.RR }

func newZone(domain string, how dnsManners) *zone {
	z := &zone{apex: dns.Fqdn(domain), how: how, nodes: map[string]*node{}}
	z.node(z.apex)
	if how.nullMX {
		z.addMX(0, ".")
	}
	return z
}

// addHost publishes the i-th MX host of the zone.
func (z *zone) addHost(h *host, i int) {
	name := dns.Fqdn(h.name)
	switch {
	case z.how.noMX:
	case z.how.implicit, z.how.nullMX:
		z.addA(z.apex, h)
	case z.how.unresolvable:
		z.addMX(10*(i+1), name)
	case z.how.alias:
		alias := "mail." + z.apex
		z.addMX(10*(i+1), alias)
		z.node(alias).cname = append(z.node(alias).cname, &dns.CNAME{Hdr: header(alias, dns.TypeCNAME), Target: name})
		z.addA(name, h)
	default:
		z.addMX(10*(i+1), name)
		z.addA(name, h)
	}
}

func (z *zone) addMX(pref int, name string) {
	n := z.node(z.apex)
	n.mx = append(n.mx, &dns.MX{Hdr: header(z.apex, dns.TypeMX), Preference: uint16(pref), Mx: name})
}

// metadata is the address under which clouds tell machines their secrets.
var metadata = net.IPv4(169, 254, 169, 254)

func (z *zone) addA(name string, h *host) {
	n := z.node(name)
	switch {
	case z.how.v6:
		n.aaaa = append(n.aaaa, &dns.AAAA{Hdr: header(name, dns.TypeAAAA), AAAA: net.IP(v6Of(h.ip).AsSlice())})
	case z.how.unroutable:
		n.a = append(n.a, &dns.A{Hdr: header(name, dns.TypeA), A: metadata})
	default:
		n.a = append(n.a, &dns.A{Hdr: header(name, dns.TypeA), A: net.IP(h.ip.AsSlice())})
	}
}

func (z *zone) node(name string) *node {
	if z.nodes[name] == nil {
		z.nodes[name] = &node{}
	}
	return z.nodes[name]
}

func header(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: dnsTTL}
}

// soa goes with every negative answer, so that resolvers may keep it (RFC 2308).
func soa(apex string) dns.RR {
	return &dns.SOA{Hdr: header(apex, dns.TypeSOA), Ns: "ns.mailworld.test.", Mbox: "hostmaster.mailworld.test.",
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: dnsTTL}
}

// ServeDNS answers one query from the world's zones.
func (r *run) ServeDNS(rw dns.ResponseWriter, q *dns.Msg) {
	r.dnsQueries.Add(1)
	m := new(dns.Msg).SetReply(q)
	if opt := q.IsEdns0(); opt != nil {
		m.SetEdns0(dns.DefaultMsgSize, opt.Do())
	}
	if len(q.Question) != 1 || q.Opcode != dns.OpcodeQuery || q.Question[0].Qclass != dns.ClassINET {
		m.Rcode = dns.RcodeRefused
		_ = rw.WriteMsg(m)
		return
	}
	_, udp := rw.RemoteAddr().(*net.UDPAddr)
	if r.world.answer(m, udp) {
		_ = rw.WriteMsg(m) // a client that went away is its own affair
	}
}

// answer fills in the reply; false means that this zone's server says nothing at all.
func (w *World) answer(m *dns.Msg, udp bool) bool {
	q := m.Question[0]
	name := strings.ToLower(dns.Fqdn(q.Name))
	z := w.zoneOf(name)
	if z == nil {
		m.Rcode, m.Ns = dns.RcodeNameError, []dns.RR{soa(".")}
		return true
	}
	if z.how.silent {
		return false
	}
	switch {
	case z.how.servfail, z.how.hostServfail && name != z.apex:
		m.Rcode = dns.RcodeServerFailure
		return true
	case z.how.refused:
		m.Rcode = dns.RcodeRefused
		return true
	}
	m.Authoritative = true
	if z.how.truncated && udp {
		m.Truncated = true
		return true
	}
	z.fill(m, name, q.Qtype)
	return true
}

func (z *zone) fill(m *dns.Msg, name string, kind uint16) {
	n := z.nodes[name]
	if n == nil {
		m.Rcode, m.Ns = dns.RcodeNameError, []dns.RR{soa(z.apex)}
		return
	}
	if len(n.cname) > 0 && kind != dns.TypeCNAME {
		m.Answer = append(m.Answer, n.cname...)
		name = n.cname[0].(*dns.CNAME).Target
		n = z.nodes[name]
	}
	switch kind {
	case dns.TypeMX:
		m.Answer = append(m.Answer, n.mx...)
	case dns.TypeA:
		m.Answer = append(m.Answer, n.a...)
	case dns.TypeAAAA:
		m.Answer = append(m.Answer, n.aaaa...)
	case dns.TypeCNAME:
		m.Answer = append(m.Answer, n.cname...)
	}
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{soa(z.apex)}
	}
}

// zoneOf finds the zone that a name lies in: the domain itself or a name below it.
func (w *World) zoneOf(name string) *zone {
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if z := w.zones[name[off:]]; z != nil {
			return z
		}
	}
	return nil
}
