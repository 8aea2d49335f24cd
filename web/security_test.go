package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestAnotherSitesPageCannotActForAVisitor(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	for _, more := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		for _, rt := range siteRoutes {
			if rt.method != http.MethodPost {
				continue
			}
			got := s.send(b, "POST", strings.NewReplacer(":list", "x", ":key", "1").Replace(rt.path), nil, more...)
			require.Equal(t, http.StatusForbidden, got.status, "%s with %v", rt.path, more)
		}
	}
	require.Equal(t, http.StatusOK, s.send(b, "GET", "/lists", nil).status, "still signed in")
}

func TestSessionCookieIsNoBusinessOfScriptsOrOtherSites(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := newSite(t, func(c *config.Config) {
			if c.SecureCookies = secure; secure {
				c.BaseURL = "https://beagle.example"
			}
		})
		got := s.send(s.browser(), "POST", "/sign-in", url.Values{"email": {"owner@one.example"}, "password": {apptest.Password}})
		cookie := got.header.Get("Set-Cookie")
		require.Contains(t, cookie, "; HttpOnly")
		require.Contains(t, cookie, "; SameSite=Lax")
		require.Contains(t, cookie, "; Path=/;")
		require.NotContains(t, cookie, "Domain=")
		require.Equal(t, secure, strings.HasPrefix(cookie, "__Host-beagle="))
		require.Equal(t, secure, strings.Contains(cookie, "; Secure"))
		require.Equal(t, secure, got.header.Get("Strict-Transport-Security") != "")
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	u, err := url.Parse(s.http.URL)
	require.NoError(t, err)
	stolen := b.Jar.Cookies(u)
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", "/sign-out", nil).status)
	b.Jar.SetCookies(u, stolen)
	require.Equal(t, "/sign-in?next=%2Flists", s.send(b, "GET", "/lists", nil).header.Get("Location"))
}

func TestSignInLeadsBackToThePageOfOursThatWasAskedFor(t *testing.T) {
	s := newSite(t)
	for next, want := range map[string]string{"/keys": "/keys", "/lists?after=x": "/lists?after=x", "//evil.example": "/lists", "https://evil.example/": "/lists",
		`/\evil.example`: "/lists", "/\t/evil.example": "/lists", "evil": "/lists", "": "/lists"} {
		got := s.send(s.browser(), "POST", "/sign-in", url.Values{"email": {"owner@one.example"}, "password": {apptest.Password}, "next": {next}})
		require.Equal(t, want, got.header.Get("Location"), "next=%q", next)
	}
}

func TestTooManySignInsAreRefusedWithATime(t *testing.T) {
	s := newSite(t)
	s.server.signIns.quota = 2
	var got answer
	for range 3 {
		got = s.send(s.browser(), "POST", "/sign-in", url.Values{"email": {"x"}, "password": {"y"}})
	}
	require.Equal(t, http.StatusTooManyRequests, got.status)
}

func TestGuessedKeysAreSlowedDownByAddress(t *testing.T) {
	s := newSite(t)
	var got answer
	for range 61 {
		got = s.send(http.DefaultClient, "GET", "/v2/account", nil, "X-API-KEY", "bgl_WRONG")
	}
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Contains(t, got.body, `"too_many_requests"`)
}

func TestKeyInTheAddressOnlyWhereItsOwnerAllowedIt(t *testing.T) {
	s := newSite(t)
	plain, inURL := s.key(s.owner, false), s.key(s.owner, true)
	got := s.send(http.DefaultClient, "GET", "/v2/account?api_key="+plain, nil)
	require.Equal(t, http.StatusUnauthorized, got.status)
	require.Contains(t, got.body, "may not be sent as ?api_key=")
	require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "GET", "/v2/account?api_key="+inURL, nil).status)
	require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "GET", "/v2/account", nil, "X-API-KEY", plain).status)
	require.NotContains(t, s.log.String(), plain)
	require.NotContains(t, s.log.String(), inURL)
}

func TestLogHoldsNoSecret(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	s.send(b, "GET", "/find?first_name=Canary&password=hunter2", nil)
	s.send(b, "POST", "/find", url.Values{"first_name": {"Canary"}, "company": {"nobody"}})
	got := s.send(b, "POST", "/keys", url.Values{"name": {"Canary"}})
	require.Contains(t, got.body, "bgl_")
	require.Empty(t, got.header.Get("Content-Encoding"))
	for _, secret := range []string{apptest.Password, "Canary", "hunter2", "bgl_"} {
		require.NotContains(t, s.log.String(), secret)
	}
	require.Contains(t, s.log.String(), `"route":"/keys"`)
}

func TestRequestIDIsTakenOverWhenItIsOne(t *testing.T) {
	s := newSite(t)
	require.Equal(t, "abc-12345678", s.send(s.browser(), "GET", "/healthz", nil, "X-Request-Id", "abc-12345678").header.Get("X-Request-Id"))
	got := s.send(s.browser(), "GET", "/healthz", nil, "X-Request-Id", "x y").header.Get("X-Request-Id")
	require.Regexp(t, goodRequestID, got)
	require.NotEqual(t, "x y", got)
}

func TestForwardedAddressCountsOnlyFromTrustedProxies(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.7:1234"
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	for proxies, want := range map[string]string{"": "10.0.0.7", "10.0.0.0/8": "203.0.113.9", "192.0.2.0/24": "10.0.0.7"} {
		ip, err := ipExtractor(strings.Fields(proxies))
		require.NoError(t, err)
		require.Equal(t, want, ip(r), "trusted: %q", proxies)
	}
}

// handle runs one handler as a route of its own.
func (s *site) handle(pace pace, api bool, do func(*call) error) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	path := "/x"
	if api {
		path = "/v2/x"
	}
	handler := s.server.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &call{w: w, r: r, visit: visitOf(r.Context()), api: api, param: func(string) string { return "" }}
		s.server.answer(route{handler: func(_ *Server, q *call) error { return do(q) }, who: probes, pace: pace}, q)
	}))
	handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestA500ShowsOnlyTheRequestID(t *testing.T) {
	s := newSite(t)
	for _, api := range []bool{false, true} {
		for name, do := range map[string]func(*call) error{
			"error": func(*call) error { return errors.New("secret of the database") },
			"panic": func(*call) error { panic("secret of the database") },
		} {
			got := s.handle(quick, api, do)
			require.Equal(t, http.StatusInternalServerError, got.Code, name)
			require.NotContains(t, got.Body.String(), "secret", name)
			require.Contains(t, got.Body.String(), got.Header().Get("X-Request-Id"), name)
		}
	}
	require.Contains(t, s.log.String(), "secret of the database")
}

func TestSlowRequestGetsA503InTime(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.RequestTimeout = 50 * time.Millisecond })
	for _, api := range []bool{false, true} {
		got := s.handle(quick, api, func(q *call) error { <-q.ctx().Done(); return q.ctx().Err() })
		require.Equal(t, http.StatusServiceUnavailable, got.Code)
		require.NotEmpty(t, got.Header().Get("Retry-After"))
		require.Equal(t, api, strings.HasPrefix(got.Header().Get("Content-Type"), "application/json"))
	}
	for _, free := range []pace{upload, download, stream} {
		s.handle(free, false, func(q *call) error {
			_, limited := q.ctx().Deadline()
			require.False(t, limited)
			return nil
		})
	}
}

func TestErrorsOfHTMXRequestsGoIntoTheOpenPage(t *testing.T) {
	s := newSite(t)
	got := s.send(s.signedIn("owner@one.example"), "GET", "/lists/nosuchlist", nil, "HX-Request", "true")
	require.Equal(t, http.StatusNotFound, got.status)
	require.Equal(t, "#notice", got.header.Get("HX-Retarget"))
	require.NotContains(t, got.body, "<html")
	got = s.send(s.browser(), "GET", "/lists", nil, "HX-Request", "true")
	require.Equal(t, "/sign-in", got.header.Get("HX-Redirect"))
}

func TestErrorPageLeadsBackToWhereOneCanGoOn(t *testing.T) {
	s := newSite(t)
	s.Work()
	at := "/lists/" + s.finished().Ref
	b := s.signedIn("owner@one.example")
	got := s.send(b, "POST", at+"/pause", nil)
	require.Equal(t, http.StatusConflict, got.status)
	require.Contains(t, got.body, `href="`+at+`">Back to the list`)
	require.Contains(t, s.send(b, "GET", "/lists/nosuchlist", nil).body, `href="/lists">Go to your lists`)
	require.Contains(t, s.send(s.browser(), "GET", "/nothing", nil).body, `href="/">To the front page`)
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	s := newSite(t)
	require.Equal(t, http.StatusNotFound, s.send(s.browser(), "GET", "/nothing", nil).status)
	require.Equal(t, http.StatusMethodNotAllowed, s.send(s.browser(), "DELETE", "/lists", nil).status)
	got := s.send(http.DefaultClient, "GET", "/v2/nothing", nil)
	require.Equal(t, http.StatusNotFound, got.status)
	require.Contains(t, got.body, `"errors"`)
	require.Equal(t, http.StatusOK, s.send(s.browser(), "HEAD", "/", nil).status)
}

func TestDrainEndsLivePagesAndLetsRequestsFinish(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Shutdown, c.RequestTimeout = 5*time.Second, 40*time.Second })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(ctx, l) }()

	b := s.signedIn("owner@one.example")
	list, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "a.csv", []byte(people)).Ref, app.StartParams{}) // no worker: it stays importing
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+l.Addr().String()+"/lists/"+list.Ref+"/events", nil)
	require.NoError(t, err)
	site, err := url.Parse(s.http.URL)
	require.NoError(t, err)
	for _, c := range b.Jar.Cookies(site) {
		r.AddCookie(c)
	}
	events, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer events.Body.Close()
	require.Equal(t, "text/event-stream", events.Header.Get("Content-Type"))

	require.Contains(t, s.log.String(), `"level":"WARN","msg":"REQUEST_TIMEOUT 40s is not below the 30s of most routers`)
	stop()
	_, err = io.ReadAll(events.Body)
	require.NoError(t, err, "the stream ends, it is not cut")
	require.NoError(t, <-ended)
	require.Equal(t, http.StatusServiceUnavailable, s.send(http.DefaultClient, "GET", "/readyz", nil).status)
}

func TestOneSlowAnswerOfABackEndTakesNobodyOut(t *testing.T) {
	s := newSite(t)
	now := time.Now()
	s.App.Now = func() time.Time { return now }
	look := func() int { return s.send(http.DefaultClient, "GET", "/readyz", nil).status }
	require.Equal(t, http.StatusOK, look())
	answers, nobody := s.App.Queue.Redis, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	s.App.Queue.Redis = nobody
	defer func() { s.App.Queue.Redis = answers; require.NoError(t, nobody.Close()) }()
	now = now.Add(readyPatience - time.Second)
	late := s.send(http.DefaultClient, "GET", "/readyz", nil)
	require.Equal(t, []any{http.StatusOK, `{"redis":"late"}`}, []any{late.status, late.body})
	now = now.Add(time.Second)
	require.Equal(t, http.StatusServiceUnavailable, look())
	require.Contains(t, s.log.String(), `"msg":"not ready","part":"redis"`)
	fresh, err := New(s.App, Options{})
	require.NoError(t, err)
	r := httptest.NewRecorder()
	fresh.Handler().ServeHTTP(r, httptest.NewRequest("GET", "/readyz", nil))
	require.Equal(t, http.StatusServiceUnavailable, r.Code, "a process that has never seen all parts is not ready")
}

func TestBalancersThatLookAreNeitherErrorsNorInTheCharts(t *testing.T) {
	s := newSite(t)
	for range 3 {
		require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "GET", "/readyz", nil).status)
	}
	require.NotContains(t, s.log.String(), `"route":"/readyz"`, "a line a second would say nothing")
	s.server.StopStreams()
	require.Equal(t, http.StatusServiceUnavailable, s.send(http.DefaultClient, "GET", "/readyz", nil).status)
	require.Contains(t, s.log.String(), `"level":"INFO","msg":"request"`)
	require.NotContains(t, s.log.String(), `"level":"ERROR"`, "a process that ends as it should is no error")
	require.NoError(t, s.WritePoint(t.Context()))
	points, err := s.Points(t.Context(), time.Hour, time.Minute)
	require.NoError(t, err)
	require.Empty(t, points)
	require.Contains(t, s.send(http.DefaultClient, "GET", "/metrics", nil).body, `beagle_http_requests_total{method="GET",route="/readyz",status="503"} 1`)
}

func TestLimiterForgetsRatherThanGrows(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter("x", 2, time.Minute, func() time.Time { return now })
	for range 2 {
		_, _, ok := l.take("a")
		require.True(t, ok)
	}
	left, reset, ok := l.take("a")
	require.False(t, ok)
	require.Zero(t, left)
	require.Equal(t, time.Minute, reset)
	now = now.Add(time.Minute)
	_, _, ok = l.take("a")
	require.True(t, ok, "a new window")
	for i := range 3 * maxCounted {
		l.take(idOf(int64(i)))
	}
	require.LessOrEqual(t, len(l.counts), maxCounted)
}
