// Package sheet reads and writes spreadsheets, streaming both ways: the CSV
// family, JSON lines and XLSX.
//
// The way of a file: Sniff (or SniffXLSX) looks at its beginning and says how
// it is written (Dialect), what its columns are called and which of them hold
// names, domains and addresses (Mapping). NewReader (or NewXLSXReader) then
// reads it row by row with that Dialect; a row that cannot be used comes back
// with a reason in Row.Bad and is never dropped. NewWriter writes rows.
//
// Everything here is read from strangers' files. Memory stays flat whatever the
// input: cells, columns, rows, unpacked bytes and the distance an unclosed quote
// may reach are all bounded by Limits or by a named constant.
package sheet

import (
	"fmt"
	"slices"
)

// SniffBytes is how much of a file Sniff wants to see, if the file has as much.
const SniffBytes = 1 << 20

// Formats of a Dialect and of NewWriter.
const (
	CSV   = "csv"   // any delimiter: CSV, TSV, semicolons, pipes
	XLSX  = "xlsx"  // Office Open XML workbook (ECMA-376)
	JSONL = "jsonl" // one JSON object per line
)

// Encodings a Dialect may name. The names are the WHATWG labels.
const (
	UTF8        = "utf-8"
	UTF16LE     = "utf-16le"
	UTF16BE     = "utf-16be"
	Windows1252 = "windows-1252" // Western Europe
	Windows1250 = "windows-1250" // Central Europe, as Excel writes it
	ISO88592    = "iso-8859-2"   // Central Europe, as Unix writes it
	Windows1251 = "windows-1251" // Cyrillic
	Windows1254 = "windows-1254" // Turkish
	Macintosh   = "macintosh"    // "CSV (Macintosh)" of Excel
	ShiftJIS    = "shift_jis"
	GB18030     = "gb18030"
)

// Dialect is how a file is written: all that a reader needs besides its bytes.
// Zero fields mean the default: csv, a comma, UTF-8, no header, the first sheet
// with content.
type Dialect struct {
	Format   string `json:"format"`             // CSV, XLSX or JSONL
	Comma    string `json:"comma,omitempty"`    // "," ";" "\t" or "|"; CSV only
	Encoding string `json:"encoding,omitempty"` // one of Encodings; not for XLSX
	Header   bool   `json:"header"`             // the first row names the columns
	Skip     int    `json:"skip,omitempty"`     // rows above the header (a title), not counted as data
	Sheet    string `json:"sheet,omitempty"`    // XLSX only: name of the sheet
	NoRows   bool   `json:"no_rows,omitempty"`  // nothing is below the header: a finding, of no meaning to a reader
	// Columns are the keys of a JSONL file in the order they were first seen.
	// Without it the reader takes them from the first lines of the file.
	Columns []string `json:"columns,omitempty"`
}

// Encodings lists the encodings a Dialect may name, the usual ones first.
func Encodings() []string {
	return []string{UTF8, Windows1252, UTF16LE, UTF16BE, Windows1250, ISO88592, Windows1251, Windows1254, Macintosh, ShiftJIS, GB18030}
}

// Commas lists the delimiters a Dialect may name.
func Commas() []string { return []string{",", ";", "\t", "|"} }

// check refuses a Dialect that names what does not exist. These are mistakes of
// a caller or of a form, so the error names the field.
func (d Dialect) check() error {
	switch {
	case d.Format != "" && !slices.Contains([]string{CSV, XLSX, JSONL}, d.Format):
		return fmt.Errorf("sheet: unknown format %q", d.Format)
	case d.Comma != "" && !slices.Contains(Commas(), d.Comma):
		return fmt.Errorf("sheet: unknown delimiter %q", d.Comma)
	case d.Encoding != "" && !slices.Contains(Encodings(), d.Encoding):
		return fmt.Errorf("sheet: unknown encoding %q", d.Encoding)
	case d.Skip < 0:
		return fmt.Errorf("sheet: negative skip %d", d.Skip)
	}
	return nil
}

// comma is the delimiter as a byte, a comma by default.
func (d Dialect) comma() byte {
	if d.Comma == "" {
		return ','
	}
	return d.Comma[0]
}

// Limits bound what one file may cost. A zero field takes its default.
type Limits struct {
	MaxBytes   int64 // bytes of the file as uploaded
	MaxRows    int   // data rows
	MaxColumns int   // columns of the header; a row with more is Bad
	MaxCell    int   // bytes of one cell; a longer one makes its row Bad
	Unzipped   int64 // XLSX: bytes of all parts unpacked
	Ratio      int   // XLSX: unpacked bytes to packed bytes
	Entries    int   // XLSX: parts in the archive
}

// DefaultLimits are 512 MiB, 2,000,000 rows, 1,000 columns, 32 KiB a cell; for
// XLSX 512 MiB unpacked, 100 times the packed size, 1,000 parts.
func DefaultLimits() Limits {
	return Limits{
		MaxBytes: 512 << 20, MaxRows: 2_000_000, MaxColumns: 1000, MaxCell: 32 << 10,
		Unzipped: 512 << 20, Ratio: 100, Entries: 1000,
	}
}

// filled puts the defaults where l says nothing.
func (l Limits) filled() Limits {
	d := DefaultLimits()
	fill(&l.MaxBytes, d.MaxBytes)
	fill(&l.MaxRows, d.MaxRows)
	fill(&l.MaxColumns, d.MaxColumns)
	fill(&l.MaxCell, d.MaxCell)
	fill(&l.Unzipped, d.Unzipped)
	fill(&l.Ratio, d.Ratio)
	fill(&l.Entries, d.Entries)
	return l
}

func fill[T int | int64](field *T, standard T) {
	if *field <= 0 {
		*field = standard
	}
}

// Codes of a Refusal.
const (
	EmptyFile       = "empty_file"
	NoRows          = "no_rows"
	NotASpreadsheet = "not_a_spreadsheet"
	LineTooLong     = "line_too_long"
	TooManyColumns  = "too_many_columns"
	TooManyRows     = "too_many_rows"
	TooBig          = "too_big"
	NoUsableColumn  = "no_usable_column"
	OneColumn       = "one_column" // no_usable_column of a file that was read with the wrong delimiter
	BrokenXLSX      = "broken_xlsx"
	XLSXTooLarge    = "xlsx_too_large"
	NoSuchSheet     = "no_such_sheet"
)

// Refusal says why a file cannot be taken: Code for programs, Message for the
// person who uploaded it (what is wrong, where, what to do).
type Refusal struct {
	Code    string
	Message string
}

func (r *Refusal) Error() string { return r.Message }

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}
