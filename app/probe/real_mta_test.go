//go:build mta

package probe

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These tests ask two real mail servers on loopback: Postfix with postgrey, and Haraka. .ci/test-mta installs and runs them.

// mtaPatience is how long a server may take to open its port, and greylisting to be over.
const mtaPatience = 30 * time.Second

// greyDelay is how long postgrey and our Haraka plugin turn a stranger away.
const greyDelay = 2 * time.Second

// freePort is a port of loopback that nobody listens on.
func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// child runs a program in the foreground until the test ends.
func child(t *testing.T, log string, name string, args ...string) {
	out, err := os.Create(log)
	require.NoError(t, err)
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start(), "run .ci/test-mta, which installs it")
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		ended := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // how it ends on an interrupt is its own affair
		ended.Stop()
		require.NoError(t, out.Close())
	})
}

// listening waits until a port is open.
func listening(t *testing.T, log string, ports ...int) {
	for _, port := range ports {
		ok := false
		for until := time.Now().Add(mtaPatience); !ok && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
			if ok = err == nil; ok {
				require.NoError(t, conn.Close())
			}
		}
		if !ok {
			said, _ := os.ReadFile(log)
			t.Fatalf("port %d does not open; the log says:\n%s", port, said)
		}
	}
}

// behind places a domain's mail server at a port of loopback.
func (w *world) behind(domain string, port int) {
	ip := fmt.Sprintf("10.8.0.%d", len(w.hosts)+1)
	w.zone(domain+". 300 IN MX 10 mx."+domain+".", "mx."+domain+". 300 IN A "+ip)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[ip] = fmt.Sprintf("127.0.0.1:%d", port)
}

// certificate writes a self-signed certificate and its key as PEM files.
func certificate(t *testing.T, dir string) (cert, key string) {
	c := selfSigned(t).Certificates[0]
	body, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o644))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: body}), 0o600))
	return cert, key
}

// judged is a table of addresses and what must be said of them.
func judged(t *testing.T, p *Prober, table map[string]want) {
	for address, right := range table {
		a := check(p, address)
		require.Equal(t, right, want{a.Status, a.Reason}, "%+v", a)
	}
}

func judgedAll(t *testing.T, p *Prober, table map[string]Tri) {
	for domain, right := range table {
		a := p.AcceptAll(context.Background(), lookup(p, domain))
		require.Equal(t, right, a.Verdict, "%s: %+v", domain, a)
	}
}

// greylisted asks until the server lets us in, as a retried row does: from the same address and sender.
func greylisted(t *testing.T, p *Prober, address string, right want) {
	first := check(p, address)
	require.Equal(t, want{Unknown, Greylisted}, want{first.Status, first.Reason}, "%+v", first)
	require.Positive(t, first.RetryAfter)
	var last Answer
	require.Eventually(t, func() bool {
		last = check(p, address)
		return last.Status != Unknown
	}, mtaPatience, greyDelay/2)
	require.Equal(t, right, want{last.Status, last.Reason}, "%+v", last)
}

// mtaDir is a folder that the servers' own users may enter.
func mtaDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/tmp", "beagle-mta-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}
