package probe

import (
	"bufio"
	"context"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// stages are the commands whose answer a hostile server abuses.
var stages = []string{"CONNECT", "EHLO", "MAIL", "RCPT"}

// abusive behaves until a stage comes, then does as it likes. sent counts the bytes it got rid of there.
func abusive(stage string, abuse func(c net.Conn, sent *atomic.Int64)) (*mta, *atomic.Int64) {
	sent := new(atomic.Int64)
	return &mta{raw: func(c net.Conn) {
		if stage == "CONNECT" {
			abuse(c, sent)
			return
		}
		_, _ = c.Write([]byte("220 mx.test\r\n"))
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, stage) {
				abuse(c, sent)
				return
			}
			if _, err := c.Write([]byte("250 ok\r\n")); err != nil {
				return
			}
		}
	}}, sent
}

// flood writes up to 100 MB of a text.
func flood(text string) func(net.Conn, *atomic.Int64) {
	chunk := []byte(strings.Repeat(text, 1+8192/len(text)))
	return func(c net.Conn, sent *atomic.Int64) {
		for sent.Load() < 100<<20 {
			n, err := c.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

func TestFloodsAreCutAtEveryStage(t *testing.T) {
	const most = 8 << 20 // what the sockets' buffers take; the reader takes 64 KiB
	for name, text := range map[string]string{"100 MB in one line": "x", "100 MB of lines": "250-and more\r\n", "100 MB of blank lines": "\r\n", "100 MB of zeros": "\x00"} {
		for _, stage := range stages {
			t.Run(name+" at "+stage, func(t *testing.T) {
				w := newWorld(t)
				m, sent := abusive(stage, flood(text))
				w.company("acme.test", m)
				a := check(w.prober(), here+"@acme.test")
				require.Equal(t, want{Unknown, NotSMTP}, want{a.Status, a.Reason}, "%.300v", a)
				require.LessOrEqual(t, len(a.Lines), maxLines)
				require.LessOrEqual(t, len(a.Text), maxText)
				require.Less(t, sent.Load(), int64(most))
			})
		}
	}
}

func TestFloodCostsLittleMemory(t *testing.T) {
	w := newWorld(t)
	m, _ := abusive("RCPT", flood("550-no such user and so on\r\n"))
	w.company("acme.test", m)
	p := w.prober()
	lookup(p, "acme.test")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	check(p, here+"@acme.test")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), "of 100 MB")
}

// TestTarpits has servers that send one byte at a time, at a hundredth of the usual times: a byte every 10 ms against a deadline
// of 300 ms, as a byte a second against 30 s.
func TestTarpits(t *testing.T) {
	drip := func(text string) func(net.Conn, *atomic.Int64) {
		return func(c net.Conn, sent *atomic.Int64) {
			for i := 0; ; i++ {
				if _, err := c.Write([]byte{text[i%len(text)]}); err != nil {
					return
				}
				sent.Add(1)
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	for name, text := range map[string]string{"one byte at a time, no line": "2", "one byte at a time, lines without end": "250-x\r\n"} {
		for _, stage := range stages {
			t.Run(name+" at "+stage, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				m, sent := abusive(stage, drip(text))
				w.company("acme.test", m)
				start := time.Now()
				a := check(w.prober(brief), here+"@acme.test")
				require.Equal(t, want{Unknown, Timeout}, want{a.Status, a.Reason}, "%.300v", a)
				require.Positive(t, a.RetryAfter)
				require.Less(t, time.Since(start), 10*time.Second)
				require.Positive(t, sent.Load())
			})
		}
	}
}

// embedded are ways of writing an IPv4 address of ours inside an IPv6 one.
var embedded = map[string]string{
	"mapped loopback (RFC 4291)":       "::ffff:127.0.0.1",
	"mapped private":                   "::ffff:10.0.0.1",
	"mapped metadata":                  "::ffff:169.254.169.254",
	"mapped public":                    "::ffff:8.8.8.8",
	"compatible loopback (RFC 4291)":   "::127.0.0.1",
	"translated loopback (RFC 2765)":   "::ffff:0:127.0.0.1",
	"6to4 of loopback (RFC 3056)":      "2002:7f00:1::1",
	"6to4 of metadata":                 "2002:a9fe:a9fe::1",
	"6to4 of 10.0.0.1":                 "2002:a00:1::1",
	"NAT64 of loopback (RFC 6052)":     "64:ff9b::7f00:1",
	"NAT64 of metadata":                "64:ff9b::a9fe:a9fe",
	"local-use NAT64 (RFC 8215)":       "64:ff9b:1::a00:1",
	"Teredo of 127.0.0.1 (RFC 4380)":   "2001:0:7f00:1::1",
	"unique local with 10.0.0.1 in it": "fd00::10.0.0.1",
	"ISATAP of loopback (RFC 5214)":    "fe80::5efe:127.0.0.1",
}

func TestIPv4DressedAsIPv6IsNeverDialled(t *testing.T) {
	for name, ip := range embedded {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.oddly("mx.acme.test. AAAA", func(rw dns.ResponseWriter, q *dns.Msg) {
				m := new(dns.Msg).SetReply(q)
				m.Answer = []dns.RR{&dns.AAAA{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: 60}, AAAA: net.ParseIP(ip)}}
				_ = rw.WriteMsg(m)
			})
			w.zone("acme.test. IN MX 1 mx.acme.test.")
			dialled := recorder{}
			p := w.prober(func(c *Config) { c.AllowPrivate, c.Dial = false, dialled.dial })
			a := check(p, here+"@acme.test")
			require.Equal(t, Invalid, a.Status, "%+v", a)
			require.Contains(t, []Reason{Unroutable, NoMX}, a.Reason)
			d := Domain{Name: "acme.test", State: StateOK, Hosts: []Host{{Name: "mx.acme.test", IPs: []string{ip}}}}
			a = p.Check(context.Background(), d, here+"@acme.test")
			require.Equal(t, want{Unknown, Unroutable}, want{a.Status, a.Reason}, "and not from remembered facts either")
			require.Empty(t, dialled.seen())
		})
	}
}

// recorder notes what is dialled, and reaches nothing.
type recorder struct {
	mu    sync.Mutex
	addrs []string
}

func (r *recorder) dial(_ context.Context, _, addr string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs = append(r.addrs, addr)
	return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
}

func (r *recorder) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.addrs...)
}

// TestNameThatResolvesAnewIsNotAskedAgain is DNS rebinding: the name is public when it is looked up and private ever after.
func TestNameThatResolvesAnewIsNotAskedAgain(t *testing.T) {
	w := newWorld(t)
	var asked atomic.Int64
	w.oddly("mx.acme.test. A", func(rw dns.ResponseWriter, q *dns.Msg) {
		if asked.Add(1) == 1 {
			answering("mx.acme.test. 0 IN A 8.8.8.8")(rw, q)
		} else {
			answering("mx.acme.test. 0 IN A 127.0.0.1")(rw, q)
		}
	})
	w.zone("acme.test. IN MX 1 mx.acme.test.")
	dialled := recorder{}
	p := w.prober(func(c *Config) { c.AllowPrivate, c.Dial = false, dialled.dial })
	d := lookup(p, "acme.test")
	require.Equal(t, []string{"8.8.8.8"}, d.Hosts[0].IPs)
	for range 3 {
		require.Equal(t, Unknown, p.Check(context.Background(), d, here+"@acme.test").Status)
	}
	require.Equal(t, int64(1), asked.Load())
	require.NotEmpty(t, dialled.seen())
	for _, addr := range dialled.seen() {
		require.Equal(t, "8.8.8.8:25", addr, "what is dialled is what was checked")
	}
}
