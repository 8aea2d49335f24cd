package mailworld

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMailboxesAreThoseOfRFC5321(t *testing.T) {
	for _, good := range []string{"a@b.test", "o'brien+x@b-c.test", `"a b"@b.test`, `"a\"b"@b.test`, strings.Repeat("a", 64) + "@b.test"} {
		require.True(t, validMailbox(good), good)
	}
	for _, bad := range []string{"", "a", "@b.test", "a@", ".a@b.test", "a.@b.test", "a b@b.test", `"a"b"@b.test`, `"a\"@b.test`, "a@-b.test",
		"a@b..test", "a@[127.0.0.1]", "a@b_c.test", strings.Repeat("a", 65) + "@b.test", "a@" + strings.Repeat("b", 64) + ".test"} {
		require.False(t, validMailbox(bad), bad)
	}
	path, params, fault := parsePath(`from:<"a>b"@c.test> SIZE=1`, "FROM:")
	require.Equal(t, `"a>b"@c.test`, path)
	require.Equal(t, []string{"SIZE=1"}, params)
	require.Empty(t, fault)
	for _, name := range []string{"[127.0.0.1]", "[IPv6:::1]", "probe", "probe.test"} {
		require.True(t, validHello(name), name)
	}
	for _, name := range []string{"", "[probe]", "a b", "under_score"} {
		require.False(t, validHello(name), name)
	}
}
