package probe

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// world is a DNS server and mail servers on loopback. Mail servers have invented addresses; dial finds their listeners.
type world struct {
	t     testing.TB
	mu    sync.Mutex
	rrs   map[string][]dns.RR // "name TYPE"
	odd   map[string]func(w dns.ResponseWriter, q *dns.Msg)
	hosts map[string]string // ip → listener address
	asked map[string]int
	addr  string
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, rrs: map[string][]dns.RR{}, odd: map[string]func(dns.ResponseWriter, *dns.Msg){}, hosts: map[string]string{}, asked: map[string]int{}}
	w.addr = startDNS(t, w.serveDNS)
	return w
}

// startDNS serves UDP and TCP on one loopback port.
func startDNS(t testing.TB, h dns.HandlerFunc) string {
	for range 20 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err != nil {
			pc.Close()
			continue
		}
		for _, s := range []*dns.Server{{PacketConn: pc, Handler: h}, {Listener: l, Handler: h}} {
			up := make(chan struct{})
			s.NotifyStartedFunc = func() { close(up) }
			go func() { _ = s.ActivateAndServe() }()
			<-up
			t.Cleanup(func() { _ = s.Shutdown() })
		}
		return pc.LocalAddr().String()
	}
	t.Fatal("no port for UDP and TCP")
	return ""
}

// zone adds records in zone file form.
func (w *world) zone(lines ...string) *world {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		require.NoError(w.t, err, line)
		h := rr.Header()
		key := strings.ToLower(h.Name) + " " + dns.TypeToString[h.Rrtype]
		w.rrs[key] = append(w.rrs[key], rr)
	}
	return w
}

// oddly answers a question ("name. TYPE") by hand.
func (w *world) oddly(key string, f func(dns.ResponseWriter, *dns.Msg)) *world {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.odd[key] = f
	return w
}

func rcode(code int) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		_ = w.WriteMsg(new(dns.Msg).SetRcode(q, code))
	}
}

func (w *world) questions(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[key]
}

func (w *world) serveDNS(rw dns.ResponseWriter, q *dns.Msg) {
	name := strings.ToLower(q.Question[0].Name)
	qtype := dns.TypeToString[q.Question[0].Qtype]
	w.mu.Lock()
	w.asked[name+" "+qtype]++
	odd := w.odd[name+" "+qtype]
	m := new(dns.Msg).SetReply(q)
	for range maxCNAME + 4 {
		m.Answer = append(m.Answer, w.rrs[name+" "+qtype]...)
		alias := w.rrs[name+" CNAME"]
		if len(m.Answer) > 0 && m.Answer[len(m.Answer)-1].Header().Rrtype == q.Question[0].Qtype || len(alias) == 0 {
			break
		}
		m.Answer = append(m.Answer, alias...)
		name = alias[0].(*dns.CNAME).Target
	}
	if len(m.Answer) == 0 && !w.exists(name) {
		m.Rcode = dns.RcodeNameError
	}
	w.mu.Unlock()
	if odd != nil {
		odd(rw, q)
		return
	}
	_ = rw.WriteMsg(m)
}

func (w *world) exists(name string) bool {
	for key := range w.rrs {
		if owner, _, _ := strings.Cut(key, " "); owner == name || strings.HasSuffix(owner, "."+name) {
			return true
		}
	}
	return false
}

// dial reaches the mail server at an invented address; an address nobody serves refuses.
func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	real := w.hosts[host]
	w.mu.Unlock()
	if real == "silent" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if real == "" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("connection refused by %s", host)}
	}
	return (&net.Dialer{}).DialContext(ctx, network, real)
}

// at puts a mail server at an address.
func (w *world) at(ip string, m *mta) *mta {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	m.start(w.t, l)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[ip] = l.Addr().String()
	return m
}

// company is the usual case: one domain, one MX host, one server.
func (w *world) company(domain string, m *mta) *mta {
	ip := fmt.Sprintf("10.9.0.%d", len(w.hosts)+1)
	w.zone(domain+". 300 IN MX 10 mx."+domain+".", "mx."+domain+". 300 IN A "+ip)
	return w.at(ip, m)
}

func (w *world) prober(change ...func(*Config)) *Prober {
	c := Config{DNSServer: w.addr, AllowPrivate: true, Helo: "probe.test", Dial: w.dial, Seed: 7, IdleTimeout: time.Minute,
		DNSTimeout: 2 * time.Second}
	for _, f := range change {
		f(&c)
	}
	p, err := New(c)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, p.Close()) })
	return p
}

// check looks the address's domain up and asks.
func check(p *Prober, address string) Answer {
	_, domain, _ := ValidAddress(address)
	return p.Check(context.Background(), p.Lookup(context.Background(), domain), address)
}
