package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

// message is what a webhook's address got.
type message struct {
	header http.Header
	body   []byte
}

// target is an address that answers with these statuses in turn, the last one for ever.
func target(t *testing.T, statuses ...int) (url string, got chan message) {
	got = make(chan message, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(statuses[0])
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
		got <- message{r.Header, body}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func receive(t *testing.T, got chan message) message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(apptest.Patience):
		t.Fatal("nothing was sent")
		return message{}
	}
}

func TestWebhooksAreToldOfListsAndSigned(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, func(c *config.Config) { c.Worker.MaxTries = 1 })
		e.Work()
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		url, got := target(t, http.StatusNoContent)
		callback, called := target(t, http.StatusOK)
		hook, err := e.CreateWebhook(t.Context(), as, url, []string{app.EventFinished})
		require.NoError(t, err)
		_, err = e.Webhook(t.Context(), other, hook.Ref)
		require.Equal(t, app.CodeNotFound, app.CodeOf(err))
		l, err := e.CreateList(t.Context(), as, "Three", app.ProcessNone, callback, []string{"first name", "domain"}, [][]string{{"Ada", "alder.example"}})
		require.NoError(t, err)

		m := receive(t, got)
		verifier, err := webhooks.NewWebhook(hook.Secret)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(m.body, m.header))
		require.Contains(t, string(m.body), `"type":"list.finished"`)
		require.Contains(t, string(m.body), l.Ref)
		secret, err := e.CallbackSecret(t.Context(), as)
		require.NoError(t, err)
		verifier, err = webhooks.NewWebhook(secret)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(func() ([]byte, http.Header) { c := receive(t, called); return c.body, c.header }()))
		require.Contains(t, string(receive(t, called).body), "list.", "imported and finished")

		var sent []app.Delivery
		require.Eventually(t, func() bool {
			sent, err = e.Deliveries(t.Context(), as.Account, 10)
			return err == nil && len(sent) == 3 && sent[0].State == app.DeliveryDelivered && sent[1].State == app.DeliveryDelivered
		}, apptest.Patience, 50*time.Millisecond)
		_, err = e.Redeliver(t.Context(), other, sent[0].Ref)
		require.Equal(t, app.CodeNotFound, app.CodeOf(err))
	})
}

func TestDeliveryThatFailsIsTriedLaterAndGoneDisables(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	url, got := target(t, http.StatusFound, http.StatusGone)
	hook, err := e.CreateWebhook(t.Context(), as, url, nil)
	require.NoError(t, err)
	l, _ := running(t, e, as, threePeople) // its import announces
	require.NotZero(t, l.ID)
	sent, err := e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.Len(t, sent, 1)
	require.NoError(t, e.Deliver(t.Context(), sent[0].ID))
	first := receive(t, got)
	require.NoError(t, e.Deliver(t.Context(), sent[0].ID), "not due: nothing is sent")
	require.Empty(t, got)
	sent, err = e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.Equal(t, app.DeliveryPending, sent[0].State)
	require.Equal(t, http.StatusFound, sent[0].Code, "a redirect is not followed")
	require.WithinDuration(t, e.Now().Add(5*time.Second), *sent[0].NextAt, 2*time.Second)

	_, err = e.Redeliver(t.Context(), as, sent[0].Ref)
	require.NoError(t, err)
	require.NoError(t, e.Deliver(t.Context(), sent[0].ID))
	require.Equal(t, first.header.Get("webhook-id"), receive(t, got).header.Get("webhook-id"), "the same message")
	hook, err = e.Webhook(t.Context(), as, hook.Ref)
	require.NoError(t, err)
	require.False(t, hook.Enabled, "410 Gone")
}

func TestPrivateAddressesAreNotDialled(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) { c.Probe.AllowPrivate = false })
	as := e.NewActor("owner@one.example")
	url, got := target(t, http.StatusOK)
	_, err := e.CreateWebhook(t.Context(), as, url, nil)
	require.NoError(t, err)
	running(t, e, as, threePeople)
	sent, err := e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.NoError(t, e.Deliver(t.Context(), sent[0].ID))
	sent, err = e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.Contains(t, sent[0].Note, "not a public address")
	require.Empty(t, got)
	for _, bad := range []string{"", "ftp://a.example", "https://u:p@a.example", "http://"} {
		_, err := e.CreateWebhook(t.Context(), as, bad, nil)
		require.Equal(t, app.CodeBadInput, app.CodeOf(err), bad)
	}
}

func TestMembersDoNotReadWhatSignsWebhooks(t *testing.T) {
	e := apptest.New(t)
	owner := e.NewActor("owner@one.example")
	hook, err := e.CreateWebhook(t.Context(), owner, "https://hooks.example/1", nil)
	require.NoError(t, err)
	member := owner
	member.Role = app.RoleMember
	hooks, err := e.Webhooks(t.Context(), member)
	require.Equal(t, app.CodeForbidden, app.CodeOf(err))
	require.Empty(t, hooks)
	_, err = e.Webhook(t.Context(), member, hook.Ref)
	require.Equal(t, app.CodeForbidden, app.CodeOf(err))
	_, err = e.CallbackSecret(t.Context(), member)
	require.Equal(t, app.CodeForbidden, app.CodeOf(err))
	_, err = e.Redeliver(t.Context(), member, "msg_x")
	require.Equal(t, app.CodeForbidden, app.CodeOf(err))
}

func TestMessageGoesWhereItsWebhookLeadsNow(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	mistyped, before := target(t, http.StatusNotFound)
	hook, err := e.CreateWebhook(t.Context(), as, mistyped, []string{app.EventImported})
	require.NoError(t, err)
	running(t, e, as, threePeople)
	sent, err := e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.NoError(t, e.Deliver(t.Context(), sent[0].ID))
	require.Len(t, before, 1)

	right, after := target(t, http.StatusOK)
	_, err = e.EditWebhook(t.Context(), as, hook.Ref, app.WebhookChange{URL: &right})
	require.NoError(t, err)
	_, err = e.Redeliver(t.Context(), as, sent[0].Ref)
	require.NoError(t, err)
	require.NoError(t, e.Deliver(t.Context(), sent[0].ID))
	receive(t, after)
	require.Len(t, before, 1)
}

func TestNothingIsSentToAWebhookThatIsSwitchedOff(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	url, got := target(t, http.StatusOK)
	hook, err := e.CreateWebhook(t.Context(), as, url, []string{app.EventImported})
	require.NoError(t, err)
	running(t, e, as, threePeople)
	off := false
	_, err = e.EditWebhook(t.Context(), as, hook.Ref, app.WebhookChange{Enabled: &off})
	require.NoError(t, err)
	sent, err := e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.Equal(t, app.DeliveryPending, sent[0].State)
	require.NoError(t, e.Deliver(t.Context(), sent[0].ID))
	require.Empty(t, got)
	sent, err = e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.Equal(t, app.DeliveryFailed, sent[0].State)
	require.Contains(t, sent[0].Note, "switched off")
}
