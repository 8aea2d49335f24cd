package app_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/mail"

	"github.com/stretchr/testify/require"
)

// asked are the ways by which people ask for a mail with a link.
func asked(e *apptest.Env, as app.Actor) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		mail.PasswordReset: func(ctx context.Context) error { return e.ForgotPassword(ctx, "a@one.example", "") },
		mail.Invitation: func(ctx context.Context) error {
			_, err := e.Invite(ctx, as, "b@one.example", app.RoleMember)
			return err
		},
		mail.NewEmail: func(ctx context.Context) error {
			_, err := e.ChangeEmail(ctx, as, "new@one.example", apptest.Password)
			return err
		},
		mail.OptOut: func(ctx context.Context) error {
			_, err := e.AskOptOut(ctx, "pia@two.example")
			return err
		},
	}
}

func TestMailWithALinkIsSentThoughItsTaskWasLost(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, keepsMail)
		ahead := shifted(e)
		as := e.NewActor("a@one.example")
		ways := asked(e, as)
		for kind, ask := range ways {
			require.NoError(t, ask(t.Context()), kind)
		}
		require.Len(t, owed(t, e), len(ways))
		require.NoError(t, e.Queue.Redis.FlushDB(t.Context()).Err())
		var tokens int64
		require.NoError(t, e.DB.Raw("SELECT (SELECT COUNT(*) FROM mail_links WHERE token_hash IS NOT NULL) + (SELECT COUNT(*) FROM password_resets)").Scan(&tokens).Error)
		require.Zero(t, tokens, "there is no token before the mail is written")
		ahead.Store(int64(6 * time.Minute))
		_, err := e.Fire(t.Context(), "mails")
		require.NoError(t, err)
		e.Work()
		kept := keptMails(t, e, len(ways))
		to := map[string]bool{}
		for _, m := range kept {
			to[m.Recipient] = true
		}
		require.Equal(t, map[string]bool{"a@one.example": true, "b@one.example": true, "new@one.example": true, "pia@two.example": true}, to)
	})
}

func TestResetOfAnUnknownAddressIsOwedAlikeAndSendsNothing(t *testing.T) {
	e := apptest.New(t, keepsMail)
	require.NoError(t, e.ForgotPassword(t.Context(), "nobody@one.example", ""))
	require.Len(t, owed(t, e), 1)
	sendsNothing(t, e)
}

func TestInvitationThatIsTakenBackTakesItsMailAlong(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, keepsMail)
		as := e.NewActor("a@one.example")
		for range 2 { // the second replaces the first
			_, err := e.Invite(t.Context(), as, "b@one.example", app.RoleMember)
			require.NoError(t, err)
		}
		open, err := e.Invitations(t.Context(), as.Account)
		require.NoError(t, err)
		require.Len(t, open, 1)
		_, err = e.Reinvite(t.Context(), as, open[0].ID)
		require.NoError(t, err)
		require.Len(t, owed(t, e), 1, "one mail, however often it was asked for")
		require.NoError(t, e.Uninvite(t.Context(), as, open[0].ID))
		require.Empty(t, owed(t, e))
		sendsNothing(t, e)
	})
}

func TestResetIsNotSentWhenItsHourIsOver(t *testing.T) {
	e := apptest.New(t, keepsMail)
	ahead := shifted(e)
	e.NewActor("a@one.example")
	require.NoError(t, e.ForgotPassword(t.Context(), "a@one.example", ""))
	ahead.Store(int64(61 * time.Minute)) // its task is still in the queue
	sendsNothing(t, e)
}

func TestResetThatNoMailServerTookIsGivenUpAfterItsHour(t *testing.T) {
	e := apptest.New(t, mailServerAway(t))
	ahead := shifted(e)
	as := e.NewActor("a@one.example")
	require.NoError(t, e.ForgotPassword(t.Context(), "a@one.example", ""))
	for range 5 {
		require.Error(t, e.SendMail(t.Context(), mail.PasswordReset, as.User, 0), "tries use up no links")
	}
	var open int64
	require.NoError(t, e.DB.Raw("SELECT COUNT(*) FROM password_resets").Scan(&open).Error)
	require.Zero(t, open, "links that nobody got are worthless")
	ahead.Store(int64(61 * time.Minute))
	_, err := e.Fire(t.Context(), "mails")
	require.NoError(t, err)
	failed, err := e.FailedMails(t.Context())
	require.NoError(t, err)
	require.Len(t, failed, 1)
	require.Contains(t, failed[0].Error, "too old")
}

// sendsNothing works off what waits to be mailed, and no mail comes of it.
func sendsNothing(t *testing.T, e *apptest.Env) {
	waiting := func() (n int64) {
		queues, err := e.Queues(t.Context())
		require.NoError(t, err)
		for _, q := range queues {
			if q.Name == app.QueueMailers {
				n = q.Pending + q.Active + q.Scheduled + q.Retry
			}
		}
		return n
	}
	require.Positive(t, waiting(), "there is a task")
	e.Work()
	require.Eventually(t, func() bool { return waiting() == 0 }, apptest.Patience, 20*time.Millisecond)
	keptMails(t, e, 0)
}

// mailServerAway makes an app whose mail server does not answer.
func mailServerAway(t *testing.T) func(*config.Config) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	return func(c *config.Config) {
		c.Run.SMTPURL, c.Run.MailFrom, c.BaseURL = "smtp://"+closed.Addr().String(), "beagle@beagle.example", "http://beagle.example"
	}
}

func TestRenewedInvitationSaysHowLongItWorks(t *testing.T) {
	e := apptest.New(t, keepsMail)
	ahead := shifted(e)
	as := e.NewActor("a@one.example")
	_, err := e.Invite(t.Context(), as, "b@one.example", app.RoleMember)
	require.NoError(t, err)
	e.Work()
	require.Contains(t, keptMails(t, e, 1)[0].TextBody, "7 days")
	ahead.Store(int64(6 * 24 * time.Hour))
	open, err := e.Invitations(t.Context(), as.Account)
	require.NoError(t, err)
	_, err = e.Reinvite(t.Context(), as, open[0].ID)
	require.NoError(t, err)
	require.Contains(t, keptMails(t, e, 2)[0].TextBody, "7 days")
}

func TestMailStaysOwedWhereNoMailServerIsKnown(t *testing.T) {
	e := apptest.New(t, keepsMail)
	c := e.Config
	c.Run.KeepMail = false
	bare := apptest.Open(t, c, e.World) // a worker that was not told of the mail server
	stop := bare.Work()
	e.NewActor("a@one.example")
	require.NoError(t, e.ForgotPassword(t.Context(), "a@one.example", ""))
	require.Eventually(t, func() bool {
		var told []string
		require.NoError(t, e.DB.Raw("SELECT error FROM outbox WHERE error <> ''").Scan(&told).Error)
		return len(told) == 1 && strings.Contains(told[0], "SMTP_URL")
	}, apptest.Patience, 20*time.Millisecond)
	stop()
	e.Work()
	keptMails(t, e, 1)
}
