package web

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/mailworld"

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

// patient lets mail servers keep the app waiting for as long as a test holds them.
func patient(c *config.Config) { c.Probe.Timeout = apptest.Patience }

// The list is watched at every step: companies whose servers say nothing until the test lets them keep it from ending.
func TestBrowserListDoesNotJumpWhileItRuns(t *testing.T) {
	const steps = 5
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t, patient)
		b := visit(s)
		b.atStart(shiftScript)
		b.signIn("owner@one.example")
		l, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "people.csv", s.Prompt()).Ref, app.StartParams{})
		require.NoError(t, err)
		require.NoError(t, s.Import(t.Context(), l.ID))
		release := s.holdCompanies(steps)
		b.open("/lists/" + l.Ref)
		b.seen(".live[data-state=running]")
		s.Work()
		number := `document.querySelector(".live .big").textContent`
		for i := range steps {
			before := b.eval(number)
			if i == steps-1 {
				b.until(`!!document.querySelector("#records .mail > span:not(.hint)")`, "true") // the rows are shown anew too
			}
			require.Equal(t, "0 ", b.eval(`window.jumped + " " + window.jumpers.join("\n")`))
			release[i]()
			if i < steps-1 {
				b.until(number+" === "+strconv.Quote(before), "false")
			}
		}
		b.untilFinished()
	})
}

// holdCompanies holds so many companies of the file that Prompt makes, and gives what lets each of them go.
func (s *site) holdCompanies(n int) []func() {
	var held []string
	var release []func()
	for _, row := range s.World.ContactsTruth() {
		c := row.Company
		if c.Behaviour == mailworld.Accurate && len(held) < n && !slices.Contains(held, c.Domain) {
			held, release = append(held, c.Domain), append(release, s.World.Hold(c.Domain))
		}
	}
	require.Len(s.t, held, n)
	return release
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

// runs is how often the rows of a list were looked up, all together.
func (s *site) runs(l app.List) (sum int64) {
	require.NoError(s.t, s.DB.Raw("SELECT SUM(run) FROM records WHERE list_id = ?", l.ID).Scan(&sum).Error)
	return sum
}

// A row whose server asks strangers to come back says when it is tried again: above the table, in it, and in its evidence. What there
// is so far can be downloaded meanwhile.
func TestBrowserShowsUntilWhenARowWaits(t *testing.T) {
	inLooks(t, everyLook, func(t *testing.T, visit func(*site) *tab) {
		s := siteOn(t, apptest.NewIn(t, apptest.Embedded, mailworld.Options{GreylistFor: time.Hour}, func(c *config.Config) { c.Worker.MaxTries, c.Worker.MaxWait = 3, 2*time.Hour }))
		b := visit(s)
		b.signIn("owner@one.example")
		l, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "people.csv", []byte("First name,Last name,Website\nGrace,Yates,onegate.example\nRose,Hart,greyfriars.example\n")).Ref, app.StartParams{})
		require.NoError(t, err)
		b.open("/lists/" + l.Ref)
		s.Work()
		b.until(`document.querySelector(".waiting")?.textContent.includes("1 row waits for a server")`, "true")
		b.seen(".waiting time")
		minutes := b.eval(`String(Math.round((new Date(document.querySelector(".waiting time").dateTime) - Date.now()) / 60000))`)
		left, err := strconv.Atoi(minutes)
		require.NoError(t, err)
		require.InDelta(t, 63, left, 4, "an hour and up to a tenth")
		b.until(`document.querySelector("#records .t-retrying + .hint time")?.dateTime`, b.eval(`document.querySelector(".waiting time").dateTime`))
		b.good("row that waits")
		b.tap("#tab-retrying")
		b.until(`[...document.querySelectorAll("#records tbody th")].map(e => e.innerText.split("\n")[0]).join()`, "Rose Hart")
		b.tap(".know")
		b.seen("#drawer .waiting time")
		require.Contains(t, b.text("#drawer .waiting"), "Tried 1 time; next try")
		b.good("evidence of a row that waits")
		b.click("[data-close]")
		b.until(`document.querySelector("#drawer").open`, "false")
		b.tap("details:has(#download-csv) > summary")
		rows := readCSV(t, b.fetched("#download-csv", "people.csv"))
		require.Len(t, rows, 3)
		require.Equal(t, "grace.yates@onegate.example", rows[1][3])
		require.Equal(t, []string{"", "retrying"}, rows[2][3:5])
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

		before := s.runs(l)
		b.click("[data-all]")
		b.submit("button[value=retry]")
		require.Eventually(t, func() bool { return s.runs(l) == before+4 }, apptest.Patience, 50*time.Millisecond, "each row began anew")
		s.WaitFor(s.owner, l.Ref, app.List.Ended)
		b.until(`document.querySelector("#live")?.dataset.ended + " " + !!document.querySelector("#records .undo")`, "true false") // the page came anew by itself

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
