package report

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// standIn is a Sentry that keeps what it is sent.
type standIn struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string
	auth string
	path string
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got, s.auth, s.path = append(s.got, string(body)), r.Header.Get("X-Sentry-Auth"), r.URL.Path
		_, _ = io.WriteString(w, `{"id":"x"}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) dsn() string { return strings.Replace(s.URL, "://", "://publickey@", 1) + "/42" }

// sent ends the reporter and gives what arrived.
func (s *standIn) sent(t *testing.T, r *Reporter) []string {
	require.NoError(t, r.Close())
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func TestErrorsAreReportedOnceWithTheirFieldsAndWithoutSecrets(t *testing.T) {
	s := newStandIn(t)
	r, err := New(Config{DSN: s.dsn(), Environment: "test", Release: "abc123"})
	require.NoError(t, err)
	var out bytes.Buffer
	log := slog.New(r.Handler(Clean(slog.NewJSONHandler(&out, nil)))).With("worker", "w1")
	log.Info("worker started")
	log.Warn("heartbeat missed")
	log.Error("request", "status", 500)
	log.Error("job given up", "task", "list:import", "list", 7, "ip", "203.0.113.9",
		"error", errors.New("dial postgres://beagle:hunter2@db.test/x: key bgl_abcdef0123 of ada.ash@alder.example, Bearer abc.def"))
	log.Info("alarm is over", "alarm", "process web", Always, true)
	got := s.sent(t, r)
	require.Len(t, got, 2)
	require.Equal(t, "/api/42/envelope/", s.path)
	require.Contains(t, s.auth, "sentry_key=publickey")
	for _, part := range []string{`"message":"job given up"`, `"release":"abc123"`, `"environment":"test"`, `"task":"list:import"`, `"list":"7"`, `"worker":"w1"`, `[secret]@db.test`, `[address]`, `[key]`, `"level":"error"`} {
		require.Contains(t, got[0], part)
	}
	require.Contains(t, got[1], `"level":"info"`)
	for _, secret := range []string{"hunter2", "abcdef0123", "ada.ash", "203.0.113.9", "abc.def"} {
		require.NotContains(t, got[0], secret)
	}
	for _, secret := range []string{"hunter2", "abcdef0123", "ada.ash", "abc.def", `"report"`} {
		require.NotContains(t, out.String(), secret)
	}
	require.Equal(t, 5, strings.Count(out.String(), "\n"), "the log itself has every line")
}

func TestAFloodIsCutAndCounted(t *testing.T) {
	s := newStandIn(t)
	r, err := New(Config{DSN: s.dsn()})
	require.NoError(t, err)
	now := time.Now()
	r.now = func() time.Time { return now }
	log := slog.New(r.Handler(slog.DiscardHandler))
	for range perMinute + 5 {
		log.Error("feeding stopped")
	}
	now = now.Add(time.Minute)
	log.Error("the minute after")
	got := s.sent(t, r)
	require.Len(t, got, perMinute+1)
	require.Contains(t, got[perMinute], `"reports_dropped":"5"`)
}

func TestWithoutADSNNothingIsDone(t *testing.T) {
	r, err := New(Config{})
	require.NoError(t, err)
	require.Equal(t, slog.DiscardHandler, r.Handler(slog.DiscardHandler))
	require.NoError(t, r.Close())
	_, err = New(Config{DSN: "https://secretkey@"})
	require.ErrorContains(t, err, "SENTRY_DSN")
	require.NotContains(t, err.Error(), "secretkey")
}

func TestScrubKeepsWhatIsHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"list:import of list 12 took 3s":                        "list:import of list 12 took 3s",
		"dial tcp 127.0.0.1:25: connection refused":             "dial tcp 127.0.0.1:25: connection refused",
		"550 5.1.1 <ada@alder.example>: no such user":           "550 5.1.1 <[address]>: no such user",
		"GET /v2/email-verifier?email=ada%40alder.example&x=1":  "GET /v2/email-verifier?email=[address]&x=1",
		"GET /v2/account?api_key=bgl_0123&x=1":                  "GET /v2/account?api_key=[secret]&x=1",
		"redis://:pass@cache.test:6379/0 is away":               "redis://[secret]@cache.test:6379/0 is away",
		"Key (email)=(ada.o'ash@alder.example) already exists.": "Key (email)=([address]) already exists.",
	} {
		require.Equal(t, want, Scrub(in))
	}
}
