package mailworld

import (
	"net/smtp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBreachesOfTheProtocolAreCountedWithASample(t *testing.T) {
	for kind, say := range map[string]string{
		"RCPT before MAIL":                       "EHLO probe.test\r\n;RCPT TO:<info@accurate.test>\r\n",
		"MAIL before EHLO":                       "MAIL FROM:<>\r\n",
		"nested MAIL":                            "EHLO probe.test\r\n;MAIL FROM:<>\r\n;MAIL FROM:<>\r\n",
		"line ends in a bare LF":                 "EHLO probe.test\n",
		"no valid name in EHLO":                  "EHLO \r\n",
		"no valid name in HELO":                  "HELO under_score.test\r\n",
		"space after FROM:":                      "EHLO probe.test\r\n;MAIL FROM: <>\r\n",
		"path without angle brackets":            "EHLO probe.test\r\n;MAIL FROM:a@b.test\r\n",
		"wrong address in RCPT":                  "EHLO probe.test\r\n;MAIL FROM:<>\r\n;RCPT TO:<a..b@accurate.test>\r\n",
		"wrong address in MAIL":                  "EHLO probe.test\r\n;MAIL FROM:<a@b_.test>\r\n",
		"RCPT for a domain of another host":      "EHLO probe.test\r\n;MAIL FROM:<>\r\n;RCPT TO:<a@b.test>\r\n",
		"RCPT parameter that was not offered":    "EHLO probe.test\r\n;MAIL FROM:<>\r\n;RCPT TO:<info@accurate.test> X=1\r\n",
		"MAIL parameter that was not offered":    "EHLO probe.test\r\n;MAIL FROM:<> SMTPUTF8\r\n",
		"rubbish after the path":                 "EHLO probe.test\r\n;MAIL FROM:<>x\r\n",
		"DATA used":                              "EHLO probe.test\r\n;DATA\r\n",
		"VRFY used":                              "VRFY info\r\n",
		"unknown command":                        "GET / HTTP/1.1\r\n",
		"STARTTLS that was not offered":          "EHLO probe.test\r\n;STARTTLS\r\n",
		"pipelined without leave":                "EHLO probe.test\r\nMAIL FROM:<>\r\n",
		"command after the end of the session":   "QUIT\r\n;NOOP\r\n",
		"octet outside printable ASCII":          "EHLO probe.test\r\n;MAIL FROM:<\xe9@b.test>\r\n",
		"line longer than 512 octets":            "NOOP " + strings.Repeat("x", 600) + "\r\n",
		"line longer than 512 octets, endlessly": strings.Repeat("x", 4000),
	} {
		t.Run(kind, func(t *testing.T) {
			w := Gallery(Options{})
			require.NoError(t, w.Start())
			s := talk(t, w, hostsOf(w, Accurate)[0])
			s.hear()
			for part := range strings.SplitSeq(say, ";") {
				_, err := s.raw.Write([]byte(part))
				require.NoError(t, err)
				s.hear()
			}
			_ = s.raw.Close()
			kind, _, _ = strings.Cut(kind, ",")
			require.Eventually(t, func() bool { got := w.Stats(); return got.Faults > 0 && got.Hosts[0].Open == 0 }, 2*time.Second, time.Millisecond)
			require.NoError(t, w.Close())
			stats := w.Stats()
			require.NotZero(t, stats.Faults)
			require.Equal(t, kind, stats.FaultSamples[0].Kind)
			require.LessOrEqual(t, len(stats.FaultSamples[0].Line), faultLineBytes)
			require.Equal(t, stats.Faults, stats.Hosts[0].Faults)
			require.Equal(t, kind == "DATA used", stats.DATACommands > 0)
		})
	}
}

func TestClientThatSpeaksBeforeTheGreetingIsCounted(t *testing.T) {
	w := started(t, Gallery(Options{Latency: 100 * time.Millisecond}))
	s := talk(t, w, hostsOf(w, Accurate)[0])
	_, err := s.raw.Write([]byte("EHLO probe.test\r\n"))
	require.NoError(t, err)
	code, _ := s.hear()
	require.Equal(t, 220, code)
	require.Equal(t, "spoke before the greeting", w.Stats().FaultSamples[0].Kind)
}

func TestPoliteClientCommitsNoFault(t *testing.T) {
	w := started(t, Demo())
	for _, h := range w.hosts {
		if c, _ := w.Company(h.domain); c.Behaviour != Accurate {
			continue
		}
		s := talk(t, w, h)
		c, err := smtp.NewClient(s.raw, h.name)
		require.NoError(t, err)
		require.NoError(t, c.Hello("probe.test"))
		require.NoError(t, c.Mail("probe@probe.test"))
		require.NoError(t, c.Rcpt("info@"+h.domain))
		require.Error(t, c.Rcpt("no.such.person@"+h.domain))
		require.NoError(t, c.Reset())
		require.NoError(t, c.Noop())
		require.NoError(t, c.Quit())
	}
	require.Empty(t, w.Stats().FaultSamples)
	require.Zero(t, w.Stats().DATACommands)
}

func TestNoInputBreaksASession(t *testing.T) {
	w := started(t, Gallery(Options{}))
	words := []string{"EHLO ", "HELO", "MAIL ", "RCPT ", "FROM:", "TO:", "<", ">", "\"", "\\", "@", "a", "accurate.test", " ",
		"\r\n", "\n", "STARTTLS", "QUIT", "RSET", "\x00", "é", "[", "]", "IPv6:::1", "BODY=8BITMIME"}
	rapid.Check(t, func(rt *rapid.T) {
		s := talk(t, w, hostsOf(w, Accurate)[0])
		said := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 60).Draw(rt, "words"), "")
		_, _ = s.raw.Write([]byte(said))
		_ = s.raw.Close()
	})
	s := talk(t, w, hostsOf(w, Accurate)[0])
	require.Equal(t, 250, s.open())
}

func FuzzSyntax(f *testing.F) {
	for _, s := range []string{"FROM:<a@b.test>", "TO:<\"a>b\"@b.test> X=1", "to:<@a:b@c>", "FROM:<", "[IPv6:::1]", "a-.b", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		path, params, fault := parsePath(s, "FROM:")
		if fault != "" && (path != "" || params != nil) {
			t.Fatal("a faulty path came out")
		}
		if validMailbox(s) && (strings.Count(s, "@") == 0 || len(s) > maxLocal+1+maxDomain || strings.ContainsAny(s, "\r\n")) {
			t.Fatalf("%q is no mailbox", s)
		}
		validHello(s)
	})
}
