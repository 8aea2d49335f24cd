package web

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"beagle/app/config"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// The suite goes through the table of routes and openapi.yaml, so that a new call cannot be forgotten.

// costsCredits are the calls that are refused to an account without credits.
var costsCredits = map[string]bool{
	"GET /v2/email-finder": true, "GET /v2/email-verifier": true, "POST /v2/lists": true, "POST /v2/lists/:list/records": true,
	"PATCH /v2/lists/:list/records/:record": true, "POST /v2/lists/:list/records/:record/retry": true, "POST /v2/lists/:list/retry": true,
	"POST /v2/lists/:list/records/retry": true,
	"POST /v2/catalogue/:item/get":       true,
}

// everybodys are the calls about things that belong to all accounts.
var everybodys = map[string]bool{"POST /v2/catalogue/:item/get": true}

// asksAboutPeople are the calls that answer 451 about somebody who opted out.
var asksAboutPeople = map[string]string{
	"GET /v2/email-finder": "?domain=alder.example&first_name=Ada&last_name=Ash", "GET /v2/email-verifier": "?email=ada.ash@alder.example",
	"GET /v2/domain-search": "?domain=alder.example", "GET /v2/email-count": "?domain=alder.example",
}

// operationOf is what the contract says of a route.
func operationOf(t *testing.T, rt route) (*openapi3.Operation, openapi3.Parameters) {
	doc, err := contract()
	require.NoError(t, err)
	item := doc.Paths.Value(pathParam.ReplaceAllString(rt.path, "{$1}"))
	require.NotNil(t, item, rt.path)
	op := item.GetOperation(rt.method)
	require.NotNil(t, op, "%s %s", rt.method, rt.path)
	return op, append(slices.Clone(item.Parameters), op.Parameters...)
}

// wrongRequest is one way to ask wrongly: a query, or a body.
type wrongRequest struct {
	name, query string
	body        any
}

// wrongRequests are made from the contract: values out of bounds, missing parameters, bodies that are no JSON or of another shape.
func wrongRequests(t *testing.T, rt route) []wrongRequest {
	op, params := operationOf(t, rt)
	good, err := url.ParseQuery(strings.TrimPrefix(queries[rt.method+" "+rt.path], "?"))
	require.NoError(t, err)
	var out []wrongRequest
	ask := func(why, name string, value *string) {
		q := maps.Clone(good)
		q.Del(name)
		if value != nil {
			q.Set(name, *value)
		}
		out = append(out, wrongRequest{why + " " + name, "?" + q.Encode(), apiCases[rt.method+" "+rt.path].body})
	}
	for _, ref := range params {
		p := ref.Value
		if p.In != "query" {
			continue
		}
		if p.Schema.Value.Type.Is("integer") {
			ask("a word for", p.Name, new("many"))
			ask("too little for", p.Name, new("-1"))
			ask("too much for", p.Name, new("99999999999999999999"))
		}
		if len(p.Schema.Value.Enum) > 0 {
			ask("another", p.Name, new("nonsense"))
		}
		if p.Name == "cursor" {
			ask("a made-up", p.Name, new("!"))
		}
		if _, given := good[p.Name]; given {
			ask("without", p.Name, nil)
		}
		ask("half a character in", p.Name, new("\xff"))
		ask("NUL in", p.Name, new("a\x00b"))
	}
	if op.RequestBody == nil {
		return out
	}
	for _, body := range []string{"", "{", "[]", "7", `"x"`, "null", "{}", `{"records":[7],"emails":[7],"name":7,"url":7,"events":7,"First Name":{}}`,
		`{"records":[{"domain":"a\u0000b.example"}],"emails":["a\u0000@b.example"],"name":"\u0000","url":"https://a.example/\u0000","First Name":"\u0000"}`} {
		out = append(out, wrongRequest{"body " + body, "", body})
	}
	return out
}

func TestEveryCallRefusesBadParameters(t *testing.T) {
	s := newSite(t)
	s.server.keyLimit.quota, s.server.teamLimit.quota = 1<<20, 1<<20
	s.Work()
	l := s.finished()
	fill, auth := s.filler(l.Ref, s.records(l)[0]), []string{"Authorization", "Bearer " + s.key(s.owner, false)}
	for _, rt := range apiRoutes {
		cases := wrongRequests(t, rt)
		op, _ := operationOf(t, rt)
		if rt.method != http.MethodGet && op.RequestBody != nil {
			require.NotEmpty(t, cases, "%s %s", rt.method, rt.path)
		}
		for _, c := range cases {
			got := s.send(http.DefaultClient, rt.method, fill.Replace(rt.path)+c.query, c.body, auth...)
			require.Contains(t, []int{400, 413, 422}, got.status, "%s %s, %s: %s", rt.method, rt.path, c.name, got.body)
			require.Contains(t, got.body, `"errors":[{"id":"`, "%s %s, %s", rt.method, rt.path, c.name)
		}
		if strings.Contains(rt.path, ":") {
			for _, id := range []string{"nosuchid", "%00", "%ff", "-1", "99999999999999999999999", "..%2f..", strings.Repeat("x", 3000)} {
				path := pathParam.ReplaceAllString(rt.path, id)
				got := s.send(http.DefaultClient, rt.method, path+queries[rt.method+" "+rt.path], apiCases[rt.method+" "+rt.path].body, auth...)
				require.Contains(t, []int{400, 404}, got.status, "%s %s: %s", rt.method, path, got.body)
			}
		}
	}
}

func TestEveryCallKnowsAGoodKey(t *testing.T) {
	s := newSite(t)
	s.server.badKeys.quota = 1 << 20
	live, gone := s.key(s.owner, false), ""
	key, gone, err := s.CreateKey(t.Context(), s.owner, "gone", true)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "GET", "/v2/account", nil, "X-API-KEY", gone).status, "before it is revoked")
	require.NoError(t, s.RevokeKey(t.Context(), s.owner, key.ID))
	for _, rt := range apiRoutes {
		path := pathParam.ReplaceAllString(rt.path, "some")
		for name, c := range map[string]struct {
			query string
			more  []string
			id    string
		}{
			"no key":                {"", nil, "no_key"},
			"an unknown key":        {"", []string{"Authorization", "Bearer bgl_NOSUCHKEY"}, "authentication_failed"},
			"half a key":            {"", []string{"X-API-KEY", live[:len(live)/2]}, "authentication_failed"},
			"another scheme":        {"", []string{"Authorization", "Basic " + live}, "no_key"},
			"a revoked key":         {"", []string{"X-API-KEY", gone}, "authentication_failed"},
			"a revoked key, in URL": {"?api_key=" + gone, nil, "authentication_failed"},
			"a key not for URLs":    {"?api_key=" + live, nil, "key_not_for_urls"},
		} {
			got := s.send(http.DefaultClient, rt.method, path+c.query, nil, c.more...)
			require.Equal(t, http.StatusUnauthorized, got.status, "%s %s with %s: %s", rt.method, rt.path, name, got.body)
			require.Contains(t, got.body, `"id":"`+c.id+`"`, "%s %s with %s", rt.method, rt.path, name)
			require.Contains(t, got.header.Get("WWW-Authenticate"), "Bearer", name)
		}
	}
	require.NotContains(t, s.log.String(), live, "no key reaches the log")
}

func TestEveryCallIsRefusedWhenTooFast(t *testing.T) {
	s := newSite(t)
	s.server.keyLimit.quota = 0
	key := s.key(s.owner, false)
	for _, rt := range apiRoutes {
		got := s.send(http.DefaultClient, rt.method, pathParam.ReplaceAllString(rt.path, "some"), nil, "X-API-KEY", key)
		require.Equal(t, http.StatusTooManyRequests, got.status, "%s %s: %s", rt.method, rt.path, got.body)
		require.Contains(t, got.body, `"id":"too_many_requests"`)
		require.NotEmpty(t, got.header.Get("Retry-After"), rt.path)
		require.Equal(t, "0", got.header.Get("RateLimit-Remaining"), rt.path)
	}
}

func TestOnlyAnothersObjectsAreNotFound(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	fill, auth := s.filler(l.Ref, s.records(l)[0]), []string{"X-API-KEY", s.key(s.other, false)}
	l, err := s.List(t.Context(), s.owner.Account, l.Ref)
	require.NoError(t, err)
	for _, rt := range apiRoutes {
		if !strings.Contains(rt.path, ":") || everybodys[rt.method+" "+rt.path] {
			continue
		}
		c := apiCases[rt.method+" "+rt.path]
		got := s.send(http.DefaultClient, rt.method, fill.Replace(rt.path), c.body, auth...)
		require.Equal(t, http.StatusNotFound, got.status, "%s %s: %s", rt.method, rt.path, got.body)
		require.Contains(t, got.body, "_not_found", "%s %s", rt.method, rt.path)
	}
	still, err := s.List(t.Context(), s.owner.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, l, still, "nothing was changed")
}

func TestWorkIsRefusedWithoutCreditsAndReadingIsNot(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Credits = true })
	require.NoError(t, s.GrantCredits(t.Context(), s.owner.Account, 100))
	s.Work()
	l := s.finished()
	fill, auth := s.filler(l.Ref, s.records(l)[0]), []string{"X-API-KEY", s.key(s.owner, false)}
	account, err := s.Account(t.Context(), s.owner.Account)
	require.NoError(t, err)
	require.NoError(t, s.GrantCredits(t.Context(), s.owner.Account, -account.Credits))
	known := map[string]bool{}
	for _, name := range inOrder(t, apiRoutes) {
		known[name] = true
		method, path, _ := strings.Cut(name, " ")
		got := s.send(http.DefaultClient, method, fill.Replace(path)+queries[name], apiCases[name].body, auth...)
		if costsCredits[name] {
			require.Equal(t, http.StatusPaymentRequired, got.status, "%s: %s", name, got.body)
			require.Contains(t, got.body, `"id":"no_credits"`)
			continue
		}
		require.NotEqual(t, http.StatusPaymentRequired, got.status, "%s: %s", name, got.body)
	}
	for name := range costsCredits {
		require.True(t, known[name], "%s is no call", name)
	}
}

func TestNobodyIsToldOfSomebodyWhoOptedOut(t *testing.T) {
	s := newSite(t)
	key := s.key(s.owner, false)
	sum := sha256.Sum256([]byte("alder.example"))
	require.NoError(t, s.DB.Exec("INSERT INTO suppressions (hash, kind, created_at) VALUES (?, 'domain', ?)", hex.EncodeToString(sum[:]), s.Now()).Error)
	for name, query := range asksAboutPeople {
		method, path, _ := strings.Cut(name, " ")
		got := s.send(http.DefaultClient, method, path+query, nil, "X-API-KEY", key)
		require.Equal(t, http.StatusUnavailableForLegalReasons, got.status, "%s: %s", name, got.body)
		require.Contains(t, got.body, `"id":"claimed_email"`)
	}
	got := s.send(http.DefaultClient, "POST", "/v2/known-emails", `{"emails":["ada.ash@alder.example"]}`, "X-API-KEY", key)
	require.Contains(t, got.body, `"reason":"suppressed"`)
}
