package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

// Defaults of Config. RFC 5321 §4.5.3.2 would wait 5 minutes for most replies; that is for mail that must arrive,
// and slow banners in the field take 20-30 s.
const (
	DefaultSMTPPort            = 25
	DefaultMaxPerHost          = 4
	DefaultMaxSessions         = 256
	DefaultConnectTimeout      = 10 * time.Second
	DefaultBannerTimeout       = 30 * time.Second
	DefaultReplyTimeout        = 30 * time.Second
	DefaultDNSTimeout          = 5 * time.Second
	DefaultIdleTimeout         = 10 * time.Second
	DefaultGreylistDelay       = 5 * time.Minute
	DefaultRCPTsPerTransaction = 10
	DefaultRCPTsPerSession     = 40
	DefaultRestAfter           = 5
	DefaultRestFor             = 30 * time.Second
	DefaultSessionsPerMinute   = 300
)

// Config is all a Prober needs to know. The zero value of a field means its default.
type Config struct {
	DNSServer    string // host:port; "" = the resolvers of /etc/resolv.conf
	SMTPPort     int
	Helo         string // our name in EHLO; "" = the host's name if it has a dot, else the connection's address literal
	MailFrom     string // envelope sender; "" = <>
	Proxy        string // socks5://user:pass@host:port; "" = direct
	AllowPrivate bool   // dial private and loopback addresses; link-local, multicast and 0.0.0.0 stay refused

	MaxPerHost        int // sessions to one MX host at once
	MaxSessions       int // sessions in all
	SessionsPerMinute int // new ones to one MX host, after startsAtOnce at once
	// Gate holds MaxPerHost and the pace over several processes; nil = they hold in this one.
	Gate Gate
	// Sources are this machine's addresses to connect from: a host is always asked from the same one, for greylisting goes by it.
	// Empty = the system's choice. Hosts of a family that Sources has no address of are not connected to.
	Sources []netip.Addr
	// Dial opens the SMTP connections instead of net.Dialer or Proxy. addr is always a checked IP and SMTPPort.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Log  *slog.Logger // nil = discard
	// Now says how old an answer of DNS or about accept-all is; nil = time.Now. Deadlines go by the system's clock.
	Now func() time.Time

	ConnectTimeout time.Duration // one TCP connection
	BannerTimeout  time.Duration // from connected to the whole greeting
	ReplyTimeout   time.Duration // one command and its whole reply
	DNSTimeout     time.Duration // one query to one server; a question takes two at most
	IdleTimeout    time.Duration // a pooled session that nobody used for so long is QUIT

	GreylistDelay       time.Duration // RetryAfter of a greylisting server that names no time
	RCPTsPerTransaction int           // then RSET
	RCPTsPerSession     int           // then QUIT
	RestAfter           int           // failures in a row after which a host rests
	RestFor             time.Duration // how long at first; then one trial decides, and each rest in a row is longer

	// Seed makes the order among equal MX hosts and the invented names repeatable, for tests; 0 = unpredictable.
	Seed uint64
}

// complete returns the configuration with its defaults, or an error that names the wrong field.
func (c Config) complete() (Config, error) {
	if err := c.check(); err != nil {
		return c, err
	}
	def(&c.SMTPPort, DefaultSMTPPort)
	def(&c.MaxPerHost, DefaultMaxPerHost)
	def(&c.MaxSessions, DefaultMaxSessions)
	def(&c.ConnectTimeout, DefaultConnectTimeout)
	def(&c.BannerTimeout, DefaultBannerTimeout)
	def(&c.ReplyTimeout, DefaultReplyTimeout)
	def(&c.DNSTimeout, DefaultDNSTimeout)
	def(&c.IdleTimeout, DefaultIdleTimeout)
	def(&c.GreylistDelay, DefaultGreylistDelay)
	def(&c.RCPTsPerTransaction, DefaultRCPTsPerTransaction)
	def(&c.RCPTsPerSession, DefaultRCPTsPerSession)
	def(&c.RestAfter, DefaultRestAfter)
	def(&c.RestFor, DefaultRestFor)
	def(&c.SessionsPerMinute, DefaultSessionsPerMinute)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Helo == "" {
		c.Helo = ownName()
	}
	return c, nil
}

func (c Config) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) check() error {
	if c.DNSServer != "" {
		if err := checkHostPort(c.DNSServer); err != nil {
			return fmt.Errorf("probe config: DNSServer %q: %w", c.DNSServer, err)
		}
	}
	if c.Helo != "" && !validHelo(c.Helo) {
		return fmt.Errorf("probe config: Helo %q is neither a host name nor an address literal", c.Helo)
	}
	if c.MailFrom != "" {
		if _, _, ok := ValidAddress(c.MailFrom); !ok || !ascii(c.MailFrom) {
			return fmt.Errorf("probe config: MailFrom %q is not a plain mail address", c.MailFrom)
		}
	}
	if c.Proxy != "" {
		if _, err := parseProxy(c.Proxy); err != nil {
			return fmt.Errorf("probe config: Proxy: %w", err)
		}
	}
	if len(c.Sources) > 0 && c.Proxy != "" {
		return errors.New("probe config: Sources and Proxy exclude each other: the proxy decides where its connections come from")
	}
	if c.SMTPPort < 0 || c.SMTPPort > 65535 {
		return fmt.Errorf("probe config: SMTPPort %d is not a port", c.SMTPPort)
	}
	return c.checkNumbers()
}

func (c Config) checkNumbers() error {
	for name, n := range map[string]int{
		"MaxPerHost": c.MaxPerHost, "MaxSessions": c.MaxSessions, "RestAfter": c.RestAfter, "SessionsPerMinute": c.SessionsPerMinute,
		"RCPTsPerTransaction": c.RCPTsPerTransaction, "RCPTsPerSession": c.RCPTsPerSession,
	} {
		if n < 0 {
			return fmt.Errorf("probe config: %s %d is negative", name, n)
		}
	}
	for name, d := range map[string]time.Duration{
		"ConnectTimeout": c.ConnectTimeout, "BannerTimeout": c.BannerTimeout, "ReplyTimeout": c.ReplyTimeout,
		"DNSTimeout": c.DNSTimeout, "IdleTimeout": c.IdleTimeout, "GreylistDelay": c.GreylistDelay, "RestFor": c.RestFor,
	} {
		if d < 0 {
			return fmt.Errorf("probe config: %s %s is negative", name, d)
		}
	}
	return nil
}

func checkHostPort(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return err
	}
	if host == "" {
		return errors.New("no host")
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" || port == "0" {
		return errors.New("not a port")
	}
	return nil
}

// parseProxy accepts socks5 and socks5h; both are given an IP, so nothing is left for the proxy to resolve.
// Its errors never repeat the URL, which may hold a password.
func parseProxy(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	if u.Scheme != "socks5" && u.Scheme != "socks5h" {
		return nil, fmt.Errorf("scheme %q is not socks5", u.Scheme)
	}
	if err := checkHostPort(u.Host); err != nil {
		return nil, errors.New("needs host:port")
	}
	return u, nil
}

func validHelo(s string) bool {
	if literal, ok := strings.CutPrefix(s, "["); ok {
		literal, closed := strings.CutSuffix(literal, "]")
		_, err := netip.ParseAddr(strings.TrimPrefix(literal, "IPv6:"))
		return closed && err == nil
	}
	return validHostName(s)
}

// ownName is this machine's name if it can be one in the DNS; else "" (RFC 5321 §4.1.4: then an address literal).
func ownName() string {
	name, err := os.Hostname()
	if err != nil || !strings.Contains(name, ".") || !validHostName(name) {
		return ""
	}
	return name
}
