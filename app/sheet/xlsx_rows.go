package sheet

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// sheetRows reads the rows of one sheet that have content. They are streamed from
// the archive: nothing but the row being read, the number formats and the shared
// strings is held.
type sheetRows struct {
	part    *xmlPart
	strings *sharedStrings
	formats *numberFormats
	limits  Limits
	row     int // number of the last row
	last    int // last row the sheet says it has, 0 if it does not say
	ended   bool
}

func openSheet(b *book, s bookSheet) (*sheetRows, error) {
	f := b.parts[s.part]
	if f == nil {
		return nil, brokenXLSX(fmt.Sprintf("the sheet %q is missing inside", s.name))
	}
	formats, err := readFormats(b)
	if err != nil {
		return nil, err
	}
	texts, err := openStrings(b)
	if err != nil {
		return nil, err
	}
	part, err := openXML(f)
	if err != nil {
		return nil, firstError(err, texts.close())
	}
	return &sheetRows{part: part, strings: texts, formats: formats, limits: b.limits}, nil
}

func (sr *sheetRows) close() error {
	errs := []error{sr.strings.close(), sr.formats.close()}
	if sr.part != nil {
		errs = append(errs, sr.part.close())
		sr.part = nil
	}
	return errors.Join(errs...)
}

// next reads the next row that has content.
func (sr *sheetRows) next(rec *record) error {
	for {
		if sr.part == nil || sr.ended {
			return io.EOF
		}
		kind, err := sr.part.next()
		if err != nil {
			return sr.early(err)
		}
		switch name := sr.part.element.name; {
		case kind == tagOpen && name == "dimension":
			sr.last = lastRow(sr.part.element.attr("ref"))
		case kind == tagClose && name == "sheetData":
			sr.ended = true
		case kind == tagOpen && name == "row":
			if err := sr.readRow(rec); err != nil {
				return sr.early(err)
			}
			if rec.bad != "" || !isEmpty(rec.cells) {
				return nil
			}
		}
	}
}

// early refuses a sheet that ends before its data does.
func (sr *sheetRows) early(err error) error {
	if errors.Is(err, io.EOF) {
		return brokenXLSX(fmt.Sprintf("the sheet ends in row %d before it is complete", sr.row))
	}
	return err
}

func isEmpty(cells []string) bool {
	for _, c := range cells {
		if c != "" {
			return false
		}
	}
	return true
}

// readRow reads the cells up to the end of the row. Empty cells at its end are
// left out.
func (sr *sheetRows) readRow(rec *record) error {
	sr.row = max(sr.row+1, number(sr.part.element.attr("r")))
	*rec = record{line: sr.row}
	column := -1
	for {
		kind, err := sr.part.next()
		if err != nil {
			return err
		}
		switch name := sr.part.element.name; {
		case kind == tagClose && name == "row":
			return nil
		case kind == tagOpen && name == "c":
			e := sr.part.element
			column++
			if at := columnOf(e.attr("r")); at >= 0 {
				column = at
			}
			text, err := sr.readCell(e)
			if err != nil {
				return err
			}
			sr.place(rec, column, text)
		}
	}
}

// place puts a text into the row, within the limits.
func (sr *sheetRows) place(rec *record, column int, text string) {
	if text == "" {
		return
	}
	if column >= sr.limits.MaxColumns {
		rec.bad = wideBad(sr.limits.MaxColumns)
		return
	}
	if len(text) > sr.limits.MaxCell {
		text = text[:sr.limits.MaxCell]
		text = text[:len(text)-cutRune([]byte(text[max(0, len(text)-4):]))]
		if rec.bad == "" {
			rec.bad = longBad(column, sr.limits.MaxCell)
		}
	}
	for len(rec.cells) <= column {
		rec.cells = append(rec.cells, "")
	}
	rec.cells[column] = text
}

// readCell reads up to the end of a cell and gives the text it shows.
func (sr *sheetRows) readCell(cell element) (string, error) {
	kindOf, style := cell.attr("t"), number(cell.attr("s"))
	var value []byte
	inValue := false
	for {
		kind, err := sr.part.next()
		if err != nil {
			return "", err
		}
		switch name := sr.part.element.name; {
		case kind == tagClose && name == "c":
			return sr.display(kindOf, style, value)
		case kind == tagOpen && name == "is":
			if value, err = richText(sr.part, "is", sr.limits.MaxCell+1); err != nil {
				return "", err
			}
		case kind == tagOpen:
			inValue = name == "v"
		case kind == tagClose:
			inValue = false
		case kind == textFound && inValue:
			value = appendUpTo(value, sr.part.text, sr.limits.MaxCell+1)
		}
	}
}

// display is the text of a value of a type (ECMA-376 part 1, 18.18.11,
// ST_CellType).
func (sr *sheetRows) display(kind string, style int, value []byte) (string, error) {
	if len(value) == 0 {
		return "", nil
	}
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(string(value)))
		if err != nil {
			return "", brokenXLSX(fmt.Sprintf("a cell in row %d refers to a text that is not there", sr.row))
		}
		text, err := sr.strings.at(i)
		return clean([]byte(text)), err
	case "str":
		return clean(unescape(value)), nil
	case "inlineStr", "e", "d":
		return clean(value), nil
	case "b":
		if isTrue(string(value)) {
			return "TRUE", nil
		}
		return "FALSE", nil
	}
	return sr.formats.display(style, clean(value)), nil
}

// number is a small number in an attribute, 0 if it is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxSheetRow {
		return 0
	}
	return n
}

// maxSheetRow is the last row a sheet can have in Excel.
const maxSheetRow = 1 << 20

// columnOf is the column (from 0) of a reference such as AB12; -1 if it is none.
func columnOf(ref string) int {
	column := 0
	for i := range len(ref) {
		c := ref[i] &^ ('a' - 'A')
		if c < 'A' || c > 'Z' {
			break
		}
		if column = column*26 + int(c-'A') + 1; column > maxSheetColumn {
			return maxSheetColumn
		}
	}
	return column - 1
}

// maxSheetColumn is the number of columns a sheet can have in Excel.
const maxSheetColumn = 1 << 14

// lastRow is the row where a range such as A1:F200 ends.
func lastRow(ref string) int {
	_, end, found := strings.Cut(ref, ":")
	if !found {
		end = ref
	}
	return number(strings.TrimLeft(end, "ABCDEFGHIJKLMNOPQRSTUVWXYZ$"))
}
