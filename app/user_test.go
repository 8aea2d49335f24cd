package app_test

import (
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestSignUpRefusesWhatWouldNotWork(t *testing.T) {
	e := apptest.New(t)
	_, err := e.SignUp(t.Context(), "Owner@Alder.example ", apptest.Password, "Alder", "")
	require.NoError(t, err)
	for id, c := range map[string][2]string{
		"email_taken":        {"owner@alder.example", apptest.Password},
		"invalid_email":      {"Owner <owner@alder.example>", apptest.Password},
		"password_too_short": {"other@alder.example", "short"},
		"password_too_easy":  {"other@alder.example", "aaaaaaaaaaaaaaa"},
	} {
		_, err := e.SignUp(t.Context(), c[0], c[1], "", "")
		refused, ok := app.Refusal(err)
		require.True(t, ok, "%s: %v", id, err)
		require.Equal(t, id, refused.ID)
	}
	closed := apptest.New(t, func(c *config.Config) { c.SignUps = false })
	_, err = closed.SignUp(t.Context(), "owner@alder.example", apptest.Password, "", "")
	require.Equal(t, app.CodeForbidden, app.CodeOf(err))
}

func TestSessionsEndAndFailuresSlowDown(t *testing.T) {
	e := apptest.New(t)
	e.NewActor("owner@alder.example")
	token, user, err := e.SignIn(t.Context(), " OWNER@alder.example", apptest.Password, "192.0.2.1", "test")
	require.NoError(t, err)
	actor, _, err := e.SessionActor(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, user.AccountID, actor.Account)
	require.NoError(t, e.SignOut(t.Context(), token))
	_, _, err = e.SessionActor(t.Context(), token)
	require.Equal(t, app.CodeUnauthorized, app.CodeOf(err))

	_, _, unknown := e.SignIn(t.Context(), "nobody@alder.example", apptest.Password, "192.0.2.2", "")
	_, _, wrong := e.SignIn(t.Context(), "owner@alder.example", "not the password", "192.0.2.2", "")
	require.Equal(t, unknown, wrong, "the answer does not tell whether the address is known")
	for range 5 {
		_, _, err = e.SignIn(t.Context(), "owner@alder.example", "not the password", "192.0.2.3", "")
	}
	require.Equal(t, app.CodeTooMany, app.CodeOf(err))
	_, _, err = e.SignIn(t.Context(), "owner@alder.example", apptest.Password, "192.0.2.4", "")
	require.Equal(t, app.CodeTooMany, app.CodeOf(err), "the right password must wait as well")
}

func TestKeysAreShownOnceAndCanBeRevoked(t *testing.T) {
	e := apptest.New(t)
	mine, theirs := e.NewActor("owner@alder.example"), e.NewActor("owner@birch.example")
	key, secret, err := e.CreateKey(t.Context(), mine, "crm", false)
	require.NoError(t, err)
	require.Regexp(t, `^bgl_[A-Z2-7]{32}$`, secret)
	use, err := e.UseKey(t.Context(), secret, false, time.Minute)
	require.NoError(t, err)
	require.Equal(t, mine.Account, use.Actor.Account)

	_, err = e.UseKey(t.Context(), secret, true, time.Minute)
	require.ErrorContains(t, err, "may not be sent as ?api_key=")
	_, inURL, err := e.CreateKey(t.Context(), mine, "hunter client", true)
	require.NoError(t, err)
	_, err = e.UseKey(t.Context(), inURL, true, time.Minute)
	require.NoError(t, err)

	var stored string
	require.NoError(t, e.DB.Raw("SELECT hash FROM api_keys WHERE id = ?", key.ID).Scan(&stored).Error)
	require.NotContains(t, stored, secret[10:])
	require.Equal(t, app.CodeNotFound, app.CodeOf(e.RevokeKey(t.Context(), theirs, key.ID)), "somebody else's key")
	require.NoError(t, e.RevokeKey(t.Context(), mine, key.ID))
	_, err = e.UseKey(t.Context(), secret, false, time.Minute)
	require.Equal(t, app.CodeUnauthorized, app.CodeOf(err))
}
