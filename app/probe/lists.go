package probe

import (
	_ "embed" // the lists
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

//go:embed webmail.txt
var webmailText string

//go:embed disposable.txt
var disposableText string

var (
	webmailDomains    = sync.OnceValue(func() map[string]bool { return domainSet(webmailText) })
	disposableDomains = sync.OnceValue(func() map[string]bool { return domainSet(disposableText) })
)

// domainSet reads one domain a line; # starts a comment.
func domainSet(text string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			set[line] = true
		}
	}
	return set
}

// Public reports whether anybody can have an address at a domain: public mailbox providers and throw-away services.
func Public(domain string) bool { return isWebmail(domain) || isDisposable(domain) }

// isWebmail holds for public mailbox providers. Subdomains do not count: they are rarely open to the public.
func isWebmail(domain string) bool { return webmailDomains()[domain] }

// isDisposable holds for throw-away domains and all their subdomains, which such services hand out freely.
func isDisposable(domain string) bool {
	if disposableDomains()[domain] {
		return true
	}
	registrable, err := publicsuffix.EffectiveTLDPlusOne(domain)
	return err == nil && disposableDomains()[registrable]
}
