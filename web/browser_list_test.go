package web

import (
	"strconv"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// newcomer is how long somebody may take from the first page to a finished sample list.
const newcomer = time.Minute

func TestBrowserNewcomerHasAFinishedListWithinAMinute(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		s.server.opts.Sample = s.Prompt() // without the servers that are slow on purpose: the machine is what is timed
		s.Work()
		b := visit(s)
		began := time.Now()
		b.open("/")
		b.click("main a[href='/sign-up']")
		b.seen("input[name=password]")
		b.typed("input[name=email]", "newcomer@three.example")
		b.typed("input[name=password]", apptest.Password)
		b.click("form.form button[type=submit]")
		b.seen("form[action='/lists/sample'] button")
		b.click("form[action='/lists/sample'] button")
		b.seen("#start")
		b.click("#start")
		b.untilFinished()
		took := time.Since(began)
		require.Less(t, took, newcomer)
		require.NotEqual(t, "0", b.eval(`document.querySelector(".live .big").firstChild.textContent.trim()`))
		t.Logf("from the first page to a finished list: %s", took.Round(time.Second))
	})
}

// untilFinished waits until the list page says that the list has ended.
func (b *tab) untilFinished() {
	b.t.Helper()
	b.seen(".live")
	b.until(`document.getElementById("live")?.dataset.ended + " " + document.querySelector(".live")?.dataset.state`, "true finished") // and the page was loaded anew
}

// shiftScript adds up how far things jump that nobody has touched (Layout Instability API).
const shiftScript = `window.jumped = 0; window.jumpers = [];
	new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) { window.jumped += e.value;
		window.jumpers.push(e.value.toFixed(4) + " " + e.sources.map(s => s.node?.outerHTML?.slice(0, 80) ?? s.node?.textContent).join(" , ")); } }).observe({type: "layout-shift", buffered: true});`

func TestBrowserListDoesNotJumpWhileItRuns(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t, func(c *config.Config) { c.Worker.Concurrency, c.Worker.RecordServers = 1, 1 }) // row by row, to be watched
		b := visit(s)
		b.atStart(shiftScript)
		b.signIn("owner@one.example")
		l, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "people.csv", s.Prompt()).Ref, app.StartParams{})
		require.NoError(t, err)
		require.NoError(t, s.Import(t.Context(), l.ID))
		b.open("/lists/" + l.Ref)
		b.seen(".live[data-state=running]")
		s.Work()
		numbers, jumped, who := map[string]bool{}, 0.0, ""
		require.Eventually(t, func() bool {
			if b.eval(`document.querySelector(".live")?.dataset.state ?? ""`) != "running" {
				return true
			}
			numbers[b.eval(`document.querySelector(".live .big").textContent`)] = true
			if sum, err := strconv.ParseFloat(b.eval("String(window.jumped)"), 64); err == nil && sum > jumped {
				jumped, who = sum, b.eval(`window.jumpers.join("\n")`)
			}
			return false
		}, apptest.Patience, 50*time.Millisecond)
		require.Greater(t, len(numbers), 1, "the page moved on by itself: %v", numbers)
		require.Zero(t, jumped, who)
	})
}

// A list may end between the making of its page and the first event: the page is then loaded anew all the same, but not while a
// menu is open.
func TestBrowserLearnsThatTheListEndedBeforeItListened(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		s.Work()
		l := s.finished()
		b := visit(s)
		b.signIn("owner@one.example")
		for _, without := range []string{"", "delete window.EventSource;"} {
			b.open("/lists/" + l.Ref)
			b.seen(".live")
			b.eval(without + `window.old = true; document.getElementById("live").dataset.state = "running"; document.getElementById("live").dataset.ended = "false";
				document.querySelector(".live").dataset.old = "yes"; document.querySelector("details[data-pop] summary").click();
				const again = document.createElement("script"); again.src = document.querySelector("script[src*='live']").src + "?again"; document.head.append(again)`)
			b.seen("details[data-pop][open] .pop-body")
			b.until(`document.querySelector(".live").dataset.old`, "undefined") // what the script was sent is shown
			require.Equal(t, "true", b.eval("String(window.old)"), "a menu was open")
			b.click("details[data-pop] summary")
			b.until(`window.old + " " + document.getElementById("live")?.dataset.ended`, "undefined true")
		}
	})
}

func TestBrowserWorksWithManyRows(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		s.Work()
		l := s.finished()
		b := visit(s)
		b.signIn("owner@one.example")
		b.open("/lists/" + l.Ref)
		ticked := `document.querySelectorAll("input[name=row]").length`
		b.until(`document.querySelector("button[value=remove]").disabled`, "true")
		b.until(ticked, "4")
		b.click("tbody tr:nth-child(2) input[name=row]")
		b.until(`document.querySelector("[data-ticked]").textContent`, "1 row chosen")
		b.submit("button[value=remove]")
		b.seen(".alert.undo")
		b.good("deleted row")
		b.until(ticked, "3")
		b.submit(".alert.undo button")
		b.until(ticked, "4")

		b.click("#sort-score")
		b.until(`document.querySelector("th[aria-sort=descending]")?.textContent.trim()`, "Score")
		b.until(ticked, "2")
		b.until(`location.search`, "?sort=score")
		b.open("/lists/" + l.Ref)
		b.click("#choose-columns")
		b.good("menu of columns")
		b.click("input[name=column][value=pattern]")
		b.submit("form.columns button")
		b.until(`[...document.querySelectorAll(".recs thead th")].some(th => th.textContent === "Pattern")`, "true")

		b.click("tbody tr:nth-child(3) .know")
		b.seen("#drawer .answer")
		b.click("#drawer .mend summary")
		b.good("drawer to correct a row")
		b.do(chromedp.SetValue(chromedp.CSS("#edit-first_name"), "Grace"), chromedp.SetValue(chromedp.CSS("#edit-last_name"), "Yates"), chromedp.SetValue(chromedp.CSS("#edit-domain"), "onegate.example"))
		b.click("#edit button:not([formaction])")
		b.until(`document.querySelector("tbody tr:nth-child(3) .mail")?.textContent.trim()`, "grace.yates@onegate.example")
		b.untilFinished()

		b.click("[data-all]")
		b.submit("button[value=retry]")
		b.untilFinished()

		b.open("/find")
		b.typed("input[name=first_name]", "Grace")
		b.typed("input[name=last_name]", "Yates")
		b.typed("input[name=company]", "onegate.example")
		b.click("form[action='/find'] button")
		b.seen("#add-list")
		b.good("found address")
		b.click("form.add button")
		b.submit("p.add a")
		b.until(ticked, "5")

		b.click("summary[aria-label=More]")
		b.click("details.confirm:has(#delete-list) > summary")
		b.good("menu of a list")
		b.submit("#delete-list")
		b.seen("#undo-" + l.Ref)
		b.submit("#undo-" + l.Ref)
		b.until(ticked, "5")
	})
}
