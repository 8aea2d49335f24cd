package probe

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
)

// sources are the addresses of this machine that connections come from; empty = the system's choice.
type sources []netip.Addr

var errNoSource = errors.New("none of our source addresses is of this family")

// newSources checks that every address is this machine's, by listening on it for a moment.
func newSources(c Config) (sources, error) {
	if c.Dial != nil {
		return nil, nil // whoever dials for us decides
	}
	var out sources
	for _, ip := range c.Sources {
		ip = ip.Unmap()
		l, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "0"))
		if err != nil {
			return nil, fmt.Errorf("probe config: Sources: %s is not an address of this machine: %w", ip, err)
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("probe config: Sources: %s: %w", ip, err)
		}
		out = append(out, ip)
	}
	return out, nil
}

// pick chooses the address that a host is asked from: always the same one, and hosts spread evenly.
func (s sources) pick(host string, to netip.Addr) (netip.Addr, bool) {
	var fit []netip.Addr
	for _, ip := range s {
		if ip.Is4() == to.Is4() {
			fit = append(fit, ip)
		}
	}
	if len(fit) == 0 {
		return netip.Addr{}, false
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(host)) // a hash takes all
	return fit[int(h.Sum32()%uint32(len(fit)))], true
}

// dial connects to addr, a checked IP and port, from the host's source.
func (s sources) dial(ctx context.Context, host, addr string, allowPrivate bool) (net.Conn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	from, ok := s.pick(host, to.Addr())
	if !ok {
		return nil, errNoSource
	}
	d := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Control: dialControl(allowPrivate)}
	return d.DialContext(ctx, "tcp", addr)
}

// from says for a transcript where a connection comes from, if that was chosen here.
func (s sources) from(conn net.Conn) string {
	addr, ok := conn.LocalAddr().(*net.TCPAddr)
	if len(s) == 0 || !ok {
		return ""
	}
	return " from " + addr.IP.String()
}
