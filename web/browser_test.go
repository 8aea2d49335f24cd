package web

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app/apptest"
	"beagle/app/apptest/services"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is a browser tab with cookies of its own that remembers what its console said. When its test ends it fails for errors there.
type tab struct {
	t        *testing.T
	ctx      context.Context
	base     string
	shots    string // where pictures go
	width    int64  // of its window, in pixels
	mu       sync.Mutex
	said     []string
	expected []string // parts of messages that belong to the test
}

// look is a way in which pages are looked at: by people who like it dark, on a phone.
type look struct {
	scheme string // light or dark
	width  int64  // pixels
}

// plainly is how most people look. flowLooks are those in which every flow is clicked through: both schemes, both widths. The main job
// is done in all of everyLook.
var (
	plainly   = look{"light", wide}
	flowLooks = []look{plainly, {"dark", narrow}}
	everyLook = []look{plainly, {"dark", narrow}, {"dark", wide}, {"light", narrow}}
)

// tabTime is how long a test may need its tab: all pages, on a busy machine.
const tabTime = 15 * time.Minute

// inEachLook clicks through a flow in both schemes and widths. visit opens a tab on a site.
func inEachLook(t *testing.T, flow func(t *testing.T, visit func(*site) *tab)) {
	inLooks(t, flowLooks, flow)
}

// inLooks clicks through a flow in some looks, in one browser.
func inLooks(t *testing.T, looks []look, flow func(t *testing.T, visit func(*site) *tab)) {
	browser := openBrowser(t)
	for _, l := range looks {
		t.Run(fmt.Sprintf("%s, %d pixels", l.scheme, l.width), func(t *testing.T) {
			flow(t, func(s *site) *tab { return openTab(t, browser, s.http.URL, l) })
		})
	}
}

// openBrowser starts a browser. The test is skipped where there is none; CHROMIUM_PATH names one.
func openBrowser(t *testing.T) context.Context {
	path := os.Getenv("CHROMIUM_PATH")
	if path == "" {
		path = services.Chromium(t)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(closeBrowser)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

func openTab(t *testing.T, browser context.Context, base string, l look) *tab {
	parent, cancel := context.WithTimeout(browser, tabTime)
	t.Cleanup(cancel)
	ctx, closeTab := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx, base: base, shots: os.Getenv("SCREENSHOTS")}
	if b.shots == "" {
		b.shots = t.TempDir()
	}
	messages := chromedp.Console(ctx)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.said = append(b.said, string(m.Type)+": "+m.Text)
			b.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		b.quiet()
		closeTab()
		<-heard
	})
	b.look(l.scheme, l.width)
	return b
}

// expects allows messages on the console that hold this.
func (b *tab) expects(part string) { b.expected = append(b.expected, part) }

// atStart runs a script in every page before its own.
func (b *tab) atStart(js string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: js})
		return err
	}))
}

// do takes steps. A live page may replace an element between finding it and touching it; then the steps are taken again.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, apptest.Patience)
	defer cancel()
	err := chromedp.Do(ctx, steps...)
	for range 5 {
		if err == nil || !strings.Contains(err.Error(), "node with given id") {
			break
		}
		err = chromedp.Do(ctx, steps...)
	}
	if err != nil {
		require.NoError(b.t, err, "on %s", b.eval(`location.href + "\n" + document.body.innerText`))
	}
}

// busyParts are being put into the page by htmx.
const busyParts = ".htmx-swapping, .htmx-added, .htmx-settling"

// click waits until htmx knows what was put into the page last: before that a form is sent as it is without scripts.
func (b *tab) click(css string) {
	b.t.Helper()
	b.do(chromedp.WaitNotPresent(chromedp.CSS(busyParts)), chromedp.Click(chromedp.CSS(css)))
}

// tap clicks in one go, on a page whose parts a list that runs may replace at any moment: a click of the mouse would come to where
// something was.
func (b *tab) tap(css string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (!e || !window.htmx || document.querySelector(%q)) return "";
		e.click();
		return "tapped";
	})()`, css, busyParts), "tapped")
}

// submit clicks a button that leads to another page, and waits for that page.
func (b *tab) submit(css string) {
	b.t.Helper()
	b.eval("window.left = true")
	b.click(css)
	b.until(`window.left + " " + document.readyState`, "undefined complete")
}

func (b *tab) seen(css string)   { b.t.Helper(); b.do(chromedp.WaitVisible(chromedp.CSS(css))) }
func (b *tab) open(where string) { b.t.Helper(); b.do(chromedp.Navigate(b.base + where)) }

func (b *tab) typed(css, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(css), text))
}

func (b *tab) text(css string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(css)))
	require.NoError(b.t, err)
	return text
}

// eval runs JavaScript. While a page is being replaced there is nothing to run it in: "".
func (b *tab) eval(js string) string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](js))
	if err != nil {
		return ""
	}
	return text
}

func (b *tab) look(scheme string, width int64) {
	b.t.Helper()
	b.width = width
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}) // or colours are looked at on their way
		if err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1, Mobile: width < 500})
		return err
	}))
}

// quiet fails the test when the console holds an error, an exception or a violation of the content policy.
func (b *tab) quiet() {
	b.t.Helper()
	b.eval(`""`) // what was said before this has come
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.said {
		if slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(m, part) }) {
			continue
		}
		if strings.HasPrefix(m, "error") || strings.HasPrefix(m, "exception") || strings.Contains(m, "Content Security Policy") {
			b.t.Errorf("console: %s", m)
		}
	}
}

// until waits for a JavaScript expression to have a value.
func (b *tab) until(js, want string) {
	b.t.Helper()
	last := ""
	for end := time.Now().Add(apptest.Patience); ; time.Sleep(50 * time.Millisecond) {
		if last = b.eval("String(" + js + ")"); last == want {
			return
		}
		if time.Now().After(end) {
			require.Equal(b.t, want, last, "%s on %s", js, b.eval(`location.href + "\n" + document.body.innerText`))
		}
	}
}
