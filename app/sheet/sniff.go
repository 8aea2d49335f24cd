package sheet

import (
	"bytes"
	"math"
	"strings"
)

// SampleRows is how many data rows a Sniffed carries.
const SampleRows = 20

// Confidence is how sure Sniff is of each part of the Dialect, 0..1; 1 for what
// the caller has chosen.
type Confidence struct {
	Comma    float64 `json:"comma"`
	Encoding float64 `json:"encoding"`
	Header   float64 `json:"header"`
}

// Sniffed is what the beginning of a file tells.
type Sniffed struct {
	Dialect
	Confidence Confidence
	// Columns are the header exactly as written (a name may be empty or occur
	// twice), or "Column 1", "Column 2", … when there is none.
	Columns           []string
	Rows              [][]string // the first data rows, at most SampleRows
	Mapping           Mapping
	MappingConfidence map[Field]float64
	Sheets            []string // of a workbook: the names of its visible sheets, in its order
	// RoughRows is the number of data rows seen; all of them if Whole. Of an
	// XLSX file it is what the sheet says of itself, 0 if nothing.
	RoughRows int
	Whole     bool
	rowBytes  float64
}

// EstimateRows is about how many data rows a file of so many bytes has.
func (s Sniffed) EstimateRows(size int64) int {
	if s.Whole || s.rowBytes <= 0 {
		return s.RoughRows
	}
	return max(s.RoughRows, int(math.Round(float64(size)/s.rowBytes)))
}

// Sniff finds out how a file of the CSV family or a JSONL file is written, from
// its first SniffBytes; whole says that head is all of the file. The name of the
// file may be empty. A file that cannot be taken is a *Refusal.
func Sniff(head []byte, whole bool, filename string) (Sniffed, error) {
	return sniff(head, whole, filename, nil)
}

// SniffAs is Sniff after a person has changed something. Format, Comma and
// Encoding are detected where d leaves them empty; Header is as d says.
func SniffAs(head []byte, whole bool, d Dialect) (Sniffed, error) {
	if err := d.check(); err != nil {
		return Sniffed{}, err
	}
	return sniff(head, whole, "", &d)
}

func sniff(head []byte, whole bool, filename string, chosen *Dialect) (Sniffed, error) {
	if len(head) > SniffBytes {
		head, whole = head[:SniffBytes], false
	}
	if err := refuseMagic(head); err != nil {
		return Sniffed{}, err
	}
	s := Sniffed{Whole: whole}
	text, err := s.sniffText(head, chosen)
	if err != nil {
		return Sniffed{}, err
	}
	if !whole {
		text = text[:bytes.LastIndexAny(text, "\r\n")+1]
		if len(bytes.TrimSpace(text)) == 0 {
			return Sniffed{}, refuse(LineTooLong, "The first line has no end within %s. This is not a table with one row per line; export it again as CSV.", size(int64(len(head))))
		}
	}
	if s.Format, err = sniffFormat(text, chosen); err != nil {
		return Sniffed{}, err
	}
	if s.Format == JSONL {
		err = s.sniffJSONL(text)
	} else {
		err = s.sniffCSV(text, filename, chosen)
	}
	if err != nil {
		return Sniffed{}, err
	}
	if s.RoughRows == 0 && !s.Header {
		return Sniffed{}, refuse(EmptyFile, "The file has no row with anything in it. Choose a file with one person per row.")
	}
	if s.NoRows = s.RoughRows == 0; !s.NoRows {
		s.rowBytes = float64(len(head)) / float64(s.RoughRows)
	}
	s.Mapping, s.MappingConfidence = DetectMapping(s.Columns, s.Rows, s.Header)
	return s, nil
}

// sniffText decodes the block and refuses what is no text.
func (s *Sniffed) sniffText(head []byte, chosen *Dialect) ([]byte, error) {
	if len(bytes.Trim(head, "\x00 \t\r\n\xEF\xBB\xBF\xFE\xFF")) == 0 {
		return nil, refuse(EmptyFile, "The file is empty. Choose a file with one person per row.")
	}
	guess := encodingGuess{confidence: 1}
	if chosen != nil {
		guess.name = chosen.Encoding
	}
	if guess.name == "" {
		var err error
		if guess, err = sniffEncoding(head, s.Whole); err != nil {
			return nil, err
		}
	}
	s.Encoding, s.Confidence.Encoding = guess.name, guess.confidence
	text, err := decode(head, guess.name, s.Whole)
	if err != nil {
		return nil, err
	}
	if err := refuseBinary(text); err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, refuse(EmptyFile, "The file is empty. Choose a file with one person per row.")
	}
	return text, refuseDocument(text)
}

// sniffFormat tells JSONL from CSV, and refuses JSON that is not JSONL.
func sniffFormat(text []byte, chosen *Dialect) (string, error) {
	if chosen != nil && chosen.Format != "" && chosen.Format != XLSX {
		return chosen.Format, nil
	}
	text = bytes.TrimSpace(text)
	line, more, _ := bytes.Cut(text, []byte{'\n'})
	switch line = bytes.TrimSpace(line); {
	case text[0] == '{':
		if _, err := fields(line); err == nil {
			return JSONL, nil
		}
		second, _, _ := bytes.Cut(bytes.TrimSpace(more), []byte{'\n'})
		if _, err := fields(bytes.TrimSpace(second)); err == nil {
			return JSONL, nil
		}
		if inner := bytes.TrimSpace(text[1:]); len(line) == 1 && len(inner) > 0 && inner[0] == '"' {
			return "", errJSON()
		}
	case text[0] == '[':
		if inner := bytes.TrimSpace(text[1:]); len(inner) > 0 && (inner[0] == '{' || inner[0] == '[' || inner[0] == ']') {
			return "", errJSON()
		}
	}
	return CSV, nil
}

func errJSON() *Refusal {
	return refuse(NotASpreadsheet, "This file is a JSON document. Send one object per line instead (JSON lines), without the brackets around them, or save the table as CSV.")
}

func (s *Sniffed) sniffJSONL(text []byte) error {
	l := DefaultLimits()
	js, err := newJSONLines(bytes.NewReader(text), nil, l)
	if err != nil {
		return err
	}
	if len(js.columns) == 0 {
		return refuse(NotASpreadsheet, "Read as JSON lines, no line at the beginning of this file is an object with keys and values. Read it as a table instead.")
	}
	s.Header, s.Confidence = true, Confidence{Comma: 1, Encoding: s.Confidence.Encoding, Header: 1}
	s.Columns, s.Dialect.Columns = js.columns, js.columns
	return s.sample(&Reader{src: js, limits: l, columns: js.columns})
}

// sniffCSV finds the delimiter, the header and the rows.
func (s *Sniffed) sniffCSV(text []byte, filename string, chosen *Dialect) error {
	s.Comma, s.Confidence.Comma = "", 1
	if chosen != nil {
		s.Comma = chosen.Comma
	}
	if s.Comma == "" {
		s.Comma, s.Confidence.Comma = sniffComma(text, strings.ToLower(filename))
	}
	first := parse(text, s.comma(), headerRows)
	rows := make([][]string, len(first))
	for i, rec := range first {
		rows[i] = rec.cells
	}
	s.Header, s.Skip, s.Confidence.Header = sniffHeader(rows)
	if chosen != nil {
		s.overrideHeader(chosen.Header)
	}
	lx := newLexer(bytes.NewReader(text), s.comma(), DefaultLimits())
	lx.start()
	rd, err := newReader(csvSource{lx}, s.Dialect, DefaultLimits())
	if err != nil {
		return err
	}
	s.Columns = rd.columns
	return s.sample(rd)
}

// headerRows is how many rows the header is looked for in.
const headerRows = 50

// overrideHeader follows the caller; title rows are skipped only above a header.
func (s *Sniffed) overrideHeader(header bool) {
	if !header {
		s.Skip = 0
	}
	s.Header, s.Confidence.Header = header, 1
}

// sample reads all rows of the block, keeps the first and counts them.
func (s *Sniffed) sample(rd *Reader) error {
	for {
		row, err := rd.Next()
		if err != nil {
			return onlyReal(err)
		}
		s.RoughRows++
		if len(s.Rows) < SampleRows {
			s.Rows = append(s.Rows, row.Cells)
		}
	}
}
