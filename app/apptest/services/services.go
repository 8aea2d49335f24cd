// Package services gives tests real services: PostgreSQL, Redis and an S3, as child processes on
// free loopback ports, started at first use and ended with the test binary.
//
//	func TestMain(m *testing.M) { services.Main(m) }
//
//	func TestImport(t *testing.T) {
//		url := services.Postgres(t) // a fresh, empty database
//
// Where a service is not installed its tests are skipped, with the reason appended to the file named
// by BEAGLE_SKIPPED; with CI=true they fail. TEST_DATABASE_URL, TEST_REDIS_URL and TEST_S3_ENDPOINT
// (with TEST_S3_ACCESS_KEY and TEST_S3_SECRET_KEY) name services that already run.
package services

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

const (
	envDatabase = "TEST_DATABASE_URL"
	envRedis    = "TEST_REDIS_URL"
	envS3       = "TEST_S3_ENDPOINT"
	envSkipped  = "BEAGLE_SKIPPED"
)

// Main runs the tests of a package and ends what they started. A goroutine that outlives its test is a failure.
func Main(m *testing.M) {
	code := m.Run()
	Stop()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// Stop ends every service this test binary started and removes their data.
func Stop() {
	running.Lock()
	defer running.Unlock()
	for s := range running.set {
		s.end()
	}
	clear(running.set)
}

// running are the servers that Stop must end.
var running = struct {
	sync.Mutex
	set map[*Server]struct{}
}{set: map[*Server]struct{}{}}

// errMissing marks a service that is not installed, as opposed to one that does not work.
var errMissing = errors.New("not installed")

// shared is one server for all tests of the binary.
type shared struct {
	once   sync.Once
	server *Server
	err    error
}

func (s *shared) get(t testing.TB, start func() (*Server, error)) *Server {
	t.Helper()
	s.once.Do(func() { s.server, s.err = start() })
	if s.err != nil {
		unavailable(t, s.err)
	}
	return s.server
}

// unavailable skips the test if the service is not installed, and fails it otherwise.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, errMissing) {
		t.Fatal(err)
	}
	Missing(t, err.Error())
}

// Missing skips the test because this machine lacks something, and notes the reason for the summary
// of the run. In CI the test fails: there, nothing may be missing.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	if name := os.Getenv(envSkipped); name != "" {
		if err := appendLine(name, t.Name()+": "+reason); err != nil {
			t.Error(err)
		}
	}
	t.Skip(reason)
}

// appendLine is one write, so that lines of packages tested at the same time stay whole.
func appendLine(name, line string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}

// Chromium is the path of a Chromium or Chrome for browser tests.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "chromium is not installed")
	return ""
}
