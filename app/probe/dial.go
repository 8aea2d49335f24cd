package probe

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"golang.org/x/net/proxy"
)

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// newDialer chooses how SMTP connections are made: Config.Dial, the proxy, or directly.
func newDialer(c Config) (dialFunc, error) {
	direct := &net.Dialer{Control: dialControl(c.AllowPrivate)}
	switch {
	case c.Dial != nil:
		return c.Dial, nil
	case c.Proxy != "":
		return socksDialer(c.Proxy)
	}
	return direct.DialContext, nil
}

// socksDialer reaches the proxy itself without the address check: the operator named it, and it may well be private.
func socksDialer(raw string) (dialFunc, error) {
	u, err := parseProxy(raw)
	if err != nil {
		return nil, fmt.Errorf("probe config: Proxy: %w", err)
	}
	var auth *proxy.Auth
	if u.User != nil {
		password, _ := u.User.Password()
		auth = &proxy.Auth{User: u.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", u.Host, auth, &net.Dialer{})
	if err != nil {
		return nil, fmt.Errorf("probe config: Proxy: %w", err)
	}
	return d.(proxy.ContextDialer).DialContext, nil
}

// connect opens one connection to a host's ip, which is checked here for every way of dialling.
func (p *Prober) connect(ctx context.Context, host, ip string) (net.Conn, error) {
	addr := net.JoinHostPort(ip, strconv.Itoa(p.cfg.SMTPPort))
	if err := checkDialled(addr, p.cfg.AllowPrivate); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.ConnectTimeout)
	defer cancel()
	p.stats.connections.Add(1)
	if len(p.sources) > 0 {
		return p.sources.dial(ctx, host, addr, p.cfg.AllowPrivate)
	}
	return p.dial(ctx, "tcp", addr)
}
