package mailworld

import (
	"net/netip"
	"strings"
)

// Sizes of RFC 5321 4.5.3.1 and RFC 1035 2.3.4, in octets.
const (
	maxLocal  = 64
	maxDomain = 255
	maxLabel  = 63
)

// parsePath reads "FROM:<path> PARAM=…" or "TO:<path>". fault is "" for a well-formed one.
func parsePath(arg, prefix string) (path string, params []string, fault string) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return "", nil, "no " + prefix + " in the command"
	}
	rest := arg[len(prefix):]
	if strings.HasPrefix(rest, " ") {
		return "", nil, "space after " + prefix
	}
	if !strings.HasPrefix(rest, "<") {
		return "", nil, "path without angle brackets"
	}
	end := closingBracket(rest)
	if end < 0 {
		return "", nil, "path without angle brackets"
	}
	tail := rest[end+1:]
	if tail != "" && (tail[0] != ' ' || strings.TrimSpace(tail) == "" || strings.Contains(tail, "  ")) {
		return "", nil, "rubbish after the path"
	}
	return rest[1:end], strings.Fields(tail), ""
}

// closingBracket finds the > that is not inside a quoted local part.
func closingBracket(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '>' && !quoted:
			return i
		}
	}
	return -1
}

// validMailbox checks local@domain as RFC 5321 4.1.2 has it; address literals are no mailboxes here.
func validMailbox(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > maxLocal {
		return false
	}
	return validLocal(s[:at]) && validDomain(s[at+1:])
}

func validLocal(s string) bool {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return validQuoted(s[1 : len(s)-1])
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := 0; i < len(atom); i++ {
			if !isAlnum(atom[i]) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(atom[i])) {
				return false
			}
		}
	}
	return true
}

func validQuoted(s string) bool {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"' || s[i] < ' ' || s[i] > '~':
			return false
		case s[i] == '\\':
			i++
			if i == len(s) {
				return false
			}
		}
	}
	return true
}

func validDomain(s string) bool {
	if s == "" || len(s) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := 0; i < len(label); i++ {
			if !isAlnum(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

// validHello accepts a domain or an address literal, the only two things EHLO may name.
func validHello(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		_, err := netip.ParseAddr(strings.TrimPrefix(s[1:len(s)-1], "IPv6:"))
		return err == nil
	}
	return validDomain(s)
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
