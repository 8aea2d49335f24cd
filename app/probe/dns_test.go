package probe

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

func lookup(p *Prober, domain string) Domain { return p.Lookup(context.Background(), domain) }

func names(d Domain) (out []string) {
	for _, h := range d.Hosts {
		out = append(out, h.Name)
	}
	return out
}

func TestHostsComeByPreferenceAndAtRandomAmongEquals(t *testing.T) {
	w := newWorld(t)
	w.zone("acme.test. IN MX 30 c.acme.test.", "acme.test. IN MX 10 A.ACME.test.", "acme.test. IN MX 20 b1.acme.test.", "acme.test. IN MX 20 b2.acme.test.", "acme.test. IN MX 20 b1.acme.test.")
	for _, h := range []string{"a", "b1", "b2", "c"} {
		w.zone(h + ".acme.test. IN A 10.0.0.1")
	}
	seen := map[string]int{}
	for seed := range uint64(20) {
		d := lookup(w.prober(func(c *Config) { c.Seed = seed + 1 }), "acme.test")
		seen[strings.Join(names(d), " ")]++
		require.Equal(t, names(d), names(lookup(w.prober(func(c *Config) { c.Seed = seed + 1 }), "acme.test")), "a seed repeats the order")
	}
	require.Len(t, seen, 2)
	require.Contains(t, seen, "a.acme.test b1.acme.test b2.acme.test c.acme.test")
	require.Contains(t, seen, "a.acme.test b2.acme.test b1.acme.test c.acme.test")
}

func TestLookupFacts(t *testing.T) {
	w := newWorld(t)
	w.zone("acme.test. 7200 IN MX 10 aspmx.l.google.com.", "acme.test. 7200 IN MX 20 nowhere.test.", "aspmx.l.google.com. 120 IN A 10.0.0.1", "aspmx.l.google.com. 90 IN AAAA fd00::1",
		"mailinator.com. IN A 10.0.0.1", "yahoo.com. IN MX 1 mta5.am0.yahoodns.net.", "mta5.am0.yahoodns.net. IN A 10.0.0.1")
	p := w.prober()
	d := lookup(p, "ACME.test.")
	require.Equal(t, "acme.test", d.Name)
	require.Equal(t, StateOK, d.State)
	require.Equal(t, "google", d.Provider)
	require.Equal(t, []Host{{Name: "aspmx.l.google.com", Pref: 10, IPs: []string{"10.0.0.1", "fd00::1"}}}, d.Hosts)
	require.Equal(t, 90*time.Second, d.TTL)
	require.False(t, d.Implicit || d.Webmail || d.Disposable)
	require.Equal(t, "10 aspmx.l.google.com (10.0.0.1 fd00::1)", d.Detail)
	_, _, decided := d.Verdict()
	require.False(t, decided)

	require.True(t, lookup(p, "mailinator.com").Disposable)
	require.True(t, lookup(p, "mailinator.com").Implicit)
	require.True(t, lookup(p, "yahoo.com").Webmail)
	require.Equal(t, StateDomainNotFound, lookup(p, "not a domain").State)
}

func TestLookupIsCachedAndAskedOnce(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{})
	p := w.prober()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { lookup(p, "acme.test") })
	}
	wg.Wait()
	require.Equal(t, 1, w.questions("acme.test. MX"))
	require.Equal(t, 1, w.questions("mx.acme.test. A"))
	d := lookup(p, "acme.test")
	d.Hosts[0].IPs[0] = "changed"
	require.Equal(t, "10.9.0.1", lookup(p, "acme.test").Hosts[0].IPs[0], "callers do not share the cache")
}

func TestTTLs(t *testing.T) {
	for _, c := range []struct {
		state     DomainState
		got, want time.Duration
	}{
		{StateOK, 0, minTTL}, {StateOK, time.Hour, time.Hour}, {StateOK, 1000 * time.Hour, maxTTL},
		{StateDNSFailed, time.Hour, failureTTL}, {StateNoMX, time.Second, minTTL}, {StateDomainNotFound, 24 * time.Hour, maxNegativeTTL},
	} {
		require.Equal(t, c.want, clampTTL(c.state, c.got), "%v", c)
	}
	require.LessOrEqual(t, failureTTL, 30*time.Second)
}

func TestNegativeTTLIsTheZones(t *testing.T) {
	w := newWorld(t)
	w.oddly("gone.test. MX", func(rw dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
		soa, _ := dns.NewRR("test. 3000 IN SOA ns.test. hm.test. 1 2 3 4 600")
		m.Ns = []dns.RR{soa}
		_ = rw.WriteMsg(m)
	})
	d := lookup(w.prober(), "gone.test")
	require.Equal(t, StateDomainNotFound, d.State)
	require.Equal(t, 10*time.Minute, d.TTL)
}

func TestSystemResolvers(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, "resolv.conf")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	c, err := newDNSClient(Config{}, write("# ours\nnameserver 10.0.0.53\nnameserver fd00::53\nsearch acme.test\n"), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.53:53", "[fd00::53]:53"}, c.servers)
	_, err = newDNSClient(Config{}, write("search acme.test\n"), nil)
	require.ErrorContains(t, err, "DNSServer")
	_, err = newDNSClient(Config{}, filepath.Join(dir, "none"), nil)
	require.ErrorContains(t, err, "DNSServer")
}

func TestAliases(t *testing.T) {
	w := newWorld(t)
	w.zone("acme.test. IN CNAME acme-mail.test.", "acme-mail.test. IN MX 10 mx.test.", "mx.test. IN CNAME a.mx.test.", "a.mx.test. IN A 10.0.0.1",
		"loop.test. IN CNAME pool.test.", "pool.test. IN CNAME loop.test.", "dangling.test. IN CNAME gone.nowhere.")
	// A resolver that sends one link of the chain at a time.
	w.oddly("step.test. MX", func(rw dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		rr, _ := dns.NewRR("step.test. 60 IN CNAME acme-mail.test.")
		m.Answer = []dns.RR{rr}
		_ = rw.WriteMsg(m)
	})
	p := w.prober()
	require.Equal(t, []string{"mx.test"}, names(lookup(p, "acme.test")))
	require.Equal(t, []string{"mx.test"}, names(lookup(p, "step.test")))
	require.Equal(t, StateDNSFailed, lookup(p, "loop.test").State)
	require.Equal(t, StateDomainNotFound, lookup(p, "dangling.test").State)
	require.Less(t, p.Stats().DNSQueries, int64(40), "loops are bounded")
}

func TestTruncatedAnswerIsAskedAgainOverTCP(t *testing.T) {
	w := newWorld(t)
	w.oddly("big.test. MX", func(rw dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if _, udp := rw.RemoteAddr().(*net.UDPAddr); udp {
			m.Truncated = true
		} else {
			for i := range 60 {
				rr, _ := dns.NewRR(fmt.Sprintf("big.test. 60 IN MX %d mx%d.big.test.", 60-i, i))
				m.Answer = append(m.Answer, rr)
			}
		}
		_ = rw.WriteMsg(m)
	})
	for i := range 60 {
		w.zone(fmt.Sprintf("mx%d.big.test. IN A 10.0.0.1", i))
	}
	d := lookup(w.prober(), "big.test")
	require.Len(t, d.Hosts, maxHosts)
	require.Equal(t, 1, d.Hosts[0].Pref)
}

func TestForgedRepliesArePassedOver(t *testing.T) {
	w := newWorld(t)
	forge := func(change func(*dns.Msg)) func(dns.ResponseWriter, *dns.Msg) {
		return func(rw dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
			change(m)
			_ = rw.WriteMsg(m)
			good := new(dns.Msg).SetReply(q)
			rr, _ := dns.NewRR(q.Question[0].Name + " 60 IN MX 10 mx.test.")
			good.Answer = []dns.RR{rr}
			_ = rw.WriteMsg(good)
		}
	}
	w.zone("mx.test. IN A 10.0.0.1")
	w.oddly("id.test. MX", forge(func(m *dns.Msg) { m.Id++ }))
	w.oddly("question.test. MX", forge(func(m *dns.Msg) { m.Question[0].Name = "other.test." }))
	w.oddly("query.test. MX", forge(func(m *dns.Msg) { m.Response = false }))
	w.oddly("junk.test. MX", func(rw dns.ResponseWriter, _ *dns.Msg) { _, _ = rw.Write([]byte("junk")) })
	p := w.prober(func(c *Config) { c.DNSTimeout = 300 * time.Millisecond })
	for _, domain := range []string{"id.test", "question.test", "query.test"} {
		require.Equal(t, StateOK, lookup(p, domain).State, domain)
	}
	require.Equal(t, StateDNSFailed, lookup(p, "junk.test").State)
}

func TestSecondResolverAndOldResolver(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{})
	p := w.prober()
	p.resolver.dns.servers = []string{startDNS(t, rcode(dns.RcodeServerFailure)), w.addr}
	require.Equal(t, StateOK, lookup(p, "acme.test").State)
	var asked dns.HandlerFunc = func(rw dns.ResponseWriter, q *dns.Msg) {
		if q.IsEdns0() != nil {
			rcode(dns.RcodeFormatError)(rw, q)
			return
		}
		w.serveDNS(rw, q)
	}
	p = w.prober()
	p.resolver.dns.servers = []string{startDNS(t, asked)}
	require.Equal(t, StateOK, lookup(p, "acme.test").State)
}

func TestMXNamesThatAreNoHostsAreLeftOut(t *testing.T) {
	w := newWorld(t)
	w.zone(`junk.test. IN MX 1 sp\032ace.test.`, `junk.test. IN MX 2 cr\013\010lf.test.`, "junk.test. IN MX 3 10.0.0.1.",
		"some.test. IN MX 0 .", "some.test. IN MX 5 mx.test.", "mx.test. IN A 10.0.0.1", "dots.test. IN MX 0 .", "dots.test. IN MX 1 .")
	p := w.prober()
	require.Equal(t, StateNoMX, lookup(p, "junk.test").State)
	require.Equal(t, []string{"mx.test"}, names(lookup(p, "some.test")))
	require.Equal(t, StateNoMX, lookup(p, "dots.test").State)
}

func TestPrimaryWithoutAddressJustNowStaysThePrimary(t *testing.T) {
	w := newWorld(t)
	w.zone("acme.test. 3600 IN MX 1 a.test.", "acme.test. 3600 IN MX 2 b.test.", "b.test. 3600 IN A 10.0.0.1").oddly("a.test. A", rcode(dns.RcodeServerFailure))
	w.at("10.0.0.1", &mta{rcpt: always("250 ok")})
	p := w.prober()
	d := lookup(p, "acme.test")
	require.Equal(t, []string{"a.test", "b.test"}, names(d))
	require.Equal(t, minTTL, d.TTL)
	a := check(p, here+"@acme.test")
	require.True(t, a.Backup)
	require.Equal(t, AcceptAll, a.Status)
}

func FuzzDNSAnswer(f *testing.F) {
	q := new(dns.Msg).SetQuestion("acme.test.", dns.TypeMX)
	m := new(dns.Msg).SetReply(q)
	for _, line := range []string{"acme.test. 60 IN CNAME b.test.", "b.test. 60 IN MX 10 mx.test.", "b.test. 60 IN MX 0 .", "b.test. IN A 10.0.0.1", "b.test. IN AAAA ::ffff:10.0.0.1"} {
		rr, err := dns.NewRR(line)
		require.NoError(f, err)
		m.Answer = append(m.Answer, rr)
		wire, err := m.Pack()
		require.NoError(f, err)
		f.Add(wire)
	}
	r, err := newResolver(context.Background(), Config{Seed: 1}, nil, nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, wire []byte) {
		m := new(dns.Msg)
		if m.Unpack(wire) != nil {
			return
		}
		a, alias := readAnswer(m, "acme.test.", dns.TypeMX)
		require.False(t, alias != "" && len(a.records) > 0)
		hosts, null := r.mxHosts(a.records)
		require.LessOrEqual(t, len(hosts), maxHosts)
		require.False(t, null && len(hosts) > 0)
		for _, h := range hosts {
			require.True(t, validHostName(h.Name))
		}
		var set addressSet
		for _, rr := range m.Answer {
			set.add(rr, false)
		}
		require.LessOrEqual(t, len(set.ips), maxIPs)
	})
}
