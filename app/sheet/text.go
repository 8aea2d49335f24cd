package sheet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

const replacement = "\uFFFD"

// clean makes text that a database can store: no NUL, and U+FFFD for what is
// not UTF-8. It copies b.
func clean(b []byte) string {
	s := string(b)
	if bytes.IndexByte(b, 0) < 0 && utf8.Valid(b) {
		return s
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), replacement)
}

// cut makes the cells of one text that ends names the ends of. They share one
// string. A cell that was cut at the limit may end within a rune: trimmed says
// to drop such an end.
func cut(text []byte, ends []int, trimmed bool) []string {
	cells := make([]string, len(ends))
	start := 0
	if !trimmed && bytes.IndexByte(text, 0) < 0 && utf8.Valid(text) {
		all := string(text)
		for i, end := range ends {
			cells[i], start = all[start:end], end
		}
		return cells
	}
	for i, end := range ends {
		cell := text[start:end]
		if trimmed {
			cell = cell[:len(cell)-cutRune(cell)]
		}
		cells[i], start = clean(cell), end
	}
	return cells
}

// cutRune is how many bytes at the end of b begin a rune but do not finish it.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		c := b[len(b)-n]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// longBad is why a row with a cell beyond the limit is bad; column from 0.
func longBad(column, limit int) string {
	return fmt.Sprintf("cell %d is longer than %s", column+1, size(int64(limit)))
}
