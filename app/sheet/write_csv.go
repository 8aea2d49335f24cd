package sheet

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// writeBuffer is how much is gathered before it is written on.
const writeBuffer = 64 << 10

type csvWriter struct {
	w       *bufio.Writer
	comma   byte
	raw     bool
	lineEnd string
	first   bool // nothing has been written yet
}

func newCSVWriter(w io.Writer, o WriteOptions) (*csvWriter, error) {
	cw := &csvWriter{w: bufio.NewWriterSize(w, writeBuffer), comma: Dialect{Comma: o.Comma}.comma(), raw: o.Raw, lineEnd: "\n", first: true}
	if o.CRLF {
		cw.lineEnd = "\r\n"
	}
	if o.BOM {
		if _, err := cw.w.Write(byteOrderMark); err != nil {
			return nil, fmt.Errorf("writing the byte order mark: %w", err)
		}
	}
	if o.Columns != nil {
		return cw, cw.Write(o.Columns)
	}
	return cw, nil
}

func (cw *csvWriter) Write(cells []string) error {
	for i, cell := range cells {
		if i > 0 {
			cw.w.WriteByte(cw.comma)
		}
		if !cw.raw {
			cell = Guard(cell)
		}
		if cw.quotes(cell, len(cells)) {
			cw.w.WriteByte('"')
			for {
				before, after, found := strings.Cut(cell, `"`)
				cw.w.WriteString(before)
				if !found {
					break
				}
				cw.w.WriteString(`""`)
				cell = after
			}
			cw.w.WriteByte('"')
		} else {
			cw.w.WriteString(cell)
		}
		cw.first = false
	}
	// bufio keeps the first error and gives it back here.
	if _, err := cw.w.WriteString(cw.lineEnd); err != nil {
		return fmt.Errorf("writing a row: %w", err)
	}
	return nil
}

// quotes says whether a cell must be quoted to be read again as it is: besides
// what RFC 4180 names, a lone empty cell (an empty line is no row), blanks at the
// start, and at the start of the file what would be taken for `sep=;` or a byte
// order mark.
func (cw *csvWriter) quotes(cell string, cells int) bool {
	if cell == "" {
		return cells == 1
	}
	if cell[0] == ' ' || (cw.first && (strings.HasPrefix(cell, "\uFEFF") || len(cell) >= 4 && strings.EqualFold(cell[:4], "sep="))) {
		return true
	}
	for i := range len(cell) {
		if c := cell[i]; c == cw.comma || c == '"' || c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}

func (cw *csvWriter) Close() error {
	if err := cw.w.Flush(); err != nil {
		return fmt.Errorf("writing the last rows: %w", err)
	}
	return nil
}
