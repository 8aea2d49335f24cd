package sheet

import (
	"errors"
	"io"
	"strings"
)

// NewXLSXReader reads one sheet of a workbook: d.Sheet, or the first visible one
// with content. Numbers and dates come as the text that Excel shows. Rows without
// any content are no rows. Parts other than the sheet, its texts and its number
// formats are not read at all.
func NewXLSXReader(r io.ReaderAt, size int64, d Dialect, l Limits) (*Reader, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	l = l.filled()
	b, err := openBook(r, size, l)
	if err != nil {
		return nil, err
	}
	s, err := b.choose(d.Sheet)
	if err != nil {
		return nil, err
	}
	rows, err := openSheet(b, s)
	if err != nil {
		return nil, err
	}
	return newReader(rows, d, l)
}

// choose is the sheet with that name, or the first visible one with content.
func (b *book) choose(name string) (bookSheet, error) {
	var names []string
	for _, s := range b.sheets {
		if name != "" && strings.EqualFold(s.name, name) {
			return s, nil
		}
		names = append(names, s.name)
	}
	if name != "" {
		return bookSheet{}, refuse(NoSuchSheet, "The workbook has no sheet %q. It has: %s.", name, list(names))
	}
	for _, s := range b.sheets {
		if s.hidden {
			continue
		}
		if full, err := b.hasContent(s); full || err != nil {
			return s, err
		}
	}
	return bookSheet{}, refuse(EmptyFile, "No sheet of this workbook has any content. Choose a file with one person per row.")
}

func (b *book) hasContent(s bookSheet) (bool, error) {
	rows, err := openSheet(b, s)
	if err != nil {
		return false, err
	}
	var rec record
	err = rows.next(&rec)
	if closed := rows.close(); closed != nil {
		return false, closed
	}
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}

// sniffXLSXRows is how many rows of a sheet SniffXLSX reads.
const sniffXLSXRows = 200

// SniffXLSX is Sniff for a workbook of size bytes. If d is the zero Dialect the
// sheet and the header are detected; else d comes from a person: its Header is
// taken as it is, its Sheet if it names one.
func SniffXLSX(r io.ReaderAt, size int64, d Dialect, l Limits) (Sniffed, error) {
	if err := d.check(); err != nil {
		return Sniffed{}, err
	}
	l = l.filled()
	b, err := openBook(r, size, l)
	if err != nil {
		return Sniffed{}, err
	}
	chosen, err := b.choose(d.Sheet)
	if err != nil {
		return Sniffed{}, err
	}
	s := Sniffed{Confidence: Confidence{Comma: 1, Encoding: 1}, Whole: true}
	s.Format, s.Sheet, s.Dialect.Encoding = XLSX, chosen.name, ""
	for _, sheet := range b.sheets {
		if !sheet.hidden || sheet.name == chosen.name {
			s.Sheets = append(s.Sheets, sheet.name)
		}
	}
	rows, last, whole, err := b.firstRows(chosen)
	if err != nil {
		return Sniffed{}, err
	}
	s.Whole = whole
	s.Header, s.Skip, s.Confidence.Header = sniffHeader(rows[:min(len(rows), headerRows)])
	if d.Format != "" {
		s.overrideHeader(d.Header)
	}
	return s, s.fromRows(rows, last, l)
}

// firstRows reads the beginning of a sheet; last is the row at which the sheet
// says it ends.
func (b *book) firstRows(s bookSheet) (rows [][]string, last int, whole bool, err error) {
	sr, err := openSheet(b, s)
	if err != nil {
		return nil, 0, false, err
	}
	defer func() { err = firstError(err, sr.close()) }()
	for len(rows) < sniffXLSXRows {
		var rec record
		if err := sr.next(&rec); err != nil {
			return rows, sr.last, true, onlyReal(err)
		}
		if rec.bad == wideBad(b.limits.MaxColumns) && len(rows) == 0 {
			return nil, 0, false, tooWide(rec.line, b.limits)
		}
		rows = append(rows, rec.cells)
	}
	return rows, sr.last, false, nil
}

// fromRows fills in what the rows tell, once the header is settled.
func (s *Sniffed) fromRows(rows [][]string, last int, l Limits) error {
	rd, err := newReader(&keptRows{rows: rows}, s.Dialect, l)
	if err != nil {
		return err
	}
	s.Columns = rd.columns
	if err := s.sample(rd); err != nil {
		return err
	}
	if s.RoughRows == 0 && (len(s.Columns) == 0 || !s.Header) {
		return refuse(EmptyFile, "The sheet %q is empty. Choose one with one person per row.", s.Sheet)
	}
	s.NoRows = s.RoughRows == 0
	if !s.Whole {
		s.RoughRows = max(s.RoughRows, last-s.Skip-boolInt(s.Header))
	}
	s.Mapping, s.MappingConfidence = DetectMapping(s.Columns, s.Rows, s.Header)
	return nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// keptRows is a source of rows that have been read already.
type keptRows struct{ rows [][]string }

func (k *keptRows) next(rec *record) error {
	if len(k.rows) == 0 {
		return io.EOF
	}
	*rec = record{cells: k.rows[0]}
	k.rows = k.rows[1:]
	return nil
}

func (k *keptRows) close() error { return nil }
