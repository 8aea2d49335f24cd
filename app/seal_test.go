package app_test

import (
	"net/http"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

func storedSecrets(t *testing.T, e *apptest.Env) []string {
	var all []string
	require.NoError(t, e.DB.Raw("SELECT secret FROM webhooks UNION ALL SELECT secret FROM callback_secrets").Scan(&all).Error)
	return all
}

func TestSecretsAreSealedAndOlderOnesAreStillRead(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@one.example")
		url, got := target(t, http.StatusOK)
		before, err := e.CreateWebhook(t.Context(), as, url, nil)
		require.NoError(t, err)
		callback, err := e.CallbackSecret(t.Context(), as)
		require.NoError(t, err)
		require.ElementsMatch(t, []string{before.Secret, callback}, storedSecrets(t, e), "in clear without SECRET_KEY")

		c := e.Config
		c.SecretKey = strings.Repeat("k", 32)
		sealed := apptest.Open(t, c, e.World)
		read, err := sealed.Webhook(t.Context(), as, before.Ref)
		require.NoError(t, err)
		require.Equal(t, before.Secret, read.Secret, "an older row")
		after, err := sealed.CreateWebhook(t.Context(), as, url, nil)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(after.Secret, "whsec_"))
		_, err = sealed.Clean(t.Context())
		require.NoError(t, err)
		for _, stored := range storedSecrets(t, e) {
			require.True(t, strings.HasPrefix(stored, "v1:"), stored)
		}
		again, err := sealed.CallbackSecret(t.Context(), as)
		require.NoError(t, err)
		require.Equal(t, callback, again)
		_, err = sealed.EditWebhook(t.Context(), as, after.Ref, app.WebhookChange{Events: []string{app.EventImported}})
		require.NoError(t, err)
		hooks, err := sealed.Webhooks(t.Context(), as)
		require.NoError(t, err)
		require.Equal(t, []string{after.Secret, before.Secret}, []string{hooks[0].Secret, hooks[1].Secret})

		running(t, sealed, as, threePeople)
		sent, err := sealed.Deliveries(t.Context(), as.Account, 10)
		require.NoError(t, err)
		require.Len(t, sent, 2)
		require.NoError(t, sealed.Deliver(t.Context(), sent[0].ID))
		m := receive(t, got)
		verifier, err := webhooks.NewWebhook(map[int64]string{before.ID: before.Secret, after.ID: after.Secret}[*sent[0].WebhookID])
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(m.body, m.header))

		c.SecretKey = strings.Repeat("l", 32)
		wrong := apptest.Open(t, c, e.World)
		lost, err := wrong.Webhook(t.Context(), as, after.Ref)
		require.NoError(t, err)
		require.Empty(t, lost.Secret)
		require.Contains(t, lost.Note, "SECRET_KEY")
		_, err = wrong.EditWebhook(t.Context(), as, after.Ref, app.WebhookChange{Events: []string{app.EventImported}})
		require.NoError(t, err)
		found, err := sealed.Webhook(t.Context(), as, after.Ref)
		require.NoError(t, err)
		require.Empty(t, found.Note, "with the right key again nothing is wrong with it")
		require.NoError(t, wrong.Deliver(t.Context(), sent[1].ID))
		require.Empty(t, got, "nothing is sent unsigned")
		require.NoError(t, wrong.DeleteWebhook(t.Context(), as, after.Ref))
	})
}

func TestSecretsOfOneWebhookOpenNoOther(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) { c.SecretKey = strings.Repeat("k", 40) })
	as := e.NewActor("owner@one.example")
	one, err := e.CreateWebhook(t.Context(), as, "https://hooks.example/1", nil)
	require.NoError(t, err)
	two, err := e.CreateWebhook(t.Context(), as, "https://hooks.example/2", nil)
	require.NoError(t, err)
	require.NoError(t, e.DB.Exec("UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE ref = ?) WHERE ref = ?", one.Ref, two.Ref).Error)
	two, err = e.Webhook(t.Context(), as, two.Ref)
	require.NoError(t, err)
	require.Empty(t, two.Secret)
}

func TestListDoesNotEndWithoutItsMessage(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	_, err := e.CreateWebhook(t.Context(), as, "https://hooks.example/1", []string{app.EventFinished})
	require.NoError(t, err)
	l, err := e.CreateList(t.Context(), as, "None", app.ProcessNone, "", []string{"domain"}, [][]string{{"alder.example"}})
	require.NoError(t, err)
	require.NoError(t, e.Import(t.Context(), l.ID))
	require.NoError(t, e.DB.Exec("ALTER TABLE webhook_deliveries RENAME TO away").Error)
	require.Error(t, e.Export(t.Context(), l.ID))
	now, err := e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListExporting, now.State, "both or neither")
	require.NoError(t, e.DB.Exec("ALTER TABLE away RENAME TO webhook_deliveries").Error)
	require.NoError(t, e.Export(t.Context(), l.ID))
	require.NoError(t, e.Export(t.Context(), l.ID))
	sent, err := e.Deliveries(t.Context(), as.Account, 10)
	require.NoError(t, err)
	require.Len(t, sent, 1, "told once")
	require.Equal(t, app.EventFinished, sent[0].Event)
}
