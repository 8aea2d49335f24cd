package probe

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hostile are addresses that no MX host may have.
var hostile = []string{
	"0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
	"127.0.0.1", "127.0.0.53", "127.1.2.3", "127.255.255.255", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2",
	"172.16.0.1", "172.17.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
	"198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.254", "255.255.255.255",
	"::", "::1", "::2", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
	"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1",
	"2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fd12:3456::1",
	"fe80::1", "fe80::1%lo", "febf::1", "fec0::1", "ff02::1", "ff05::2", "2606:4700::1111%eth0",
}

func TestHostileAddressesAreRefused(t *testing.T) {
	require.GreaterOrEqual(t, len(hostile), 60)
	for _, s := range hostile {
		require.False(t, routable(netip.MustParseAddr(s), false), s)
		err := checkDialled(net.JoinHostPort(s, "25"), false)
		require.ErrorContains(t, err, "not a public address", s)
	}
	for _, s := range []string{"", "localhost:25", "mx.acme.test:25", "0x7f000001:25", "2130706433:25", "127.1:25", "017700000001:25", "8.8.8.8", "8.8.8.8:", "[::1]", "8.8.8.8:99999"} {
		require.Error(t, checkDialled(s, true), s)
	}
	for _, s := range []string{"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "193.0.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860::8888"} {
		require.True(t, routable(netip.MustParseAddr(s), false), s)
	}
	require.False(t, routable(netip.Addr{}, true))
}

func TestAllowPrivateStillRefusesMetadataAndMulticast(t *testing.T) {
	for _, s := range []string{"127.0.0.1", "10.0.0.1", "::1", "fd00::1", "192.168.1.1", "192.0.2.1"} {
		require.True(t, routable(netip.MustParseAddr(s), true), s)
	}
	for _, s := range []string{"0.0.0.0", "169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fe80::1", "::", "::ffff:10.0.0.1", "224.0.0.1", "255.255.255.255", "ff02::1"} {
		require.False(t, routable(netip.MustParseAddr(s), true), s)
	}
}

func TestDomainWithHostileAddressesIsUnroutable(t *testing.T) {
	w := newWorld(t)
	for i, s := range hostile {
		ip := netip.MustParseAddr(s).WithZone("")
		if ip.String() == "2606:4700::1111" {
			continue
		}
		name := "h" + strconv.Itoa(i) + ".test."
		kind := " AAAA "
		if ip.Is4() {
			kind = " A "
		}
		w.zone(name+" IN MX 1 mx."+name, "mx."+name+" IN"+kind+ip.String())
		d := lookup(w.prober(func(c *Config) { c.AllowPrivate = false }), name)
		require.Equal(t, StateUnroutable, d.State, s)
		require.Contains(t, d.Detail, "not public")
	}
	w.zone("mixed.test. IN MX 1 mx.mixed.test.", "mx.mixed.test. IN A 10.0.0.1", "mx.mixed.test. IN A 8.8.8.8")
	d := lookup(w.prober(func(c *Config) { c.AllowPrivate = false }), "mixed.test")
	require.Equal(t, []string{"8.8.8.8"}, d.Hosts[0].IPs, "of a mixed host only the public address stays")
}

// TestRebindingFindsTheDoorShut gives Check facts whose addresses turned private after the look-up.
func TestRebindingFindsTheDoorShut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mta{}
	m.start(t, l)
	w := newWorld(t)
	port := l.Addr().(*net.TCPAddr).Port
	d := Domain{Name: "acme.test", State: StateOK, Hosts: []Host{{Name: "mx.acme.test", IPs: []string{"127.0.0.1"}}}}
	for name, change := range map[string]func(*Config){
		"direct":   func(c *Config) { c.Dial = nil },
		"own dial": func(c *Config) { c.Dial = (&net.Dialer{}).DialContext },
		"proxy":    func(c *Config) { c.Dial, c.Proxy = nil, "socks5://127.0.0.1:1" },
	} {
		p := w.prober(change, func(c *Config) { c.AllowPrivate, c.SMTPPort = false, port })
		a := p.Check(context.Background(), d, here+"@acme.test")
		require.Equal(t, want{Unknown, Unroutable}, want{a.Status, a.Reason}, name)
	}
	d.Hosts[0].IPs = []string{"localhost"}
	a := w.prober(func(c *Config) { c.SMTPPort = port }).Check(context.Background(), d, here+"@acme.test")
	require.Equal(t, Unroutable, a.Reason, "a name is never dialled")
	require.Zero(t, m.conns.Load())

	refuse := &net.Dialer{Control: dialControl(false)}
	_, err = refuse.Dial("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
	require.ErrorContains(t, err, "not a public address", "the check sees what a name resolved to")

	d.Hosts[0].IPs = []string{"127.0.0.1"}
	p := w.prober(func(c *Config) { c.Dial, c.SMTPPort = nil, port })
	require.Equal(t, Valid, p.Check(context.Background(), d, here+"@acme.test").Status)
}

func TestProxyCarriesTheSession(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{})
	addr := socksServer(t, w)
	p := w.prober(func(c *Config) { c.Dial, c.Proxy = nil, "socks5://user:secret@"+addr })
	require.Equal(t, Valid, check(p, here+"@acme.test").Status)
	p = w.prober(func(c *Config) { c.Dial, c.Proxy = nil, "socks5://user:wrong@"+addr })
	a := check(p, here+"@acme.test")
	require.Equal(t, want{Unknown, ServerUnavailable}, want{a.Status, a.Reason})
	require.NotContains(t, a.Text, "wrong", "a password is not shown")
}

// socksServer speaks just enough SOCKS5 (RFC 1928, 1929) for user:secret and IPv4.
func socksServer(t *testing.T, w *world) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &mta{raw: func(c net.Conn) {
		buf := make([]byte, 256)
		read := func(n int) []byte { _, _ = io.ReadFull(c, buf[:n]); return buf[:n] }
		read(int(read(2)[1]))
		_, _ = c.Write([]byte{5, 2})
		user := string(read(int(read(2)[1])))
		pass := string(read(int(read(1)[0])))
		if user != "user" || pass != "secret" {
			_, _ = c.Write([]byte{1, 1})
			return
		}
		_, _ = c.Write([]byte{1, 0})
		read(4)
		ip := net.IP(append([]byte{}, read(4)...)).String()
		port := binary.BigEndian.Uint16(read(2))
		up, err := w.dial(context.Background(), "tcp", net.JoinHostPort(ip, strconv.Itoa(int(port))))
		if err != nil {
			return
		}
		defer up.Close()
		_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		done := make(chan struct{})
		go func() { _, _ = io.Copy(up, c); _ = up.(*net.TCPConn).CloseWrite(); close(done) }()
		_, _ = io.Copy(c, up)
		c.Close()
		<-done
	}}
	m.start(t, l)
	return l.Addr().String()
}

func TestConfigErrorsNameTheField(t *testing.T) {
	for field, c := range map[string]Config{
		"DNSServer": {DNSServer: "nowhere"}, "SMTPPort": {SMTPPort: 70000}, "Helo": {Helo: "bad name"}, "MailFrom": {MailFrom: "x"},
		"Proxy": {Proxy: "http://p:1"}, "MaxPerHost": {MaxPerHost: -1}, "MaxSessions": {MaxSessions: -1}, "ReplyTimeout": {ReplyTimeout: -1},
		"RestFor": {RestFor: -time.Second}, "RCPTsPerSession": {RCPTsPerSession: -2},
	} {
		_, err := New(c)
		require.ErrorContains(t, err, field)
	}
	for _, c := range []Config{{DNSServer: ":53"}, {DNSServer: "h:0"}, {Helo: "a\r\nDATA"}, {Helo: "[1.2.3"}, {MailFrom: "a@b.test\r\n"}, {MailFrom: "ü@b.test"}, {Proxy: "socks5://"}, {Proxy: "socks5://h"}, {Proxy: "%"}} {
		_, err := New(c)
		require.Error(t, err, "%+v", c)
	}
	_, err := New(Config{Proxy: "ftp://user:hunter2@h:1"})
	require.NotContains(t, err.Error(), "hunter2")
	p, err := New(Config{DNSServer: "127.0.0.1:5353", Helo: "[IPv6:fd00::1]", MailFrom: "a@b.test", Proxy: "socks5h://h:1080"})
	require.NoError(t, err)
	require.Equal(t, DefaultMaxSessions, p.cfg.MaxSessions)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close(), "twice is as once")
}
