package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func keepsMail(c *config.Config) { c.Run.KeepMail, c.BaseURL = true, "http://beagle.example" }

// mails waits until so many mails were kept.
func (s *site) mails(n int) []app.KeptMail {
	var kept []app.KeptMail
	require.Eventually(s.t, func() bool {
		var err error
		kept, err = s.KeptMails(s.t.Context())
		return err == nil && len(kept) >= n
	}, apptest.Patience, 20*time.Millisecond)
	require.Len(s.t, kept, n)
	return kept
}

var resetLink = regexp.MustCompile(`http://beagle\.example(/reset/\S+)`)

func TestForgottenPasswordIsReplacedOnceByMail(t *testing.T) {
	s := newSite(t, keepsMail)
	s.Work()
	before, stranger := s.signedIn("owner@one.example"), s.browser()
	known := s.send(stranger, "POST", "/reset", url.Values{"email": {"owner@one.example"}})
	unknown := s.send(stranger, "POST", "/reset", url.Values{"email": {"nobody@one.example"}})
	require.Equal(t, 200, known.status)
	require.Equal(t, known.body, strings.ReplaceAll(unknown.body, "nobody@", "owner@"), "nobody learns who has an account")
	kept := s.mails(1)
	require.Equal(t, "owner@one.example", kept[0].Recipient)
	link := resetLink.FindStringSubmatch(kept[0].TextBody)[1]
	require.Contains(t, s.send(stranger, "GET", "/dev/mail", nil).body, link)
	require.Equal(t, 404, s.send(stranger, "GET", "/dev/mail", nil, "X-Forwarded-For", "203.0.113.9").status)

	require.Equal(t, 200, s.send(stranger, "GET", link, nil).status)
	require.Equal(t, 400, s.send(stranger, "POST", link, url.Values{"password": {"short"}}).status, "the link survives a refused password")
	const fresh = "eight loud badgers"
	require.Equal(t, 303, s.send(stranger, "POST", link, url.Values{"password": {fresh}}).status)
	require.Equal(t, 404, s.send(stranger, "POST", link, url.Values{"password": {fresh + "!"}}).status, "a link works once")
	require.Equal(t, 404, s.send(stranger, "GET", link, nil).status)
	require.Equal(t, 303, s.send(before, "GET", "/lists", nil).status, "who was signed in is out")
	require.Equal(t, 401, s.send(stranger, "POST", "/sign-in", url.Values{"email": {"owner@one.example"}, "password": {apptest.Password}}).status)
	require.Equal(t, 303, s.send(stranger, "POST", "/sign-in", url.Values{"email": {"owner@one.example"}, "password": {fresh}}).status)
	require.NotContains(t, s.log.String(), strings.TrimPrefix(link, "/reset/"))
}

func TestResetLinkEndsAfterAnHourAndMailboxesAreNotFlooded(t *testing.T) {
	s := newSite(t, keepsMail)
	user := s.owner.User
	for range 5 {
		require.NoError(t, s.SendMail(t.Context(), "password_reset", user, 0))
	}
	kept := s.mails(3)
	link := resetLink.FindStringSubmatch(kept[0].TextBody)[1]
	require.Equal(t, 200, s.send(http.DefaultClient, "GET", link, nil).status)
	s.App.Now = func() time.Time { return time.Now().UTC().Add(61 * time.Minute) }
	require.Equal(t, 404, s.send(http.DefaultClient, "GET", link, nil).status)
	require.Equal(t, 404, s.send(http.DefaultClient, "POST", link, url.Values{"password": {"eight loud badgers"}}).status)
}

func TestOwnerIsToldByMailWhenAListHasEnded(t *testing.T) {
	s := newSite(t, keepsMail)
	s.Work()
	l := s.finished()
	done := s.mails(1)[0]
	require.Equal(t, "owner@one.example", done.Recipient)
	require.Contains(t, done.TextBody, "2 of 4 rows have an address")
	require.Contains(t, done.TextBody, "http://beagle.example/lists/"+l.Ref)
	require.Contains(t, done.HTMLBody, "http://beagle.example/lists/"+l.Ref)
	b := s.signedIn("owner@one.example")
	require.Equal(t, 303, s.send(b, "POST", "/settings/mails", url.Values{}).status)
	require.NotContains(t, s.send(b, "GET", "/settings", nil).body, " checked")
	s.finished()
	require.NoError(t, s.SendMail(t.Context(), "list_finished", s.owner.User, l.ID))
	s.mails(1)
}

func TestOwnerIsToldByMailWhyAListFailed(t *testing.T) {
	s := newSite(t, keepsMail, func(c *config.Config) { c.Upload.MaxRows = 3 })
	s.Work()
	l := s.Run(s.owner, "people.csv", []byte(people))
	require.Equal(t, app.ListFailed, l.State)
	kept := s.mails(1)[0]
	require.Contains(t, kept.Subject, "could not be finished")
	require.Contains(t, kept.TextBody, l.Note)
}

var mailedLink = regexp.MustCompile(`http://beagle\.example(/\S+)`)

// mailedPath waits for the mail to somebody and gives the path of its first link.
func (s *site) mailedPath(recipient string) (path string) {
	require.Eventually(s.t, func() bool {
		kept, err := s.KeptMails(s.t.Context())
		require.NoError(s.t, err)
		for _, m := range kept {
			if m.Recipient == recipient {
				path = mailedLink.FindStringSubmatch(m.TextBody)[1]
			}
		}
		return path != ""
	}, apptest.Patience, 20*time.Millisecond, "no mail to %s", recipient)
	return path
}
