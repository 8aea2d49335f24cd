// Package report sends what went wrong to Sentry, and keeps secrets and addresses out of logs and reports.
package report

import (
	"regexp"
	"strings"
)

// What must not leave a process in clear: addresses of people, passwords and keys in URLs, our own keys and signing secrets,
// bearer tokens. What is replaced says what it was.
var private = []struct {
	mark    string // a text without it cannot match: most lines are not searched at all
	pattern *regexp.Regexp
	instead string
}{
	{"://", regexp.MustCompile(`://[^\s/@"]*:[^\s/"]*@`), "://[secret]@"},
	{"@", regexp.MustCompile(`[^\s@"<>(),;:=\[\]]+@[^\s@"'<>(),;:\[\]]*[^\s@"'<>(),;:.\[\]]`), "[address]"},
	{"%40", regexp.MustCompile(`(?i)[^\s@"<>(),;:=/?&]+%40[^\s@"'<>(),;:&]+`), "[address]"},
	{"bgl_", regexp.MustCompile(`bgl_[A-Za-z0-9_-]+`), "[key]"},
	{"whsec_", regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]+`), "[secret]"},
	{"earer ", regexp.MustCompile(`(?i)bearer +[A-Za-z0-9._~+/=-]+`), "Bearer [key]"},
	{"=", regexp.MustCompile(`(?i)((?:api_key|apikey|password|passwd|secret|token|access_key|signature)=)[^\s&"]+`), "${1}[secret]"},
}

// Scrub replaces addresses, passwords and keys in a text.
func Scrub(s string) string {
	for _, p := range private {
		if strings.Contains(s, p.mark) {
			s = p.pattern.ReplaceAllString(s, p.instead)
		}
	}
	return s
}
