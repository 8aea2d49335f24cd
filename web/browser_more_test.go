package web

import (
	"os"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// What the owner of a list does with it while it runs and afterwards.
func TestBrowserStopsAListAndPutsItAway(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		l, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "people.csv", []byte(people)).Ref, app.StartParams{})
		require.NoError(t, err)
		require.NoError(t, s.Import(t.Context(), l.ID)) // and nobody works on it
		at := "/lists/" + l.Ref
		state := `document.querySelector(".live")?.dataset.state`
		b := visit(s)
		b.signIn("owner@one.example")
		b.open(at)
		b.submit("form[action='" + at + "/pause'] button")
		b.until(state, "paused")
		b.good("paused list")
		b.submit("form[action='" + at + "/resumption'] button")
		b.until(state, "running")

		b.click("summary[aria-label=More]")
		b.do(chromedp.SetValue(chromedp.CSS("form[action='"+at+"/name'] input"), "Spring fair"))
		b.submit("form[action='" + at + "/name'] button")
		b.until(`document.querySelector("h1").textContent`, "Spring fair")
		b.click("summary[aria-label=More]")
		b.do(chromedp.SetValue(chromedp.CSS("#tags"), "fairs, 2026"))
		b.submit("form[action='" + at + "/tags'] button")
		b.until(`[...document.querySelectorAll(".sub .tag")].map(e => e.textContent).join()`, "2026,fairs")
		b.click("summary[aria-label=More]")
		b.click("details.confirm:has(form[action$='/cancellation']) > summary")
		b.good("cancellation")
		b.submit("form[action='" + at + "/cancellation'] button")
		b.until(state, "canceled")

		b.click("summary[aria-label=More]")
		b.submit("form[action='" + at + "/archival'] button")
		b.open("/lists?archived=true")
		b.seen("#list-" + l.Ref)
		b.good("archive")
		b.submit("#list-" + l.Ref)
		b.click("summary[aria-label=More]")
		b.submit("form[action='" + at + "/unarchival'] button")
		b.open("/lists?tag=fairs")
		b.seen("#list-" + l.Ref)
	})
}

// Rows are found again by status, reason, words and score, page by page, and taken away in each form.
func TestBrowserFindsRowsAndTakesThemAway(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		s.Work()
		l := s.Run(s.owner, "contacts.csv", append(s.Prompt(), "=cmd,Person,nowhere-at-all.example\n"...))
		at := "/lists/" + l.Ref
		first := `document.querySelector("#records tbody tr td.num")?.textContent`
		b := visit(s)
		b.signIn("owner@one.example")
		b.open(at)
		b.until(first, "1")
		b.click("#next-page")
		b.until(`location.search.includes("after")`, "true")
		b.until(`Number(`+first+`) > 10`, "true")
		b.good("second page of rows")
		b.click(".pages > a") // the first page
		b.until(first, "1")

		b.typed("#q", "alderbrook")
		b.until(`[...document.querySelectorAll("#records tbody tr")].every(row => row.textContent.includes("alderbrook"))`, "true")
		b.until(`document.querySelector(".filter-note")?.textContent.includes("alderbrook")`, "true")
		b.good("search")
		b.open(at + "?q=nobody-is-called-so")
		b.until(`!!document.querySelector("#records .empty")`, "true")
		b.good("search without a hit")
		b.open(at)
		b.click(".pages-end details:first-child summary")
		b.do(chromedp.SetValue(chromedp.CSS("#min-score"), "99"))
		b.good("menu of scores")
		b.submit("form.range button")
		b.until(`[...document.querySelectorAll("#records .score > span")].every(e => Number(e.textContent) >= 99)`, "true")
		b.open(at)
		b.submit("#legend-not_found, #legend-invalid, #legend-unknown")
		b.until(`location.search.startsWith("?status=")`, "true")

		b.open(at)
		b.click("details:has(#download-csv) > summary")
		for css, name := range map[string]string{"#download-xlsx": "contacts.xlsx", "#download-jsonl": "contacts.jsonl", "#download-valid-csv": "contacts (valid).csv"} {
			body, err := os.ReadFile(b.fetched(css, name))
			require.NoError(t, err)
			require.NotEmpty(t, body)
		}
		b.open(at)
		b.click("tbody tr:nth-child(2) input[name=row]")
		body, err := os.ReadFile(b.fetched("button[value=csv]", "contacts (selected).csv"))
		require.NoError(t, err)
		require.Len(t, strings.Split(strings.TrimSpace(string(body)), "\n"), 2, "a header and the row")
	})
}

// One address is found and one verified, and what is known of a company is asked anew.
func TestBrowserAnswersAboutOnePersonAndOneCompany(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		b := visit(s)
		b.signIn("owner@one.example")
		b.open("/find")
		b.typed("input[name=email]", "grace.yates@onegate.example")
		b.click("form[action='/verify'] button")
		b.seen("#found .answer")
		require.Contains(t, b.text("#found"), "Valid")
		b.good("verified address")
		b.open("/find")
		findsSomebody(b)
		b.until(`document.querySelector("#answer-email")?.textContent`, "grace.yates@onegate.example")
		b.click("#found a[href='/domains/onegate.example']")
		b.until(`document.querySelector("h1").textContent`, "onegate.example")
		b.good("company")
		b.expects("429 (Too Many Requests)") // it was asked a moment ago
		b.submit("form[action$='/checks'] button")
		b.until(`document.querySelector("h1").textContent`, "onegate.example")
		b.open("/domains/pelican-apps.example")
		b.submit("form[action$='/checks'] button")
		b.until(`[...document.querySelectorAll(".kv dt")].some(e => e.textContent === "DNS asked")`, "true")
		b.open("/domains")
		b.typed("#domain-search", "not a domain")
		b.expects("400 (Bad Request)")
		b.submit("form[action='/domains'] button")
		b.good("no company")
	})
}

// A program gets its way in, and somebody who runs the installation looks after it.
func TestBrowserLetsProgramsInAndLooksAfterThem(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t, func(c *config.Config) { c.Credits = true })
		require.NoError(t, s.DB.Exec("UPDATE users SET operator = ? WHERE email = 'owner@one.example'", true).Error)
		b := visit(s)
		b.signIn("owner@one.example")
		b.open("/keys")
		b.typed("input[name=name]", "Nightly import")
		b.submit("form[action='/keys'] button")
		b.seen("#secret")
		b.click("[data-copy]")
		b.good("new key")
		b.click("details.confirm > summary")
		b.good("revocation")
		b.submit("details.confirm button")
		b.until(`document.querySelector("tr.gone .end").textContent`, "revoked")

		b.open("/webhooks")
		b.expects("400 (Bad Request)")
		b.typed("input[name=url]", "ftp://hooks.north-pier.example/")
		b.submit("form[action='/webhooks'] button")
		b.seen(".alert.bad")
		b.good("refused webhook")
		b.do(chromedp.SetValue(chromedp.CSS("input[name=url]"), "https://hooks.north-pier.example/beagle"))
		b.submit("form[action='/webhooks'] button")
		b.until(`document.querySelectorAll("form[action$='/switch']").length`, "1")
		b.submit("form[action$='/switch'] button")
		b.until(`document.querySelector("form[action$='/switch'] button").textContent`, "Switch it on again")
		b.click("details.confirm > summary")
		b.good("deletion of a webhook")
		b.submit("details.confirm button")
		b.until(`document.querySelectorAll("form[action$='/switch']").length`, "0")

		b.open("/settings")
		for present, want := range map[string]string{"not my password": ".alert.bad", apptest.Password: ".alert.note"} {
			b.do(chromedp.SetValue(chromedp.CSS("form[action='/settings/password'] input[name=present]"), present))
			b.do(chromedp.SetValue(chromedp.CSS("form[action='/settings/password'] input[name=password]"), apptest.Password))
			b.submit("form[action='/settings/password'] button")
			b.seen(want)
			b.good("password " + want)
		}

		b.open("/admin")
		b.submit("nav[aria-label='Time shown'] a")
		b.submit("a[href='/admin/queues?queue=records&state=pending']")
		b.seen("#h-tasks")
		b.good("queue")

		b.open("/admin")
		b.do(chromedp.SetValue(chromedp.CSS("form[action='/admin/credits'] input[name=email]"), "owner@one.example"),
			chromedp.SetValue(chromedp.CSS("form[action='/admin/credits'] input[name=amount]"), "7"))
		require.Equal(t, "true", b.eval(`(() => { const give = document.querySelector("form[action='/admin/credits'] button"); give.click(); const rests = give.disabled; give.click(); return String(rests); })()`))
		b.until(`[...document.querySelectorAll("section:has(#h-credits) strong")].map(e => e.textContent).join()`, "+7")
	})
}
