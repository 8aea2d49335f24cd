package sheet

import (
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Bounds of number formats: the longest code that is applied (Excel's own
// limit), the longest number, and how many shown values are remembered.
const (
	maxFormatCode = 255
	maxNumber     = 64
	shownValues   = 4096
)

// general is the number format that shows a number as it is; text is "@".
const (
	formatGeneral = 0
	formatText    = 49
)

// numberFormats turns the numbers of a sheet into the text that Excel shows:
// dates above all. The formats are applied by excelize, in one cell of a scratch
// workbook.
type numberFormats struct {
	ofStyle  []int          // number format of each cell style
	codes    map[int]string // formats the file defines itself
	date1904 bool
	scratch  *excelize.File
	styles   map[int]int // number format to style in scratch, -1 if it cannot be used
	shown    map[shownKey]string
}

type shownKey struct {
	format int
	value  string
}

// readFormats reads the part with the styles. A workbook without one, or with
// one too large, shows its numbers as they are.
func readFormats(b *book) (*numberFormats, error) {
	nf := &numberFormats{codes: map[int]string{}, date1904: b.date1904, styles: map[int]int{}, shown: map[shownKey]string{}}
	f := b.parts[b.styles]
	if f == nil || f.UncompressedSize64 > maxSmallPart {
		return nf, nil
	}
	inCells := false
	err := b.eachElement(b.styles, func(e element) {
		switch e.name {
		case "cellXfs":
			inCells = true
		case "cellStyles", "dxfs", "cellStyleXfs":
			inCells = false
		case "numFmt":
			nf.codes[number(e.attr("numFmtId"))] = e.attr("formatCode")
		case "xf":
			if inCells {
				nf.ofStyle = append(nf.ofStyle, number(e.attr("numFmtId")))
			}
		}
	})
	return nf, err
}

// display is a number as its cell shows it.
func (nf *numberFormats) display(style int, value string) string {
	if style >= len(nf.ofStyle) || len(value) > maxNumber {
		return plainNumber(value)
	}
	format := nf.ofStyle[style]
	if format == formatGeneral || format == formatText {
		return plainNumber(value)
	}
	key := shownKey{format, value}
	if text, known := nf.shown[key]; known {
		return text
	}
	text := nf.show(format, plainNumber(value))
	if len(nf.shown) >= shownValues {
		clear(nf.shown)
	}
	nf.shown[key] = text
	return text
}

// show applies a format; the number as it is if that cannot be done.
func (nf *numberFormats) show(format int, value string) (text string) {
	// The codes come from strangers and excelize's parser was not written for
	// them: one it stumbles over must cost no more than the format.
	defer func() {
		if recover() != nil {
			text = value
		}
	}()
	const sheet, cell = "Sheet1", "A1"
	if nf.scratch == nil {
		nf.scratch = excelize.NewFile()
		if err := nf.scratch.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &nf.date1904}); err != nil {
			return value
		}
	}
	style, known := nf.styles[format]
	if !known {
		style = nf.makeStyle(format)
		nf.styles[format] = style
	}
	if style < 0 || nf.scratch.SetCellStyle(sheet, cell, cell, style) != nil || nf.scratch.SetCellDefault(sheet, cell, value) != nil {
		return value
	}
	text, err := nf.scratch.GetCellValue(sheet, cell)
	if err != nil || text == "" {
		return value
	}
	return text
}

func (nf *numberFormats) makeStyle(format int) int {
	s := &excelize.Style{NumFmt: format}
	if code, own := nf.codes[format]; own {
		if code == "" || len(code) > maxFormatCode {
			return -1
		}
		s = &excelize.Style{CustomNumFmt: &code}
	}
	style, err := nf.scratch.NewStyle(s)
	if err != nil {
		return -1
	}
	return style
}

func (nf *numberFormats) close() error {
	if nf.scratch == nil {
		return nil
	}
	err := nf.scratch.Close()
	nf.scratch = nil
	return err
}

// Excel computes with 15 significant digits and shows no more. Beyond maxExponent
// a number stays in the notation of the file.
const (
	significant = 15
	maxExponent = 21
)

// plainNumber is a number in the format General: 3.0E2 is 300, and what floating
// point adds to 0.3 is dropped. What is no number stays as it is.
func plainNumber(value string) string {
	value = strings.TrimSpace(value)
	if len(value) <= significant && isDigits(value) {
		return value
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || strings.ContainsAny(value, "nNxX_") {
		return value
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', significant, 64), 64)
	if err != nil {
		return value
	}
	text := strconv.FormatFloat(rounded, 'f', -1, 64)
	if len(text) > maxExponent {
		return value
	}
	return text
}
