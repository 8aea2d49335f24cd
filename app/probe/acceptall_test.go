package probe

import (
	"context"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func acceptAll(p *Prober, domain string) AcceptAllAnswer {
	return p.AcceptAll(context.Background(), lookup(p, domain))
}

// shapes answers by the shape of the name: one for given.surname, one for fsurname.
func shapes(dotted, initial string) *mta {
	return &mta{rcpt: func(_ *client, address string) string {
		if regexp.MustCompile(`^[a-z]+\.[a-z]+@`).MatchString(address) {
			return dotted
		}
		return initial
	}}
}

func TestAcceptAll(t *testing.T) {
	const yes, no = "250 ok", "550 5.1.1 no such user"
	for name, c := range map[string]struct {
		m      *mta
		tri    Tri
		reason Reason
		asked  int
	}{
		"two shapes accepted: yes":                      {shapes(yes, yes), Yes, AcceptsAll, 2},
		"251 counts as accepted":                        {shapes("251 forward", yes), Yes, AcceptsAll, 2},
		"first refused by name: no, and no second":      {shapes(no, yes), No, MailboxNotFound, 1},
		"refused without words: no, and it says so":     {shapes("550 rejected", yes), No, RejectedUnclear, 1},
		"47 shapes disagree: unknown":                   {shapes(yes, no), Unsure, NotVerifiable, 2},
		"greylisted: unknown":                           {shapes("450 greylisted", yes), Unsure, Greylisted, 1},
		"second greylisted: unknown":                    {shapes(yes, "450 greylisted"), Unsure, Greylisted, 2},
		"blocked: unknown":                              {shapes("550 5.7.1 policy", yes), Unsure, BlockedByServer, 1},
		"252: unknown":                                  {shapes("252 maybe", yes), Unsure, NotVerifiable, 1},
		"full mailbox for an invented name: unknown":    {shapes("452 4.2.2 full", yes), Unsure, MailboxFull, 1},
		"receiving too fast for an invented name: same": {shapes("450 4.2.1 receiving mail at a rate", yes), Unsure, MailboxExists, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.company("acme.test", c.m)
			a := acceptAll(w.prober(), "acme.test")
			require.Equal(t, c.tri, a.Verdict, "%+v", a)
			require.Equal(t, c.reason, a.Reason)
			require.Len(t, a.Probes, c.asked)
			require.Equal(t, int64(c.asked), c.m.rcpts.Load())
			require.Equal(t, int64(1), c.m.conns.Load())
			require.False(t, a.At.IsZero())
		})
	}
}

func TestProviderThatSaysYesToAllIsNotAsked(t *testing.T) {
	w := newWorld(t)
	w.zone("yahoo.com. IN MX 1 mta5.am0.yahoodns.net.", "mta5.am0.yahoodns.net. IN A 10.0.0.1")
	m := w.at("10.0.0.1", &mta{rcpt: named("250 ok", "554 5.1.1 no such user")})
	p := w.prober()
	a := acceptAll(p, "yahoo.com")
	require.Equal(t, Yes, a.Verdict)
	require.Equal(t, NotVerifiableProvider, a.Reason)
	require.Zero(t, m.conns.Load())
	require.Equal(t, NotVerifiableProvider, check(p, here+"@yahoo.com").Reason)
	require.Equal(t, AcceptAll, check(p, here+"@yahoo.com").Status)
	require.Equal(t, Invalid, check(p, absent+"@yahoo.com").Status, "a no is still a no")
}

func TestBackupIsAskedOnceWhetherItAcceptsAll(t *testing.T) {
	w := newWorld(t)
	w.zone("acme.test. IN MX 1 dead.acme.test.", "acme.test. IN MX 2 mx.acme.test.", "dead.acme.test. IN A 10.0.0.9", "mx.acme.test. IN A 10.0.0.1")
	m := w.at("10.0.0.1", &mta{})
	p := w.prober(func(c *Config) { c.RestAfter = 1 })
	for range 3 {
		a := check(p, here+"@acme.test")
		require.Equal(t, Valid, a.Status)
		require.True(t, a.Backup)
	}
	require.Equal(t, int64(4), m.rcpts.Load())

	w.zone("flaky.test. IN MX 1 dead.acme.test.", "flaky.test. IN MX 2 mx.flaky.test.", "mx.flaky.test. IN A 10.0.0.2")
	w.at("10.0.0.2", &mta{rcpt: named("250 ok", "450 greylisted")})
	a := check(p, here+"@flaky.test")
	require.Equal(t, want{Unknown, Greylisted}, want{a.Status, a.Reason}, "what the backup does cannot be told")
	require.Positive(t, a.RetryAfter)
}

func TestInventedNames(t *testing.T) {
	n := newInventor(0)
	seen := map[string]bool{}
	for range 1000 {
		given, initial := n.given(), n.initial()
		require.Regexp(t, `^[a-z]{7}\.[a-z]{7}$`, given)
		require.Regexp(t, `^[a-z]{12}$`, initial)
		require.False(t, seen[given] || seen[initial])
		seen[given], seen[initial] = true, true
	}
	require.Equal(t, newInventor(3).given(), newInventor(3).given(), "a seed repeats them")
	require.NotEqual(t, newInventor(0).given(), newInventor(0).given())
}

func TestProviders(t *testing.T) {
	for host, name := range map[string]string{
		"aspmx.l.google.com": "google", "smtp.google.com": "google", "alt1.aspmx.l.google.com": "google", "acme-com.mail.protection.outlook.com": "microsoft365", "acme.x-v1.mx.microsoft": "microsoft365",
		"outlook-com.olc.protection.outlook.com": "outlook", "mx1.hotmail.com": "outlook", "mta7.am0.yahoodns.net": "yahoo", "mx-aol.mail.gm0.yahoodns.net": "yahoo", "mx01.mail.icloud.com": "icloud",
		"mxa-001.gslb.pphosted.com": "proofpoint", "eu-smtp-inbound-1.mimecast.com": "mimecast", "d1.ess.barracudanetworks.com": "barracuda", "esa1.hc1.iphmx.com": "ironport", "mx1.mail.ovh.net": "ovh",
		"mx00.ionos.de": "ionos", "mx01.kundenserver.de": "ionos", "mx.zoho.eu": "zoho", "in1-smtp.messagingengine.com": "fastmail", "mail.protonmail.ch": "protonmail", "mx.yandex.net": "yandex", "mxs.mail.ru": "mailru",
		"mx1.qq.com": "qq", "mx00.gmx.net": "gmx", "notgoogle.com": "", "google.com.evil.test": "", "mx.acme.test": "",
	} {
		require.Equal(t, name, providerOf([]Host{{Name: host}}), host)
	}
	require.Equal(t, "google", providerOf([]Host{{Name: "mx.acme.test"}, {Name: "aspmx.l.google.com"}}))
}

func TestLists(t *testing.T) {
	for _, d := range []string{"gmail.com", "outlook.com", "hotmail.co.uk", "yahoo.co.jp", "icloud.com", "gmx.net", "web.de", "proton.me", "mail.ru", "qq.com", "orange.fr", "libero.it"} {
		require.True(t, isWebmail(d), d)
	}
	for _, d := range []string{"mailinator.com", "x.y.mailinator.com", "guerrillamail.com", "yopmail.fr", "temp-mail.org", "trashmail.de"} {
		require.True(t, isDisposable(d), d)
	}
	for _, d := range []string{"google.com", "microsoft.com", "acme.test", "com", "co.uk", "mail.example", "fastmail.com", "corp.gmail.com"} {
		require.False(t, isDisposable(d), d)
	}
	require.False(t, isWebmail("corp.gmail.com"))
	require.Greater(t, len(webmailDomains()), 400)
	require.Greater(t, len(disposableDomains()), 400)
	for _, set := range []map[string]bool{webmailDomains(), disposableDomains()} {
		for d := range set {
			clean, err := aLabels(d)
			require.NoError(t, err, d)
			require.Equal(t, d, clean)
		}
	}
	for d := range webmailDomains() {
		require.False(t, isDisposable(d), "%s is on both lists", d)
	}
}
