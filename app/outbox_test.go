package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func keepsMail(c *config.Config) { c.Run.KeepMail, c.BaseURL = true, "http://beagle.example" }

// owed are the occasions of mails that are in the outbox.
func owed(t *testing.T, e *apptest.Env) []string {
	var once []string
	require.NoError(t, e.DB.Raw("SELECT once FROM outbox ORDER BY once").Scan(&once).Error)
	return once
}

func keptMails(t *testing.T, e *apptest.Env, n int) []app.KeptMail {
	t.Helper()
	var kept []app.KeptMail
	require.Eventually(t, func() bool {
		var err error
		kept, err = e.KeptMails(t.Context())
		return err == nil && len(kept) >= n && len(owed(t, e)) == 0
	}, apptest.Patience, 20*time.Millisecond)
	require.Len(t, kept, n)
	return kept
}

func TestMailOfAProcessThatDiedBeforeQueueingItIsSentLater(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, keepsMail)
		ahead := shifted(e)
		as := e.NewActor("a@one.example")
		stop := e.Work()
		l := e.Run(as, "one.csv", []byte("First Name,Last Name,Website\nGrace,Yates,onegate.example\n"))
		require.Equal(t, app.ListFinished, l.State)
		keptMails(t, e, 1)
		stop()
		// As if the process had died after the commit: owed, and nowhere in Redis.
		require.NoError(t, e.DB.Exec(`INSERT INTO outbox (once, kind, user_id, list_id, created_at, queued_at) VALUES ('x', 'list_finished', ?, ?, ?, ?)`,
			as.User, l.ID, e.Now(), e.Now()).Error)
		_, err := e.Fire(t.Context(), "mails")
		require.NoError(t, err)
		ahead.Store(int64(6 * time.Minute))
		_, err = e.Fire(t.Context(), "mails")
		require.NoError(t, err)
		e.Work()
		keptMails(t, e, 2)
	})
}

func TestMailSurvivesAMailServerThatIsAwayAndARefusalIsShown(t *testing.T) {
	e := apptest.New(t, mailServerAway(t))
	ahead := shifted(e)
	as := e.NewActor("a@one.example")
	require.NoError(t, e.DB.Exec(`INSERT INTO outbox (once, kind, user_id, created_at, queued_at) VALUES ('gone', 'credits_low', ?, ?, ?)`, as.User, e.Now(), e.Now()).Error)
	require.Error(t, e.SendMail(t.Context(), "credits_low", as.User, 0))
	require.Equal(t, []string{"gone"}, owed(t, e))
	ahead.Store(int64(49 * time.Hour))
	_, err := e.Fire(t.Context(), "mails")
	require.NoError(t, err)
	failed, err := e.FailedMails(t.Context())
	require.NoError(t, err)
	require.Len(t, failed, 1)
	require.Contains(t, failed[0].Error, "too old")
	ahead.Store(int64(30 * 24 * time.Hour))
	_, err = e.Clean(t.Context())
	require.NoError(t, err)
	require.Empty(t, owed(t, e))
}

func TestSignInFromSomewhereNewIsToldByMail(t *testing.T) {
	e := apptest.New(t, keepsMail)
	e.Work()
	e.NewActor("a@one.example")
	signIn := func(ip, agent string) {
		_, _, err := e.SignIn(t.Context(), "a@one.example", apptest.Password, ip, agent)
		require.NoError(t, err)
	}
	signIn("203.0.113.9", "Firefox")
	signIn("203.0.113.77", "Firefox")
	_, _, err := e.SignIn(context.Background(), "a@one.example", "wrong", "198.51.100.1", "Firefox")
	require.Error(t, err)
	require.Empty(t, keptMails(t, e, 0), "the first browser, another address of its network and a wrong password are no news")
	signIn("198.51.100.1", "Firefox")
	m := keptMails(t, e, 1)[0]
	require.Equal(t, "a@one.example", m.Recipient)
	require.Contains(t, m.TextBody, "198.51.100.1, Firefox")
	require.Contains(t, m.HTMLBody, "http://beagle.example/reset")
	signIn("203.0.113.9", "Chrome")
	keptMails(t, e, 2)
	signIn("198.51.100.1", "Firefox")
	keptMails(t, e, 2)
	var addresses []string
	require.NoError(t, e.DB.Raw("SELECT device FROM known_devices").Scan(&addresses).Error)
	require.Len(t, addresses, 3)
	require.NotContains(t, strings.Join(addresses, " "), "203.0.113", "only hashes are kept")
}

func TestOwnerIsToldOnceWhenCreditsRunLow(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, keepsMail, func(c *config.Config) { c.Credits, c.CreditsLow = true, 10 })
		ahead := shifted(e)
		as := e.NewActor("a@one.example")
		e.Work()
		change := func(amounts ...int64) {
			for _, n := range amounts {
				require.NoError(t, e.GrantCredits(t.Context(), as.Account, n))
			}
			_, err := e.Fire(t.Context(), "mails")
			require.NoError(t, err)
			require.NoError(t, e.DB.Exec("DELETE FROM schedules WHERE name = 'mails'").Error)
		}
		change(50, -20)
		require.Empty(t, keptMails(t, e, 0))
		change(-21, -1)
		require.Contains(t, keptMails(t, e, 1)[0].Subject, "8 credits left")
		change(40)
		change(-20)
		keptMails(t, e, 1)
		ahead.Store(int64(2 * time.Second)) // the occasion is named by its second
		change(-20)
		keptMails(t, e, 2)
	})
}
