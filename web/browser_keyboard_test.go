package web

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// By the keyboard alone: past the menu, through the page with the focus to be seen, into a menu and out again.
func TestBrowserIsUsedByTheKeyboardAlone(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		b := visit(s)
		b.signIn("owner@one.example")
		b.open("/lists")
		press := func(key string) { b.do(chromedp.KeyEvent(key)) }
		press("\t")
		b.until(`document.activeElement.className`, "skip")
		require.Equal(t, "true", b.eval(`String(document.activeElement.getBoundingClientRect().left >= 0)`), "the skip link shows itself")
		press("\r")
		b.until(`location.hash`, "#main")
		for range 12 {
			press("\t")
			require.Equal(t, "true", b.eval(`(() => {
				const e = document.activeElement, shown = e.matches(".file") ? e.closest(".drop") : e;
				return String(e === document.body || getComputedStyle(shown).outlineStyle !== "none");
			})()`), "the focus is seen on %s", b.eval(`document.activeElement.outerHTML.slice(0, 120)`))
		}
		b.do(chromedp.Focus(chromedp.CSS("[data-pop] > summary")))
		press("\r")
		b.until(`document.querySelector("[data-pop]").open`, "true")
		press("\t")
		b.until(`document.activeElement.closest("[data-pop]") !== null`, "true")
		press("\x1b")
		b.until(`document.querySelector("[data-pop]").open`, "false")
		b.until(`document.activeElement.matches("[data-pop] > summary")`, "true")
	})
}

func TestBrowserKeepsTheChosenColours(t *testing.T) {
	inEachLook(t, func(t *testing.T, visit func(*site) *tab) {
		s := newSite(t)
		b := visit(s)
		b.signIn("owner@one.example")
		b.open("/settings")
		for choice, want := range map[string]string{"dark": "dark", "light": "light", "": "undefined"} {
			b.do(chromedp.SetValue(chromedp.CSS("[data-theme-choice]"), choice))
			b.until(`document.documentElement.dataset.theme`, want)
			b.open("/settings")
			b.until(`document.documentElement.dataset.theme`, want)
			b.until(`document.querySelector("[data-theme-choice]").value`, choice)
		}
	})
}
