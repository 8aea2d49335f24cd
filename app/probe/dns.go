package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Bounds of one question to the DNS.
const (
	dnsTries      = 2    // the second goes to the next server, if there is one
	udpSize       = 1232 // bytes; what passes without fragments (DNS flag day 2020)
	maxStrayReply = 16   // datagrams with a wrong ID or question that are passed over before giving up
	maxCNAME      = 8    // links of an alias chain
	maxQueries    = 128  // under way at once, each with a socket
	resolvConf    = "/etc/resolv.conf"
)

// dnsKind is what an answer means to us.
type dnsKind int

const (
	dnsFound    dnsKind = iota // records
	dnsNoData                  // the name exists without such records (RFC 2308 §2.2)
	dnsNXDomain                // the name does not exist
	dnsFailed                  // temporary: nothing is known
)

// dnsAnswer is the outcome of one question after aliases were followed.
type dnsAnswer struct {
	kind    dnsKind
	records []dns.RR // of the type asked only
	ttl     time.Duration
	detail  string // in words
}

type dnsClient struct {
	servers []string
	timeout time.Duration
	slots   chan struct{} // one for each query under way
	stats   *counters
}

// newDNSClient asks c.DNSServer or, when that is empty, the resolvers that the file at path names.
func newDNSClient(c Config, path string, stats *counters) (*dnsClient, error) {
	client := &dnsClient{servers: []string{c.DNSServer}, timeout: c.DNSTimeout, slots: make(chan struct{}, maxQueries), stats: stats}
	if c.DNSServer != "" {
		return client, nil
	}
	conf, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("probe config: DNSServer is empty and the system's resolvers cannot be read: %w", err)
	}
	if len(conf.Servers) == 0 {
		return nil, fmt.Errorf("probe config: DNSServer is empty and %s names no server", path)
	}
	client.servers = nil
	for _, s := range conf.Servers {
		client.servers = append(client.servers, net.JoinHostPort(s, conf.Port))
	}
	return client, nil
}

// query asks for one type of record and follows aliases, at most maxCNAME of them.
func (c *dnsClient) query(ctx context.Context, name string, qtype uint16) dnsAnswer {
	name = dns.CanonicalName(name)
	var ttl time.Duration
	for range maxCNAME {
		msg, err := c.ask(ctx, name, qtype)
		if err != nil {
			return dnsAnswer{kind: dnsFailed, detail: fmt.Sprintf("%s %s: %s", name, dns.TypeToString[qtype], resolverWords(err))}
		}
		a, alias := readAnswer(msg, name, qtype)
		a.ttl = shorter(ttl, a.ttl)
		if alias == "" {
			return a
		}
		name, ttl = alias, a.ttl
	}
	return dnsAnswer{kind: dnsFailed, detail: name + ": alias chain without end"}
}

// readAnswer picks the records of the type asked out of a reply whose owner is name or an alias of it. alias is the
// name to ask next when the reply ends in an alias that it does not resolve.
func readAnswer(msg *dns.Msg, name string, qtype uint16) (a dnsAnswer, alias string) {
	owner, links := name, 0
	for ; links < maxCNAME; links++ {
		target, ttl := cnameOf(msg, owner, qtype)
		if target == "" {
			break
		}
		owner, a.ttl = target, shorter(a.ttl, ttl)
	}
	for _, rr := range msg.Answer {
		h := rr.Header()
		if h.Rrtype == qtype && h.Class == dns.ClassINET && dns.CanonicalName(h.Name) == owner {
			a.records = append(a.records, rr)
			a.ttl = shorter(a.ttl, seconds(h.Ttl))
		}
	}
	switch {
	case msg.Rcode == dns.RcodeNameError:
		a.kind, a.records, a.detail = dnsNXDomain, nil, fmt.Sprintf("%s does not exist (NXDOMAIN)", owner)
	case len(a.records) > 0:
		return a, ""
	case links > 0:
		return a, owner
	default:
		a.kind, a.detail = dnsNoData, fmt.Sprintf("%s has no %s record", owner, dns.TypeToString[qtype])
	}
	a.ttl = shorter(a.ttl, negativeTTL(msg))
	return a, ""
}

func cnameOf(msg *dns.Msg, owner string, qtype uint16) (string, time.Duration) {
	if qtype == dns.TypeCNAME {
		return "", 0
	}
	for _, rr := range msg.Answer {
		if c, ok := rr.(*dns.CNAME); ok && dns.CanonicalName(c.Hdr.Name) == owner {
			return dns.CanonicalName(c.Target), seconds(c.Hdr.Ttl)
		}
	}
	return "", 0
}

// negativeTTL is RFC 2308 §5: the smaller of the SOA's own TTL and its minimum field; 0 = not said.
func negativeTTL(msg *dns.Msg) time.Duration {
	for _, rr := range msg.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return seconds(min(soa.Hdr.Ttl, soa.Minttl))
		}
	}
	return 0
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// shorter is the smaller of two durations where 0 means "not said".
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// ask puts one question, to the next server when the first fails or refuses. The reply is NOERROR or NXDOMAIN.
func (c *dnsClient) ask(ctx context.Context, name string, qtype uint16) (*dns.Msg, error) {
	var err error
	for i := range dnsTries {
		var msg *dns.Msg
		if msg, err = c.askServer(ctx, c.servers[i%len(c.servers)], name, qtype); err == nil {
			return msg, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, err
}

func (c *dnsClient) askServer(ctx context.Context, server, name string, qtype uint16) (*dns.Msg, error) {
	q := new(dns.Msg)
	q.SetQuestion(name, qtype)
	q.SetEdns0(udpSize, false)
	msg, err := c.exchange(ctx, server, q)
	if err == nil && (msg.Rcode == dns.RcodeFormatError || msg.Rcode == dns.RcodeNotImplemented) {
		q.Extra = nil // RFC 6891 §7: an old server may not know EDNS
		msg, err = c.exchange(ctx, server, q)
	}
	if err != nil {
		return nil, err
	}
	if msg.Rcode != dns.RcodeSuccess && msg.Rcode != dns.RcodeNameError {
		return nil, errors.New("the resolver says " + rcodeName(msg.Rcode))
	}
	return msg, nil
}

func resolverWords(err error) string {
	if timedOut(err) {
		return "the resolver did not answer in time"
	}
	return err.Error()
}

func rcodeName(rcode int) string {
	if s, ok := dns.RcodeToString[rcode]; ok {
		return s
	}
	return fmt.Sprintf("RCODE%d", rcode)
}

// exchange sends q over UDP and, when the reply is cut short, again over TCP.
func (c *dnsClient) exchange(ctx context.Context, server string, q *dns.Msg) (*dns.Msg, error) {
	msg, err := c.roundTrip(ctx, "udp", server, q)
	if err == nil && msg.Truncated {
		return c.roundTrip(ctx, "tcp", server, q)
	}
	return msg, err
}

func (c *dnsClient) roundTrip(ctx context.Context, network, server string, q *dns.Msg) (*dns.Msg, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.stats.dnsQueries.Add(1)
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, network, server)
	if err != nil {
		return nil, fmt.Errorf("reach resolver: %w", err)
	}
	defer raw.Close()
	defer interruptible(ctx, raw)()
	conn := &dns.Conn{Conn: raw, UDPSize: udpSize}
	if err := conn.WriteMsg(q); err != nil {
		return nil, fmt.Errorf("ask resolver: %w", err)
	}
	for range maxStrayReply {
		msg, err := conn.ReadMsg()
		if msg != nil && network == "udp" && !answers(msg, q) {
			continue // somebody else's reply, or a forged one
		}
		if err != nil {
			return nil, fmt.Errorf("read from resolver: %w", err)
		}
		if answers(msg, q) {
			return msg, nil
		}
		break
	}
	return nil, errors.New("the resolver's reply does not fit the question")
}

// answers holds when reply is one to q: same ID, same question.
func answers(reply, q *dns.Msg) bool {
	if !reply.Response || reply.Id != q.Id || len(reply.Question) != 1 {
		return false
	}
	got, want := reply.Question[0], q.Question[0]
	return got.Qtype == want.Qtype && got.Qclass == want.Qclass && strings.EqualFold(got.Name, want.Name)
}

// interruptible makes blocking calls on conn end when ctx does. The function it returns must be called when done.
func interruptible(ctx context.Context, conn net.Conn) (done func()) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	return func() {
		if !stop() {
			<-interrupted // or the past deadline would hit the connection's next user
		}
	}
}
