package sheet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Row is one data row.
type Row struct {
	Number int      // 1-based among the data rows: the same at every reading
	Line   int      // line of the file (XLSX: row of the sheet) it starts on, from 1
	Cells  []string // never fewer than the columns; more if the row has more
	Bad    string   // why the row cannot be used; Cells are what could be read
}

// Reader reads the data rows of a file one by one, in flat memory. Reading the
// same bytes with the same Dialect gives the same rows with the same numbers, so
// an import may go on where it stopped by skipping as many rows.
type Reader struct {
	src     source
	limits  Limits
	columns []string
	ahead   []record // read already, to learn the width of a file without a header
	number  int
	err     error
}

// source is a format: it reads records until io.EOF, which it gives again when
// asked again.
type source interface {
	next(rec *record) error
	close() error
}

// peekRows is how many rows are read ahead to learn how wide a file without a
// header is.
const peekRows = 20

// NewReader reads the CSV family and JSONL as d says. The columns of CSV are the
// header exactly as written, or "Column 1", "Column 2", … as many as the widest
// of the first rows has; those of JSONL are d.Columns, or the keys of the first
// lines. The caller closes r.
func NewReader(r io.Reader, d Dialect, l Limits) (*Reader, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	l = l.filled()
	text, err := decodingReader(&capped{r: r, left: l.MaxBytes, max: l.MaxBytes}, d.Encoding)
	if err != nil {
		return nil, err
	}
	switch d.Format {
	case JSONL:
		src, err := newJSONLines(text, d.Columns, l)
		if err != nil {
			return nil, err
		}
		return &Reader{src: src, limits: l, columns: src.columns}, nil
	case XLSX:
		return nil, errors.New("sheet: XLSX is read by NewXLSXReader")
	}
	lx := newLexer(text, d.comma(), l)
	lx.start()
	return newReader(csvSource{lx}, d, l)
}

type csvSource struct{ *lexer }

func (csvSource) close() error { return nil }

// newReader consumes what stands above the data rows and learns the columns.
func newReader(src source, d Dialect, l Limits) (*Reader, error) {
	rd := &Reader{src: src, limits: l}
	var rec record
	for range d.Skip {
		if err := src.next(&rec); err != nil {
			return rd.opened(err)
		}
	}
	if !d.Header {
		return rd.opened(rd.peek())
	}
	if err := src.next(&rec); err != nil {
		return rd.opened(err)
	}
	if rec.bad == wideBad(l.MaxColumns) {
		return nil, rd.giveUp(tooWide(rec.line, l))
	}
	rd.columns = rec.cells
	return rd, nil
}

// opened is the reader unless something other than the end of the file came.
func (rd *Reader) opened(err error) (*Reader, error) {
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, rd.giveUp(err)
	}
	return rd, nil
}

func (rd *Reader) giveUp(err error) error { return firstError(err, rd.src.close()) }

// firstError is err as it is, unless it is nil.
func firstError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// peek reads the first rows ahead and numbers as many columns as the widest has.
func (rd *Reader) peek() error {
	width := 0
	for range peekRows {
		var rec record
		if err := rd.src.next(&rec); err != nil {
			rd.columns = numberedColumns(width)
			return err
		}
		if rec.bad == wideBad(rd.limits.MaxColumns) && len(rd.ahead) == 0 {
			return tooWide(rec.line, rd.limits)
		}
		rd.ahead = append(rd.ahead, rec)
		width = max(width, len(rec.cells))
	}
	rd.columns = numberedColumns(width)
	return nil
}

// numberedColumns are the names of columns that have none.
func numberedColumns(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = numberedColumn(i)
	}
	return names
}

func numberedColumn(i int) string { return "Column " + strconv.Itoa(i+1) }

// Columns are the names of the columns, as the file writes them: a name may be
// empty or occur twice.
func (rd *Reader) Columns() []string { return slices.Clone(rd.columns) }

// Next reads one row; io.EOF after the last. Any other error ends the reading:
// a *Refusal if the file goes beyond its limits or is broken, else what the
// underlying reader said. The cells are the caller's to keep.
func (rd *Reader) Next() (Row, error) {
	if rd.err != nil {
		return Row{}, rd.err
	}
	var rec record
	if rd.err = rd.take(&rec); rd.err != nil {
		return Row{}, rd.err
	}
	if rd.number >= rd.limits.MaxRows {
		rd.err = refuse(TooManyRows, "The file has more than %d rows. Split it at row %d (line %d) and upload the parts one by one.", rd.limits.MaxRows, rd.limits.MaxRows, rec.line)
		return Row{}, rd.err
	}
	rd.number++
	for len(rec.cells) < len(rd.columns) {
		rec.cells = append(rec.cells, "")
	}
	return Row{Number: rd.number, Line: rec.line, Cells: rec.cells, Bad: rec.bad}, nil
}

func (rd *Reader) take(rec *record) error {
	if len(rd.ahead) == 0 {
		return rd.src.next(rec)
	}
	*rec = rd.ahead[0]
	rd.ahead = rd.ahead[1:]
	return nil
}

// Close frees what the reader holds (XLSX: a temporary file). It does not close
// the reader it was made from.
func (rd *Reader) Close() error {
	if rd.err == nil {
		rd.err = errClosed
	}
	return rd.src.close()
}

var errClosed = errors.New("sheet: the reader is closed")

func tooWide(line int, l Limits) *Refusal {
	return refuse(TooManyColumns, "Line %d has more than %d columns. Remove the columns you do not need and upload the file again.", line, l.MaxColumns)
}

// wideBad is why a row with too many columns is bad.
func wideBad(limit int) string { return fmt.Sprintf("more than %d columns", limit) }

// capped refuses a file that is longer than it may be.
type capped struct {
	r         io.Reader
	left, max int64
}

func (c *capped) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, tooBig(c.max)
	}
	return n, err
}

func tooBig(max int64) *Refusal {
	return refuse(TooBig, "The file is larger than %s. Split it and upload the parts one by one.", size(max))
}

// size writes a number of bytes as people say it.
func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
