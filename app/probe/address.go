package probe

import (
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Limits of RFC 5321 §4.5.3.1 and RFC 1035 §2.3.4, in octets.
const (
	maxAddress = 254
	maxLocal   = 64
	maxDomain  = 253
	maxLabel   = 63
	maxRaw     = 2048 // what a person may put in a domain field: URLs are long
)

// ValidAddress splits a mail address: RFC 5321's dot-string local part (as it was written; RFC 6531 letters allowed, no
// quoted strings) and a domain of at least two labels, lower-cased to its A-labels (RFC 5891). ok is false for all else.
func ValidAddress(s string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || len(s) > maxAddress || !validLocal(s[:at]) {
		return "", "", false
	}
	domain, err := aLabels(s[at+1:])
	if err != nil || at+1+len(domain) > maxAddress {
		return "", "", false
	}
	return s[:at], domain, true
}

func validLocal(s string) bool {
	if s == "" || len(s) > maxLocal || !utf8.ValidString(s) {
		return false
	}
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		if !localRune(r) {
			return false
		}
	}
	return true
}

// localRune is RFC 5321 atext and the dot, and beyond ASCII letters, marks and digits.
func localRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r)
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// What CleanDomain refuses, in words for people.
var (
	errNoDomain     = errors.New("there is no domain here")
	errLongDomain   = errors.New("this is too long for a domain")
	errIPDomain     = errors.New("this is an IP address, not a domain")
	errOneLabel     = errors.New("a domain has at least two parts, such as company.example")
	errNotDomain    = errors.New("this is not a domain name")
	errSuffixDomain = errors.New("this is only the ending of a domain, such as co.uk")
)

// CleanDomain finds the mail domain in what people write: a URL, an address, a name with www. or in capitals. It returns
// lower-case A-labels. It refuses IPs, single labels, bare public suffixes and anything that is not one domain.
func CleanDomain(s string) (string, error) {
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || strings.ContainsRune(`"',;`, r) })
	if s == "" {
		return "", errNoDomain
	}
	if len(s) > maxRaw {
		return "", errLongDomain
	}
	host := hostPart(s)
	if host == "" {
		return "", errNoDomain
	}
	if isIP(host) {
		return "", errIPDomain
	}
	domain, err := aLabels(host)
	if err != nil {
		return "", err
	}
	if rest, ok := strings.CutPrefix(domain, "www."); ok && strings.Contains(rest, ".") {
		domain = rest
	}
	if suffix, icann := publicsuffix.PublicSuffix(domain); icann && suffix == domain {
		return "", errSuffixDomain
	}
	return domain, nil
}

// hostPart cuts scheme, path, user and port away: what is left should be a host.
func hostPart(s string) string {
	if _, inner, ok := strings.Cut(s, "<"); ok {
		s, _, _ = strings.Cut(inner, ">")
	}
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	s = strings.TrimPrefix(s, "//")
	if len(s) >= 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if i := strings.IndexAny(s, `/?#\`); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, " \t\r\n,;") {
		return s // more than one thing, which aLabels refuses
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && digits(s[i+1:]) && strings.Count(s, ":") == 1 {
		s = s[:i]
	}
	return s
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// isIP knows the literals that netip reads, in brackets or not; other numeric forms fail in aLabels, whose last label
// may not be a number.
func isIP(s string) bool {
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return err == nil
}

// aLabels maps a domain to lower-case A-labels and checks it: 2 labels or more, letters, digits and hyphens.
func aLabels(s string) (string, error) {
	s = strings.TrimSuffix(s, ".")
	if s == "" {
		return "", errNoDomain
	}
	if len(s) > maxRaw {
		return "", errLongDomain
	}
	domain, err := idna.Lookup.ToASCII(s)
	if err != nil || !validHostName(domain) || strings.Contains(domain, "_") {
		return "", errNotDomain
	}
	if again, err := idna.Lookup.ToASCII(domain); err != nil || again != domain {
		return "", errNotDomain // x/net/idna encodes some code points that it does not decode
	}
	last := strings.LastIndexByte(domain, '.')
	if last < 0 {
		return "", errOneLabel
	}
	if tld := domain[last+1:]; tld[0] >= '0' && tld[0] <= '9' || len(tld) < 2 {
		return "", errNotDomain
	}
	return domain, nil
}

// validHostName holds for a lower- or upper-case ASCII name that may stand in the DNS and in an SMTP command;
// underscores are let through, because some MX hosts have them.
func validHostName(s string) bool {
	if s == "" || len(s) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !hostByte(label[i]) {
				return false
			}
		}
	}
	return true
}

func hostByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_'
}
