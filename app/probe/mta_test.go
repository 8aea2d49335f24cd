package probe

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mta is a scripted mail server. A reply of "" closes the connection, hang says nothing, and \n makes lines.
type mta struct {
	banner   string
	hello    func(c *client, verb, name string) string
	mail     func(c *client, line string) string
	rcpt     func(c *client, address string) string
	starttls *tls.Config
	offers   string // extra EHLO lines, joined by a space
	raw      func(c net.Conn)
	delay    time.Duration // before every reply

	mu                       sync.Mutex
	lines                    []string
	conns, open, peak, rcpts atomic.Int64
	datas, quits             atomic.Int64
}

const hang = "(hang)"

// client is one connection as the server sees it.
type client struct {
	net.Conn
	n          int64 // the how-manieth connection
	tls, mail  bool
	rcpts, txs int // RCPTs in this connection, and in this transaction
	stop       <-chan struct{}
}

func (m *mta) start(t testing.TB, l net.Listener) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n := m.conns.Add(1)
			open := m.open.Add(1)
			for peak := m.peak.Load(); open > peak && !m.peak.CompareAndSwap(peak, open); peak = m.peak.Load() {
			}
			wg.Go(func() {
				done := context.AfterFunc(t.Context(), func() { c.Close() })
				defer done()
				defer c.Close()
				defer m.open.Add(-1)
				m.serve(&client{Conn: c, n: n, stop: stop})
			})
		}
	})
	t.Cleanup(func() { close(stop); l.Close(); wg.Wait() })
}

func (m *mta) serve(c *client) {
	if m.raw != nil {
		m.raw(c)
		return
	}
	banner := m.banner
	if banner == "" {
		banner = "220 mx.test ESMTP"
	}
	if !m.say(c, banner) {
		return
	}
	r := bufio.NewReader(c.Conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		m.mu.Lock()
		m.lines = append(m.lines, line)
		m.mu.Unlock()
		reply := m.answer(c, line)
		if !m.say(c, reply) || strings.HasPrefix(line, "QUIT") {
			return
		}
		if line == "STARTTLS" && strings.HasPrefix(reply, "220") {
			conn := tls.Server(c.Conn, m.starttls)
			if conn.Handshake() != nil {
				return
			}
			c.Conn, c.tls, c.mail, r = conn, true, false, bufio.NewReader(conn)
		}
	}
}

func (m *mta) say(c *client, reply string) bool {
	if m.delay > 0 {
		time.Sleep(m.delay)
	}
	switch reply {
	case "":
		return false
	case hang:
		<-c.stop
		return false
	}
	_, err := c.Write([]byte(strings.ReplaceAll(reply, "\n", "\r\n") + "\r\n"))
	return err == nil && !strings.HasPrefix(reply, "421")
}

func (m *mta) answer(c *client, line string) string {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "EHLO", "HELO":
		if m.hello != nil {
			return m.hello(c, verb, rest)
		}
		return m.ehlo(c)
	case "STARTTLS":
		return "220 go ahead"
	case "MAIL":
		if m.mail != nil {
			if reply := m.mail(c, line); !strings.HasPrefix(reply, "250") {
				return reply
			}
		}
		if c.mail {
			return "503 nested MAIL"
		}
		c.mail, c.txs = true, 0
		return "250 2.1.0 ok"
	case "RCPT":
		if !c.mail {
			return "503 need MAIL"
		}
		m.rcpts.Add(1)
		c.rcpts++
		c.txs++
		address := strings.TrimSuffix(strings.TrimPrefix(rest, "TO:<"), ">")
		if m.rcpt == nil {
			return honest(c, address)
		}
		return m.rcpt(c, address)
	case "RSET":
		c.mail = false
		return "250 2.0.0 ok"
	case "DATA":
		m.datas.Add(1)
		return "354 no"
	case "QUIT":
		m.quits.Add(1)
		return "221 2.0.0 bye"
	}
	return "500 5.5.1 what?"
}

func (m *mta) ehlo(c *client) string {
	lines := append([]string{"mx.test"}, strings.Fields(m.offers)...)
	if m.starttls != nil && !c.tls {
		lines = append(lines, "STARTTLS")
	}
	for i := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		lines[i] = "250" + sep + lines[i]
	}
	return strings.Join(lines, "\n")
}

func (m *mta) said(prefix string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, line := range m.lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// The people of every company in these tests.
const (
	here   = "anna.known"
	absent = "zoe.missing"
)

func honest(_ *client, address string) string {
	if strings.HasPrefix(address, here+"@") || strings.HasPrefix(address, "given") {
		return "250 2.1.5 ok"
	}
	return "550 5.1.1 <" + address + ">: Recipient address rejected: User unknown"
}

// always answers every RCPT alike.
func always(reply string) func(*client, string) string {
	return func(*client, string) string { return reply }
}

// named answers for the existing mailbox and for all others.
func named(exists, other string) func(*client, string) string {
	return func(_ *client, address string) string {
		if strings.HasPrefix(address, here+"@") {
			return exists
		}
		return other
	}
}

// selfSigned is a certificate that no authority knows.
func selfSigned(t *testing.T) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
