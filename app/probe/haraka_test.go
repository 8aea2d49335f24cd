//go:build mta

package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// harakaMailboxes is a Haraka plugin that knows our invented mailboxes, greylists one domain and wants TLS at one port.
const harakaMailboxes = `'use strict'
const DSN = require('haraka-dsn')
const known = new Set(['anna.known@strict.test', 'anna.known@tls.test', 'anna.known@grey.test'])
const first = new Map()
exports.hook_lookup_rdns = (next) => next(OK, 'localhost')
exports.hook_mail = (next, connection) => {
  if (connection.local.port === {tls} && !connection.tls.enabled) return next(DENY, DSN.create(530, 'Must issue a STARTTLS command first', 7, 0))
  next()
}
exports.hook_rcpt = (next, connection, params) => {
  const [user, host] = [params[0].user, params[0].host]
  if (host === 'grey.test') {
    const triplet = [connection.remote.ip, String(connection.transaction.mail_from), host].join(' ')
    if (!first.has(triplet)) first.set(triplet, Date.now())
    if (Date.now() - first.get(triplet) < {delay}) return next(DENYSOFT, 'Greylisted, please try again in {seconds} seconds')
  }
  if (host === 'all.test' || known.has(user + '@' + host)) return next(OK)
  next(DENY, DSN.no_such_user())
}
`

// startHaraka runs Haraka headless on a folder of its own; HARAKA names its program.
func startHaraka(t *testing.T) (dir string, plain, tls int) {
	program := os.Getenv("HARAKA")
	require.NotEmpty(t, program, "HARAKA is not set: run .ci/test-mta")
	dir, plain, tls = mtaDir(t), freePort(t), freePort(t)
	for _, sub := range []string{"config", "plugins", "queue"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	cert, key := certificate(t, dir)
	fill := strings.NewReplacer("{tls}", fmt.Sprint(tls), "{delay}", fmt.Sprint(greyDelay.Milliseconds()), "{seconds}", fmt.Sprint(greyDelay.Seconds()))
	for name, text := range map[string]string{
		"config/plugins":        "tls\nmailboxes\n",
		"config/me":             "mx.haraka.test\n",
		"config/connection.ini": "[main]\n[max]\nbytes=26214400\nmime_parts=1000\nline_length=512\ndata_line_length=992\n[message]\n[uuid]\nbanner_chars=0\n",
		"config/smtp.ini":       fmt.Sprintf("listen=127.0.0.1:%d,127.0.0.1:%d\npublic_ip=127.0.0.1\nnodes=0\n", plain, tls),
		"config/tls.ini":        fmt.Sprintf("key=%s\ncert=%s\n", key, cert),
		"plugins/mailboxes.js":  fill.Replace(harakaMailboxes),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	log := filepath.Join(dir, "log")
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := os.ReadFile(log)
			t.Logf("Haraka says:\n%s", said)
		}
	})
	child(t, log, "node", program, "-c", dir)
	listening(t, log, plain, tls)
	return dir, plain, tls
}

func TestHarakaIsJudgedRight(t *testing.T) {
	dir, plain, tls := startHaraka(t)
	w := newWorld(t)
	for domain, port := range map[string]int{"strict.test": plain, "all.test": plain, "tls.test": tls, "grey.test": plain} {
		w.behind(domain, port)
	}
	p := w.prober(func(c *Config) { c.MailFrom = "check@probe.test" })
	judged(t, p, map[string]want{
		"anna.known@strict.test":  exists,
		"zoe.missing@strict.test": none,
		"anna.known@tls.test":     exists,
		"zoe.missing@tls.test":    none,
		"zoe.missing@all.test":    exists, // whose AcceptAll says yes
	})
	judgedAll(t, p, map[string]Tri{"strict.test": No, "tls.test": No, "all.test": Yes})
	greylisted(t, p, "anna.known@grey.test", exists)
	after := check(p, "zoe.missing@grey.test")
	require.Equal(t, none, want{after.Status, after.Reason}, "the triplet is known by now")
	require.True(t, check(p, "anna.known@tls.test").TLS)
	said, err := os.ReadFile(filepath.Join(dir, "log"))
	require.NoError(t, err)
	require.NotContains(t, string(said), "[CRIT]", "a plugin failed")
}
