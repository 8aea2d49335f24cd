package mailworld

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/textproto"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite examples/*.csv")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func started(t testing.TB, w *World) *World {
	t.Helper()
	require.NoError(t, w.Start())
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// talker is a client that says exactly what a test tells it to.
type talker struct {
	*textproto.Conn
	raw net.Conn
}

func talk(t testing.TB, w *World, h *host) *talker {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := w.Dial(ctx, "tcp", fmt.Sprintf("%s:%d", h.ip, w.SMTPPort()))
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	t.Cleanup(func() { _ = conn.Close() })
	return &talker{Conn: textproto.NewConn(conn), raw: conn}
}

// hear reads one reply; code 0 stands for a closed connection.
func (c *talker) hear() (int, string) {
	code, text, err := c.ReadResponse(0)
	if err != nil {
		return 0, err.Error()
	}
	return code, text
}

func (c *talker) ask(line string) (int, string) {
	if err := c.PrintfLine("%s", line); err != nil {
		return 0, err.Error()
	}
	return c.hear()
}

// open goes as far as MAIL and returns the code of the first answer that is not a yes, or 250.
func (c *talker) open() int {
	if code, _ := c.hear(); code != 220 {
		return code
	}
	if code, _ := c.ask("EHLO probe.test"); code == 502 {
		code, _ = c.ask("HELO probe.test")
		if code != 250 {
			return code
		}
	} else if code != 250 {
		return code
	}
	code, _ := c.ask("MAIL FROM:<>")
	return code
}

func (c *talker) rcpt(address string) (int, string) { return c.ask("RCPT TO:<" + address + ">") }

func hostsOf(w *World, b Behaviour) []*host {
	var list []*host
	for _, h := range w.hosts {
		if h.domain == domainOf(b) {
			list = append(list, h)
		}
	}
	return list
}

func domainOf(b Behaviour) string { return b.GalleryDomain() }
