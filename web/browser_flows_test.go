package web

import (
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Everything about an account that is done by clicking: a team grows, a browser is signed out, a domain is looked at, a list is bought.
func TestBrowserManagesAnAccountByClicking(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t, keepsMail, func(c *config.Config) { c.Credits = true })
		s.Work()
		require.NoError(t, s.GrantCredits(t.Context(), s.owner.Account, 20))
		require.NoError(t, s.GrantCredits(t.Context(), s.other.Account, 20))
		fair := s.Run(s.other, "fair.csv", []byte(people))
		require.NoError(t, s.DB.Exec("UPDATE users SET operator = ? WHERE email = 'owner@two.example'", true).Error)
		b := visit(s)

		b.signIn("owner@two.example")
		b.open("/catalogue?list=" + fair.Ref)
		b.typed("input[name=title]", "Spring fair")
		b.do(chromedp.SetValue(chromedp.CSS("input[name=price]"), "3"))
		b.submit("form[action='/catalogue'] button")
		b.seen("form[action$='/withdrawal']")
		b.good("published list")
		b.do(chromedp.Submit(chromedp.CSS("form[action='/sign-out']")))
		b.seen(".hero")

		b.signIn("owner@one.example")
		b.open("/team")
		b.typed("input[name=email]", "teo.ferrante@one.example")
		b.submit("form[action='/team/invitations'] button")
		b.until(`document.body.textContent.includes("Take back")`, "true")
		b.good("invitation")
		b.open("/catalogue")
		b.submit(".items a")
		b.submit("form[action$='/copies'] button")
		b.until(`location.pathname.startsWith("/lists/")`, "true")
		b.until(`document.querySelector("h1").textContent`, "Spring fair")
		b.untilFinished() // or the page, loaded anew, takes the place of the next
		b.open("/usage")
		b.seen(".chart canvas")
		require.Contains(t, b.text("main"), "Spring fair")
		b.open("/domains")
		b.typed("#domain-search", "onegate.example")
		b.submit("form[action='/domains'] button")
		b.until(`document.querySelector("h1").textContent`, "onegate.example")
		b.open("/settings")
		b.do(chromedp.SetValue(chromedp.CSS("input[name=name]"), "Ada Ash"))
		b.submit("form[action='/settings/name'] button")
		b.until(`document.querySelector("input[name=name]").value`, "Ada Ash")
		b.open("/privacy")
		b.do(chromedp.SetValue(chromedp.CSS("select[name=days]"), "30"))
		b.submit("form[action='/privacy/retention'] button")
		b.until(`document.querySelector("select[name=days]").value`, "30")
		b.click("summary.btn.danger")
		b.good("deletion of an account")
		b.typed("form[action='/privacy/deletion'] input", apptest.Password)
		b.submit("form[action='/privacy/deletion'] button")
		b.submit("form[action='/privacy/keeping'] button")
		b.seen("summary.btn.danger")
		account, err := s.Account(t.Context(), s.owner.Account)
		require.NoError(t, err)
		require.Nil(t, account.DeleteAt)
		require.Equal(t, 30, account.RetentionDays)
		b.open("/audit")
		require.Contains(t, b.text("main"), "Kept the account after all")

		b.do(chromedp.Submit(chromedp.CSS("form[action='/sign-out']")))
		b.seen(".hero")
		b.open(s.mailedPath("teo.ferrante@one.example"))
		b.typed("input[name=name]", "Teo Ferrante")
		b.typed("input[name=password]", apptest.Password)
		b.submit("form[action^='/invitations/'] button")
		b.seen("form[data-upload]")
		b.open("/team")
		b.seen("table")
		require.NotContains(t, b.text("main"), "Invite somebody", "a member manages nobody")

		b.open("/opt-out")
		b.typed("input[name=subject]", "grace.yates@onegate.example")
		b.submit("form[action='/opt-out'] button")
		b.until(`document.querySelector("main").textContent.includes("on its way")`, "true")
		b.good("opt-out on its way")
		b.open(s.mailedPath("grace.yates@onegate.example"))
		b.submit("form[action^='/opt-out/'] button")
		b.until(`document.querySelector("h1").textContent`, "Done")
		_, err = s.VerifyOne(t.Context(), s.owner, "grace.yates@onegate.example")
		require.Equal(t, app.CodeSuppressed, app.CodeOf(err))
	})
}
