package sheet

import (
	"bytes"
	"fmt"
)

// fail keeps the first reason why the record is bad.
func (lx *lexer) fail(why string) {
	if lx.bad == "" {
		lx.bad = why
	}
}

// cell appends one cell to text, consumes what ends it, and says whether another
// cell follows in the record.
func (lx *lexer) cell() bool {
	start := len(lx.text)
	if lx.quoteAhead() {
		if more, ok := lx.quoted(start); ok {
			return more
		}
	}
	return lx.plain(start)
}

// plain reads up to the next delimiter or line end, whatever stands between.
func (lx *lexer) plain(start int) bool {
	for {
		if lx.pos == lx.end && !lx.fill() {
			return false
		}
		window := lx.buf[lx.pos:lx.end]
		n := lx.plainEnd(window)
		lx.add(start, window[:n])
		lx.pos += n
		if n == len(window) {
			continue
		}
		if window[n] == lx.comma {
			lx.pos++
			return true
		}
		lx.lineEnd()
		return false
	}
}

// plainEnd is the index of the first delimiter or line end, or the length.
func (lx *lexer) plainEnd(window []byte) int {
	for i, c := range window {
		if c == lx.comma || c == '\n' || c == '\r' {
			return i
		}
	}
	return len(window)
}

// add appends to the cell that starts at start, up to the cell limit.
func (lx *lexer) add(start int, b []byte) {
	if lx.cells >= lx.maxCol {
		return
	}
	if room := lx.maxCell - (len(lx.text) - start); len(b) > room {
		b = b[:max(room, 0)]
		lx.tooLong()
	}
	lx.text = append(lx.text, b...)
}

func (lx *lexer) tooLong() {
	lx.fail(longBad(lx.cells, lx.maxCell))
}

// maxIndent is how many blanks may stand before an opening quote or after a
// closing one, as in `a, "b, c" ,d`.
const maxIndent = 16

// quoteAhead says whether a quoted cell starts here, and skips blanks before it.
// After blanks a quote opens a cell only if it is closed on the same line.
func (lx *lexer) quoteAhead() bool {
	if lx.inBad {
		return false
	}
	if lx.pos == lx.end && !lx.fill() {
		return false
	}
	if lx.buf[lx.pos] == '"' {
		return true
	}
	if lx.buf[lx.pos] != ' ' {
		return false
	}
	lx.want(lx.span())
	n := blanks(lx.buf[lx.pos:min(lx.end, lx.pos+maxIndent)])
	at := lx.pos + n
	if at == lx.end || lx.buf[at] != '"' || lx.closes(at+1) < 0 {
		return false
	}
	lx.pos = at
	return true
}

func blanks(b []byte) int {
	n := 0
	for n < len(b) && b[n] == ' ' {
		n++
	}
	return n
}

// span is how many bytes a quoted cell may take in the file: every one of its
// bytes may be a doubled quote.
func (lx *lexer) span() int { return 2*lx.maxCell + 2*maxIndent + 2 }

// quoted reads the quoted cell at pos. If the quote turns out not to open a
// cell it says !ok, consumes nothing, and the cell is to be read as plain text:
// either the quote is just a character (`"Bob" Smith`), or it is never closed
// and the record is bad. A cell too long is read to its closing quote if that is
// in view.
func (lx *lexer) quoted(start int) (more, ok bool) {
	lx.want(lx.span())
	window := lx.buf[lx.pos:lx.end]
	limit := min(len(window), lx.span())
	before, lines := lx.bad, 0
	lx.closer = -1
	for i := 1; i < limit; {
		n := bytes.IndexByte(window[i:limit], '"')
		if n < 0 {
			lines += lineEnds(window[i:limit])
			break
		}
		lines += lineEnds(window[i : i+n])
		lx.add(start, window[i:i+n])
		i += n + 1
		if i < len(window) && window[i] == '"' {
			lx.add(start, window[i:i+1])
			i++
			continue
		}
		if end, closed := lx.afterQuote(window, i); closed {
			lx.line += lines
			lx.pos += end
			return lx.closed(), true
		}
		if lines > 0 {
			break
		}
		if !lx.junkIsText(i) {
			lx.text, lx.bad = lx.text[:start], before
			return false, false
		}
		lx.add(start, window[i-1:i])
	}
	lx.text, lx.bad, lx.inBad = lx.text[:start], before, true
	if lines == 0 && limit == lx.span() {
		lx.tooLong()
	} else {
		lx.fail(fmt.Sprintf("a quote opens in line %d and is never closed", lx.line))
	}
	return false, false
}

// closed consumes what ends a quoted cell: a delimiter, a line end or nothing.
func (lx *lexer) closed() bool {
	if lx.pos == lx.end {
		return false
	}
	if lx.buf[lx.pos] == lx.comma {
		lx.pos++
		return true
	}
	lx.lineEnd()
	return false
}

// afterQuote says whether the quote before i closes the cell: a delimiter, a
// line end or the end of the file follows, perhaps after blanks.
func (lx *lexer) afterQuote(window []byte, i int) (end int, closed bool) {
	end = i + blanks(window[i:min(len(window), i+maxIndent)])
	if end == len(window) {
		return end, lx.eof
	}
	c := window[end]
	return end, c == lx.comma || c == '\n' || c == '\r'
}

// junkIsText says whether the quote before i, which is followed by neither a
// delimiter nor a line end, is a character of the quoted cell: it is if the cell
// is closed further on in the line. The place is kept in closer.
func (lx *lexer) junkIsText(i int) bool {
	if lx.closer < 0 {
		at := lx.closes(lx.pos + i)
		if at < 0 {
			return false
		}
		lx.closer = at - lx.pos
	}
	return i <= lx.closer
}

// closes is the index in buf of the next quote on this line, from at on, that a
// delimiter or line end follows; -1 if there is none, or if another quoted cell
// opens before it.
func (lx *lexer) closes(at int) int {
	stop := min(lx.end, lx.pos+lx.span())
	for i := at; i < stop; i++ {
		switch lx.buf[i] {
		case '\n', '\r':
			return -1
		case '"':
			if _, closed := lx.afterQuote(lx.buf[:lx.end], i+1); closed {
				return i
			}
			if lx.opens(i, at) {
				return -1
			}
		}
	}
	return -1
}

// opens says whether the quote at i stands first in its cell: a delimiter
// before it, perhaps with blanks between. Nothing before from counts.
func (lx *lexer) opens(i, from int) bool {
	least := max(from, i-maxIndent)
	for i--; i >= least; i-- {
		if lx.buf[i] != ' ' {
			return lx.buf[i] == lx.comma
		}
	}
	return false
}

// lineEnds counts line ends: every LF, and every CR that no LF follows.
func lineEnds(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return n
		}
		if i+1 == len(b) || b[i+1] != '\n' {
			n++
		}
		b = b[i+1:]
	}
}
