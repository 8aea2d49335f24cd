package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"beagle/app/config"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestFinderChecksItsParametersAsHunterDoes(t *testing.T) {
	s := newSite(t)
	key := s.key(s.owner, false)
	for query, id := range map[string]string{
		"":                                                       "wrong_params",
		"first_name=A&last_name=B":                               "wrong_params",
		"domain=a.example":                                       "wrong_params",
		"domain=a.example&first_name=A":                          "wrong_params",
		"domain=a.example&last_name=A":                           "wrong_params",
		"domain=nodots&full_name=A+B":                            "invalid_domain",
		"domain=1.2.3.4&full_name=A+B":                           "invalid_domain",
		"domain=a.example&first_name=1&last_name=B":              "invalid_first_name",
		"domain=a.example&first_name=A&last_name=a@b":            "invalid_last_name",
		"domain=a.example&full_name=%01":                         "invalid_full_name",
		"domain=a.example&full_name=%00":                         "wrong_params",
		"domain=a.example&full_name=A+B&max_duration=2":          "invalid_max_duration",
		"domain=a.example&full_name=A+B&max_duration=soon":       "invalid_max_duration",
		"domain=a.example&first_name=A&last_name=B&max_duration": "",
	} {
		got := s.send(http.DefaultClient, "GET", "/v2/email-finder?"+query, nil, "X-API-KEY", key)
		if id == "" {
			require.Equal(t, http.StatusOK, got.status, "%s: %s", query, got.body)
			continue
		}
		require.Equal(t, http.StatusBadRequest, got.status, "%s: %s", query, got.body)
		require.Contains(t, got.body, `"id":"`+id+`"`, query)
	}
	for query, id := range map[string]string{"": "wrong_params", "email=nobody": "invalid_email", "email=a%20b@c.example": "invalid_email", "email=@c.example": "invalid_email"} {
		got := s.send(http.DefaultClient, "GET", "/v2/email-verifier?"+query, nil, "X-API-KEY", key)
		require.Contains(t, got.body, `"id":"`+id+`"`, query)
	}
}

func TestFinderAnswersInHuntersShape(t *testing.T) {
	s := newSite(t)
	key := s.key(s.owner, false)
	var got struct {
		Data map[string]any
		Meta struct{ Params map[string]any }
	}
	read := func(path string) {
		t.Helper()
		answer := s.send(http.DefaultClient, "GET", path, nil, "X-API-KEY", key)
		require.Equal(t, http.StatusOK, answer.status, answer.body)
		got.Data = nil
		require.NoError(t, json.Unmarshal([]byte(answer.body), &got))
	}
	read("/v2/email-finder?domain=onegate.example&full_name=Grace+Yates&explain=true")
	require.Equal(t, "grace.yates@onegate.example", got.Data["email"])
	require.Equal(t, "valid", got.Data["status"])
	require.Equal(t, false, got.Data["accept_all"])
	require.Equal(t, "valid", got.Data["verification"].(map[string]any)["status"])
	require.NotEmpty(t, got.Data["evidence"].(map[string]any)["candidates"])
	require.Equal(t, []any{}, got.Data["sources"])
	require.Equal(t, "Grace Yates", got.Meta.Params["full_name"])
	for _, field := range []string{"first_name", "last_name", "score", "domain", "position", "twitter", "linkedin_url", "phone_number", "company", "reason", "pattern"} {
		require.Contains(t, got.Data, field)
	}

	read("/v2/email-finder?domain=nullarbor.test&first_name=Nobody&last_name=Atall")
	require.Nil(t, got.Data["email"])
	require.NotContains(t, got.Data, "evidence")

	read("/v2/email-verifier?email=grace.yates@onegate.example")
	require.Equal(t, "deliverable", got.Data["result"])
	require.Equal(t, true, got.Data["mx_records"])
	require.Equal(t, true, got.Data["smtp_check"])
	read("/v2/email-verifier?email=nobody.atall@onegate.example")
	require.Equal(t, "invalid", got.Data["status"])
	require.Equal(t, "undeliverable", got.Data["result"])
}

func TestListCanBeSteeredByTheAPI(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	key := []string{"Authorization", "bearer " + s.key(s.owner, false)}
	at := "/v2/lists/" + l.Ref
	got := s.send(http.DefaultClient, "GET", at, nil, key...)
	require.Contains(t, got.body, `"state":"finished"`)
	require.Contains(t, got.body, `"total":4`)
	require.Contains(t, got.body, `"progress":1,`)
	require.Contains(t, got.body, `"file":{"version":1,`)
	got = s.send(http.DefaultClient, "GET", at+"/records?status=valid&limit=1", nil, key...)
	require.Contains(t, got.body, `"input":{"First Name":"Grace"`)
	var page struct {
		Meta struct {
			NextCursor string `json:"next_cursor"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.body), &page))
	got = s.send(http.DefaultClient, "GET", at+"/records?status=valid&limit=1&cursor="+page.Meta.NextCursor, nil, key...)
	require.Contains(t, got.body, `"First Name":"Nathan"`)
	require.Equal(t, http.StatusBadRequest, s.send(http.DefaultClient, "GET", at+"/records?limit=0", nil, key...).status)
	require.Equal(t, http.StatusBadRequest, s.send(http.DefaultClient, "GET", at+"/records?cursor=%21", nil, key...).status)
	got = s.send(http.DefaultClient, "GET", at+"/records/"+s.records(l)[0], nil, key...)
	require.Contains(t, got.body, `"evidence":{`)
	require.Equal(t, http.StatusNotFound, s.send(http.DefaultClient, "GET", at+"/records/999999", nil, key...).status)
	require.Contains(t, s.send(http.DefaultClient, "PATCH", at, `{"name":"New"}`, key...).body, `"name":"New"`)
	require.Equal(t, http.StatusBadRequest, s.send(http.DefaultClient, "PATCH", at, `{}`, key...).status)
	require.Equal(t, http.StatusConflict, s.send(http.DefaultClient, "POST", at+"/pause", nil, key...).status)
	require.Contains(t, s.send(http.DefaultClient, "GET", at+"/download?format=csv", nil, key...).body, "grace.yates@onegate.example")
	require.Equal(t, http.StatusNoContent, s.send(http.DefaultClient, "DELETE", at, nil, key...).status)
	require.Equal(t, http.StatusNotFound, s.send(http.DefaultClient, "GET", at, nil, key...).status)
}

func TestAPILimitIsToldAndKept(t *testing.T) {
	s := newSite(t)
	s.server.keyLimit.quota = 2
	key := s.key(s.owner, false)
	var got answer
	for range 3 {
		got = s.send(http.DefaultClient, "GET", "/v2/account", nil, "X-API-KEY", key)
	}
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "0", got.header.Get("RateLimit-Remaining"))
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "GET", "/v2/account", nil, "X-API-KEY", s.key(s.other, false)).status, "another account")
}

func TestLimitsAreSharedByProcessesAndKeptWithoutRedis(t *testing.T) {
	s := newSite(t)
	now := time.Now().UTC()
	s.App.Now = func() time.Time { return now } // one window
	second, err := New(s.App, Options{})
	require.NoError(t, err)
	ask := func(server *Server, key string) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/v2/account", nil)
		r.Header.Set("X-API-KEY", key)
		server.Handler().ServeHTTP(w, r)
		return w.Code
	}
	keys := []string{s.key(s.owner, false), s.key(s.owner, false), s.key(s.owner, false)}
	for _, server := range []*Server{s.server, second} {
		server.keyLimit.quota, server.teamLimit.quota = 4, 6
	}
	for i := range 4 {
		require.Equal(t, http.StatusOK, ask([]*Server{s.server, second}[i%2], keys[0]))
	}
	require.Equal(t, http.StatusTooManyRequests, ask(second, keys[0]), "both processes count together")
	require.Equal(t, http.StatusOK, ask(second, keys[1]), "another key of the account has room")
	require.Equal(t, http.StatusTooManyRequests, ask(s.server, keys[2]), "until the account's is used up")

	live, away := s.Queue.Redis, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	s.Queue.Redis = away
	defer func() { s.Queue.Redis = live; require.NoError(t, away.Close()) }()
	other := s.key(s.other, false)
	for range 4 {
		require.Equal(t, http.StatusOK, ask(s.server, other), "without Redis")
	}
	require.Equal(t, http.StatusTooManyRequests, ask(s.server, other), "each process counts for itself")
}

func TestAccountTellsCreditsOnlyWhereTheyAreCounted(t *testing.T) {
	for _, counted := range []bool{false, true} {
		s := newSite(t, func(c *config.Config) { c.Credits = counted })
		got := s.send(http.DefaultClient, "GET", "/v2/account", nil, "X-API-KEY", s.key(s.owner, false))
		if counted {
			require.Contains(t, got.body, `"credits":{"used":0,"available":0,"unlimited":false}`)
			got = s.send(http.DefaultClient, "GET", "/v2/email-finder?domain=onegate.example&full_name=Grace+Yates", nil, "X-API-KEY", s.key(s.owner, false))
			require.Equal(t, http.StatusPaymentRequired, got.status, got.body)
			continue
		}
		require.Contains(t, got.body, `"credits":{"used":0,"available":null,"unlimited":true}`)
	}
}

func TestStaticFilesAreKeptForEverUnderTheirHash(t *testing.T) {
	s := newSite(t)
	u, err := s.server.assets.url("css/app.css")
	require.NoError(t, err)
	got := s.send(http.DefaultClient, "GET", u, nil)
	require.Equal(t, "public, max-age=31536000, immutable", got.header.Get("Cache-Control"))
	require.Equal(t, "text/css; charset=utf-8", got.header.Get("Content-Type"))
	got = s.send(http.DefaultClient, "GET", u, nil, "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", got.header.Get("Content-Encoding"))
	require.Equal(t, http.StatusNotFound, s.send(http.DefaultClient, "GET", "/static/css/app.css", nil).status)
	require.Equal(t, http.StatusNotFound, s.send(http.DefaultClient, "GET", "/static/../web.go", nil).status)
}

func TestGzipIsTakenOnlyWhenOffered(t *testing.T) {
	for header, want := range map[string]bool{"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0": false, "br": false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", header)
		require.Equal(t, want, acceptsGzip(r), header)
	}
}

func TestNamesOfFilesAreSafeInHeaders(t *testing.T) {
	require.Equal(t, `attachment; filename="a_b.csv"; filename*=UTF-8''a%22b.csv`, attachment(`a"b.csv`))
	require.Equal(t, `attachment; filename="_.csv"; filename*=UTF-8''%C3%A9.csv`, attachment("é.csv"))
	require.NotContains(t, attachment("a\r\nSet-Cookie: x"), "\n")
}

func TestWhatLooksLikeADomain(t *testing.T) {
	for s, want := range map[string]bool{"a.example": true, "https://www.a.example/about?x": true, "bob@a.example": true, "münchen.example": true, "a.example.": true,
		"a": false, "": false, "1.2.3.4": false, "a..b": false, "a b.example": false, "Acme Inc.": false, url.QueryEscape("a\x00.example"): false} {
		require.Equal(t, want, isDomain(s), "%q", s)
	}
}

func TestWhoHangsUpIsNoStranger(t *testing.T) {
	s := newSite(t)
	s.server.badKeys.quota = 3
	key := s.key(s.owner, false)
	ask := func(ctx context.Context) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, "GET", "/v2/account", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		s.server.Handler().ServeHTTP(w, r)
		return w.Code
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		ask(gone)
	}
	require.Equal(t, http.StatusOK, ask(t.Context()), "a good key from an address whose requests were broken off")
}
