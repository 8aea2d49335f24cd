package mailworld

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const (
	commandTimeout  = 5 * time.Minute // RFC 5321 4.5.3.2.7
	handshakeLimit  = 10 * time.Second
	lingerAfterQuit = 200 * time.Millisecond // how long a client may take to close after 221
	earlyWindow     = time.Millisecond       // in which speaking before the greeting is noticed
	readBuffer      = 2048
	writeBuffer     = 2048
	maxLine         = 512 // octets of a command with its CRLF, RFC 5321 4.5.3.1.4
	maxCommands     = 10_000
	endlessBytes    = 1 << 20 // an endless greeting ends here, in case nobody hangs up
	muteLimit       = 10 * time.Minute
	slowMin         = time.Second
	slowStep        = 277 * time.Millisecond // replies of slow hosts take slowMin plus a multiple of this, below 2 s
)

// session is one SMTP connection, served by one goroutine.
type session struct {
	run    *run
	host   *host
	conn   net.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	client string // the client's IP address

	greeted  bool // HELO or EHLO was accepted
	extended bool // by EHLO
	secure   bool
	inMail   bool
	refused  bool // MAIL, in the group of commands that is being answered
	sender   string
	rcpts    int
	replies  int
	refusing bool // after 554 and 521 only QUIT is waited for, RFC 5321 3.1
	first    bool // the one connection that a host of closesOnce drops
	quit     bool // the client said so
	over     bool
	done     func() // counts the session as over
}

func newSession(r *run, h *host, conn net.Conn) *session {
	client, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	return &session{
		run: r, host: h, conn: conn, client: client,
		in: bufio.NewReaderSize(conn, readBuffer), out: bufio.NewWriterSize(conn, writeBuffer),
		first: h.manners.closesOnce && r.hosts[h.index].connections.Load() == 1,
	}
}

func (s *session) serve() {
	if !s.open() {
		return
	}
	for n := 0; !s.over && n < maxCommands; n++ {
		if !s.flush() {
			return
		}
		line, err := s.readLine()
		if err != nil {
			return
		}
		s.obey(line)
	}
	s.flush()
	s.linger()
}

// open greets the client in the host's way; false when no dialogue follows.
func (s *session) open() bool {
	m := &s.host.manners
	switch {
	case m.closesOn == "connect":
		return false
	case m.mute:
		_ = s.conn.SetReadDeadline(time.Now().Add(muteLimit))
		_, _ = io.Copy(io.Discard, s.conn) // until the client gives up
		return false
	case !s.hearEarly(max(s.run.world.options.Latency, earlyWindow) + m.wait):
		return false
	case m.endless != "":
		s.babble(m.endless)
		return false
	}
	s.reply(either(m.greeting, s.host.voice.greeting), "")
	s.refusing = strings.HasPrefix(m.greeting, "554") || strings.HasPrefix(m.greeting, "521")
	if m.greeting != "" && !s.refusing && !strings.HasPrefix(m.greeting, "220") {
		s.over = true
		s.flush()
		s.linger()
		return false
	}
	return true
}

// hearEarly waits before the greeting and notices a client that does not.
func (s *session) hearEarly(d time.Duration) bool {
	if s.run.closing() {
		return false
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(d))
	_, err := s.in.Peek(1)
	switch {
	case err == nil:
		s.fault("spoke before the greeting", s.buffered())
	case !isTimeout(err):
		return false
	}
	return true
}

// babble repeats a text without end, as hostile servers do.
func (s *session) babble(text string) {
	block := strings.Repeat(text, 1+4096/len(text))
	for sent := 0; sent < endlessBytes; sent += len(block) {
		_ = s.conn.SetWriteDeadline(time.Now().Add(handshakeLimit))
		if _, err := io.WriteString(s.conn, block); err != nil {
			return
		}
	}
}

// readLine returns the next command without its CRLF and counts what is wrong with its form.
func (s *session) readLine() (string, error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(commandTimeout))
	raw, err := s.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || (err == nil && len(raw) > maxLine) {
		s.fault("line longer than 512 octets", string(raw))
		s.reply("500 5.5.6 Line too long", "")
		s.over = true
		s.flush()
		return "", bufio.ErrBufferFull
	}
	if err != nil {
		if len(raw) > 0 {
			s.fault("connection closed inside a line", string(raw))
		}
		return "", err
	}
	line, strict := strings.CutSuffix(string(raw[:len(raw)-1]), "\r")
	if !strict {
		s.fault("line ends in a bare LF", line)
	}
	for i := 0; i < len(line); i++ {
		if line[i] < ' ' || line[i] > '~' {
			s.fault("octet outside printable ASCII", line)
			break
		}
	}
	return line, nil
}

// reply queues one reply; flush sends what is queued.
func (s *session) reply(text, address string) {
	for line := range strings.SplitSeq(s.fill(text, address), "\n") {
		_, _ = s.out.WriteString(line) // an error stays in the writer and shows at flush
		_, _ = s.out.WriteString("\r\n")
	}
}

// flush sends the queued replies, after the latency of the line, unless more commands of a pipelined group are here.
func (s *session) flush() bool {
	if s.out.Buffered() == 0 || (s.in.Buffered() > 0 && !s.over) {
		return true
	}
	s.refused = false
	wait := s.run.world.options.Latency
	if s.replies == 0 {
		wait = 0 // the greeting has waited in hearEarly
	}
	wait += s.host.manners.tarpit
	if s.host.manners.slow {
		wait += slowMin + time.Duration(s.replies%4)*slowStep
	}
	s.replies++
	if !s.run.pause(wait) || !s.run.mayTalk(s.host.domain) {
		return false
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(commandTimeout))
	return s.out.Flush() == nil
}

// linger lets the client read the last reply and close first; whatever it still says is a fault, but for a QUIT where the
// host ended the session, and the rest of a group that it ended in.
func (s *session) linger() {
	if s.run.closing() {
		return
	}
	if !s.quit && s.mayPipeline() {
		_, _ = s.in.Discard(s.in.Buffered())
	}
	s.done() // before the client can see the end and come back
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(lingerAfterQuit))
	if _, err := s.in.Peek(1); err != nil {
		return
	}
	if said := s.buffered(); s.quit || !strings.EqualFold(said, "QUIT") {
		s.fault("command after the end of the session", said)
	}
}

func (s *session) buffered() string {
	b, _ := s.in.Peek(s.in.Buffered())
	return strings.TrimSpace(string(b))
}

func (s *session) fault(kind, line string) { s.run.fault(s.host, kind, line) }

// upgrade turns the connection into a TLS one; all that was said before is forgotten (RFC 3207 4.2).
func (s *session) upgrade() {
	if !s.flush() {
		s.over = true
		return
	}
	conn := tls.Server(s.conn, s.run.tls)
	_ = s.conn.SetDeadline(time.Now().Add(handshakeLimit))
	if err := conn.Handshake(); err != nil {
		s.over = true
		return
	}
	_ = s.conn.SetDeadline(time.Time{})
	s.conn, s.secure, s.greeted, s.inMail = conn, true, false, false
	s.in.Reset(conn)
	s.out.Reset(conn)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// greylist answers with the seconds that are left, "" when the triplet may pass.
func (s *session) greylist(address string) string {
	key := ""
	switch s.host.manners.greylist {
	case greylistOff:
		return ""
	case greylistDomain:
		key = s.host.domain
	case greylistRecipient:
		key = strings.ToLower(address)
	}
	left := s.run.greylisted(s.client+" "+s.sender+" "+key, time.Now())
	if left == 0 {
		return ""
	}
	return fmt.Sprintf("451 4.7.1 <{address}>: Greylisted, try again in %d seconds", (left+time.Second-1)/time.Second)
}
