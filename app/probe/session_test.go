package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// people asks for several addresses of one domain, one after the other.
func people(t *testing.T, p *Prober, domain string, locals ...string) []Status {
	t.Helper()
	var out []Status
	for _, local := range locals {
		out = append(out, check(p, local+"@"+domain).Status)
	}
	return out
}

func TestLimitOnTheSecondRecipient(t *testing.T) {
	limited := func(perTx bool, reply string) *mta {
		return &mta{rcpt: func(c *client, address string) string {
			if n := map[bool]int{true: c.txs, false: c.rcpts}[perTx]; n > 1 {
				return reply
			}
			return honest(c, address)
		}}
	}
	for name, m := range map[string]*mta{
		"36 452 4.5.3 in a transaction: RSET goes on":     limited(true, "452 4.5.3 Too many recipients"),
		"36 452 4.5.3 in a session: a new one goes on":    limited(false, "452 4.5.3 Too many recipients"),
		"36 452 without a code is understood":             limited(true, "452 Too many recipients"),
		"36 421 on the second: a new session goes on":     limited(false, "421 4.7.0 one recipient is enough"),
		"36 a drop on the second: a new session goes on":  limited(false, ""),
		"36 550 5.5.3 on the second: a new one goes on":   limited(false, "550 5.5.3 Too many recipients"),
		"36 no limit at all: one session is enough to do": {},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.company("acme.test", m)
			p := w.prober()
			require.Equal(t, []Status{Valid, Invalid, Valid, Invalid}, people(t, p, "acme.test", here, absent, here, absent))
			require.LessOrEqual(t, m.conns.Load(), int64(4))
			require.LessOrEqual(t, m.rcpts.Load(), int64(6), "the limit must be learned")
		})
	}
}

func TestTransactionsHoldOneDomainAndFewRecipients(t *testing.T) {
	for _, offers := range []string{"", "PIPELINING"} {
		t.Run("offers "+offers, func(t *testing.T) {
			w := newWorld(t)
			w.zone("one.test. IN MX 1 mx.host.test.", "two.test. IN MX 1 mx.host.test.", "mx.host.test. IN A 10.0.0.1")
			m := w.at("10.0.0.1", &mta{offers: offers})
			p := w.prober(func(c *Config) { c.RCPTsPerTransaction = 2 })
			for range 3 {
				require.Equal(t, Valid, check(p, here+"@one.test").Status)
			}
			require.Equal(t, Valid, check(p, here+"@two.test").Status)
			require.Equal(t, int64(1), m.conns.Load())
			require.Equal(t, 3, m.said("MAIL FROM:<>"))
			require.Equal(t, 2, m.said("RSET"))
			require.Equal(t, int64(3), p.Stats().Reused)
		})
	}
}

func TestSessionEndsBeforeTheServerLosesPatience(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{})
	p := w.prober(func(c *Config) { c.RCPTsPerSession = 3 })
	for range 4 {
		require.Equal(t, Valid, check(p, here+"@acme.test").Status)
	}
	require.Equal(t, int64(2), m.conns.Load())
	require.NoError(t, p.Close())
	require.Equal(t, int64(2), m.quits.Load())

	m = w.company("other.test", &mta{})
	p = w.prober()
	for range maxRefusals + 1 {
		require.Equal(t, Invalid, check(p, absent+"@other.test").Status)
	}
	require.Equal(t, int64(2), m.conns.Load(), "refusals wear a session out")
}

func TestIdleSession(t *testing.T) {
	t.Run("is QUIT after its time", func(t *testing.T) {
		w := newWorld(t)
		m := w.company("acme.test", &mta{})
		p := w.prober(func(c *Config) { c.IdleTimeout = 20 * time.Millisecond })
		require.Equal(t, Valid, check(p, here+"@acme.test").Status)
		require.Eventually(t, func() bool { return m.quits.Load() == 1 && m.open.Load() == 0 }, 5*time.Second, 5*time.Millisecond)
	})
	t.Run("that the server closed meanwhile is replaced", func(t *testing.T) {
		w := newWorld(t)
		m := w.company("acme.test", &mta{raw: func(c net.Conn) {
			_, _ = c.Write([]byte("220 x\r\n"))
			buf := make([]byte, 512)
			for _, reply := range []string{"250 x", "250 ok", "250 ok", "421 4.4.2 idle for too long"} {
				if reply[0] == '4' {
					_, _ = c.Write([]byte(reply + "\r\n"))
					return
				}
				_, _ = c.Read(buf)
				_, _ = c.Write([]byte(reply + "\r\n"))
			}
		}})
		p := w.prober()
		for range 3 {
			require.Equal(t, Valid, check(p, here+"@acme.test").Status)
			require.Eventually(t, func() bool { return m.open.Load() == 0 }, 5*time.Second, time.Millisecond)
		}
		time.Sleep(settled)
		a := check(p, here+"@acme.test")
		require.Equal(t, Valid, a.Status)
		require.Contains(t, a.Lines[0].Text, "connected", "a closed session is seen before it is used")
	})
	t.Run("that stayed open is used again after a glance", func(t *testing.T) {
		w := newWorld(t)
		m := w.company("acme.test", &mta{})
		p := w.prober()
		for range 3 {
			require.Equal(t, Valid, check(p, here+"@acme.test").Status)
			time.Sleep(settled)
		}
		require.Equal(t, int64(1), m.conns.Load())
	})
	t.Run("is glanced at inside TLS too", func(t *testing.T) {
		w := newWorld(t)
		m := w.company("acme.test", &mta{starttls: selfSigned(t), rcpt: func(c *client, address string) string {
			if c.tls {
				return honest(c, address)
			}
			return "530 5.7.0 Must issue a STARTTLS command first"
		}})
		p := w.prober()
		for range 3 {
			require.Equal(t, Valid, check(p, here+"@acme.test").Status)
			time.Sleep(settled)
		}
		require.Equal(t, int64(1), m.conns.Load())
	})
}

func TestServerThatSpeaksOutOfTurnIsNeverMisread(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{rcpt: named("250 ok\n550 5.1.1 no such user", "550 5.1.1 no such user")})
	p := w.prober()
	for range 5 {
		require.Equal(t, Valid, check(p, here+"@acme.test").Status)
	}
}

func TestInternationalAddresses(t *testing.T) {
	w := newWorld(t)
	m := w.company("xn--mller-kva.test", &mta{})
	utf8 := w.company("post.test", &mta{offers: "SMTPUTF8 PIPELINING", rcpt: always("250 ok")})
	p := w.prober()
	require.Equal(t, Valid, check(p, here+"@Müller.test").Status, "45 the A-label is sent")
	require.Equal(t, 1, m.said("RCPT TO:<"+here+"@xn--mller-kva.test>"))

	a := check(p, "jürgen@müller.test")
	require.Equal(t, want{Unknown, NotVerifiable}, want{a.Status, a.Reason}, "45 a UTF-8 local part needs SMTPUTF8")
	require.Equal(t, 1, m.said("RCPT"))

	require.Equal(t, Valid, check(p, "jürgen@post.test").Status)
	require.Equal(t, Valid, check(p, "plain@post.test").Status)
	require.Equal(t, 1, utf8.said("MAIL FROM:<> SMTPUTF8"))
	require.Equal(t, 1, utf8.said("RCPT TO:<jürgen@post.test>"))
}

func TestHostileInputNeverReachesTheWire(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{})
	p := w.prober()
	d := p.Lookup(context.Background(), "acme.test")
	for _, address := range []string{"a\r\nDATA\r\n@acme.test", "a\x00@acme.test", "a b@acme.test", "<a>@acme.test", "a@acme.test\r\nDATA", "", "@", "a@", "@acme.test", `"a b"@acme.test`} {
		a := p.Check(context.Background(), d, address)
		require.Equal(t, BadInput, a.Reason, "%q", address)
	}
	a := p.Check(context.Background(), d, "a@elsewhere.test")
	require.Equal(t, want{Unknown, BadInput}, want{a.Status, a.Reason})
	require.Zero(t, m.conns.Load())
	s := newSession(nil, "h", "i", &p.cfg, nil)
	_, err := s.command(context.Background(), "RCPT TO:<a\r\nDATA>")
	require.ErrorIs(t, err, errUnsafe)
}

func TestAnswerShowsTheConversation(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{})
	p := w.prober(func(c *Config) { c.MailFrom = "check@probe.test" })
	a := check(p, absent+"@acme.test")
	require.Equal(t, 550, a.Code)
	require.Equal(t, "5.1.1", a.Enhanced)
	require.Equal(t, "<zoe.missing@acme.test>: Recipient address rejected: User unknown", a.Text)
	require.Equal(t, "mx.acme.test", a.Host)
	require.Equal(t, "10.9.0.1", a.IP)
	require.Positive(t, a.Took)
	var talk []string
	for _, line := range a.Lines {
		talk = append(talk, line.From+" "+line.Text)
	}
	require.Equal(t, []string{
		"I connected to mx.acme.test [10.9.0.1]", "S 220 mx.test ESMTP", "C EHLO probe.test", "S 250 mx.test",
		"C MAIL FROM:<check@probe.test>", "S 250 2.1.0 ok", "C RCPT TO:<zoe.missing@acme.test>",
		"S 550 5.1.1 <zoe.missing@acme.test>: Recipient address rejected: User unknown",
	}, talk)
	require.Len(t, check(p, here+"@acme.test").Lines, 3, "the second address shows its own part only")
	body, err := json.Marshal(a)
	require.NoError(t, err)
	for _, key := range []string{`"retry_after":0`, `"took":`, `"lines":[{"at":`, `"from":"I"`, `"reason":"mailbox_not_found"`} {
		require.Contains(t, string(body), key)
	}
	require.NoError(t, p.Close())
	require.Zero(t, m.datas.Load())
	require.Zero(t, m.said("VRFY"))
	require.Equal(t, Stats{Connections: 1, RCPTs: 2, DNSQueries: 3, Reused: 1, PeakPerHost: 1}, p.Stats())
}

func TestTranscriptIsBounded(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{banner: strings.Repeat("220-"+strings.Repeat("x", 600)+"\n", 70) + "220 ok"})
	a := check(w.prober(), here+"@acme.test")
	require.Equal(t, Valid, a.Status)
	require.Len(t, a.Lines, maxLines)
	require.Equal(t, "further lines are left out", a.Lines[maxLines-1].Text)
	require.Len(t, a.Lines[5].Text, maxLineText)
}

func TestContextEndsAQuestion(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{rcpt: always(hang)})
	p := w.prober(func(c *Config) { c.RestAfter = 1; c.MaxPerHost = 1 })
	d := p.Lookup(context.Background(), "acme.test")
	ctx, cancel := context.WithCancel(context.Background())
	answer := make(chan Answer)
	go func() { answer <- p.Check(ctx, d, here+"@acme.test") }()
	require.Eventually(t, func() bool { return m.rcpts.Load() == 1 }, 5*time.Second, time.Millisecond)
	waiting, stop := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer stop()
	a := p.Check(waiting, d, here+"@acme.test")
	require.Equal(t, want{Unknown, Timeout}, want{a.Status, a.Reason}, "also while it waits for a slot")
	cancel()
	a = <-answer
	require.Equal(t, want{Unknown, Timeout}, want{a.Status, a.Reason})
	require.Positive(t, a.RetryAfter)
	left, _ := p.memory.resting("mx.acme.test")
	require.Zero(t, left, "a caller's impatience is not the host's failure")
	d.Hosts[0].IPs = nil
	a = w.prober().Check(context.Background(), d, here+"@acme.test")
	require.Equal(t, want{Unknown, DNSFailed}, want{a.Status, a.Reason}, "an address that is not known is not a dead host")
	ended, done := context.WithCancel(context.Background())
	done()
	require.Equal(t, StateDNSFailed, p.Lookup(ended, "other.test").State)
}

func TestReplyThatComesByteByByteIsOneDeadline(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{raw: func(c net.Conn) {
		for _, b := range []byte(strings.Repeat("220-x\r\n", 1000)) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}})
	start := time.Now()
	a := check(w.prober(brief), here+"@acme.test")
	require.Equal(t, want{Unknown, Timeout}, want{a.Status, a.Reason})
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestTLSWithoutHandshakeIsTLSRequired(t *testing.T) {
	w := newWorld(t)
	w.company("acme.test", &mta{offers: "STARTTLS", mail: func(*client, string) string { return "530 5.7.0 Must issue a STARTTLS command first" }, raw: nil,
		hello: nil, starttls: selfSigned(t), rcpt: nil, banner: "220 x"})
	w.company("broken.test", &mta{raw: func(c net.Conn) {
		buf := make([]byte, 512)
		for _, reply := range []string{"220 x", "250-x\r\n250 STARTTLS", "530 Must issue a STARTTLS command first", "220 go", "this is not TLS"} {
			_, _ = c.Write([]byte(reply + "\r\n"))
			_, _ = c.Read(buf)
		}
	}})
	p := w.prober()
	for _, domain := range []string{"acme.test", "broken.test"} { // the first demands it even inside TLS
		a := check(p, here+"@"+domain)
		require.Equal(t, want{Unknown, TLSRequired}, want{a.Status, a.Reason}, "%+v", a)
	}
}

func TestTLSIsRememberedForAHost(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{starttls: selfSigned(t), mail: func(c *client, _ string) string {
		if c.tls {
			return "250 ok"
		}
		return "530 5.7.0 Must issue a STARTTLS command first"
	}})
	p := w.prober(func(c *Config) { c.RCPTsPerSession = 1 })
	for range 3 {
		require.Equal(t, Valid, check(p, here+"@acme.test").Status)
	}
	require.Equal(t, 4, m.said("MAIL"), "only the first session is refused")
}

func TestHelloFallsBackToAnAddressLiteral(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	require.Equal(t, "[127.0.0.1]", addressLiteral(a))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, "[127.0.0.1]", addressLiteral(c))
	require.Equal(t, "[IPv6:fd00::1]", addressLiteral(fixedAddr{a, &net.TCPAddr{IP: net.ParseIP("fd00::1")}}))
	require.NotPanics(t, func() { _ = fmt.Sprint(ownName()) })
}

type fixedAddr struct {
	net.Conn
	addr net.Addr
}

func (f fixedAddr) LocalAddr() net.Addr { return f.addr }

// TestAPlaceIsFreeWhenTheServerSaysSo: a server still counts a session for a while after the last word. One that failed, or that the
// server ended, keeps its place until the server has closed.
func TestAPlaceIsFreeWhenTheServerSaysSo(t *testing.T) {
	for name, last := range map[string]string{"after 421": "421 4.3.2 not now", "after a time-out": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := w.company("acme.test", &mta{raw: func(c net.Conn) {
				r := bufio.NewReader(c)
				for _, reply := range []string{"220 x", "250 x", "250 ok", last} {
					if reply != "" {
						_, _ = c.Write([]byte(reply + "\r\n"))
					}
					_, _ = r.ReadString('\n')
				}
				time.Sleep(30 * time.Millisecond) // it takes note of the end
			}})
			p := w.prober(func(c *Config) { c.MaxPerHost, c.RestAfter, c.ReplyTimeout = 1, 1000, 30*time.Millisecond })
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { check(p, here+"@acme.test") })
			}
			wg.Wait()
			require.GreaterOrEqual(t, m.conns.Load(), int64(5))
			require.Equal(t, int64(1), m.peak.Load(), "sessions at once, as the server counts them")
		})
	}
}
