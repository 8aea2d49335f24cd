package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestBannerAboutMailServersIsAccessibleAndFits(t *testing.T) {
	s := newSite(t)
	_, err := s.AddUser(t.Context(), "operator@one.example", apptest.Password, "North Pier", true)
	require.NoError(t, err)
	s.looked(fmt.Sprintf(`{"at":%q,"port_25":"no","listed":["2001:db8:1234:5678:9abc:def0:1234:5678 by a-very-long-name-of-a-blocklist.zone.example"],
		"findings":[{"part":"port 25","ok":"no","text":"mx.canary.test [2001:db8:1234:5678:9abc:def0:1234:5678]: no answer in time","mend":"Ask your provider."}]}`,
		time.Now().UTC().Format(time.RFC3339)))
	b := openTab(t, openBrowser(t), s.http.URL, plainly)
	b.signIn("operator@one.example")
	for _, path := range []string{"/lists", "/admin"} {
		b.open(path)
		b.checkLooks(pageVisit{name: "banner" + strings.ReplaceAll(path, "/", "-"), route: path})
	}
}

// What every browser test fails on is heard: a script in the page itself, which the content policy forbids, is not run and said on the console.
func TestBrowserHearsWhatTheContentPolicyForbids(t *testing.T) {
	s := newSite(t)
	b := openTab(t, openBrowser(t), s.http.URL, plainly)
	b.expects("Content Security Policy")
	b.open("/sign-in")
	b.eval(`const inline = document.createElement("script"); inline.textContent = "window.ran = true"; document.head.append(inline)`)
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return strings.Contains(strings.Join(b.said, "\n"), "Content Security Policy")
	}, apptest.Patience, 50*time.Millisecond)
	require.Equal(t, "undefined", b.eval("String(window.ran)"))
}
