//go:build mta

package probe

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type postfix struct {
	dir                 string
	plain, tls, grey    int
	policy              int
	config, log, master string
}

const postfixMain = `compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
myhostname = mx.postfix.test
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_relay_restrictions =
smtpd_recipient_restrictions = reject_unauth_destination
virtual_mailbox_domains = strict.test, all.test, tls.test, grey.test
virtual_mailbox_maps = inline:{ {info@strict.test=x}, {anna.known@strict.test=x}, {@all.test=x}, {anna.known@tls.test=x}, {anna.known@grey.test=x} }
virtual_transport = discard:
smtpd_tls_cert_file = {dir}/cert.pem
smtpd_tls_key_file = {dir}/key.pem
smtpd_tls_session_cache_database =
`

const postfixMaster = `127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{tls} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
127.0.0.1:{grey} inet n - n - - smtpd
  -o smtpd_recipient_restrictions=reject_unauth_destination,check_policy_service,inet:127.0.0.1:{policy}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
pickup unix n - n 60 1 pickup
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// startPostfix runs Debian's Postfix headless, with everything it writes in a folder of its own, and postgrey behind one of its ports.
func startPostfix(t *testing.T) *postfix {
	m := &postfix{dir: mtaDir(t), plain: freePort(t), tls: freePort(t), grey: freePort(t), policy: freePort(t)}
	certificate(t, m.dir)
	m.config, m.log = filepath.Join(m.dir, "conf"), filepath.Join(m.dir, "log")
	fill := strings.NewReplacer("{dir}", m.dir, "{daemons}", postfixDaemons(t), "{plain}", fmt.Sprint(m.plain), "{tls}", fmt.Sprint(m.tls),
		"{grey}", fmt.Sprint(m.grey), "{policy}", fmt.Sprint(m.policy))
	for _, dir := range []string{"conf", "queue", "data", "grey"} {
		require.NoError(t, os.Mkdir(filepath.Join(m.dir, dir), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(m.config, "main.cf"), []byte(fill.Replace(postfixMain)), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(m.config, "master.cf"), []byte(fill.Replace(postfixMaster)), 0o644))
	shell(t, "chown", "postfix", filepath.Join(m.dir, "data"))
	shell(t, "chown", "postgrey", filepath.Join(m.dir, "grey"))
	greyLog := filepath.Join(m.dir, "postgrey.log")
	child(t, greyLog, "postgrey", fmt.Sprintf("--inet=127.0.0.1:%d", m.policy), fmt.Sprintf("--delay=%d", greyDelay/time.Second), "--dbdir="+filepath.Join(m.dir, "grey"),
		"--user=postgrey", "--group=nogroup", "--auto-whitelist-clients=0", "--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null")
	listening(t, greyLog, m.policy)
	shell(t, "postfix", "-c", m.config, "start")
	t.Cleanup(func() { shell(t, "postfix", "-c", m.config, "stop") })
	listening(t, m.log, m.plain, m.tls, m.grey)
	return m
}

// postfixDaemons is where the package keeps its programs.
func postfixDaemons(t *testing.T) string {
	for _, dir := range []string{"/usr/lib/postfix/sbin", "/usr/libexec/postfix"} {
		if _, err := os.Stat(filepath.Join(dir, "smtpd")); err == nil {
			return dir
		}
	}
	t.Fatal("Postfix is not installed: run .ci/test-mta")
	return ""
}

func shell(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	var code *exec.ExitError
	if errors.As(err, &code) || err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func TestPostfixIsJudgedRight(t *testing.T) {
	m := startPostfix(t)
	w := newWorld(t)
	for domain, port := range map[string]int{"strict.test": m.plain, "all.test": m.plain, "foreign.test": m.plain, "tls.test": m.tls, "grey.test": m.grey} {
		w.behind(domain, port)
	}
	p := w.prober(func(c *Config) { c.MailFrom = "check@probe.test" })
	judged(t, p, map[string]want{
		"anna.known@strict.test":  exists,
		"info@strict.test":        exists,
		"zoe.missing@strict.test": none,
		"zoe.missing@tls.test":    none,
		"anna.known@tls.test":     exists,
		"zoe.missing@all.test":    exists, // whose AcceptAll says yes
		"zoe@foreign.test":        blocked,
	})
	judgedAll(t, p, map[string]Tri{"strict.test": No, "tls.test": No, "all.test": Yes, "foreign.test": Unsure})
	greylisted(t, p, "anna.known@grey.test", exists)
	greylisted(t, p, "zoe.missing@grey.test", none)
	require.True(t, check(p, "anna.known@tls.test").TLS)
	said, err := os.ReadFile(m.log)
	require.NoError(t, err)
	require.NotRegexp(t, "lost connection after (EHLO|HELO|STARTTLS|MAIL|RCPT|RSET)", string(said))
	for _, wrong := range []string{"improper command pipelining", "too many errors", "non-SMTP command", "SSL_accept error", "fatal:"} {
		require.NotContains(t, string(said), wrong)
	}
}

func TestPostfixManyAddressesTakeFewSessions(t *testing.T) {
	m := startPostfix(t)
	w := newWorld(t)
	w.behind("strict.test", m.plain)
	p := w.prober()
	for i := range 60 {
		address, right := fmt.Sprintf("nobody%d@strict.test", i), none
		if i%2 == 0 {
			address, right = "anna.known@strict.test", exists
		}
		a := check(p, address)
		require.Equal(t, right, want{a.Status, a.Reason}, "%+v", a)
	}
	require.LessOrEqual(t, p.Stats().Connections, int64(60/maxRefusals+1))
}
