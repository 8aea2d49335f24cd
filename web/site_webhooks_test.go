package web

import (
	"net/http"
	"net/url"
	"testing"

	"beagle/app"

	"github.com/stretchr/testify/require"
)

func TestWebhooksPageChoosesEventsAndSwitchesAFailedOneOnAgain(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	got := s.send(b, "POST", "/webhooks", url.Values{"url": {"https://hooks.example/a"}})
	require.Equal(t, http.StatusBadRequest, got.status)
	require.Contains(t, got.body, "Choose at least one")
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", "/webhooks", url.Values{"url": {"https://hooks.example/a"}, "events": {"list.finished"}}).status)
	only := func() app.Webhook {
		hooks, err := s.Webhooks(t.Context(), s.owner)
		require.NoError(t, err)
		require.Len(t, hooks, 1)
		return hooks[0]
	}
	hook := only()
	require.Equal(t, []string{"list.finished"}, hook.Events)
	require.Contains(t, s.send(b, "GET", "/webhooks", nil).body, `value="list.finished" checked`)
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", "/webhooks/"+hook.Ref, url.Values{"events": {"list.failed", "list.imported", "list.failed"}}).status)
	require.ElementsMatch(t, []string{"list.failed", "list.imported"}, only().Events)
	require.Equal(t, http.StatusBadRequest, s.send(b, "POST", "/webhooks/"+hook.Ref, url.Values{"events": {"list.eaten"}}).status)

	require.NoError(t, s.DB.Exec("UPDATE webhooks SET enabled = false, note = 'Nothing was delivered for five days.', failing_since = ?", s.Now()).Error)
	page := s.send(b, "GET", "/webhooks", nil).body
	require.Contains(t, page, "five days")
	require.Contains(t, page, "Switch it on again")
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", "/webhooks/"+hook.Ref+"/switch", url.Values{"enabled": {"1"}}).status)
	require.True(t, only().Enabled)
	require.Nil(t, only().FailingSince)
	require.Empty(t, only().Note)
}
