package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gomail "github.com/wneessen/go-mail"
)

// server is a mail server on loopback that keeps what it is given. refuse maps a recipient to the answer that it gets.
type server struct {
	addr   string
	refuse map[string]string
	mu     sync.Mutex
	mails  []string // as sent, after the dots were undone
	auth   string   // the initial response of AUTH PLAIN
}

func newServer(t *testing.T) *server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return serveOn(t, l)
}

func serveOn(t *testing.T, l net.Listener) *server {
	s := &server{addr: l.Addr().String(), refuse: map[string]string{}}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			open.Go(func() { s.talk(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	return s
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	say := func(text string) { fmt.Fprint(conn, text+"\r\n") }
	say("220 mx.test ESMTP")
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-mx.test\r\n250-8BITMIME\r\n250 AUTH PLAIN")
		case "AUTH":
			s.mu.Lock()
			s.auth = strings.TrimPrefix(rest, "PLAIN ")
			s.mu.Unlock()
			say("235 welcome")
		case "RCPT":
			to := strings.Trim(strings.TrimPrefix(strings.Fields(rest)[0], "TO:"), "<>")
			if answer := s.refuse[to]; answer != "" {
				say(answer)
			} else {
				say("250 ok")
			}
		case "DATA":
			say("354 go on")
			var body strings.Builder
			for lines.Scan() && lines.Text() != "." {
				body.WriteString(strings.TrimPrefix(lines.Text(), ".") + "\n")
			}
			s.mu.Lock()
			s.mails = append(s.mails, body.String())
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

var list = ListData{List: "<Spring> & fair", Rows: 1200, Found: 800, Counts: []Count{{"Valid", 800}, {"Unknown", 400}}, Note: "The file has no rows.",
	Link: "https://beagle.example/lists/abc", Settings: "https://beagle.example/settings"}

func TestEveryMailHasASubjectTextAndHTML(t *testing.T) {
	for kind, data := range map[string]any{ListFinished: list, ListFailed: list, PasswordReset: ResetData{"mara@one.example", "https://beagle.example/reset/TOKEN"},
		SignIn: SignInData{"mara@one.example", "from 203.0.113.9, <Firefox>", "https://beagle.example/reset"}, CreditsLow: CreditsData{"<Spring> & fair", 9, "https://beagle.example/lists"}} {
		m, err := Write(kind, "mara@one.example", data)
		require.NoError(t, err)
		require.NotEmpty(t, m.Subject)
		for _, body := range []string{m.Text, m.HTML} {
			require.Contains(t, body, "https://beagle.example/", kind)
			require.NotContains(t, body, "<no value>", kind)
			require.NotContains(t, body, "{{", kind)
		}
		require.NotContains(t, m.HTML, "<Spring>", "names are escaped")
	}
	_, err := Write("no_such_mail", "a@b.example", nil)
	require.Error(t, err)
}

func TestMailIsHandedToTheServer(t *testing.T) {
	server := newServer(t)
	sender, err := NewSMTP("smtp://mara:pass%20word@"+server.addr, "Beagle <beagle@one.example>")
	require.NoError(t, err)
	m, err := Write(ListFinished, "teo@two.example", list)
	require.NoError(t, err)
	require.NoError(t, sender.Send(t.Context(), m))
	require.Len(t, server.mails, 1)
	for _, part := range []string{`From: "Beagle" <beagle@one.example>`, "To: <teo@two.example>", "Subject: <Spring> & fair is ready", "Auto-Submitted: auto-generated",
		"multipart/alternative", "text/plain", "text/html", "800 of 1200 rows"} {
		require.Contains(t, server.mails[0], part)
	}
	require.Equal(t, "AG1hcmEAcGFzcyB3b3Jk", server.auth, "base64 of NUL name NUL password")
}

func TestRefusalForGoodIsTold(t *testing.T) {
	server := newServer(t)
	server.refuse["gone@two.example"], server.refuse["later@two.example"] = "550 5.1.1 no such mailbox", "450 4.2.0 try later"
	sender, err := NewSMTP("smtp://"+server.addr, "beagle@one.example")
	require.NoError(t, err)
	require.ErrorIs(t, sender.Send(t.Context(), Message{To: "gone@two.example", Subject: "s", Text: "t", HTML: "h"}), ErrRefused)
	err = sender.Send(t.Context(), Message{To: "later@two.example", Subject: "s", Text: "t", HTML: "h"})
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrRefused)
	require.ErrorIs(t, sender.Send(t.Context(), Message{To: "a@b.example\r\nBcc: x@y.example", Subject: "s"}), ErrRefused)
	require.Empty(t, server.mails)
}

func TestPasswordIsNotSentInClearToOtherMachines(t *testing.T) {
	server := newServer(t)
	sender, err := NewSMTP("smtp://mara:secret@mail.two.example", "beagle@one.example")
	require.NoError(t, err)
	sender.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.addr)
	}
	require.Error(t, sender.Send(t.Context(), Message{To: "a@b.example", Subject: "s", Text: "t", HTML: "h"}))
	require.Empty(t, server.auth, "the server offers no TLS")
	_, err = NewSMTP("smtp://mara:secret@:25", "beagle@one.example")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}

func TestMailGoesOverTLSFromTheBeginningWithSMTPS(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: https.TLS.Certificates})
	require.NoError(t, err)
	server := serveOn(t, l)
	sender, err := NewSMTP("smtps://mara:secret@"+server.addr, "beagle@one.example")
	require.NoError(t, err)
	m := Message{To: "teo@two.example", Subject: "s", Text: "t", HTML: "h"}
	require.Error(t, sender.Send(t.Context(), m), "nobody vouches for the certificate")
	require.Empty(t, server.auth)
	trusted := x509.NewCertPool()
	trusted.AddCert(https.Certificate())
	sender.opts = append(sender.opts, gomail.WithTLSConfig(&tls.Config{RootCAs: trusted, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}))
	require.NoError(t, sender.Send(t.Context(), m))
	require.Len(t, server.mails, 1)
	require.NotEmpty(t, server.auth)
}
