package sheet

import (
	"archive/zip"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"
)

// xlsxWriter writes one sheet after the other: a sheet of Excel ends at row
// 1,048,576, so a longer list goes on in the next one, with the header again.
// excelize keeps rows in a temporary file once they are more than 16 MiB.
type xlsxWriter struct {
	w       io.Writer
	file    *excelize.File
	stream  *excelize.StreamWriter
	columns []string
	raw     bool
	sheets  int
	row     int
	maxRow  int
	cells   []any
}

func newXLSXWriter(w io.Writer, o WriteOptions) (*xlsxWriter, error) {
	xw := &xlsxWriter{w: w, file: excelize.NewFile(), columns: o.Columns, raw: o.Raw, maxRow: maxSheetRow}
	if err := xw.nextSheet(); err != nil {
		return nil, firstError(err, xw.file.Close())
	}
	return xw, nil
}

// nextSheet finishes the sheet being written and begins the next.
func (xw *xlsxWriter) nextSheet() error {
	if xw.stream != nil {
		if err := xw.stream.Flush(); err != nil {
			return fmt.Errorf("finishing sheet %d: %w", xw.sheets, err)
		}
	}
	xw.sheets++
	name := fmt.Sprintf("Sheet%d", xw.sheets)
	if xw.sheets > 1 {
		if _, err := xw.file.NewSheet(name); err != nil {
			return fmt.Errorf("beginning sheet %d: %w", xw.sheets, err)
		}
	}
	stream, err := xw.file.NewStreamWriter(name)
	if err != nil {
		return fmt.Errorf("beginning sheet %d: %w", xw.sheets, err)
	}
	xw.stream, xw.row = stream, 0
	if xw.columns == nil {
		return nil
	}
	return xw.add(xw.columns)
}

func (xw *xlsxWriter) Write(cells []string) error {
	if xw.row >= xw.maxRow {
		if err := xw.nextSheet(); err != nil {
			return err
		}
	}
	return xw.add(cells)
}

func (xw *xlsxWriter) add(cells []string) error {
	xw.row++
	xw.cells = xw.cells[:0]
	for _, cell := range cells {
		if !xw.raw {
			cell = Guard(cell)
		}
		if cell == "" {
			xw.cells = append(xw.cells, nil)
			continue
		}
		xw.cells = append(xw.cells, cell)
	}
	at, err := excelize.CoordinatesToCellName(1, xw.row)
	if err != nil {
		return fmt.Errorf("writing row %d: %w", xw.row, err)
	}
	if err := xw.stream.SetRow(at, xw.cells); err != nil {
		return fmt.Errorf("writing row %d: %w", xw.row, err)
	}
	return nil
}

// Close writes the workbook. What excelize keeps on disk is removed in any case.
// excelize would build the archive in memory; the writer put under it here sends
// it on as it grows.
func (xw *xlsxWriter) Close() error {
	err := xw.stream.Flush()
	if err == nil {
		xw.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(xw.w) })
		err = xw.file.Write(xw.w)
	}
	if err = firstError(err, xw.file.Close()); err != nil {
		return fmt.Errorf("writing the workbook: %w", err)
	}
	return nil
}
