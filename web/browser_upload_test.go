package web

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// The main job, by clicking: sign in, choose a file, map, start, watch, see how it is known, download.
func TestBrowserDoesTheMainJobByClicking(t *testing.T) {
	inLooks(t, everyLook, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		b := visit(s)
		b.expects("401 (Unauthorized)") // a wrong password
		file := filepath.Join(t.TempDir(), "contacts.csv")
		require.NoError(t, os.WriteFile(file, s.Prompt(), 0o600))

		b.open("/")
		b.submit("a[href='/sign-in']")
		b.typed("input[name=email]", "owner@one.example")
		b.typed("input[name=password]", "not my password")
		b.submit("form.form button[type=submit]")
		b.seen(".alert.bad")
		b.good("refused sign-in")
		b.typed("input[name=password]", apptest.Password)
		b.submit("form.form button[type=submit]")
		b.good("no lists yet")

		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
		b.seen("#start")
		require.Equal(t, "First Name", b.eval(`document.querySelector("#map-first_name").selectedOptions[0].textContent`))
		b.do(chromedp.SetValue(chromedp.CSS("#header"), "false"))
		b.until(`document.querySelector("#map-first_name option[value='0']").textContent`, "Column 1")
		b.good("mapping without a header")
		b.do(chromedp.SetValue(chromedp.CSS("#header"), "true"))
		b.until(`document.querySelector("#map-first_name option[value='0']").textContent`, "First Name")
		b.do(chromedp.SetValue(chromedp.CSS("#map-last_name"), ""))
		b.until(`document.querySelector("#map-last_name").closest(".map").classList.contains("mapped")`, "false")
		b.do(chromedp.SetValue(chromedp.CSS("#map-last_name"), "1"))
		b.until(`document.querySelector("#map-last_name").closest(".map").classList.contains("mapped")`, "true")
		b.click("#skip-duplicates")
		b.do(chromedp.WaitNotPresent(chromedp.CSS("#mapping.htmx-request, " + busyParts))) // the preview may move what is below it
		b.submit("#start")

		b.watchUntilFinished(func() { s.Work() })
		b.untilFinished()
		b.click("#tab-valid")
		b.until(`document.querySelector("#tab-valid").getAttribute("aria-current")`, "true")
		b.click(".know")
		b.seen("#drawer .rule")
		require.Contains(t, b.text("#drawer"), "The conversation")
		b.good("drawer")
		b.do(chromedp.KeyEvent("\x1b"))
		b.until(`document.activeElement.className`, "know") // the focus is back where it was
		b.download(t, file)
	})
}

func TestBrowserTakesWhatIsDroppedOrPasted(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		b := visit(s)
		b.signIn("owner@one.example")
		drop := func(files string) {
			b.eval(`window.dropped = new DataTransfer(); for (const name of ` + files + `) window.dropped.items.add(new File(["First name,Last name,Website\nGrace,Yates,onegate.example\n"], name));
				document.body.dispatchEvent(new DragEvent("dragenter", {dataTransfer: window.dropped, bubbles: true}))`)
			b.seen("body.dropping")
			b.eval(`document.querySelector("main").dispatchEvent(new DragEvent("drop", {dataTransfer: window.dropped, bubbles: true, cancelable: true}))`)
		}
		drop(`["one.csv", "two.csv"]`)
		b.until(`document.querySelector("[data-upload-error]").textContent`, "One file at a time, please.")
		b.good("two files at once")
		drop(`["fair.csv"]`)
		b.seen("#start")
		require.Contains(t, b.text("h1"), "fair")

		b.open("/lists")
		b.click("details.paste summary")
		b.good("place to paste")
		b.do(chromedp.SetValue(chromedp.CSS("textarea[name=rows]"), "Vorname\tNachname\tWebseite\nGrace\tYates\tonegate.example"))
		b.submit("details.paste button")
		b.until(`document.querySelector("#map-domain").selectedOptions[0].textContent`, "Webseite")
		b.click("details.drop-list > summary")
		b.good("mapping of pasted rows")
		b.submit("details.drop-list button")
		b.until(`location.pathname`, "/lists")
	})
}

// Where events do not get through (a proxy that buffers) the page asks again by itself.
func TestBrowserFollowsAListWithoutEvents(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		b := visit(s)
		b.atStart("delete window.EventSource")
		b.signIn("owner@one.example")
		l, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "people.csv", []byte(people)).Ref, app.StartParams{})
		require.NoError(t, err)
		b.open("/lists/" + l.Ref)
		b.watchUntilFinished(func() { s.Work() })
	})
}

func TestBrowserSaysAtOnceWhatIsWrongWithAFile(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t, func(c *config.Config) { c.Upload.MaxBytes = 4096 })
		b := visit(s)
		b.expects("422 (Unprocessable Entity)")
		b.signIn("owner@one.example")
		for content, want := range map[string]string{"": "is empty", strings.Repeat("x", 5000): "can be taken", "<html></html>": "web page"} {
			name := filepath.Join(t.TempDir(), "people.csv")
			require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
			b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{name}))
			b.until(`document.querySelector("[data-upload-error]").textContent.includes("`+want+`")`, "true")
			b.seen("[data-upload-error]")
		}
		b.good("refused file")
		require.Zero(t, s.lists())

		name := filepath.Join(t.TempDir(), "people.csv")
		require.NoError(t, os.WriteFile(name, []byte("First name,Website\n"), 0o600))
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{name}))
		b.seen("#start")
		onlyHeader := `document.querySelector(".alert.warn")?.textContent.includes("only a header")`
		b.until(onlyHeader, "true")
		b.good("only a header")
		b.do(chromedp.SetValue(chromedp.CSS("#header"), "false"))
		b.until(onlyHeader, "false") // the columns have no names any more: that is what is warned of now
	})
}

func TestBrowserShowsAtOnceWhatAnotherReadingOfTheFileGives(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		b := visit(s)
		b.signIn("owner@one.example")
		upload := func(name string, body []byte) {
			file := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(file, body, 0o600))
			b.open("/lists")
			b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
			b.seen("#start")
		}
		upload("people.csv", []byte(people))
		b.do(chromedp.SetValue(chromedp.CSS("#comma"), ";"))
		b.until(`document.querySelector(".alert.warn")?.textContent.includes("It looks as if a comma separates the columns")`, "true")
		b.good("wrong delimiter")
		b.do(chromedp.SetValue(chromedp.CSS("#comma"), ","))
		b.until(`document.querySelector(".alert.warn")`, "null")
		b.click("#process-verify")
		b.until(`!!document.querySelector(".alert.warn")`, "true") // there is no column of addresses
		b.good("missing column")
		upload("book.xlsx", twoSheets(t))
		b.do(chromedp.SetValue(chromedp.CSS("#sheet"), "People"))
		b.until(`document.querySelector(".preview tbody td")?.textContent`, "Grace")
		b.good("workbook")
	})
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
	b.click("details:has(#download-csv) > summary")
	b.good("menu of downloads")
	name := b.fetched("#download-csv", "contacts.csv")
	rows, given := readCSV(t, name), readCSV(t, original)
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

// fetched clicks what downloads a file of this name, waits for it and says where it is.
func (b *tab) fetched(css, name string) string {
	b.t.Helper()
	dir := b.t.TempDir()
	_, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
	require.NoError(b.t, err)
	b.click(css)
	require.Eventually(b.t, func() bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}, apptest.Patience, 100*time.Millisecond, "%s never came", name)
	return filepath.Join(dir, name)
}

func readCSV(t *testing.T, name string) [][]string {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	return rows
}
