package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds a whole conversation with the mail server.
const sendTimeout = 30 * time.Second

// ErrRefused says that the mail server will not take this mail, now or later.
var ErrRefused = errors.New("the mail server refused the mail")

// SMTP hands mail to a mail server.
type SMTP struct {
	from string
	host string
	tls  bool // from the beginning
	opts []gomail.Option
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// NewSMTP reads smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 (TLS from the beginning). A password is
// only ever sent over TLS, or to this machine. Errors do not show the URL.
func NewSMTP(server, from string) (*SMTP, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("SMTP_URL must look like smtp://user:password@host:587")
	}
	s := &SMTP{from: from, host: u.Hostname(), dial: new(net.Dialer).DialContext, opts: []gomail.Option{gomail.WithTimeout(sendTimeout)}}
	port, policy := 587, gomail.TLSOpportunistic
	if u.Scheme == "smtps" {
		port, policy, s.tls = 465, gomail.NoTLS, true // no STARTTLS inside of TLS
		s.opts = append(s.opts, gomail.WithSSL())
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, errors.New("SMTP_URL: the port is no number")
		}
	}
	if name := u.User.Username(); name != "" {
		password, _ := u.User.Password()
		auth := gomail.SMTPAuthAutoDiscover
		if thisMachine(s.host) {
			auth = gomail.SMTPAuthPlain
		} else if !s.tls {
			policy = gomail.TLSMandatory
		}
		s.opts = append(s.opts, gomail.WithSMTPAuth(auth), gomail.WithUsername(name), gomail.WithPassword(password))
	}
	s.opts = append(s.opts, gomail.WithPort(port), gomail.WithTLSPolicy(policy))
	return s, nil
}

func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// Send hands one mail over and returns when the server has taken it. ErrRefused means that there is no use in trying again.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(s.from), msg.To(m.To)); err != nil {
		return fmt.Errorf("addressing a mail: %w", errors.Join(ErrRefused, err))
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	var conn net.Conn
	opts := slices.Clone(s.opts)
	if !s.tls {
		opts = append(opts, gomail.WithDialContextFunc(func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
			conn, err = s.dial(ctx, network, addr)
			return conn, err
		}))
	}
	client, err := gomail.NewClient(s.host, opts...)
	if err != nil {
		return fmt.Errorf("preparing to send mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, msg)
	if conn != nil {
		_ = conn.Close() // the library leaves it open when STARTTLS goes wrong
	}
	var failed *gomail.SendError
	if errors.As(err, &failed) && failed.ErrorCode() >= 500 && !failed.IsTemp() {
		err = errors.Join(ErrRefused, err)
	}
	if err != nil {
		return fmt.Errorf("sending mail: %w", err)
	}
	return nil
}
