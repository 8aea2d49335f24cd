package probe

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// rule is one rule of RFC 5321 §5.1 (and the RFCs beside it) on which server is asked. The zone is acme.test's; mail servers
// that know anna.known listen at 10.0.0.1 and fd00::1, nobody at 10.0.0.8, 10.0.0.9 and fd00::9.
type rule struct {
	name    string
	zone    []string
	odd     map[string]func(dns.ResponseWriter, *dns.Msg)
	state   DomainState
	verdict want
	host    string // that answered
	ip      string
}

func servfail(keys ...string) map[string]func(dns.ResponseWriter, *dns.Msg) {
	odd := map[string]func(dns.ResponseWriter, *dns.Msg){}
	for _, k := range keys {
		odd[k] = rcode(dns.RcodeServerFailure)
	}
	return odd
}

// truncated answers with TC over UDP, and over TCP as tcp does.
func truncated(tcp func(dns.ResponseWriter, *dns.Msg)) func(dns.ResponseWriter, *dns.Msg) {
	return func(rw dns.ResponseWriter, q *dns.Msg) {
		if _, udp := rw.RemoteAddr().(*net.UDPAddr); udp {
			m := new(dns.Msg).SetReply(q)
			m.Truncated = true
			_ = rw.WriteMsg(m)
			return
		}
		tcp(rw, q)
	}
}

func answering(lines ...string) func(dns.ResponseWriter, *dns.Msg) {
	return func(rw dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		for _, line := range lines {
			rr, err := dns.NewRR(line)
			if err == nil {
				m.Answer = append(m.Answer, rr)
			}
		}
		_ = rw.WriteMsg(m)
	}
}

var mxRules = []rule{
	{name: "the lowest preference is asked first", zone: []string{"acme.test. IN MX 20 b.test.", "acme.test. IN MX 5 a.test.", "a.test. IN A 10.0.0.1", "b.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
	{name: "the next preference follows, and the next", zone: []string{"acme.test. IN MX 1 a.test.", "acme.test. IN MX 2 b.test.", "acme.test. IN MX 3 c.test.",
		"a.test. IN A 10.0.0.8", "b.test. IN A 10.0.0.9", "c.test. IN A 10.0.0.1"}, state: StateOK, verdict: exists, host: "c.test", ip: "10.0.0.1"},
	{name: "a host's second address follows its first", zone: []string{"acme.test. IN MX 1 a.test.", "a.test. IN A 10.0.0.8", "a.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
	{name: "a host's IPv4 address follows a dead IPv6 one, or the other way round", zone: []string{"acme.test. IN MX 1 a.test.", "a.test. IN AAAA fd00::9", "a.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
	{name: "a host with IPv6 alone is asked there", zone: []string{"acme.test. IN MX 1 a.test.", "a.test. IN AAAA fd00::1"},
		state: StateOK, verdict: exists, host: "a.test", ip: "fd00::1"},
	{name: "without MX the domain's A record stands in", zone: []string{"acme.test. IN A 10.0.0.1"}, state: StateOK, verdict: exists, host: "acme.test", ip: "10.0.0.1"},
	{name: "without MX and A the AAAA record stands in", zone: []string{"acme.test. IN AAAA fd00::1"}, state: StateOK, verdict: exists, host: "acme.test", ip: "fd00::1"},
	{name: "with an MX that is dead the A record does not stand in", zone: []string{"acme.test. IN MX 1 a.test.", "a.test. IN A 10.0.0.8", "acme.test. IN A 10.0.0.1"},
		state: StateOK, verdict: down, host: "a.test", ip: "10.0.0.8"},
	{name: "with an MX that does not exist the A record does not stand in", zone: []string{"acme.test. IN MX 1 gone.other.", "acme.test. IN A 10.0.0.1"},
		state: StateNoMX, verdict: want{Invalid, NoMX}},
	{name: "while the MX cannot be told the A record does not stand in", zone: []string{"acme.test. IN A 10.0.0.1"}, odd: servfail("acme.test. MX"),
		state: StateDNSFailed, verdict: want{Unknown, DNSFailed}},
	{name: "null MX means no mail (RFC 7505)", zone: []string{"acme.test. IN MX 0 .", "acme.test. IN A 10.0.0.1"}, state: StateNullMX, verdict: want{Invalid, NullMX}},
	{name: "null MX beside a real one is passed over (RFC 7505 §3)", zone: []string{"acme.test. IN MX 0 .", "acme.test. IN MX 5 a.test.", "a.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
	{name: "an alias for the domain is followed to its MX", zone: []string{"acme.test. IN CNAME real.test.", "real.test. IN MX 1 a.test.", "a.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
	{name: "an alias for the domain is followed to its address", zone: []string{"acme.test. IN CNAME real.test.", "real.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "acme.test", ip: "10.0.0.1"},
	{name: "an alias for the MX is followed (against RFC 2181 §10.3, as everybody does)", zone: []string{"acme.test. IN MX 1 mail.test.", "mail.test. IN CNAME a.test.", "a.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "mail.test", ip: "10.0.0.1"},
	{name: "an answer that was cut short is asked for over TCP", odd: map[string]func(dns.ResponseWriter, *dns.Msg){"acme.test. MX": truncated(answering("acme.test. 60 IN MX 1 a.test."))},
		zone: []string{"a.test. IN A 10.0.0.1"}, state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
	{name: "an answer that is cut short and not to be had over TCP is unknown", odd: map[string]func(dns.ResponseWriter, *dns.Msg){"acme.test. MX": truncated(func(rw dns.ResponseWriter, _ *dns.Msg) { _ = rw.Close() })},
		zone: []string{"acme.test. IN A 10.0.0.1"}, state: StateDNSFailed, verdict: want{Unknown, DNSFailed}},
	{name: "NXDOMAIN means that there is no such domain", state: StateDomainNotFound, verdict: want{Invalid, DomainNotFound}},
	{name: "SERVFAIL means nothing", odd: servfail("acme.test. MX"), state: StateDNSFailed, verdict: want{Unknown, DNSFailed}},
	{name: "a resolver that does not answer in time means nothing", odd: map[string]func(dns.ResponseWriter, *dns.Msg){"acme.test. MX": func(dns.ResponseWriter, *dns.Msg) {}},
		state: StateDNSFailed, verdict: want{Unknown, DNSFailed}},
	{name: "SERVFAIL for the MX's address means nothing", zone: []string{"acme.test. IN MX 1 a.test."}, odd: servfail("a.test. A", "a.test. AAAA"),
		state: StateDNSFailed, verdict: want{Unknown, DNSFailed}},
	{name: "SERVFAIL for the MX's AAAA does not hide its A", zone: []string{"acme.test. IN MX 1 a.test.", "a.test. IN A 10.0.0.1"}, odd: servfail("a.test. AAAA"),
		state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
	{name: "one MX that does not exist leaves the others", zone: []string{"acme.test. IN MX 1 gone.other.", "acme.test. IN MX 2 a.test.", "a.test. IN A 10.0.0.1"},
		state: StateOK, verdict: exists, host: "a.test", ip: "10.0.0.1"},
}

func TestRulesOfMX(t *testing.T) {
	for _, r := range mxRules {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			w.zone(r.zone...)
			for key, f := range r.odd {
				w.oddly(key, f)
			}
			w.at("10.0.0.1", &mta{})
			w.at("fd00::1", &mta{})
			p := w.prober(func(c *Config) { c.DNSTimeout = 300 * time.Millisecond })
			require.Equal(t, r.state, lookup(p, "acme.test").State)
			a := check(p, here+"@acme.test")
			require.Equal(t, r.verdict, want{a.Status, a.Reason}, "%+v", a)
			require.Equal(t, r.host, a.Host)
			require.Equal(t, r.ip, a.IP)
		})
	}
}
