package web

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/db"
	"beagle/app/mailworld"
	"beagle/app/probe"
	"beagle/migrations"

	"github.com/stretchr/testify/require"
)

// company is one of the demo world that behaves so.
func (s *site) company(b mailworld.Behaviour) mailworld.Company {
	for _, c := range s.World.Companies() {
		if c.Behaviour == b {
			return c
		}
	}
	s.t.Fatalf("the world has no company that is %s", b)
	return mailworld.Company{}
}

// sessions are the connections open to mail servers.
func (s *site) sessions() int64 {
	n := int64(0)
	for _, h := range s.World.Stats().Hosts {
		n += int64(h.Open)
	}
	return n
}

// running reports whether a goroutine is inside a function.
func running(function string) bool {
	stacks := make([]byte, 4<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), function+"(")
}

// atWork waits until a question is under way: its goroutine here, its session here and on the mail server's side.
func (s *site) atWork() bool {
	for end := time.Now().Add(s.App.Config.RequestTimeout); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s.sessions() == 1 && s.Prober.Sessions().Busy == 1 && running("app.(*App).VerifyOne") {
			return true
		}
	}
	return false
}

func TestSlowHandlerIsStoppedAtTheLimitWithItsSessionAndARedDot(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.RequestTimeout, c.Probe.Timeout = time.Second, time.Minute })
	silent := s.company(mailworld.Silent)
	slow := route{get, "/slow", func(_ *Server, q *call) error {
		_, err := s.VerifyOne(q.ctx(), s.owner, "ada.ash@"+silent.Domain) // a server that accepts and never speaks
		<-q.ctx().Done()
		return errors.Join(err, q.ctx().Err())
	}, probes, quick}
	s.http.Config.Handler = s.server.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &call{w: w, r: r, visit: visitOf(r.Context())}
		q.visit.route = slow.path
		s.server.answer(slow, q)
	}))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	seen := make(chan bool, 1)
	go func() { seen <- s.atWork() }()
	got := s.send(client, "GET", "/slow", nil)
	took := time.Since(began)
	require.Equal(t, 503, got.status, got.body)
	require.Contains(t, got.body, "took too long")
	require.Less(t, took, 3*time.Second)
	require.GreaterOrEqual(t, took, 900*time.Millisecond)
	require.True(t, <-seen, "it was at work, with a session open on the mail server's side")
	require.Eventually(t, func() bool {
		return s.sessions() == 0 && s.Prober.Sessions() == probe.Sessions{} && !running("app.(*App).VerifyOne") && !running("probe.(*Prober).Check")
	}, apptest.Patience, 10*time.Millisecond,
		"the mail server has seen the session end, and the goroutines that waited for it are gone")
	require.Contains(t, s.log.String(), `"route":"/slow","cause":"request_timeout"`)
	require.NotContains(t, s.log.String(), "ada.ash")
	s.http.Config.Handler = s.server.Handler()
	require.NoError(t, s.WritePoint(t.Context()))
	require.Equal(t, 1, strings.Count(s.send(s.operator(), "GET", "/admin", nil).body, `<path class="v-red`))
}

func TestSilentMailServerIsUnknownAtTheLimitAndItsSessionIsGone(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.RequestTimeout, c.Probe.Timeout = time.Second, time.Minute })
	b := s.signedIn("owner@one.example")
	got := s.send(b, "POST", "/verify", url.Values{"email": {"ada.ash@" + s.company(mailworld.Silent).Domain}})
	require.Equal(t, 200, got.status, "what nobody can know is an answer")
	require.Contains(t, got.body, "no answer in time")
	require.Eventually(t, func() bool { return s.sessions() == 0 }, apptest.Patience, 10*time.Millisecond)
}

// What is asked for and typed in must not be in the log: neither addresses, nor keys, nor passwords, whatever comes of it.
func TestLogsOfAWholeDayNameNobody(t *testing.T) {
	s := newSite(t, keepsMail)
	s.Work()
	key, inURL := s.key(s.owner, false), s.key(s.owner, true)
	b := s.signedIn("owner@one.example")
	s.send(s.browser(), "POST", "/sign-in", url.Values{"email": {"owner@one.example"}, "password": {"not the password at all"}})
	s.send(s.browser(), "POST", "/reset", url.Values{"email": {"owner@one.example"}})
	s.mails(1)
	l := s.finished()
	s.send(b, "GET", "/lists/"+l.Ref+"/download", nil)
	s.send(b, "GET", "/lists/"+l.Ref+"?q=grace.yates@onegate.example", nil)
	s.send(b, "POST", "/verify", url.Values{"email": {"grace.yates@onegate.example"}})
	s.send(b, "POST", "/find", url.Values{"first_name": {"Grace"}, "last_name": {"Yates"}, "company": {"onegate.example"}})
	s.send(s.browser(), "GET", "/v2/email-verifier?email=grace.yates@onegate.example&api_key="+inURL, nil)
	s.send(s.browser(), "GET", "/v2/account?api_key="+key, nil)
	s.send(s.browser(), "POST", "/v2/known-emails", `{"emails":["pia.known@onegate.example"]}`, "Authorization", "Bearer "+key)
	_, err := s.Fire(t.Context(), "clean")
	require.NoError(t, err)
	log := s.log.String()
	for _, secret := range []string{"@", key, inURL, apptest.Password, "not the password", "Yates", "Pelican"} {
		require.NotContains(t, log, secret)
	}
	uploaded := regexpFind(log, `"list uploaded","list":(\d+),"ref":"`+l.Ref)
	require.NotEmpty(t, uploaded, "the list's id and what pages call it are joined by one line")
	for _, line := range []string{`"task":"list:import:` + uploaded, `"task":"list:export:` + uploaded, `"route":"/lists/:list/download","status":200`, `"list":"` + l.Ref} {
		require.Contains(t, log, line)
	}
}

func regexpFind(text, pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// A new program on the database of the version before it starts, says that it is not ready and why, and is ready after the release step.
func TestNewProgramOnAnOldDatabaseSaysSoAndGetsReady(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, stack apptest.Stack) {
		w := mailworld.Demo()
		require.NoError(t, w.Start())
		t.Cleanup(func() { require.NoError(t, w.Close()) })
		e := apptest.Open(t, apptest.Config(t, stack, w), w)
		require.NoError(t, db.Migrate(t.Context(), e.DB, onlyUpTo(t, "00003")))
		server, err := New(e.App, Options{})
		require.NoError(t, err)
		ask := func(path string) int {
			r := httptest.NewRecorder()
			server.Handler().ServeHTTP(r, httptest.NewRequest("GET", path, nil))
			return r.Code
		}
		require.Equal(t, 200, ask("/healthz"))
		require.Equal(t, 503, ask("/readyz"))
		require.ErrorContains(t, e.Ready(t.Context())["migrations"], "beagle migrate")
		require.NoError(t, e.Migrate(t.Context()))
		require.Equal(t, 200, ask("/readyz"))
		require.Equal(t, app.ListFinished, func() string {
			e.Work()
			return e.Run(e.NewActor("a@one.example"), "people.csv", []byte(people)).State
		}())
	})
}

func TestMailOwedByTheVersionBeforeIsStillOwed(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, stack apptest.Stack) {
		w := mailworld.Demo()
		require.NoError(t, w.Start())
		t.Cleanup(func() { require.NoError(t, w.Close()) })
		e := apptest.Open(t, apptest.Config(t, stack, w), w)
		require.NoError(t, db.Migrate(t.Context(), e.DB, onlyUpTo(t, "00009")))
		as := e.NewActor("a@one.example")
		require.NoError(t, e.DB.Exec("INSERT INTO outbox (once, kind, user_id, created_at, queued_at, failed_at, error) VALUES ('x', 'credits_low', ?, ?, ?, ?, 'full')",
			as.User, e.Now(), e.Now(), e.Now()).Error)
		require.NoError(t, e.Migrate(t.Context()))
		failed, err := e.FailedMails(t.Context())
		require.NoError(t, err)
		require.Len(t, failed, 1)
		require.Equal(t, []any{"x", as.User, "full"}, []any{failed[0].Once, failed[0].UserID, failed[0].Error})
	})
}

// onlyUpTo are the migrations of a version: those whose number is not above last.
func onlyUpTo(t *testing.T, last string) fs.FS {
	old := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(migrations.FS, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if !d.IsDir() && path.Base(name)[:5] <= last {
			body, err := fs.ReadFile(migrations.FS, name)
			require.NoError(t, err)
			old[name] = &fstest.MapFile{Data: body}
		}
		return nil
	}))
	return old
}
