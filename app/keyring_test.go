package app_test

import (
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestRevokedKeyIsRefusedAtOnceByEveryProcess(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		second := apptest.Open(t, e.Config, e.World)
		as := e.NewActor("owner@one.example")
		use := func(p *apptest.Env, secret string) error {
			_, err := p.UseKey(t.Context(), secret, false, time.Minute)
			return err
		}
		for _, loss := range []string{"nothing is lost", "Redis is flushed before", "Redis is flushed between"} {
			if loss == "Redis is flushed before" {
				require.NoError(t, e.Queue.Redis.FlushDB(t.Context()).Err())
			}
			key, secret, err := e.CreateKey(t.Context(), as, "k", false)
			require.NoError(t, err)
			other, kept, err := e.CreateKey(t.Context(), as, "kept", false)
			require.NoError(t, err)
			for range 3 {
				require.NoError(t, use(second, secret), loss)
				require.NoError(t, use(second, kept), loss)
			}
			if loss == "Redis is flushed between" {
				require.NoError(t, e.Queue.Redis.FlushDB(t.Context()).Err())
			}
			require.NoError(t, e.RevokeKey(t.Context(), as, key.ID))
			require.Equal(t, app.CodeUnauthorized, app.CodeOf(use(second, secret)), loss)
			require.Equal(t, app.CodeUnauthorized, app.CodeOf(use(e, secret)), loss)
			require.NoError(t, use(second, kept), loss)
			require.NoError(t, e.RevokeKey(t.Context(), as, other.ID))
			require.Equal(t, app.CodeUnauthorized, app.CodeOf(use(second, kept)), loss)
		}
	})
}

func TestKnownKeyNeedsNoDatabase(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	_, secret, err := e.CreateKey(t.Context(), as, "k", false)
	require.NoError(t, err)
	use, err := e.UseKey(t.Context(), secret, false, time.Minute)
	require.NoError(t, err)
	require.True(t, use.Shared)
	first := use.Counts
	require.NoError(t, e.DB.Exec("ALTER TABLE api_keys RENAME TO away").Error)
	use, err = e.UseKey(t.Context(), secret, false, time.Minute)
	require.NoError(t, err)
	require.Equal(t, as.Account, use.Actor.Account)
	require.GreaterOrEqual(t, use.Counts[0]+use.Counts[1], first[0], "counted again, or in the next window")
	require.NoError(t, e.DB.Exec("ALTER TABLE away RENAME TO api_keys").Error)
	e.App.Now = func() time.Time { return time.Now().UTC().Add(time.Minute) }
	require.NoError(t, e.DB.Exec("UPDATE api_keys SET revoked_at = created_at").Error) // not by RevokeKey
	_, err = e.UseKey(t.Context(), secret, false, time.Minute)
	require.Equal(t, app.CodeUnauthorized, app.CodeOf(err), "what is remembered gets old")
}

func TestKeyMayNoMoreFromTheFirstRequestAfterItsMakerMayNoMore(t *testing.T) {
	e := apptest.New(t)
	owner := e.NewActor("owner@one.example")
	admin := join(t, e, owner, "admin@one.example", app.RoleAdmin)
	_, secret, err := e.CreateKey(t.Context(), admin, "k", false)
	require.NoError(t, err)
	for range 2 { // the second time it is remembered
		use, err := e.UseKey(t.Context(), secret, false, time.Minute)
		require.NoError(t, err)
		require.True(t, use.Actor.Manages())
	}
	second := apptest.Open(t, e.Config, e.World)
	require.NoError(t, second.SetRole(t.Context(), owner, admin.User, app.RoleMember))
	use, err := e.UseKey(t.Context(), secret, false, time.Minute)
	require.NoError(t, err)
	require.Equal(t, app.RoleMember, use.Actor.Role)
}
