package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

// joined is a browser of somebody who followed an invitation of the first account.
func (s *site) joined(email, role string) *http.Client {
	s.t.Helper()
	got := s.send(s.signedIn("owner@one.example"), "POST", "/team/invitations", url.Values{"email": {email}, "role": {role}})
	path := ""
	if got.status == 201 {
		_, rest, _ := strings.Cut(got.body, s.http.URL+"/invitations/")
		token, _, _ := strings.Cut(rest, "<")
		path = "/invitations/" + token
	} else {
		require.Equal(s.t, 303, got.status, got.body)
		path = s.mailedPath(email)
	}
	b := s.browser()
	shown := s.send(b, "GET", path, nil)
	require.Equal(s.t, 200, shown.status, shown.body)
	require.Contains(s.t, shown.body, email)
	require.Equal(s.t, 400, s.send(b, "POST", path, url.Values{"password": {"short"}}).status, "the link survives a refused password")
	require.Equal(s.t, 303, s.send(b, "POST", path, url.Values{"name": {"Teo"}, "password": {apptest.Password}}).status)
	require.Equal(s.t, 200, s.send(b, "GET", "/lists", nil).status, "signed in already")
	require.Equal(s.t, 404, s.send(s.browser(), "GET", path, nil).status, "a link works once")
	return b
}

func TestMembersSeeListsAndManageNothing(t *testing.T) {
	s := newSite(t)
	theirs, _, err := s.CreateKey(t.Context(), s.owner, "Nightly import", false)
	require.NoError(t, err)
	l := s.Upload(s.owner, "people.csv", []byte(people))
	member := s.joined("member@one.example", app.RoleMember)
	require.Contains(t, s.send(member, "GET", "/lists", nil).body, l.Ref)
	require.NotContains(t, s.send(member, "GET", "/team", nil).body, "/team/invitations")
	require.NotContains(t, s.send(member, "GET", "/keys", nil).body, "Make the key")
	require.NotContains(t, s.send(member, "GET", "/lists", nil).body, `href="/webhooks"`)
	for _, path := range []string{"/webhooks", "/privacy", "/audit", "/privacy/data.zip"} {
		require.Equal(t, 403, s.send(member, "GET", path, nil).status, path)
	}
	require.NotContains(t, s.send(member, "GET", "/keys", nil).body, "bgl_", "keys of others")
	for _, rt := range siteRoutes {
		if rt.method == post && (rt.who == managers || rt.who == owners) {
			require.Equal(t, 403, s.send(member, "POST", strings.NewReplacer(":key", "1", ":member", idOf(s.owner.User)).Replace(rt.path), url.Values{"name": {"x"}}).status, rt.path)
		}
	}
	require.Equal(t, 403, s.send(member, "POST", "/team/members/"+idOf(s.owner.User)+"/deletion", nil).status)
	require.Equal(t, 404, s.send(member, "POST", "/keys/"+idOf(theirs.ID)+"/revocation", nil).status)
	admin := s.joined("admin@one.example", app.RoleAdmin)
	require.Equal(t, 200, s.send(admin, "GET", "/audit", nil).status)
	require.Equal(t, 403, s.send(admin, "GET", "/privacy/data.zip", nil).status)
	require.Equal(t, 403, s.send(admin, "POST", "/privacy/deletion", url.Values{"present": {apptest.Password}}).status)
}

func TestKeyMayWhatItsMakerMay(t *testing.T) {
	s := newSite(t)
	s.joined("admin@one.example", app.RoleAdmin)
	members, err := s.Members(t.Context(), s.owner.Account)
	require.NoError(t, err)
	admin := members[1]
	key := "Bearer " + s.key(admin.Actor(), false)
	hook := `{"url":"https://hooks.example/x"}`
	require.Equal(t, 201, s.send(http.DefaultClient, "POST", "/v2/webhooks", hook, "Authorization", key).status)
	require.NoError(t, s.SetRole(t.Context(), s.owner, admin.ID, app.RoleMember))
	require.Equal(t, 403, s.send(http.DefaultClient, "POST", "/v2/webhooks", hook, "Authorization", key).status)
	require.Equal(t, 200, s.send(http.DefaultClient, "GET", "/v2/lists", nil, "Authorization", key).status)
}

// What signs an account's messages is for those who manage it: not for keys of others, and not for the forms of the reference page.
func TestMembersReadNoSecretOfAWebhook(t *testing.T) {
	s := newSite(t)
	hook, err := s.CreateWebhook(t.Context(), s.owner, "https://hooks.example/x", nil)
	require.NoError(t, err)
	joined := s.joined("admin@one.example", app.RoleAdmin)
	members, err := s.Members(t.Context(), s.owner.Account)
	require.NoError(t, err)
	key := s.key(members[1].Actor(), false)
	reads := func(want int, says string) {
		t.Helper()
		for _, path := range []string{"/v2/webhooks", "/v2/webhooks/" + hook.Ref} {
			got := s.send(http.DefaultClient, "GET", path, nil, "X-API-KEY", key)
			require.Equal(t, want, got.status, got.body)
			require.Contains(t, got.body, says)
			got = s.send(joined, "POST", "/docs/api/tries", `{"method":"GET","path":"`+path+`"}`, "Accept", "application/json")
			require.Equal(t, want, got.status, got.body)
			require.Contains(t, got.body, says)
		}
	}
	reads(200, hook.Secret)
	require.NoError(t, s.SetRole(t.Context(), s.owner, members[1].ID, app.RoleMember))
	reads(403, `"errors"`)
	require.Contains(t, s.send(joined, "GET", "/keys", nil).body, key[:8], "their own key is seen")
	keys, err := s.Keys(t.Context(), s.owner.Account)
	require.NoError(t, err)
	require.Equal(t, 303, s.send(joined, "POST", "/keys/"+idOf(keys[0].ID)+"/revocation", nil).status, "and can be revoked")
	require.Equal(t, 401, s.send(http.DefaultClient, "GET", "/v2/lists", nil, "X-API-KEY", key).status)
}

func TestSettingsChangeWhatIsTheUsersOwn(t *testing.T) {
	s := newSite(t, keepsMail)
	s.Work()
	b, other := s.signedIn("owner@one.example"), s.signedIn("owner@one.example")
	require.Equal(t, 303, s.send(b, "POST", "/settings/name", url.Values{"name": {"Ada Ash"}}).status)
	require.Contains(t, s.send(b, "GET", "/settings", nil).body, `value="Ada Ash"`)

	got := s.send(b, "POST", "/settings/password", url.Values{"present": {"wrong"}, "password": {"eight loud badgers"}})
	require.Equal(t, 400, got.status)
	require.Contains(t, got.body, "The present password is wrong.")
	require.Equal(t, 303, s.send(b, "POST", "/settings/password", url.Values{"present": {apptest.Password}, "password": {"eight loud badgers"}}).status)
	require.Equal(t, 200, s.send(b, "GET", "/settings", nil).status, "this browser stays signed in")
	require.Equal(t, 303, s.send(other, "GET", "/settings", nil).status, "all others are out")

	got = s.send(b, "POST", "/settings/email", url.Values{"present": {"eight loud badgers"}, "email": {"ada@one.example"}})
	require.Equal(t, "/settings?done=mail", got.header.Get("Location"))
	link := s.mailedPath("ada@one.example")
	require.Equal(t, 200, s.send(s.browser(), "GET", link, nil).status)
	require.Contains(t, s.send(b, "GET", "/settings", nil).body, "owner@one.example", "nothing changes before the click")
	require.Equal(t, 303, s.send(b, "POST", link, nil).status)
	require.Contains(t, s.send(b, "GET", "/settings", nil).body, "ada@one.example")
	require.Equal(t, 404, s.send(b, "POST", link, nil).status)
}

func TestBrowsersAreSignedOutFromTheSettings(t *testing.T) {
	s := newSite(t)
	b, second, third := s.signedIn("owner@one.example"), s.signedIn("owner@one.example"), s.signedIn("owner@one.example")
	page := s.send(b, "GET", "/settings", nil).body
	require.Equal(t, 2, strings.Count(page, "/settings/sessions/"), "one's own browser has no button")
	_, rest, _ := strings.Cut(page, "/settings/sessions/")
	id, _, _ := strings.Cut(rest, "/")
	require.Equal(t, 404, s.send(s.signedIn("owner@two.example"), "POST", "/settings/sessions/"+id+"/deletion", nil).status)
	require.Equal(t, 303, s.send(b, "POST", "/settings/sessions/"+id+"/deletion", nil).status)
	out := 0
	for _, c := range []*http.Client{second, third} {
		if s.send(c, "GET", "/settings", nil).status == 303 {
			out++
		}
	}
	require.Equal(t, 1, out)
	require.Equal(t, 303, s.send(b, "POST", "/settings/others/deletion", nil).status)
	require.Equal(t, 303, s.send(second, "GET", "/settings", nil).status)
	require.Equal(t, 303, s.send(third, "GET", "/settings", nil).status)
	require.Equal(t, 200, s.send(b, "GET", "/settings", nil).status)
}

func TestSomebodyOptsOutByMailWithoutAnAccount(t *testing.T) {
	s := newSite(t, keepsMail)
	s.Work()
	stranger := s.browser()
	require.Equal(t, 400, s.send(stranger, "POST", "/opt-out", url.Values{"subject": {"not an address"}}).status)
	require.Equal(t, 200, s.send(stranger, "POST", "/opt-out", url.Values{"subject": {"grace.yates@onegate.example"}}).status)
	link := s.mailedPath("grace.yates@onegate.example")
	require.Contains(t, s.send(stranger, "GET", link, nil).body, "grace.yates@onegate.example")
	l := s.finished()
	require.Contains(t, string(s.Result(s.owner, l, "csv", false)), "grace.yates@onegate.example", "a link that was only looked at does nothing")
	require.Equal(t, 200, s.send(stranger, "POST", link, nil).status)
	require.Equal(t, 451, s.send(s.signedIn("owner@one.example"), "POST", "/verify", url.Values{"email": {"grace.yates@onegate.example"}}).status)
	require.Equal(t, 404, s.send(stranger, "POST", link, nil).status)
	got := s.send(stranger, "POST", "/opt-out", url.Values{"subject": {"onegate.example"}, "at_once": {"1"}})
	require.Contains(t, got.body, "postmaster@onegate.example", "only operators opt somebody out without a mail")
}
