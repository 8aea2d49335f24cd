package probe

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCleanDomainFindsTheDomain(t *testing.T) {
	for in, out := range map[string]string{
		"https://www.Foo.com/x": "foo.com", "foo.com.": "foo.com", "bob@foo.com": "foo.com", "FOO.COM": "foo.com", "  foo.com\t": "foo.com",
		"http://user:pass@foo.com:8080/p?q#f": "foo.com", "//foo.com/x": "foo.com", "mailto:bob@foo.com?subject=x": "foo.com", "Bob B <bob@foo.com>": "foo.com",
		"www.foo.co.uk": "foo.co.uk", "mail.foo.com": "mail.foo.com", "www.com": "www.com", "Müller.test": "xn--mller-kva.test", "xn--mller-kva.test": "xn--mller-kva.test",
		"straße.test": "xn--strae-oqa.test", "foo.com:443": "foo.com", "foo.com / Foo Inc": "foo.com", `"foo.com"`: "foo.com", "foo.com,": "foo.com", "foo。com": "foo.com", "ｆｏｏ.com": "foo.com",
		"https://foo.com?x=1": "foo.com", "HTTPS://FOO.com/@bob": "foo.com", "例え.test": "xn--r8jz45g.test", "\ufefffoo.com": "foo.com", "4chan.test": "4chan.test", `foo.com\x`: "foo.com",
	} {
		got, err := CleanDomain(in)
		require.NoError(t, err, in)
		require.Equal(t, out, got, in)
	}
}

func TestCleanDomainRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"": errNoDomain, "  ": errNoDomain, "https://": errNoDomain, "bob@": errNoDomain, "127.0.0.1": errIPDomain, "http://[::1]/": errIPDomain, "::1": errIPDomain, "[127.0.0.1]": errIPDomain,
		"http://10.0.0.1:80/": errIPDomain, "localhost": errOneLabel, "com": errOneLabel, "co.uk": errSuffixDomain, "www.co.uk": errSuffixDomain, "foo com": errNotDomain, "foo..com": errNotDomain,
		"-foo.com": errNotDomain, "foo-.com": errNotDomain, "foo_bar.com": errNotDomain, "0x7f.1": errNotDomain, "127.1": errNotDomain, "2130706433": errOneLabel, "foo.c": errNotDomain,
		"foo.123": errNotDomain, "foo.com\r\nDATA": errNotDomain, "foo\x00.com": errNotDomain, "a,b.com": errNotDomain, "javascript:alert(1)": errNotDomain, "a@foo.com, b@bar.com": errNotDomain, "a@foo.com;b@bar.com": errNotDomain, "foo.com or bar.com": errNotDomain, ".com": errNotDomain,
		strings.Repeat("a", 64) + ".com": errNotDomain, strings.Repeat("a.", 130) + "com": errNotDomain, strings.Repeat("x", 3000): errLongDomain, "xn--\xff.com": errNotDomain, "xn--zzzzzz.com": errNotDomain,
	} {
		got, err := CleanDomain(in)
		require.ErrorIs(t, err, want, "%q gave %q", in, got)
	}
}

func TestValidAddress(t *testing.T) {
	local, domain, ok := ValidAddress("Anna.O'Neil+x@Müller.Test")
	require.True(t, ok)
	require.Equal(t, "Anna.O'Neil+x", local)
	require.Equal(t, "xn--mller-kva.test", domain)
	for _, s := range []string{"a@b.test", "jürgen@b.test", "李@b.test", "a_b-c@b.test", strings.Repeat("a", 64) + "@b.test", "a@1.b.test"} {
		_, _, ok := ValidAddress(s)
		require.True(t, ok, s)
	}
	for _, s := range []string{"", "a", "@", "@b.test", "a@", "a@b", "a..b@c.test", ".a@b.test", "a.@b.test", "a b@c.test", "a@b c.test", "a@[127.0.0.1]", "a@127.0.0.1", `"a"@b.test`, "a@b@c.test ", "a\u200b@b.test",
		"a\r\n@b.test", "a\x00@b.test", "<a@b.test>", strings.Repeat("a", 65) + "@b.test", "a@" + strings.Repeat("b.", 130) + "test", "a\xff@b.test", "a,b@c.test", "a;b@c.test", "a:b@c.test", "a@b.test\n"} {
		_, _, ok := ValidAddress(s)
		require.False(t, ok, "%q", s)
	}
}

func TestCleanDomainIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkClean(t, rapid.OneOf(rapid.String(), rapid.StringMatching(`(https?://)?(www\.)?([a-zü-]{1,9}\.){1,3}(com|test|de|co\.uk)(:[0-9]{1,5})?(/.*)?`)).Draw(t, "s"))
	})
}

// checkClean holds what CleanDomain promises of any input.
func checkClean(t require.TestingT, s string) {
	domain, err := CleanDomain(s)
	if err != nil {
		require.Empty(t, domain)
		return
	}
	require.True(t, validHostName(domain), "%q", domain)
	require.Equal(t, strings.ToLower(domain), domain)
	require.Contains(t, domain, ".")
	again, err := CleanDomain(domain)
	require.NoError(t, err, "%q", domain)
	if !strings.HasPrefix(domain, "www.") { // www.www.foo.com loses one at a time
		require.Equal(t, domain, again)
	}
}

func FuzzCleanDomain(f *testing.F) {
	for _, s := range []string{"https://www.Foo.com/x", "bob@foo.com", "Müller.test", "[::1]", "a\r\nb.com", "xn--mller-kva.test", "www.co.uk", "\xff\xfe", "<@>:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkClean(t, s)
		local, domain, ok := ValidAddress(s)
		if ok {
			require.False(t, strings.ContainsAny(local+domain, "\r\n\x00 <>"))
			require.True(t, validHostName(domain))
		}
	})
}
