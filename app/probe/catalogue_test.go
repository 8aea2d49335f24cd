package probe

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// want is a verdict; an empty reason is not compared.
type want struct {
	status Status
	reason Reason
}

// row is one row of the catalogue of server behaviours: what the server does, and what must be said of a mailbox that
// exists, of one that does not, and of accept-all.
type row struct {
	name      string
	build     func(w *world)
	config    func(*Config)
	here      want
	absent    want
	acceptAll Tri
	retry     bool // asking again may help, for the existing mailbox
	check     func(t *testing.T, a Answer)
}

var (
	exists  = want{Valid, MailboxExists}
	none    = want{Invalid, MailboxNotFound}
	blocked = want{Unknown, BlockedByServer}
	down    = want{Unknown, ServerUnavailable}
)

// one is a world with one mail server for acme.test.
func one(m *mta) func(*world) { return func(w *world) { w.company("acme.test", m) } }

func rcptAlways(reply string) func(*world) { return one(&mta{rcpt: always(reply)}) }

func brief(c *Config) {
	c.ConnectTimeout, c.BannerTimeout, c.ReplyTimeout = 300*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
}

func dnsRows() []row {
	both := func(v want) (want, want) { return v, v }
	null, _ := both(want{Invalid, NullMX})
	failed, _ := both(want{Unknown, DNSFailed})
	rows := []row{
		{name: "01 null MX is invalid, even with an A record", build: func(w *world) {
			w.zone("acme.test. IN MX 0 .", "acme.test. IN A 10.0.0.1")
			w.at("10.0.0.1", &mta{})
		}, here: null, absent: null, acceptAll: Unsure},
		{name: "02 without MX the A host is asked", build: func(w *world) {
			w.zone("acme.test. IN A 10.0.0.1")
			w.at("10.0.0.1", &mta{})
		}, here: exists, absent: none, acceptAll: No},
		{name: "03 without MX and A the AAAA host is asked", build: func(w *world) {
			w.zone("acme.test. IN AAAA fd00::1")
			w.at("fd00::1", &mta{})
		}, here: exists, absent: none, acceptAll: No},
		{name: "04 NXDOMAIN is invalid", build: func(w *world) {}, here: want{Invalid, DomainNotFound}, absent: want{Invalid, DomainNotFound}, acceptAll: Unsure},
		{name: "04 neither MX nor address is invalid", build: func(w *world) { w.zone("acme.test. IN TXT x") },
			here: want{Invalid, NoMX}, absent: want{Invalid, NoMX}, acceptAll: Unsure},
		{name: "05 SERVFAIL is unknown", build: func(w *world) {
			w.zone("acme.test. IN A 10.0.0.1").oddly("acme.test. MX", rcode(dns.RcodeServerFailure))
		}, here: failed, absent: failed, acceptAll: Unsure, retry: true},
		{name: "05 REFUSED is unknown", build: func(w *world) { w.oddly("acme.test. MX", rcode(dns.RcodeRefused)) },
			here: failed, absent: failed, acceptAll: Unsure, retry: true},
		{name: "05 a silent resolver is unknown", build: func(w *world) {
			w.oddly("acme.test. MX", func(dns.ResponseWriter, *dns.Msg) {})
		}, config: func(c *Config) { c.DNSTimeout = 50 * time.Millisecond }, here: failed, absent: failed, acceptAll: Unsure, retry: true},
		{name: "06 the second MX answers when the first is dead", build: func(w *world) {
			w.zone("acme.test. IN MX 10 dead.acme.test.", "acme.test. IN MX 20 mx.acme.test.", "dead.acme.test. IN A 10.0.0.9", "mx.acme.test. IN A 10.0.0.1")
			w.at("10.0.0.1", &mta{})
		}, here: exists, absent: none, acceptAll: No},
		{name: "07 all MX refuse: unknown", build: func(w *world) {
			w.zone("acme.test. IN MX 10 a.acme.test.", "acme.test. IN MX 20 b.acme.test.", "a.acme.test. IN A 10.0.0.8", "b.acme.test. IN A 10.0.0.9")
		}, here: down, absent: down, acceptAll: Unsure, retry: true},
		{name: "07 all MX time out: unknown", build: func(w *world) {
			w.zone("acme.test. IN MX 10 a.acme.test.", "a.acme.test. IN A 10.0.0.8")
			w.hosts["10.0.0.8"] = "silent"
		}, config: brief, here: want{Unknown, Timeout}, absent: want{Unknown, Timeout}, acceptAll: Unsure, retry: true},
		{name: "08 the primary decides though the backup accepts all and is faster", build: func(w *world) {
			w.zone("acme.test. IN MX 20 backup.acme.test.", "acme.test. IN MX 10 mx.acme.test.", "backup.acme.test. IN A 10.0.0.2", "mx.acme.test. IN A 10.0.0.1")
			w.at("10.0.0.1", &mta{delay: 20 * time.Millisecond})
			w.at("10.0.0.2", &mta{rcpt: always("250 ok")})
		}, here: exists, absent: none, acceptAll: No},
		{name: "08 a backup that accepts all does not stand in for a dead primary", build: func(w *world) {
			w.zone("acme.test. IN MX 20 backup.acme.test.", "acme.test. IN MX 10 mx.acme.test.", "backup.acme.test. IN A 10.0.0.2", "mx.acme.test. IN A 10.0.0.1")
			w.at("10.0.0.2", &mta{rcpt: always("250 ok")})
		}, here: want{AcceptAll, AcceptsAll}, absent: want{AcceptAll, AcceptsAll}, acceptAll: Unsure, retry: true},
		{name: "09 an MX that is an alias is followed", build: func(w *world) {
			w.zone("acme.test. IN MX 10 mail.acme.test.", "mail.acme.test. IN CNAME mx.other.test.", "mx.other.test. IN A 10.0.0.1")
			w.at("10.0.0.1", &mta{})
		}, here: exists, absent: none, acceptAll: No},
		{name: "10 an IPv6-only MX is asked", build: func(w *world) {
			w.zone("acme.test. IN MX 10 mx.acme.test.", "mx.acme.test. IN AAAA fd00::5")
			w.at("fd00::5", &mta{})
		}, here: exists, absent: none, acceptAll: No},
		{name: "10 an IPv6-only MX that cannot be reached is unknown", build: func(w *world) {
			w.zone("acme.test. IN MX 10 mx.acme.test.", "mx.acme.test. IN AAAA fd00::6")
		}, here: down, absent: down, acceptAll: Unsure, retry: true},
		{name: "11 a private MX is not dialled", build: func(w *world) { w.company("acme.test", &mta{}) },
			config: func(c *Config) { c.AllowPrivate = false }, here: want{Invalid, Unroutable}, absent: want{Invalid, Unroutable}, acceptAll: Unsure},
		{name: "12 an MX name that keeps not resolving is invalid", build: func(w *world) { w.zone("acme.test. IN MX 10 gone.other.test.") },
			here: want{Invalid, NoMX}, absent: want{Invalid, NoMX}, acceptAll: Unsure},
		{name: "12 an MX name that the DNS cannot tell is unknown", build: func(w *world) {
			w.zone("acme.test. IN MX 10 gone.other.test.").oddly("gone.other.test. A", rcode(dns.RcodeServerFailure))
		}, here: failed, absent: failed, acceptAll: Unsure, retry: true},
	}
	return rows
}

func openingRows(t *testing.T) []row {
	say := func(banner string) func(*world) { return one(&mta{banner: banner}) }
	timeout := want{Unknown, Timeout}
	notSMTP := want{Unknown, NotSMTP}
	return []row{
		{name: "13 banner 421 is unknown", build: say("421 4.3.2 busy"), here: down, absent: down, acceptAll: Unsure, retry: true},
		{name: "14 banner 554 is about us", build: say("554 no service for you"), here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "14 after a banner 521 the next MX is asked", build: func(w *world) {
			w.zone("acme.test. IN MX 10 a.acme.test.", "acme.test. IN MX 20 b.acme.test.", "a.acme.test. IN A 10.0.0.1", "b.acme.test. IN A 10.0.0.2")
			w.at("10.0.0.1", &mta{banner: "521 this host takes no mail"})
			w.at("10.0.0.2", &mta{})
		}, here: exists, absent: none, acceptAll: No},
		{name: "15 a banner of many lines is read to its end", build: say("220-welcome\n220-to mx.test\n220 ready"), here: exists, absent: none, acceptAll: No},
		{name: "16 a slow banner is waited for", build: one(&mta{delay: 100 * time.Millisecond}), here: exists, absent: none, acceptAll: No},
		{name: "17 silence is unknown in bounded time", build: say(hang), config: brief, here: timeout, absent: timeout, acceptAll: Unsure, retry: true},
		{name: "18 a tarpit is waited out command by command", build: one(&mta{delay: 300 * time.Millisecond}),
			config: func(c *Config) { c.ReplyTimeout = time.Second }, here: exists, absent: none, acceptAll: No},
		{name: "19 an endless line is cut", build: one(&mta{raw: endless("x")}), here: notSMTP, absent: notSMTP, acceptAll: Unsure},
		{name: "19 endless lines are cut", build: one(&mta{raw: endless("220-more\r\n")}), here: notSMTP, absent: notSMTP, acceptAll: Unsure},
		{name: "20 a web server is not a mail server", build: one(&mta{raw: func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		}}), here: notSMTP, absent: notSMTP, acceptAll: Unsure},
		{name: "21 a server that closes at once is unknown", build: one(&mta{raw: func(net.Conn) {}}), here: down, absent: down, acceptAll: Unsure, retry: true},
		{name: "21 a server that closed once is asked again", build: one(&mta{hello: func(c *client, _, _ string) string {
			if c.n == 1 {
				return ""
			}
			return "250 mx.test"
		}}), here: exists, absent: none, acceptAll: No},
		{name: "21 a server that closes at RCPT is unknown", build: rcptAlways(""), here: down, absent: down, acceptAll: Unsure, retry: true,
			check: func(t *testing.T, a Answer) {
				require.Equal(t, "the server closed the connection without an answer", a.Text)
			}},
		{name: "22 HELO is said to a server without EHLO", build: one(&mta{hello: func(_ *client, verb, _ string) string {
			if verb == "EHLO" {
				return "502 5.5.1 unknown command"
			}
			return "250 mx.test"
		}}), here: exists, absent: none, acceptAll: No},
		{name: "23 EHLO 550 is about us", build: one(&mta{hello: func(*client, string, string) string { return "550 bad HELO name" }}),
			here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "23 after EHLO 421 HELO is not tried", build: one(&mta{hello: func(_ *client, verb, _ string) string {
			if verb == "HELO" {
				return "250 mx.test"
			}
			return "421 4.7.0 I do not like your name"
		}}), here: blocked, absent: blocked, acceptAll: Unsure, retry: true},
		{name: "24 MAIL 550 is about us", build: one(&mta{mail: func(*client, string) string { return "550 5.7.1 sender refused" }}), here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "24 MAIL 553 is about us", build: one(&mta{mail: func(*client, string) string { return "553 sorry, no such user as your sender" }}), here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "24 MAIL 450 is about us", build: one(&mta{mail: func(*client, string) string { return "450 4.1.8 sender domain not found" }}), here: blocked, absent: blocked, acceptAll: Unsure, retry: true},
		{name: "25 MAIL 530 starts TLS", build: one(&mta{starttls: selfSigned(t), mail: func(c *client, _ string) string {
			if c.tls {
				return "250 ok"
			}
			return "530 5.7.0 Must issue a STARTTLS command first"
		}}), here: exists, absent: none, acceptAll: No, check: func(t *testing.T, a Answer) { require.True(t, a.TLS) }},
		{name: "25 RCPT 530 starts TLS", build: one(&mta{starttls: selfSigned(t), rcpt: func(c *client, address string) string {
			if c.tls {
				return honest(c, address)
			}
			return "530 5.7.0 Must issue a STARTTLS command first"
		}}), here: exists, absent: none, acceptAll: No, check: func(t *testing.T, a Answer) { require.True(t, a.TLS) }},
		{name: "25 TLS that is demanded and not offered is unknown", build: one(&mta{mail: func(*client, string) string { return "530 5.7.0 Must issue a STARTTLS command first" }}),
			here: want{Unknown, TLSRequired}, absent: want{Unknown, TLSRequired}, acceptAll: Unsure},
	}
}

// endless writes until the reader goes away, at most 100 MB.
func endless(s string) func(net.Conn) {
	return func(c net.Conn) {
		chunk := []byte(strings.Repeat(s, 8192/len(s)))
		for n := 0; n < 100<<20; n += len(chunk) {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}
}

func rcptRows() []row {
	grey := want{Unknown, Greylisted}
	full := want{Valid, MailboxFull}
	unclear := want{Unknown, RejectedUnclear}
	return []row{
		{name: "26 a random name that is accepted makes accept-all", build: rcptAlways("250 ok"), here: exists, absent: exists, acceptAll: Yes},
		{name: "27 251 is valid", build: one(&mta{rcpt: named("251 User not local; will forward", "550 5.1.1 no")}), here: exists, absent: none, acceptAll: No},
		{name: "28 252 is unknown", build: rcptAlways("252 2.5.2 cannot VRFY user"), here: want{Unknown, NotVerifiable}, absent: want{Unknown, NotVerifiable}, acceptAll: Unsure},
		{name: "29 5.1.1 is invalid", build: one(&mta{}), here: exists, absent: none, acceptAll: No},
		{name: "29 5.1.10 is invalid", build: one(&mta{rcpt: named("250 ok", "550 5.1.10 RESOLVER.ADR.RecipientNotFound")}), here: exists, absent: none, acceptAll: No},
		{name: "30 a bare 550 is unclear, and the random name is refused alike", build: one(&mta{rcpt: named("250 ok", "550 Requested action not taken: mailbox unavailable")}),
			here: exists, absent: unclear, acceptAll: No},
		{name: "31 553 no such user is invalid", build: one(&mta{rcpt: named("250 ok", "553 no such user here")}), here: exists, absent: none, acceptAll: No},
		{name: "31 501 5.1.3 is invalid", build: one(&mta{rcpt: named("250 ok", "501 5.1.3 Bad recipient address syntax")}), here: exists, absent: none, acceptAll: No},
		{name: "32 Microsoft's access denied is unclear, and the random name gets it too", build: one(&mta{rcpt: named("250 2.1.5 Recipient OK", "550 5.4.1 Recipient address rejected: Access denied. [AS(201806281)]")}),
			here: exists, absent: unclear, acceptAll: No},
		{name: "33 Postfix greylisting is unknown", build: rcptAlways("450 4.2.0 <x@acme.test>: Recipient address rejected: Greylisted, see http://postgrey.test"), here: grey, absent: grey, acceptAll: Unsure, retry: true},
		{name: "33 451 try again later is greylisting", build: rcptAlways("451 4.7.1 Please try again later"), here: grey, absent: grey, acceptAll: Unsure, retry: true},
		{name: "33 a time that greylisting names is kept", build: rcptAlways("451 4.7.1 Greylisted, come back in 300 seconds"), here: grey, absent: grey, acceptAll: Unsure, retry: true,
			check: func(t *testing.T, a Answer) { require.Equal(t, 300*time.Second, a.RetryAfter) }},
		{name: "34 4xx for the existing name alone is unknown", build: one(&mta{rcpt: named("450 4.3.0 mailbox busy", "550 5.1.1 no such user")}), here: down, absent: none, acceptAll: No, retry: true},
		{name: "35 receiving mail at a rate: it exists", build: one(&mta{rcpt: named("450 4.2.1 The user you are trying to contact is receiving mail at a rate that\n450-4.2.1 prevents\n450 4.2.1 additional messages", "550 5.1.1 no such user")}),
			here: exists, absent: none, acceptAll: No},
		{name: "37 452 4.2.2 is full", build: one(&mta{rcpt: named("452 4.2.2 The email account is over quota", "550 5.1.1 no")}), here: full, absent: none, acceptAll: No},
		{name: "37 552 5.2.2 is full", build: one(&mta{rcpt: named("552 5.2.2 Mailbox full", "550 5.1.1 no")}), here: full, absent: none, acceptAll: No},
		{name: "38 5.2.1 is disabled", build: one(&mta{rcpt: named("550 5.2.1 mailbox disabled", "550 5.1.1 no")}), here: want{Invalid, MailboxDisabled}, absent: none, acceptAll: No},
		{name: "39 Spamhaus is about us", build: rcptAlways("550 5.7.1 Service unavailable; client [10.0.0.7] blocked using zen.spamhaus.org"), here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "40 local policy is about us", build: rcptAlways("550 5.7.1 refused by local policy"), here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "41 relay denied is about us", build: rcptAlways("554 5.7.1 <x@acme.test>: Relay access denied"), here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "42 450 without reverse DNS is about us", build: rcptAlways("450 4.7.25 Client host rejected: cannot find your hostname"), here: blocked, absent: blocked, acceptAll: Unsure, retry: true},
		{name: "42 550 without reverse DNS is about us", build: rcptAlways("550 5.7.25 no PTR record"), here: blocked, absent: blocked, acceptAll: Unsure},
		{name: "43 Microsoft is busy: unknown", build: rcptAlways("451 4.7.500 Server busy. Please try again later from [10.0.0.7]"), here: down, absent: down, acceptAll: Unsure, retry: true},
		{name: "43 Microsoft limits the rate: unknown", build: rcptAlways("451 4.7.650 The mail server [10.0.0.7] has been temporarily rate limited due to IP reputation"), here: down, absent: down, acceptAll: Unsure, retry: true},
		{name: "44 421 to RCPT is unknown", build: rcptAlways("421 4.3.2 shutting down"), here: down, absent: down, acceptAll: Unsure, retry: true},
	}
}

func TestCatalogue(t *testing.T) {
	for _, r := range append(append(dnsRows(), openingRows(t)...), rcptRows()...) {
		t.Run(r.name, func(t *testing.T) {
			w := newWorld(t)
			r.build(w)
			change := r.config
			if change == nil {
				change = func(*Config) {}
			}
			p := w.prober(change)
			a := check(p, here+"@acme.test")
			require.Equal(t, r.here, want{a.Status, a.Reason}, "%+v", a)
			require.Equal(t, r.retry, a.RetryAfter > 0, "%+v", a)
			if r.check != nil {
				r.check(t, a)
			}
			b := check(p, absent+"@acme.test")
			require.Equal(t, r.absent, want{b.Status, b.Reason}, "%+v", b)
			all := w.prober(change).AcceptAll(context.Background(), p.Lookup(context.Background(), "acme.test"))
			require.Equal(t, r.acceptAll, all.Verdict, "%+v", all)
		})
	}
}
