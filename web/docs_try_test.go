package web

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReferencePageTriesCallsAsWhoeverIsSignedIn(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	mine, theirs := s.signedIn("owner@one.example"), s.signedIn("owner@two.example")
	try := func(b *http.Client, method, path, body string) answer {
		in, err := json.Marshal(tryJSON{method, path, body})
		require.NoError(t, err)
		return s.send(b, "POST", "/docs/api/tries", string(in), "Accept", "application/json")
	}
	require.Contains(t, try(mine, "GET", "/v2/account", "").body, `"email":"owner@one.example"`)
	require.Contains(t, try(mine, "GET", "/v2/lists/"+l.Ref+"/records?limit=1&status=valid", "").body, "grace.yates@onegate.example")
	got := try(mine, "PATCH", "/v2/lists/"+l.Ref, `{"name":"Tried"}`)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `"name":"Tried"`)
	require.NotEmpty(t, got.header.Get("RateLimit"))
	got = try(mine, "POST", "/v2/lists", `{"process":"none","records":[{"domain":"onegate.example"}]}`)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	got = try(mine, "GET", "/v2/email-finder", "")
	require.Equal(t, http.StatusBadRequest, got.status)
	require.Contains(t, got.body, `"id":"wrong_params"`)

	require.Equal(t, http.StatusNotFound, try(theirs, "GET", "/v2/lists/"+l.Ref, "").status)
	for _, path := range []string{"/admin", "/lists", "https://elsewhere.example/v2/account", "", "/v2/nothing", "/v2/lists/%ff", "//x/v2/account"} {
		require.Contains(t, []int{400, 404}, try(mine, "GET", path, "").status, path)
	}
	require.Equal(t, http.StatusUnauthorized, try(s.browser(), "GET", "/v2/account", "").status)
	require.Equal(t, http.StatusForbidden, s.send(mine, "POST", "/docs/api/tries", `{"method":"DELETE","path":"/v2/lists/`+l.Ref+`"}`, "Sec-Fetch-Site", "cross-site").status)
	require.Contains(t, s.send(mine, "GET", "/docs/api", nil).body, "data-as-user")
	require.NotContains(t, s.send(s.browser(), "GET", "/docs/api", nil).body, "data-as-user")
	s.server.teamLimit.quota = 0
	require.Equal(t, http.StatusTooManyRequests, try(mine, "GET", "/v2/account", "").status)
}
