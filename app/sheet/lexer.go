package sheet

import (
	"bytes"
	"io"
	"strings"
)

// record is one row as a source reads it, before it has a number.
type record struct {
	line  int // physical line it starts on, from 1
	cells []string
	bad   string
}

// lexer cuts CSV text (UTF-8) into records. encoding/csv cannot be used: after a
// quote that is never closed it has eaten the rest of the file. This one never
// loses a line:
//
//   - A quote inside a cell is a character. `"He said "hi" to me",x` closes at
//     the last quote before a delimiter, `"Bob" Smith,x` is taken as it stands.
//   - A quoted cell may span lines as long as it stays within maxCell bytes. If
//     no closing quote is found by then, the quote is a character, the row is
//     bad, and the next record starts at the next line.
//   - CR, LF and CRLF end a line. Empty lines are no records.
//
// Rescanning is linear: a failed search for a closing quote stops at the first
// quote that proves it wrong, so no stretch of text is searched twice in vain.
type lexer struct {
	r        io.Reader
	buf      []byte // buf[pos:end] is read but not yet consumed
	pos, end int
	eof      bool
	err      error // what r said besides io.EOF
	line     int   // physical line at pos, from 1

	comma           byte
	maxCell, maxCol int

	text   []byte // cells of the record being read, one after the other
	ends   []int  // where each of them ends in text
	cells  int    // cells met, those beyond maxCol included
	bad    string
	inBad  bool // the quote that opens here was found unclosed: take it as text
	closer int  // see junkIsText
}

// lexerBytes is the least window; it is at least lexerCells cells wide, so that
// a whole quoted cell is in view while its closing quote is looked for.
const (
	lexerBytes = 256 << 10
	lexerCells = 4
)

// keepText is how much memory for one record is kept for the next.
const keepText = 1 << 20

func newLexer(r io.Reader, comma byte, l Limits) *lexer {
	size := max(lexerBytes, lexerCells*(l.MaxCell+1))
	return &lexer{r: r, buf: make([]byte, size), line: 1, comma: comma, maxCell: l.MaxCell, maxCol: l.MaxColumns}
}

// start drops a byte order mark and a first line `sep=;`, which Excel writes and
// honours. It comes before the first next.
func (lx *lexer) start() {
	lx.want(len(byteOrderMark) + sepLine)
	if bytes.HasPrefix(lx.buf[lx.pos:lx.end], byteOrderMark) {
		lx.pos += len(byteOrderMark)
	}
	if _, n := separator(lx.buf[lx.pos:lx.end]); n > 0 {
		lx.pos += n
		lx.lineEnd()
	}
}

// sepLine is the length of `sep=;` with the first byte of its line end.
const sepLine = 6

// separator is the delimiter that a first line `sep=;` names, and the length of
// that line without its end; 0, 0 if there is no such line.
func separator(text []byte) (comma byte, length int) {
	if len(text) < sepLine || !bytes.EqualFold(text[:4], []byte("sep=")) || (text[5] != '\n' && text[5] != '\r') {
		return 0, 0
	}
	return text[4], sepLine - 1
}

// next reads one record; io.EOF after the last.
func (lx *lexer) next(rec *record) error {
	for {
		if lx.pos == lx.end && !lx.fill() {
			if lx.err != nil {
				return lx.err
			}
			return io.EOF
		}
		if c := lx.buf[lx.pos]; c != '\n' && c != '\r' {
			break
		}
		lx.lineEnd()
	}
	rec.line, rec.bad = lx.line, ""
	if lx.simple(rec) {
		return nil
	}
	lx.careful()
	rec.bad = lx.bad
	rec.cells = cut(lx.text, lx.ends, lx.bad != "")
	if cap(lx.text) > keepText {
		lx.text = nil
	}
	if lx.pos == lx.end {
		return lx.err // the record may be incomplete
	}
	return nil
}

// fill reads once more, moving what is unread to the front when the window has
// no room behind it. It says whether there is anything new.
func (lx *lexer) fill() bool {
	if lx.eof {
		return false
	}
	if lx.pos == lx.end || lx.end == len(lx.buf) {
		lx.end = copy(lx.buf, lx.buf[lx.pos:lx.end])
		lx.pos = 0
	}
	if lx.end == len(lx.buf) {
		return false
	}
	for range maxEmptyReads {
		n, err := lx.r.Read(lx.buf[lx.end:])
		lx.end += n
		if err != nil {
			lx.eof = true
			if err != io.EOF {
				lx.err = err
			}
			return n > 0
		}
		if n > 0 {
			return true
		}
	}
	lx.eof = true
	lx.err = io.ErrNoProgress
	return false
}

// maxEmptyReads is how often a reader may give nothing and no error.
const maxEmptyReads = 100

// want tries to have n unread bytes in the window.
func (lx *lexer) want(n int) {
	for lx.end-lx.pos < n && lx.fill() {
	}
}

// lineEnd consumes the CR, LF or CRLF at pos.
func (lx *lexer) lineEnd() {
	if lx.buf[lx.pos] == '\r' {
		lx.want(2)
		if lx.end-lx.pos > 1 && lx.buf[lx.pos+1] == '\n' {
			lx.pos++
		}
	}
	lx.pos++
	lx.line++
}

// simple reads the record when its line is in the window, has no quotes and no
// lone CR, and all is within bounds: nearly every line of nearly every file.
func (lx *lexer) simple(rec *record) bool {
	window := lx.buf[lx.pos:lx.end]
	n := bytes.IndexByte(window, '\n')
	if n < 0 && !lx.eof {
		lx.fill()
		window = lx.buf[lx.pos:lx.end]
		n = bytes.IndexByte(window, '\n')
	}
	if n < 0 || n > lx.maxCell || bytes.IndexByte(window[:n], '"') >= 0 {
		return false
	}
	line := window[:n]
	if n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if bytes.IndexByte(line, '\r') >= 0 {
		return false
	}
	count := bytes.Count(line, []byte{lx.comma}) + 1
	if count > lx.maxCol {
		return false
	}
	rec.cells = split(clean(line), lx.comma, count)
	lx.pos += n + 1
	lx.line++
	return true
}

// split cuts a clean line at every comma.
func split(line string, comma byte, count int) []string {
	cells := make([]string, count)
	for i := range count - 1 {
		at := strings.IndexByte(line, comma)
		cells[i], line = line[:at], line[at+1:]
	}
	cells[count-1] = line
	return cells
}

// careful reads the record cell by cell into text and ends.
func (lx *lexer) careful() {
	lx.text, lx.ends, lx.cells, lx.bad, lx.inBad = lx.text[:0], lx.ends[:0], 0, "", false
	for {
		start := len(lx.text)
		more := lx.cell()
		lx.cells++
		if lx.cells > lx.maxCol {
			lx.text = lx.text[:start]
			lx.fail(wideBad(lx.maxCol))
		} else {
			lx.ends = append(lx.ends, len(lx.text))
		}
		if !more {
			return
		}
	}
}
