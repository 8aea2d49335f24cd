package probe

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// group asks for local parts of acme.test in one go.
func group(p *Prober, locals ...string) []Answer {
	addresses := make([]string, len(locals))
	for i, l := range locals {
		addresses[i] = l + "@acme.test"
	}
	return p.CheckGroup(context.Background(), p.Lookup(context.Background(), "acme.test"), addresses)
}

func statuses(answers []Answer) (out []Status) {
	for _, a := range answers {
		out = append(out, a.Status)
	}
	return out
}

func TestAddressesAreAskedInOneGo(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{offers: "PIPELINING"})
	p := w.prober()
	got := group(p, absent, here, "nobody", here)
	require.Equal(t, []Status{Invalid, Valid, Invalid, Valid}, statuses(got))
	require.Equal(t, []int{1, 1, 4}, []int{m.said("EHLO"), m.said("MAIL"), m.said("RCPT")})
	require.Equal(t, "nobody@acme.test", got[2].Address)
	talk := ""
	for _, l := range got[2].Lines {
		talk += l.From + " " + l.Text + "\n"
	}
	require.Contains(t, talk, "C MAIL FROM:<>")
	require.Contains(t, talk, "C RCPT TO:<nobody@acme.test>\nS 550 5.1.1 <nobody@acme.test>")
	require.NotContains(t, talk, here, "each answer shows its own part")
	require.Equal(t, []Status{Invalid}, statuses(group(p, "one")), "one alone goes on in the same transaction")
	require.Equal(t, []int{1, 1}, []int{m.said("MAIL"), int(m.conns.Load())})
}

func TestAServerThatTakesNoGroupsIsAskedForOne(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{})
	require.Equal(t, []Status{Invalid}, statuses(group(w.prober(), absent, here)))
	require.Equal(t, 1, m.said("RCPT"))
}

// TestWhatWasNotAnsweredWasNotAsked: a limit, a 421, a closed line and silence in the middle of a group say nothing of the addresses
// that they leave without a reply, and these are found out by asking on.
func TestWhatWasNotAnsweredWasNotAsked(t *testing.T) {
	for name, c := range map[string]struct {
		over  string
		perTx bool
	}{
		"a limit for a transaction": {"452 4.5.3 Too many recipients", true},
		"a limit for a session":     {"452 4.5.3 Too many recipients", false},
		"421 in the middle":         {"421 4.7.0 enough", false},
		"a line that is closed":     {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := w.company("acme.test", &mta{offers: "PIPELINING", rcpt: func(cl *client, address string) string {
				if n := map[bool]int{true: cl.txs, false: cl.rcpts}[c.perTx]; n > 2 {
					return c.over
				}
				return honest(cl, address)
			}})
			p := w.prober()
			rest := []string{absent, here, "a", "b", here, "c"}
			var got []Status
			for len(rest) > 0 {
				answers := group(p, rest...)
				got, rest = append(got, statuses(answers)...), rest[len(answers):]
			}
			require.Equal(t, []Status{Invalid, Valid, Invalid, Invalid, Valid, Invalid}, got)
			require.LessOrEqual(t, m.rcpts.Load(), int64(13), "the limit must be learned")
		})
	}
	t.Run("silence", func(t *testing.T) {
		w := newWorld(t)
		w.company("acme.test", &mta{offers: "PIPELINING", rcpt: named("250 ok", hang)})
		p := w.prober(func(c *Config) { c.ReplyTimeout = 100 * time.Millisecond })
		require.Equal(t, []Status{Valid}, statuses(group(p, here, absent, here)))
	})
}

func TestRecipientsOfARefusedMailAreNotJudged(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{offers: "PIPELINING", mail: func(*client, string) string { return "553 5.1.8 Sender address rejected" }})
	got := group(w.prober(), absent, here)
	require.Equal(t, []Status{Unknown}, statuses(got))
	require.Equal(t, BlockedByServer, got[0].Reason)
	require.Equal(t, 2, m.said("RCPT"), "they were under way")
}

// TestRepliesOutOfOrderAreWorthNothing: what such a server says to a group is not believed, and it is asked for one at a time from then on.
func TestRepliesOutOfOrderAreWorthNothing(t *testing.T) {
	for name, replies := range map[string]func(rcpts []string) string{
		"crossed": func(r []string) string {
			var out strings.Builder
			for i := range r {
				out.WriteString(aboutOne(r[len(r)-1-i]))
			}
			return out.String()
		},
		"one too many": func(r []string) string {
			out := "250 ok\r\n"
			for _, address := range r {
				out += aboutOne(address)
			}
			return out
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := w.company("acme.test", &mta{raw: func(c net.Conn) { outOfOrder(c, replies) }})
			p := w.prober()
			require.Equal(t, []Status{Invalid}, statuses(group(p, absent, here, "a")))
			require.Equal(t, []Status{Valid}, statuses(group(p, here, absent)))
			require.LessOrEqual(t, m.conns.Load(), int64(3))
		})
	}
}

func aboutOne(address string) string {
	if strings.HasPrefix(address, "<"+here) {
		return "250 2.1.5 ok\r\n"
	}
	return fmt.Sprintf("550 5.1.1 %s: unknown\r\n", address)
}

// outOfOrder answers groups of more than one RCPT by replies.
func outOfOrder(c net.Conn, replies func(rcpts []string) string) {
	r := bufio.NewReader(c)
	_, _ = c.Write([]byte("220 x\r\n"))
	var rcpts []string
	out := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "EHLO"):
			out += "250-x\r\n250 PIPELINING\r\n"
		case strings.HasPrefix(line, "RCPT"):
			rcpts = append(rcpts, strings.TrimPrefix(line, "RCPT TO:"))
		case line == "QUIT":
			_, _ = c.Write([]byte("221 bye\r\n"))
			return
		default:
			out += "250 ok\r\n"
		}
		if r.Buffered() > 0 {
			continue
		}
		if len(rcpts) > 1 {
			out += replies(rcpts)
		} else if len(rcpts) == 1 {
			out += aboutOne(rcpts[0])
		}
		_, _ = c.Write([]byte(out))
		rcpts, out = nil, ""
	}
}

func TestAnAcceptAllAnswerComesWithThatOfAnAddress(t *testing.T) {
	for name, c := range map[string]struct {
		mta      *mta
		verdict  Tri
		answered []Status
		rcpts    int64
	}{
		"an invented name is refused": {&mta{offers: "PIPELINING"}, No, []Status{Valid, Invalid}, 3},
		"every name is taken":         {&mta{offers: "PIPELINING", rcpt: always("250 ok")}, Yes, nil, 4},
		"it takes no groups":          {&mta{}, No, nil, 1},
		"it greylists":                {&mta{offers: "PIPELINING", rcpt: always("451 4.7.1 Greylisted, try again in 60 seconds")}, Unsure, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			m := w.company("acme.test", c.mta)
			p := w.prober()
			all, answers := p.AcceptAllBeside(context.Background(), p.Lookup(context.Background(), "acme.test"), []string{here + "@acme.test", absent + "@acme.test"})
			require.Equal(t, c.verdict, all.Verdict)
			require.Equal(t, c.answered, statuses(answers))
			require.Equal(t, c.rcpts, m.rcpts.Load())
			require.Equal(t, []string{"mx.acme.test"}, all.Servers)
		})
	}
}
