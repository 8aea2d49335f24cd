package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Limits of a reply. RFC 5321 §4.5.3.1.5 allows 512 octets a line; servers exceed it. Without limits one banner can take
// gigabytes.
const (
	maxLine       = 2 << 10
	maxReply      = 64 << 10
	maxBlankLines = 8       // before a reply
	maxText       = 1 << 10 // of a reply's text that is kept
)

// errNotSMTP wraps every way of not speaking SMTP.
var errNotSMTP = errors.New("this is not SMTP")

// reply is one reply of a server (RFC 5321 §4.2).
type reply struct {
	code     int
	enhanced string   // "5.1.1"; "" = none
	text     string   // without codes, lines joined by a space, printable, at most maxText
	lines    []string // as they were sent, printable
}

// class is the code's first digit, the only one that says yes, later or no.
func (r reply) class() int { return r.code / 100 }

// readReply reads one reply, however many lines it has. Its errors are errNotSMTP or those of the connection; what came before one is
// fit to be shown too.
func readReply(r *bufio.Reader) (rep reply, err error) {
	defer rep.finish()
	blanks, total := 0, 0
	for {
		line, err := readLine(r)
		if err != nil {
			return rep, err
		}
		if total += len(line) + 1; total > maxReply {
			return rep, fmt.Errorf("%w: a reply of more than %d bytes", errNotSMTP, maxReply)
		}
		if line == "" && len(rep.lines) == 0 {
			if blanks++; blanks > maxBlankLines {
				return rep, fmt.Errorf("%w: only blank lines", errNotSMTP)
			}
			continue
		}
		last, err := rep.add(line)
		if err != nil || last {
			return rep, err
		}
	}
}

// readLine reads up to LF, which a server may send without CR. The line is at most maxLine bytes.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || err == nil && len(line) > maxLine {
		return "", fmt.Errorf("%w: a line of more than %d bytes", errNotSMTP, maxLine)
	}
	if err != nil {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return "", err
	}
	return decode(strings.TrimRight(string(line), "\r\n")), nil
}

// decode reads what is not UTF-8 as Windows-1252, the usual cause: "Empf\xe4nger unbekannt".
func decode(line string) string {
	if utf8.ValidString(line) {
		return line
	}
	decoded, err := charmap.Windows1252.NewDecoder().String(line)
	if err != nil {
		return strings.ToValidUTF8(line, "\uFFFD")
	}
	return decoded
}

// add takes one line; last says that the reply is complete. After a good first line, lines without a code are taken as
// text; a change of class within a reply makes it worthless.
func (r *reply) add(line string) (last bool, err error) {
	code, rest, more, ok := splitLine(line)
	shown := printable(line, maxText)
	if !ok {
		if len(r.lines) == 0 {
			return false, fmt.Errorf("%w: %q", errNotSMTP, printable(line, 80))
		}
		r.lines = append(r.lines, shown)
		r.text = appendText(r.text, line)
		return false, nil
	}
	if r.code != 0 && r.code/100 != code/100 {
		return false, fmt.Errorf("%w: %d and %d in one reply", errNotSMTP, r.code, code)
	}
	r.code = code
	r.lines = append(r.lines, shown)
	enhanced, rest := cutEnhanced(rest)
	if r.enhanced == "" {
		r.enhanced = enhanced
	}
	r.text = appendText(r.text, rest)
	return !more, nil
}

func (r *reply) finish() {
	if r.enhanced == "" {
		if m := hashCode.FindStringSubmatch(r.text); m != nil {
			r.enhanced = m[1]
		}
	}
	r.text = printable(r.text, maxText)
}

// appendText keeps a bounded text; a little more than is shown, so that a code at its end is still found.
func appendText(text, more string) string {
	if more = strings.TrimSpace(more); more == "" || len(text) > 4*maxText {
		return text
	}
	if text == "" {
		return more
	}
	return text + " " + more
}

// splitLine parses "250-text", "250 text" and "250". The code must be one that SMTP can have: 200-599.
func splitLine(line string) (code int, rest string, more, ok bool) {
	if len(line) < 3 {
		return 0, "", false, false
	}
	for i := range 3 {
		if line[i] < '0' || line[i] > '9' {
			return 0, "", false, false
		}
		code = code*10 + int(line[i]-'0')
	}
	if code < 200 || code > 599 {
		return 0, "", false, false
	}
	if len(line) == 3 {
		return code, "", false, true
	}
	switch line[3] {
	case ' ', '\t':
		return code, line[4:], false, true
	case '-':
		return code, line[4:], true, true
	}
	return 0, "", false, false
}

var (
	leadingCode = regexp.MustCompile(`^\s*[(#]?([245]\.\d{1,3}\.\d{1,3})(?:[\s):;,-]|$)`)
	// hashCode finds qmail's way of writing it: "sorry, no mailbox here by that name. (#5.1.1)".
	hashCode = regexp.MustCompile(`#([245]\.\d{1,3}\.\d{1,3})\b`)
)

// cutEnhanced splits an RFC 3463 code off the beginning of a text.
func cutEnhanced(text string) (code, rest string) {
	m := leadingCode.FindStringSubmatchIndex(text)
	if m == nil {
		return "", text
	}
	return text[m[2]:m[3]], strings.TrimSpace(text[m[1]:])
}

// printable makes bytes from outside fit for logs and pages: valid UTF-8, no control characters, at most limit bytes.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 2*limit)], "\uFFFD"))
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}
