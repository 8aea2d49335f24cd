package probe

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// FuzzHostileDNS looks a domain up at a DNS server on loopback that answers as its input says: forged, cut, endless, looping, or not at all.
// Whatever it says, the lookup ends in a clear state within a bounded time and number of questions, takes no address or host name that is
// not an answer to what was asked, and nothing private is kept or dialled.
func FuzzHostileDNS(f *testing.F) {
	for _, script := range hostileScripts {
		f.Add(script)
	}
	s := newHostileDNS(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		s.play(script)
		dialled := recorder{}
		p, err := New(Config{DNSServer: s.addr, Helo: "probe.test", Dial: dialled.dial, Seed: 7, DNSTimeout: hostilePatience, ConnectTimeout: hostilePatience})
		require.NoError(t, err)
		defer func() { require.NoError(t, p.Close()) }()
		start := time.Now()
		d := p.Lookup(context.Background(), hostileDomain)
		require.Less(t, time.Since(start), hostileTime, "%+v", d)
		all, most := s.asked()
		require.LessOrEqual(t, all, hostileLinks*(1+maxHosts*2*2))
		require.LessOrEqual(t, most, 2*hostileLinks, "for one name")
		soundFacts(t, d)
		a := p.Check(context.Background(), d, here+"@"+hostileDomain)
		require.Less(t, time.Since(start), 2*hostileTime)
		require.NotEqual(t, Valid, a.Status, "no mail server was ever reached")
		require.NotEmpty(t, a.Reason)
		for _, addr := range dialled.seen() {
			ap, err := netip.ParseAddrPort(addr)
			require.NoError(t, err)
			publicAddress(t, ap.Addr())
			require.EqualValues(t, DefaultSMTPPort, ap.Port())
			require.True(t, slices.ContainsFunc(d.Hosts, func(h Host) bool { return slices.Contains(h.IPs, ap.Addr().String()) }), "what is dialled was looked up")
		}
	})
}

const (
	hostileDomain   = "acme.test"
	hostilePatience = 20 * time.Millisecond
	// An address that is not there is asked for twice, a name in both families, each at most maxCNAME links far; a question goes out twice, each
	// time again without EDNS and again over TCP.
	hostileLinks = maxCNAME * dnsTries * 2 * 2
	hostileTime  = hostilePatience * hostileLinks * (1 + 2*(maxHosts/hostsAtOnce)) * 3 / 2
)

// soundFacts holds what must be true of a domain's facts whatever the DNS said.
func soundFacts(t *testing.T, d Domain) {
	t.Helper()
	require.Equal(t, hostileDomain, d.Name)
	require.Contains(t, []DomainState{StateOK, StateNullMX, StateNoMX, StateDomainNotFound, StateUnroutable, StateDNSFailed}, d.State)
	require.False(t, d.CheckedAt.IsZero())
	require.True(t, d.TTL >= failureTTL && d.TTL <= maxTTL, d.TTL)
	require.LessOrEqual(t, len(d.Hosts), maxHosts)
	require.Equal(t, d.State == StateOK, len(d.Hosts) > 0)
	require.LessOrEqual(t, len(d.Detail), hostileDetail)
	require.True(t, utf8.ValidString(d.Detail) && !strings.ContainsFunc(d.Detail, func(r rune) bool { return r < ' ' || r == 0x7f }), "%q", d.Detail)
	reachable := false
	for _, h := range d.Hosts {
		require.True(t, validHostName(h.Name), h.Name)
		require.NotEqual(t, "stranger.test", h.Name, "a record of another name")
		require.LessOrEqual(t, len(h.IPs), maxIPs)
		for _, ip := range h.IPs {
			reachable = true
			require.NotContains(t, []string{strangersAddress, strangersAddress6}, ip, "a record of another name")
			addr, err := netip.ParseAddr(ip)
			require.NoError(t, err)
			publicAddress(t, addr)
		}
	}
	require.Equal(t, d.State == StateOK, reachable)
	body, err := json.Marshal(d)
	require.NoError(t, err)
	var again Domain
	require.NoError(t, json.Unmarshal(body, &again), "facts are kept as JSON")
}

// hostileDetail is the most that is said of a domain: all its hosts with all their addresses.
const hostileDetail = maxHosts*(260+maxIPs*40) + 100

// publicAddress is another way than routable of saying that nobody's own network is at an address.
func publicAddress(t *testing.T, ip netip.Addr) {
	t.Helper()
	require.True(t, ip.IsGlobalUnicast() && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.Is4In6() && ip.Zone() == "", ip)
	if b := ip.As16(); ip.Is6() {
		require.True(t, b[0]>>5 == 1, "%s is not handed out", ip)
		require.False(t, b[0] == 0x20 && b[1] == 0x02 || binary.BigEndian.Uint32(b[:4]) == 0x20010000, "%s carries an IPv4 address", ip)
	} else {
		b := ip.As4()
		require.False(t, b[0] == 0 || b[0] >= 224 || b[0] == 100 && b[1]>>6 == 1 || b[0] == 169 && b[1] == 254, ip)
	}
}

// hostileDNS is a DNS server, UDP and TCP on one loopback port, that does as a script says. A script is replies, ended by scriptEnd each; a
// question takes the one of its type and of how often it was asked, so that what is said does not hang on who asked first.
type hostileDNS struct {
	addr string

	mu      sync.Mutex
	replies [][]byte
	turns   map[string]int
}

const scriptEnd = 0xff

func newHostileDNS(t testing.TB) *hostileDNS {
	s := &hostileDNS{}
	for range 20 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err != nil {
			require.NoError(t, pc.Close())
			continue
		}
		s.addr = pc.LocalAddr().String()
		t.Cleanup(func() { _, _ = pc.Close(), l.Close() })
		go s.serveUDP(pc)
		go s.serveTCP(l)
		return s
	}
	t.Fatal("no port for UDP and TCP")
	return nil
}

// play begins a script.
func (s *hostileDNS) play(script []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns, s.replies = map[string]int{}, nil
	for len(script) > 0 {
		end := slices.Index(script, scriptEnd)
		if end < 0 {
			end = len(script)
		}
		s.replies, script = append(s.replies, script[:end]), script[min(end+1, len(script)):]
	}
}

// asked is how many questions came since a script began, and how many of them were for the same records of one name.
func (s *hostileDNS) asked() (all, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.turns {
		all, most = all+n, max(most, n)
	}
	return all, most
}

func (s *hostileDNS) serveUDP(pc net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		for _, reply := range s.answer(buf[:n], true) {
			_, _ = pc.WriteTo(reply, from)
		}
	}
}

func (s *hostileDNS) serveTCP(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Second))
			var size [2]byte
			if _, err := io.ReadFull(c, size[:]); err != nil {
				return
			}
			q := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(c, q); err != nil {
				return
			}
			for _, reply := range s.answer(q, false) {
				_, _ = c.Write(reply)
			}
		}()
	}
}

// answer makes what is sent for a question.
func (s *hostileDNS) answer(wire []byte, udp bool) [][]byte {
	q := new(dns.Msg)
	if q.Unpack(wire) != nil || len(q.Question) != 1 {
		return nil
	}
	r := said{q: q, udp: udp, script: s.next(q.Question[0])}
	out := r.make()
	for i, m := range out {
		switch {
		case udp:
			out[i] = m[:min(len(m), 60_000)]
		case r.short:
			out[i] = append(binary.BigEndian.AppendUint16(nil, uint16(len(m)+7)), m...) // and then the line is closed
		default:
			out[i] = append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)
		}
	}
	return out
}

// next is the reply whose turn it is.
func (s *hostileDNS) next(q dns.Question) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.replies) == 0 {
		return nil
	}
	kind := dns.TypeToString[q.Qtype]
	key := strings.ToLower(q.Name) + " " + kind
	slot := map[string]int{"MX": 0, "A": 1, "AAAA": 2}[kind] + 3*s.turns[key]
	s.turns[key]++
	return s.replies[slot%len(s.replies)]
}
