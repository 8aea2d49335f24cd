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
