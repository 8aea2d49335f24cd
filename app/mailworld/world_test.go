package mailworld

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

func TestWorldStartsAgainAfterCloseWithFreshFigures(t *testing.T) {
	w := Demo()
	require.Empty(t, w.DNSAddr())
	require.Zero(t, w.SMTPPort())
	require.NoError(t, w.Close())
	for range 3 {
		require.NoError(t, w.Start())
		require.ErrorContains(t, w.Start(), "already started")
		require.Zero(t, w.Stats().Connections)
		s := talk(t, w, w.hosts[0])
		require.Equal(t, 250, s.open())
		_, err := lookup(t, w, "udp", "alderbrook.example", dns.TypeMX)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.NoError(t, w.Close())
		require.Equal(t, 1, w.Stats().Connections)
		require.Equal(t, 1, w.Stats().DNSQueries)
		_, err = w.Dial(t.Context(), "tcp", "127.64.0.1:25")
		require.ErrorContains(t, err, "not running")
	}
}

func TestCloseEndsSessionsThatAreUnderWay(t *testing.T) {
	w := Gallery(Options{Latency: time.Hour})
	require.NoError(t, w.Start())
	var open []*talker
	for _, b := range []Behaviour{Accurate, Silent, Slow, EndlessBanner, SlowBanner} {
		open = append(open, talk(t, w, hostsOf(w, b)[0]))
	}
	require.Eventually(t, func() bool { return w.Stats().Connections == len(open) }, 2*time.Second, time.Millisecond)
	began := time.Now()
	require.NoError(t, w.Close())
	require.Less(t, time.Since(began), 2*time.Second)
}

func TestDialReachesHostsWhereOnlyOneAddressCanBeBound(t *testing.T) {
	w := Gallery(Options{})
	w.oneAddress = true
	started(t, w)
	for _, b := range []Behaviour{Accurate, Microsoft} {
		h := hostsOf(w, b)[0]
		s := talk(t, w, h)
		require.Equal(t, 250, s.open())
		code, _ := s.rcpt("info@" + h.domain)
		require.Equal(t, 250, code)
	}
	c, err := w.Dial(t.Context(), "tcp", net.JoinHostPort(v6Of(hostsOf(w, V6Only)[0].ip).String(), fmt.Sprint(w.SMTPPort())))
	require.NoError(t, err, "an IPv6 address of the world")
	require.NoError(t, c.Close())
	_, err = w.Dial(t.Context(), "tcp", fmt.Sprintf("%s:%d", hostsOf(w, Refused)[0].ip, w.SMTPPort()))
	require.ErrorContains(t, err, "refused")
}

func TestDialRefusesWhatIsNoHostOfTheWorld(t *testing.T) {
	w := started(t, Demo())
	port := w.SMTPPort()
	for _, addr := range []string{
		fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.65.0.1:%d", port), fmt.Sprintf("127.64.200.1:%d", port),
		fmt.Sprintf("192.0.2.1:%d", port), fmt.Sprintf("[fd00:6d77::7f00:1]:%d", port), "127.64.0.1:1", "[::1]:25", "localhost:25", "rubbish",
	} {
		_, err := w.Dial(t.Context(), "tcp", addr)
		require.Error(t, err, addr)
	}
}

func TestPortsCanBeChosen(t *testing.T) {
	free := started(t, Demo())
	_, dnsPort, err := net.SplitHostPort(free.DNSAddr())
	require.NoError(t, err)
	smtp := free.SMTPPort()
	require.NoError(t, free.Close())

	var n int
	_, err = fmt.Sscan(dnsPort, &n)
	require.NoError(t, err)
	w := started(t, DemoWith(Options{Port: smtp, DNSPort: n}))
	require.Equal(t, smtp, w.SMTPPort())
	require.Equal(t, "127.0.0.1:"+dnsPort, w.DNSAddr())
	require.Error(t, DemoWith(Options{Port: smtp}).Start(), "the port is taken")
	require.Error(t, DemoWith(Options{DNSPort: n}).Start(), "the port is taken")
}

func TestTwoThousandHostsStartQuickly(t *testing.T) {
	w := New(Options{Companies: 2000, PeoplePerCompany: 1, Mix: map[Behaviour]int{Accurate: 1}})
	began := time.Now()
	started(t, w)
	require.Less(t, time.Since(began), 10*time.Second)
	require.Len(t, w.hosts, 2000)
	require.Equal(t, 250, talk(t, w, w.hosts[1999]).open())
}

func TestHostAddressesAreDistinctAndOfThisWorld(t *testing.T) {
	w := New(Options{Companies: 600, PeoplePerCompany: 1})
	seen := map[string]bool{}
	for _, h := range w.hosts {
		require.False(t, seen[h.ip.String()])
		seen[h.ip.String()] = true
		require.True(t, w.hasHost(h.ip.String()))
	}
	require.Equal(t, "127.64.0.1", hostAddr(0).String())
	require.Equal(t, "127.64.1.1", hostAddr(250).String())
	require.False(t, w.hasHost(hostAddr(len(w.hosts)).String()))
}
