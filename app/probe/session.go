package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Bounds of the end of a session, which nobody waits for.
const (
	quitTimeout  = 2 * time.Second
	closeTimeout = 500 * time.Millisecond // of one that failed, or that the server ended
	// maxRefusals is one below Postfix's smtpd_soft_error_limit of 10, after which it slows the session down.
	maxRefusals = 9
	// A session that was free for less than settled is used without a glance at what came in meanwhile.
	settled = 50 * time.Millisecond
	glance  = time.Millisecond
)

// errUnsafe is a command that would carry CR, LF or NUL; it is never sent.
var errUnsafe = errors.New("a command may not hold CR, LF or NUL")

// errOutOfTurn is a server that says more than it was asked, or not in the order in which it was asked.
var errOutOfTurn = fmt.Errorf("%w: it spoke out of turn", errNotSMTP)

// session is one SMTP connection. It belongs to one goroutine at a time.
type session struct {
	host, ip string
	conn     net.Conn
	r        *bufio.Reader
	cfg      *Config
	notes    *transcript // of the address that is being asked

	extensions map[string]bool // from the last EHLO, upper case
	tls        bool
	tx         transaction
	rcpts      int // asked in this session
	refusals   int
	broken     bool      // no command may be sent any more, not even QUIT
	spent      bool      // the server said that it wants no more
	served     int       // questions before this one
	freeSince  time.Time // when the last of them ended
	idleTimer  *time.Timer
	done       func() // tells the gate that the session is over; nil for none
}

// transaction is an open MAIL FROM. Recipients of two domains are never mixed: Google refuses that with 451 4.3.0.
type transaction struct {
	open   bool
	domain string
	utf8   bool
	rcpts  int
}

func newSession(conn net.Conn, host, ip string, cfg *Config, notes *transcript) *session {
	return &session{host: host, ip: ip, conn: conn, r: bufio.NewReaderSize(conn, maxLine+2), cfg: cfg, notes: notes}
}

// command sends one line and reads the reply to it, both within ReplyTimeout. After an error the session is broken.
func (s *session) command(ctx context.Context, line string) (reply, error) {
	rep, err := s.commands(ctx, s.notes, line)
	if err != nil {
		return reply{}, err
	}
	return rep[0], nil
}

// commands sends lines in one go (RFC 2920, only when PIPELINING was offered, or one line) and reads a reply to each, within
// ReplyTimeout of the one before. With an error come the replies before it.
func (s *session) commands(ctx context.Context, notes *transcript, lines ...string) ([]reply, error) {
	if err := s.send(ctx, notes, lines); err != nil {
		return nil, err
	}
	replies := make([]reply, 0, len(lines))
	for range lines {
		rep, err := s.hear(ctx, notes)
		if err != nil {
			return replies, err
		}
		replies = append(replies, rep)
	}
	return replies, nil
}

// send writes lines in one go.
func (s *session) send(ctx context.Context, notes *transcript, lines []string) error {
	var wire strings.Builder
	if s.r.Buffered() > 0 {
		return s.fail(ctx, notes, errOutOfTurn) // or its replies would be taken for other questions'
	}
	for _, line := range lines {
		if strings.ContainsAny(line, "\r\n\x00") {
			return errUnsafe
		}
		wire.WriteString(line + "\r\n")
		notes.add("C", line)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReplyTimeout)
	defer cancel()
	defer interruptible(ctx, s.conn)()
	if _, err := io.WriteString(s.conn, wire.String()); err != nil {
		return s.fail(ctx, notes, err)
	}
	return nil
}

// hear reads one reply within ReplyTimeout.
func (s *session) hear(ctx context.Context, notes *transcript) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReplyTimeout)
	defer cancel()
	defer interruptible(ctx, s.conn)()
	return s.read(ctx, notes)
}

func (s *session) read(ctx context.Context, notes *transcript) (reply, error) {
	rep, err := readReply(s.r)
	notes.reply(rep)
	if err != nil {
		return rep, s.fail(ctx, notes, err)
	}
	if rep.code == 421 {
		s.spent = true // RFC 5321 §3.8: it closes now
	}
	return rep, nil
}

// fail marks the session broken and names what ended it.
func (s *session) fail(ctx context.Context, notes *transcript, err error) error {
	s.broken = true
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	notes.add("I", inWords(err))
	return err
}

// quiet holds while the server has neither closed a pooled session nor said anything unasked, such as 421 for idling.
func (s *session) quiet() bool {
	if s.r.Buffered() > 0 {
		return false
	}
	if time.Since(s.freeSince) < settled {
		return true
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(glance))
	_, err := s.r.Peek(1)
	return timedOut(err)
}

// greeting waits for the banner.
func (s *session) greeting(ctx context.Context) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.BannerTimeout)
	defer cancel()
	defer interruptible(ctx, s.conn)()
	return s.read(ctx, s.notes)
}

// hello says EHLO, or HELO to a server that does not know it (RFC 5321 §3.2), but never after 421.
func (s *session) hello(ctx context.Context) (reply, error) {
	name := s.cfg.Helo
	if name == "" {
		name = addressLiteral(s.conn)
	}
	s.extensions = map[string]bool{}
	rep, err := s.command(ctx, "EHLO "+name)
	if err != nil {
		return rep, err
	}
	switch rep.code {
	case 250:
		for _, line := range rep.lines[1:] {
			if _, text, _, ok := splitLine(line); ok {
				word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
				s.extensions[strings.ToUpper(word)] = true
			}
		}
	case 500, 502, 504:
		return s.command(ctx, "HELO "+name)
	}
	return rep, nil
}

// addressLiteral is RFC 5321 §4.1.3, from our end of the connection.
func addressLiteral(conn net.Conn) string {
	addr, ok := conn.LocalAddr().(*net.TCPAddr)
	switch {
	case !ok || addr.IP == nil:
		return "[127.0.0.1]"
	case addr.IP.To4() != nil:
		return "[" + addr.IP.To4().String() + "]"
	}
	return "[IPv6:" + addr.IP.String() + "]"
}

// startTLS upgrades the connection and greets again (RFC 3207 §4.2). The certificate is not checked: nothing secret is
// said, and mail servers' certificates often fit no name. What came in clear after the 220 is dropped.
func (s *session) startTLS(ctx context.Context) (reply, error) {
	rep, err := s.command(ctx, "STARTTLS")
	if err != nil || rep.code != 220 {
		return rep, err
	}
	hctx, cancel := context.WithTimeout(ctx, s.cfg.ReplyTimeout)
	defer cancel()
	conn := tls.Client(s.conn, &tls.Config{ServerName: s.host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	if err := conn.HandshakeContext(hctx); err != nil {
		return reply{}, s.fail(hctx, s.notes, fmt.Errorf("TLS handshake: %w", err))
	}
	s.conn, s.r, s.tls, s.tx = conn, bufio.NewReaderSize(conn, maxLine+2), true, transaction{}
	s.notes.add("I", "TLS "+tls.VersionName(conn.ConnectionState().Version))
	return s.hello(ctx)
}

// end quits, and tells the gate.
func (s *session) end() {
	s.quit()
	if s.done != nil {
		s.done()
	}
}

// quit ends the session politely and waits for the server to close, so that its slot is free on both sides: also after a failure and a
// 421, where nothing may be said any more. What goes wrong here changes nothing.
func (s *session) quit() {
	defer s.conn.Close()
	wait := closeTimeout
	if !s.broken && !s.spent {
		wait = quitTimeout
	}
	_ = s.conn.SetDeadline(time.Now().Add(wait))
	if !s.broken && !s.spent {
		if _, err := io.WriteString(s.conn, "QUIT\r\n"); err != nil {
			return
		}
		if _, err := readReply(s.r); err != nil {
			return
		}
	} else if !closeWrite(s.conn) {
		return
	}
	_, _ = io.CopyN(io.Discard, s.r, maxReply) // to the end of the stream
}

// closeWrite tells the server that nothing more will come.
func closeWrite(conn net.Conn) bool {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	half, ok := conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
