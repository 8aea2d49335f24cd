package web

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDomainSearchShowsWhatTheAccountKnows(t *testing.T) {
	s := newSite(t)
	s.Work()
	s.finished()
	key := s.key(s.owner, false)
	ask := func(path string) answer { return s.send(http.DefaultClient, "GET", path, nil, "X-API-KEY", key) }
	got := s.send(http.DefaultClient, "POST", "/v2/known-emails", `{"emails":["info@onegate.example",{"email":"x","first_name":"X"}]}`, "X-API-KEY", key)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `{"received":2,"stored":1,"taught":0,"skipped":[{"index":1,"email":"x","reason":"bad_input"}]}`)

	got = ask("/v2/domain-search?domain=onegate.example&limit=1")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `"pattern":"{first}.{last}"`)
	require.Contains(t, got.body, `"results":2,"limit":1,"offset":0`)
	require.Contains(t, got.body, `"value":"grace.yates@onegate.example","type":"personal"`)
	require.NotContains(t, got.body, "info@")
	require.Contains(t, ask("/v2/domain-search?domain=onegate.example&offset=1").body, "info@onegate.example")
	require.Contains(t, ask("/v2/domain-search?domain=onegate.example&type=generic").body, `"results":1,`)
	require.Contains(t, ask("/v2/domain-search?domain=onegate.example&department=it").body, `"emails":[]`)
	require.Contains(t, ask("/v2/domain-search?domain=onegate.example&required_field=full_name&verification_status=valid").body, `"results":1,`)
	require.Contains(t, ask("/v2/email-count/?domain=onegate.example").body, `{"total":2,"personal_emails":1,"generic_emails":1,"department":{"communication":0`)
	require.Contains(t, ask("/v2/account").body, `"email":"owner@one.example"`)

	for query, id := range map[string]string{"": "wrong_params", "domain=x": "invalid_domain", "domain=nowhere-at-all.example": "invalid_domain", "domain=a.example&type=all": "invalid_type",
		"domain=a.example&seniority=boss": "invalid_seniority", "domain=a.example&department=garden": "invalid_department", "domain=a.example&limit=101": "pagination_error",
		"domain=a.example&offset=-1": "pagination_error", "company=No+Such+Company+Anywhere": "invalid_company"} {
		got := ask("/v2/domain-search?" + query)
		require.Equal(t, http.StatusBadRequest, got.status, query)
		require.Contains(t, got.body, `"id":"`+id+`"`, query)
	}
	require.Equal(t, http.StatusBadRequest, s.send(http.DefaultClient, "POST", "/v2/known-emails", `{"emails":[7]}`, "X-API-KEY", key).status)
}

func TestKeyForTestsChecksAndAnswersTheSame(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{
		"/v2/email-finder?domain=a.example&first_name=A&last_name=B": "mara.lindqvist@",
		"/v2/email-verifier?email=a@b.example":                       `"status":"valid"`,
		"/v2/domain-search?domain=a.example":                         "mara.lindqvist@",
		"/v2/email-finder?domain=a.example":                          "wrong_params",
		"/v2/account":                                                "authentication_failed",
		"/v2/lists":                                                  "authentication_failed",
	} {
		got := s.send(http.DefaultClient, "GET", path, nil, "X-API-KEY", "test-api-key")
		require.Contains(t, got.body, want, path)
		require.NotEmpty(t, got.header.Get("RateLimit"), path)
	}
}
