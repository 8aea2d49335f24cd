package sheet

import (
	"fmt"
	"io"
	"slices"
)

// Writer writes rows one by one, in flat memory.
type Writer interface {
	// Write adds a row. The cells are not kept.
	Write(cells []string) error
	// Close finishes the file. It does not close what is written to.
	Close() error
}

// WriteOptions say how NewWriter writes.
type WriteOptions struct {
	Comma   string   // CSV only; a comma by default
	Columns []string // the header (CSV, XLSX), the keys (JSONL); without it no header, and keys "Column 1", …
	Raw     bool     // leave cells as they are instead of guarding them against formula injection
	BOM     bool     // CSV only: begin with a byte order mark, by which Excel knows UTF-8
	CRLF    bool     // CSV only: end lines with CR LF
}

// NewWriter writes rows as CSV (RFC 4180, UTF-8, lines ended by LF), XLSX (every
// cell a text, so nothing is computed or turned into a date) or JSONL (one object
// per line, all values strings). In CSV and XLSX cells pass through Guard unless
// Raw; JSONL always has them as they are.
func NewWriter(w io.Writer, format string, o WriteOptions) (Writer, error) {
	if err := (Dialect{Comma: o.Comma}).check(); err != nil {
		return nil, err
	}
	o.Columns = slices.Clone(o.Columns)
	switch format {
	case CSV:
		return newCSVWriter(w, o)
	case XLSX:
		return newXLSXWriter(w, o)
	case JSONL:
		return newJSONLWriter(w, o), nil
	}
	return nil, fmt.Errorf("sheet: unknown format %q", format)
}
