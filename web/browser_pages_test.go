package web

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axeCore finds what people with a screen reader, a keyboard or weak eyes stumble over. It is fetched for tests and not part of the program.
const axeCore = "axe-core@4.14.1"

// What a page may cost, on this machine.
const (
	paintBudget = 1000     // milliseconds to the first contentful paint
	loadTries   = 5        // the machine may be busy with something else
	codeBudget  = 60 << 10 // bytes of packed JavaScript and CSS
	narrow      = int64(320)
	wide        = int64(1280)
)

// pageVisit is a page as the browser test sees it: a route of the site with what it needs to be shown.
type pageVisit struct {
	name  string            // of its picture
	route string            // in siteRoutes
	path  func(seen) string // "" fills nothing in
	then  func(b *tab)      // what is done on the page before it is looked at
	main  bool              // has pictures in the dark and on a phone too
}

// seen are the things that pages are about.
type seen struct {
	list, fresh, record          string
	item                         string // of the catalogue
	invitation, optOut, newEmail string // paths that were mailed
}

func at(path string) func(seen) string { return func(seen) string { return path } }

// strangerVisits are the pages without a session, userVisits those of somebody who is signed in and runs the installation.
var (
	strangerVisits = []pageVisit{
		{name: "landing", route: "/", path: at("/"), main: true},
		{name: "sign-in", route: "/sign-in", path: at("/sign-in")},
		{name: "sign-up", route: "/sign-up", path: at("/sign-up")},
		{name: "reset", route: "/reset", path: at("/reset")},
		{name: "api-reference", route: "/docs/api", path: at("/docs/api"), then: func(b *tab) { b.click("details.card > summary") }},
		{name: "opt-out", route: "/opt-out", path: at("/opt-out"), main: true},
		{name: "opt-out-confirm", route: "/opt-out/:token", path: func(s seen) string { return s.optOut }},
		{name: "invitation", route: "/invitations/:token", path: func(s seen) string { return s.invitation }},
		{name: "new-email", route: "/settings/email/:token", path: func(s seen) string { return s.newEmail }},
		{name: "not-found", route: "", path: at("/nothing-here")},
	}
	userVisits = []pageVisit{
		{name: "lists", route: "/lists", path: at("/lists"), main: true},
		{name: "mapping", route: "/lists/:list/mapping", path: func(s seen) string { return "/lists/" + s.fresh + "/mapping" }, main: true},
		{name: "list", route: "/lists/:list", path: func(s seen) string { return "/lists/" + s.list }, main: true},
		{name: "evidence", route: "/lists/:list/records/:record", path: func(s seen) string { return "/lists/" + s.list + "/records/" + s.record }, main: true},
		{name: "find", route: "/find", path: at("/find"), then: findsSomebody, main: true},
		{name: "keys", route: "/keys", path: at("/keys")},
		{name: "settings", route: "/settings", path: at("/settings"), main: true},
		{name: "domains", route: "/domains", path: at("/domains")},
		{name: "domain", route: "/domains/:domain", path: at("/domains/onegate.example"), main: true},
		{name: "usage", route: "/usage", path: at("/usage"), then: func(b *tab) { b.seen(".chart canvas") }, main: true},
		{name: "catalogue", route: "/catalogue", path: at("/catalogue"), main: true},
		{name: "catalogue-list", route: "/catalogue/:item", path: func(s seen) string { return "/catalogue/" + s.item }},
		{name: "team", route: "/team", path: at("/team"), main: true},
		{name: "privacy", route: "/privacy", path: at("/privacy")},
		{name: "audit", route: "/audit", path: at("/audit")},
		{name: "webhooks", route: "/webhooks", path: at("/webhooks")},
		{name: "operations", route: "/admin", path: at("/admin"), main: true},
		{name: "queues", route: "/admin/queues", path: at("/admin/queues?queue=records&state=pending")},
		{name: "kept-mail", route: "/dev/mail", path: at("/dev/mail")},
	}
	// noPages are the routes that answer with something else than a page, and one that needs a token from a mail.
	noPages = []string{"/lists/:list/progress", "/lists/:list/events", "/lists/:list/download", "/openapi.yaml", "/sample.csv", "/static/*", "/favicon.ico",
		"/robots.txt", "/healthz", "/readyz", "/metrics", "/reset/:token", "/privacy/data.zip", "/usage.csv", "/lists/:list/columns"}
)

func findsSomebody(b *tab) {
	b.typed("input[name=first_name]", "Grace")
	b.typed("input[name=last_name]", "Yates")
	b.typed("input[name=company]", "onegate.example")
	b.click("form[action='/find'] button")
	b.seen("#found .answer")
}

// Every page, light and dark, wide and narrow: no word on the console, no request to anybody else, nothing that axe calls serious, no
// scrolling sideways, quick and small. SCREENSHOTS=DIR keeps the pictures: that is `make screenshots`.
func TestEveryPageInTheBrowserIsAccessibleFitsAndIsSmall(t *testing.T) {
	s := newSite(t, keepsMail, func(c *config.Config) { c.Credits = true })
	known := s.furnish()
	b := openTab(t, openBrowser(t), s.http.URL, plainly)
	b.expects("404 (Not Found)") // the page that says so
	visited := map[string]bool{}
	look := func(v pageVisit) {
		visited[v.route] = true
		b.open(v.path(known))
		if os.Getenv("SCREENSHOTS") == "" { // pictures are taken on busy machines too
			b.checkCost(v)
		}
		if v.then != nil {
			v.then(b)
		}
		b.checkLooks(v)
	}
	for _, v := range strangerVisits {
		look(v)
	}
	b.signIn("operator@one.example")
	for _, v := range userVisits {
		look(v)
	}
	for _, rt := range siteRoutes {
		require.True(t, rt.method != get || visited[rt.path] || slices.Contains(noPages, rt.path), "%s is visited by no browser: add it to the visits", rt.path)
	}
}

// furnish gives the operator something to be seen on every page.
func (s *site) furnish() seen {
	user, err := s.AddUser(s.t.Context(), "operator@one.example", apptest.Password, "North Pier", true)
	require.NoError(s.t, err)
	as := user.Actor()
	require.NoError(s.t, s.GrantCredits(s.t.Context(), as.Account, 5000))
	s.Work()
	people := s.Prompt()
	if os.Getenv("SCREENSHOTS") != "" {
		people = apptest.Example(s.t, "contacts.csv")
	}
	list := s.Run(as, "contacts.csv", people)
	require.Equal(s.t, app.ListFinished, list.State)
	fresh := s.Upload(as, "spring fair.csv", apptest.Example(s.t, "contacts.csv"))
	rows, _, err := s.Records(s.t.Context(), as.Account, list, app.RecordQuery{Status: "valid"})
	require.NoError(s.t, err)
	require.NotEmpty(s.t, rows)
	_, _, err = s.CreateKey(s.t.Context(), as, "Nightly import", false)
	require.NoError(s.t, err)
	_, err = s.CreateWebhook(s.t.Context(), as, "https://hooks.north-pier.example/beagle", nil)
	require.NoError(s.t, err)
	require.NoError(s.t, s.WritePoint(s.t.Context()))
	s.busyHour()
	item, err := s.Publish(s.t.Context(), as, list.Ref, app.PublishParams{Title: "Exhibitors of the spring fair", Description: "Everybody who had a stand, with the address at work.", Price: 120})
	require.NoError(s.t, err)
	_, err = s.Invite(s.t.Context(), as, "teo.ferrante@one.example", app.RoleAdmin)
	require.NoError(s.t, err)
	_, err = s.AskOptOut(s.t.Context(), "mara.lindqvist@north-pier.example")
	require.NoError(s.t, err)
	_, err = s.ChangeEmail(s.t.Context(), as, "ops@one.example", apptest.Password)
	require.NoError(s.t, err)
	return seen{item: item.Ref, invitation: s.mailedPath("teo.ferrante@one.example"), optOut: s.mailedPath("mara.lindqvist@north-pier.example"), newEmail: s.mailedPath("ops@one.example"), list: list.Ref, fresh: fresh.Ref, record: idOf(rows[0].ID)}
}

// busyHour writes the minutes before this one, so that the operator's charts have lines.
func (s *site) busyHour() {
	for m := range 50 {
		at := s.Now().Add(-time.Duration(m+1) * time.Minute).Truncate(time.Minute)
		load := 20 + (m*m)%37
		require.NoError(s.t, s.DB.Exec(`INSERT INTO metric_points (at, process, quarter, requests, failures, timeouts, p50, p95, p99, lookups) VALUES (?, 'web 1', ?, ?, 0, 0, ?, ?, ?, ?)`,
			at, at.Unix()/900, load*30, 4+load/10, 18+load/3, 30+load, load*12).Error)
	}
}

func (b *tab) signIn(email string) {
	b.t.Helper()
	b.open("/sign-in")
	b.typed("input[name=email]", email)
	b.typed("input[name=password]", apptest.Password)
	b.click("form.form button[type=submit]")
	b.seen("form[data-upload]")
}

// pageCost is what a page cost to load.
type pageCost struct {
	Paint   float64  // milliseconds
	Code    int      // bytes of scripts and styles as they came
	Foreign []string // addresses of others
}

const costScript = `(() => {
	const loaded = performance.getEntriesByType("resource");
	const paint = performance.getEntriesByName("first-contentful-paint")[0];
	return JSON.stringify({
		Paint: paint ? paint.startTime : -1,
		Code: loaded.filter(r => /\.(js|css)$/.test(new URL(r.name).pathname)).reduce((sum, r) => sum + r.encodedBodySize, 0),
		Foreign: loaded.map(r => r.name).filter(name => !name.startsWith(location.origin)),
	});
})()`

func (b *tab) checkCost(v pageVisit) {
	b.t.Helper()
	var cost pageCost
	for try := range loadTries {
		if try > 0 {
			b.open(b.eval("location.pathname + location.search"))
		}
		b.until(`performance.getEntriesByName("first-contentful-paint").length`, "1")
		require.NoError(b.t, json.Unmarshal([]byte(b.eval(costScript)), &cost), v.name)
		if cost.Paint < paintBudget {
			break
		}
	}
	require.Less(b.t, cost.Paint, float64(paintBudget), "%s: milliseconds to the first contentful paint", v.name)
	require.Positive(b.t, cost.Code, v.name)
	require.LessOrEqual(b.t, cost.Code, codeBudget, "%s: bytes of JavaScript and CSS", v.name)
	require.Empty(b.t, cost.Foreign, v.name)
}

// axeRules are the rules that are run by scheme: all of them once, and in the dark those that colours can break.
var axeRules = map[string]string{
	"light": `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`,
	"dark":  `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`,
}

const axeScript = `axe.run(document, {resultTypes: ["violations"], runOnly: RULES}).then(found =>
	JSON.stringify(found.violations.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => v.id + ": " + v.nodes.slice(0, 4).map(n => n.target.join(" ") + " (" + n.failureSummary.replace(/\s+/g, " ") + ")").join("; "))))`

// axe gives the page the means to examine itself, once.
func (b *tab) axe() {
	b.t.Helper()
	if b.eval("typeof window.axe") == "object" {
		return
	}
	source, err := os.ReadFile(filepath.Join(npmModules(b.t, strings.ReplaceAll(axeCore, "@", "-"), axeCore), "axe-core", "axe.min.js"))
	require.NoError(b.t, err)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[any](string(source)+";null"))
		return err
	}))
}

// axeLooks is how often axe looks before what it finds counts: the rows of a list that runs are paler while new ones are on their way.
const axeLooks = 3

// examine fails the test for what axe finds by these rules, for what is cut off, and for a page that is wider than its window.
func (b *tab) examine(name, rules string) {
	b.t.Helper()
	b.axe()
	var problems []string
	for range axeLooks {
		b.do(chromedp.WaitNotPresent(chromedp.CSS(".records.htmx-request, " + busyParts)))
		found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](strings.Replace(axeScript, "RULES", rules, 1), chromedp.EvalAwaitPromise))
		require.NoError(b.t, err, name)
		require.NoError(b.t, json.Unmarshal([]byte(found), &problems))
		if len(problems) == 0 {
			break
		}
	}
	for _, p := range problems {
		b.t.Errorf("%s: %s", name, p)
	}
	b.checkWidth(name)
}

// good examines the page as it is in the midst of a flow: with a menu open, or after an error.
func (b *tab) good(what string) {
	b.t.Helper()
	b.examine(what, axeRules["light"])
}

// checkLooks examines the open page in both schemes and widths.
func (b *tab) checkLooks(v pageVisit) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{wide, narrow} {
			b.look(scheme, width)
			b.eval(`scrollTo(0, 0)`) // a picture may have left the footer under the header that stays in view
			b.examine(fmt.Sprintf("%s, %s, %d pixels wide", v.name, scheme, width), axeRules[scheme])
			if name := pictureName(v, scheme, width); name != "" && os.Getenv("SCREENSHOTS") != "" {
				b.picture(name, width)
			}
		}
	}
	b.look("light", wide)
}

func (b *tab) checkWidth(name string) {
	b.t.Helper()
	if cut := b.eval(cutScript); cut != "" {
		b.t.Errorf("%s: these are cut off: %s", name, cut)
	}
	if over := b.eval(overScript); over != "" {
		b.t.Errorf("%s: these rows lie over the next ones: %s", name, over)
	}
	if got := int64(b.layout().CSSContentSize.Width); got > b.width {
		b.t.Errorf("%s is %d pixels wide in a window of %d: %s", name, got, b.width, b.eval(`[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, pre")).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ")`))
	}
}

// cutScript finds controls that stick out of the box they are in.
const cutScript = `[...document.querySelectorAll("main .card :is(a, button, input, select, textarea, summary)")].filter(e => {
	const box = e.getBoundingClientRect(), card = e.closest(".card").getBoundingClientRect();
	return box.width > 0 && !e.closest(".scroll, .tabs, .pop-body") && !e.matches(".file") && (box.right > card.right + 1 || box.left < card.left - 1);
}).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ")`

// overScript finds rows of tables, shown as cards on a phone, that are taller than their room.
const overScript = `[...document.querySelectorAll("main tbody tr")].filter(e => getComputedStyle(e).display === "block" && !e.querySelector("details[open]") && e.scrollHeight > e.clientHeight + 1)
	.slice(0, 3).map(e => e.innerText).join(" | ")`

func (b *tab) layout() (got page.GetLayoutMetricsResult) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) (err error) {
		got, err = chromedp.Call(ctx, page.GetLayoutMetrics, cdp.Empty{})
		return err
	}))
	return got
}

// pictureName is the file of a view that is kept, or "".
func pictureName(v pageVisit, scheme string, width int64) string {
	switch {
	case scheme == "light" && width == wide:
		return v.name
	case !v.main:
		return ""
	case scheme == "dark" && width == wide:
		return v.name + "-dark"
	case scheme == "light" && width == narrow:
		return v.name + "-phone"
	}
	return ""
}
