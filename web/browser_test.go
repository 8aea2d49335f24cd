package web

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/apptest/services"
	"beagle/app/config"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is a browser tab that remembers what its console said.
type tab struct {
	t     *testing.T
	ctx   context.Context
	base  string
	shots string // where pictures go
	mu    sync.Mutex
	said  []string
}

// tabTime is how long a test may need its browser: all pages, on a busy machine.
const tabTime = 5 * time.Minute

// openTab starts a browser. The test is skipped where there is none; CHROMIUM_PATH names one.
func openTab(t *testing.T, base string) *tab {
	path := os.Getenv("CHROMIUM_PATH")
	if path == "" {
		path = services.Chromium(t)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	parent, cancel := context.WithTimeout(context.Background(), tabTime)
	t.Cleanup(cancel)
	allocator, stop := chromedp.NewExecAllocator(parent, opts...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
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
		closeTab()
		<-heard
	})
	return b
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

// click waits until htmx knows what was put into the page last: before that a form is sent as it is without scripts.
func (b *tab) click(css string) {
	b.t.Helper()
	b.do(chromedp.WaitNotPresent(chromedp.CSS(".htmx-swapping, .htmx-added, .htmx-settling")), chromedp.Click(chromedp.CSS(css)))
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

// shoot takes pictures of the open page: wide and narrow, light and dark. No page may be wider than its window.
func (b *tab) shoot(name string) {
	b.t.Helper()
	dialog := b.eval(`String(!!document.querySelector("dialog[open]"))`) == "true" // it covers the window, not the page
	for _, scheme := range []string{"light", "dark"} {
		for width, device := range map[int64]string{1280: "desktop", 375: "phone"} {
			b.look(scheme, width)
			yes := true
			b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				layout, err := chromedp.Call(ctx, page.GetLayoutMetrics, cdp.Empty{})
				if err != nil {
					return err
				}
				if wide := layout.CSSContentSize.Width; int64(wide) > width {
					b.t.Errorf("%s is %.0f pixels wide in a window of %d", name, wide, width)
				}
				what := page.CaptureScreenshotParams{CaptureBeyondViewport: &yes, Clip: &page.Viewport{Width: float64(width), Height: min(layout.CSSContentSize.Height, 4000), Scale: 1}}
				if dialog {
					what = page.CaptureScreenshotParams{}
				}
				shot, err := chromedp.Call(ctx, page.CaptureScreenshot, what)
				if err != nil {
					return err
				}
				return os.WriteFile(filepath.Join(b.shots, name+"-"+device+"-"+scheme+".png"), shot.Data, 0o644)
			}))
		}
	}
	b.look("light", 1280)
}

func (b *tab) look(scheme string, width int64) {
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

// quiet fails the test when the console holds an error, an exception or a violation of the content policy. expected are parts of
// messages that belong to the test.
func (b *tab) quiet(expected ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.said {
		if slices.ContainsFunc(expected, func(part string) bool { return strings.Contains(m, part) }) {
			continue
		}
		if strings.HasPrefix(m, "error") || strings.HasPrefix(m, "exception") || strings.Contains(m, "Content Security Policy") {
			b.t.Errorf("console: %s", m)
		}
	}
}

// The main job, by clicking: sign in, choose a file, map, start, watch, see how it is known, download.
func TestBrowserDoesTheMainJobByClicking(t *testing.T) {
	s := newSite(t)
	b := openTab(t, s.http.URL)
	file, err := filepath.Abs("../examples/contacts.csv")
	require.NoError(t, err)

	b.open("/")
	b.shoot("landing")
	b.click("a[href='/sign-in']")
	b.seen("input[name=password]")
	b.shoot("sign-in")
	b.typed("input[name=email]", "owner@one.example")
	b.typed("input[name=password]", apptest.Password)
	b.click("form.form button[type=submit]")
	b.seen("form[data-upload]")
	b.shoot("lists-empty")

	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.seen("#start")
	require.Equal(t, "First Name", b.eval(`document.querySelector("#map-first_name").selectedOptions[0].textContent`))
	b.do(chromedp.SetValue(chromedp.CSS("#header"), "false"))
	b.until(`document.querySelector("#map-first_name option[value='0']").textContent`, "Column 1")
	b.do(chromedp.SetValue(chromedp.CSS("#header"), "true"))
	b.until(`document.querySelector("#map-first_name option[value='0']").textContent`, "First Name")
	b.shoot("mapping")
	b.click("#start")

	b.watchUntilFinished(func() { s.Work() })
	b.shoot("list")
	b.click("#tab-valid")
	b.until(`document.querySelector("#tab-valid").getAttribute("aria-current")`, "true")
	b.click(".know")
	b.seen("#drawer .rule")
	require.Contains(t, b.text("#drawer"), "The conversation")
	b.shoot("evidence")
	b.do(chromedp.KeyEvent("\x1b"))
	b.until(`document.activeElement.className`, "know") // the focus is back where it was
	b.download(t, file)

	b.open("/find")
	b.typed("input[name=first_name]", "Grace")
	b.typed("input[name=last_name]", "Yates")
	b.typed("input[name=company]", "onegate.example")
	b.click("form[action='/find'] button")
	b.seen("#found .answer")
	b.shoot("find")
	b.open("/keys")
	b.typed("input[name=name]", "Nightly import")
	b.click("form[action='/keys'] button")
	b.seen("#secret")
	b.shoot("keys")
	b.open("/lists")
	b.shoot("lists")
	b.quiet()
}

// Where events do not get through (a proxy that buffers) the page asks again by itself.
func TestBrowserFollowsAListWithoutEvents(t *testing.T) {
	s := newSite(t)
	b := openTab(t, s.http.URL)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "delete window.EventSource"})
		return err
	}))
	b.open("/sign-in")
	b.typed("input[name=email]", "owner@one.example")
	b.typed("input[name=password]", apptest.Password)
	b.click("form.form button[type=submit]")
	b.seen("form[data-upload]")
	l, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "people.csv", []byte(people)).Ref, app.StartParams{})
	require.NoError(t, err)
	b.open("/lists/" + l.Ref)
	b.watchUntilFinished(func() { s.Work() })
	b.quiet()
}

func TestBrowserSaysAtOnceWhatIsWrongWithAFile(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Upload.MaxBytes = 4096 })
	b := openTab(t, s.http.URL)
	b.open("/sign-in")
	b.typed("input[name=email]", "owner@one.example")
	b.typed("input[name=password]", apptest.Password)
	b.click("form.form button[type=submit]")
	b.seen("form[data-upload]")
	for content, want := range map[string]string{"": "is empty", strings.Repeat("x", 5000): "can be taken", "First name,Website\n": "only a header"} {
		name := filepath.Join(t.TempDir(), "people.csv")
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{name}))
		b.until(`document.querySelector("[data-upload-error]").textContent.includes("`+want+`")`, "true")
		b.seen("[data-upload-error]")
	}
	require.Zero(t, s.lists())
}

// until waits for a JavaScript expression to have a value.
func (b *tab) until(js, want string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return b.eval("String("+js+")") == want }, apptest.Patience, 50*time.Millisecond, "%s never was %q but %q", js, want, b.eval("String("+js+")"))
}

// watchUntilFinished sees the big number of the page move by itself, once the work starts, until the list is finished.
func (b *tab) watchUntilFinished(start func()) {
	b.t.Helper()
	b.seen(".live")
	seen := map[string]bool{b.eval(`document.querySelector(".live .big").textContent`): true}
	start()
	require.Eventually(b.t, func() bool {
		state, number, _ := strings.Cut(b.eval(`document.querySelector(".live").dataset.state + "|" + document.querySelector(".live .big").textContent`), "|")
		seen[number] = true
		return state == "finished"
	}, apptest.Patience, 100*time.Millisecond, "the page never said that the list is finished")
	delete(seen, "")
	require.Greater(b.t, len(seen), 1, "the page moved by itself: %v", seen)
	b.seen("#download-csv, summary.btn")
}

// download clicks the link of the result file and checks what comes.
func (b *tab) download(t *testing.T, original string) {
	t.Helper()
	dir := t.TempDir()
	_, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
	require.NoError(t, err)
	b.click("details:has(#download-csv) > summary")
	b.click("#download-csv")
	var rows [][]string
	require.Eventually(t, func() bool {
		rows = readCSV(t, filepath.Join(dir, "contacts.csv"))
		return rows != nil
	}, apptest.Patience, 100*time.Millisecond, "the file never came")
	given := readCSV(t, original)
	require.Len(t, rows, len(given))
	found := 0
	for i := range given {
		require.Equal(t, given[i], rows[i][:len(given[i])], "row %d keeps its cells", i)
		if strings.Contains(rows[i][len(given[i])], "@") {
			found++
		}
	}
	require.Greater(t, found, len(given)/2)
}

func readCSV(t *testing.T, name string) [][]string {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	return rows
}
