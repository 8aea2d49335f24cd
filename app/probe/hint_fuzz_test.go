package probe

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzWaitHint(f *testing.F) {
	for _, s := range []string{"in 300 seconds", "5 minutes", "come back in 00:04:32", "999999 hours", "99:99:99", "1 Stunde", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := waitHint(text, time.Minute)
		require.GreaterOrEqual(t, d, minHint)
		require.LessOrEqual(t, d, maxHint)
	})
}

func FuzzValidAddress(f *testing.F) {
	for _, s := range []string{"a@b.test", "jürgen@müller.test", "a\r\nDATA@b.test", "a@b.test\x00", `"a b"@c.test`, "@", "a@[127.0.0.1]", "a..b@c.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		local, domain, ok := ValidAddress(s)
		if !ok {
			return
		}
		require.False(t, strings.ContainsAny(local+domain, "\r\n\x00 <>"), "nothing of it ends a command")
		again, same, ok := ValidAddress(local + "@" + domain)
		require.True(t, ok)
		require.Equal(t, []string{local, domain}, []string{again, same})
	})
}
