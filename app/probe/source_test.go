package probe

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func addresses(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func TestServerSeesTheSourceAddress(t *testing.T) {
	w := newWorld(t)
	seen := make(chan string, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mta{rcpt: func(c *client, address string) string {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		seen <- host
		return honest(c, address)
	}}
	m.start(t, l)
	w.zone("acme.test. IN MX 1 mx.acme.test.", "mx.acme.test. IN A 127.0.0.1")
	p := w.prober(func(c *Config) {
		c.Dial, c.SMTPPort, c.Sources = nil, l.Addr().(*net.TCPAddr).Port, addresses("127.0.0.5")
	})
	a := check(p, here+"@acme.test")
	require.Equal(t, Valid, a.Status)
	require.Equal(t, "127.0.0.5", <-seen)
	require.Contains(t, a.Lines[0].Text, "from 127.0.0.5")
}

func TestHostOfAFamilyWithoutSourceIsUnknown(t *testing.T) {
	w := newWorld(t)
	w.zone("acme.test. IN MX 1 mx.acme.test.", "mx.acme.test. IN AAAA ::1")
	p := w.prober(func(c *Config) { c.Dial, c.Sources = nil, addresses("127.0.0.5") })
	a := check(p, here+"@acme.test")
	require.Equal(t, want{Unknown, ServerUnavailable}, want{a.Status, a.Reason})
}

func TestSourcesAreSpreadOverHostsAndStableForOne(t *testing.T) {
	s, err := newSources(Config{Sources: addresses("127.0.0.2", "127.0.0.3", "::1")})
	require.NoError(t, err)
	v4, v6 := netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::1")
	count := map[string]int{}
	for i := range 200 {
		host := fmt.Sprintf("mx%d.test", i)
		from, ok := s.pick(host, v4)
		require.True(t, ok)
		again, _ := s.pick(host, v4)
		require.Equal(t, from, again)
		count[from.String()]++
	}
	require.Len(t, count, 2, "of the same family only")
	require.Greater(t, count["127.0.0.2"], 60)
	require.Greater(t, count["127.0.0.3"], 60)
	from, ok := s.pick("mx.test", v6)
	require.True(t, ok)
	require.Equal(t, "::1", from.String())
	_, ok = s[:2].pick("mx.test", v6)
	require.False(t, ok)
}

func TestSourceAddressesAreCheckedAtTheStart(t *testing.T) {
	_, err := New(Config{DNSServer: "127.0.0.1:53", Sources: addresses("203.0.113.77")})
	require.ErrorContains(t, err, "203.0.113.77 is not an address of this machine")
	_, err = New(Config{DNSServer: "127.0.0.1:53", Sources: addresses("127.0.0.2"), Proxy: "socks5://h:1"})
	require.ErrorContains(t, err, "exclude each other")
}
