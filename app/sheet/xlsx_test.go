package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// parts are the files in a package, by name.
type parts map[string]string

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// workbook is the parts of a workbook with one sheet.
func workbook(sheetData string) parts {
	return parts{
		"[Content_Types].xml": xmlHead + `<Types/>`,
		"_rels/.rels":         xmlHead + `<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":     xmlHead + `<workbook xmlns:r="x"><sheets><sheet name="People" sheetId="1" r:id="s1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": xmlHead + `<Relationships><Relationship Id="s1" Type="http://x/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="s2" Type="http://x/relationships/sharedStrings" Target="/xl/sharedStrings.xml"/><Relationship Id="s3" Type="http://x/relationships/styles" Target="styles.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml": xmlHead + `<worksheet>` + sheetData + `</worksheet>`,
	}
}

func (p parts) pack(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for name, content := range p {
		w, err := zw.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, content)
		require.NoError(t, err)
	}
	require.NoError(t, zw.Close())
	return b.Bytes()
}

func (p parts) with(name, content string) parts {
	p[name] = content
	return p
}

// openXLSX reads a workbook to its end.
func openXLSX(b []byte, d Dialect, l Limits) ([]string, []Row, error) {
	rd, err := NewXLSXReader(bytes.NewReader(b), int64(len(b)), d, l)
	if err != nil {
		return nil, nil, err
	}
	rows, err := collect(rd)
	return rd.Columns(), rows, firstError(err, rd.Close())
}

// saved is a workbook made by excelize.
func saved(t testing.TB, make func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	make(f)
	b, err := f.WriteToBuffer()
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return b.Bytes()
}

func TestXLSXShowsWhatExcelShows(t *testing.T) {
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	b := saved(t, func(f *excelize.File) {
		style := func(s excelize.Style) int {
			id, err := f.NewStyle(&s)
			require.NoError(t, err)
			return id
		}
		iso, money := "yyyy-mm-dd", "#,##0.00"
		require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]any{"text", "whole", "phone", "float", "bool", "date", "percent", "money", "formula", "zip"}))
		require.NoError(t, f.SetSheetRow("Sheet1", "A2", &[]any{"Ann & <Bob>", 42, 4915112345678, 0.1 + 0.2, true, day, 0.25, 1234.5, nil, "01234"}))
		require.NoError(t, f.SetCellStyle("Sheet1", "F2", "F2", style(excelize.Style{CustomNumFmt: &iso})))
		require.NoError(t, f.SetCellStyle("Sheet1", "G2", "G2", style(excelize.Style{NumFmt: 9})))
		require.NoError(t, f.SetCellStyle("Sheet1", "H2", "H2", style(excelize.Style{CustomNumFmt: &money})))
		require.NoError(t, f.SetCellFormula("Sheet1", "I2", "A1&A2"))
		require.NoError(t, f.SetCellRichText("Sheet1", "A3", []excelize.RichTextRun{{Text: "two "}, {Text: "runs"}}))
	})
	columns, rows, err := openXLSX(b, Dialect{Header: true}, Limits{})
	require.NoError(t, err)
	require.Equal(t, []string{"text", "whole", "phone", "float", "bool", "date", "percent", "money", "formula", "zip"}, columns)
	require.Equal(t, []string{"Ann & <Bob>", "42", "4915112345678", "0.3", "TRUE", "2026-11-21", "25%", "1,234.50", "", "01234"}, rows[0].Cells)
	require.Equal(t, "two runs", rows[1].Cells[0])
}

func TestXLSXReadsAllKindsOfCells(t *testing.T) {
	b := workbook(`<dimension ref="A1:D9"/><sheetData>`+
		`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="s"><v> 2 </v></c></row>`+
		`<row r="3"><c t="inlineStr"><is><r><t>in</t></r><r><t xml:space="preserve"> line</t></r><rPh><t>x</t></rPh></is></c><c t="str"><f>A1</f><v>a_x000D_b</v></c><c t="b"><v>0</v></c><c t="e"><v>#N/A</v></c></row>`+
		`<row/><row r="5" spans="1:4"/><row r="6"><c r="B6"><v></v></c></row>`+
		`<row r="7"><c r="B7"><v>1.0E3</v></c><c r="A7" t="d"><v>2026-11-21</v></c></row>`+
		`</sheetData><mergeCells/>`).
		with("xl/sharedStrings.xml", `<sst><si><t>one</t></si><si><r><t>two</t></r><r><t>!</t></r><rPh sb="0"><t>TWO</t></rPh></si><si><t xml:space="preserve"> three </t></si></sst>`).pack(t)
	columns, rows, err := openXLSX(b, Dialect{Header: true}, Limits{})
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two!", "", " three "}, columns)
	require.Equal(t, []Row{
		{Number: 1, Line: 3, Cells: []string{"in line", "a\rb", "FALSE", "#N/A"}},
		{Number: 2, Line: 7, Cells: []string{"2026-11-21", "1000", "", ""}},
	}, rows)
}

func TestXLSXChoosesTheSheet(t *testing.T) {
	b := saved(t, func(f *excelize.File) {
		for _, name := range []string{"Hidden", "Empty", "People", "More"} {
			_, err := f.NewSheet(name)
			require.NoError(t, err)
			if name != "Empty" {
				require.NoError(t, f.SetSheetRow(name, "A1", &[]any{"First Name", "Last Name", "Website"}))
				require.NoError(t, f.SetSheetRow(name, "A2", &[]any{name, "Example", "acme.test"}))
			}
		}
		require.NoError(t, f.SetSheetVisible("Hidden", false))
	})
	sniff := func(d Dialect) (Sniffed, error) { return SniffXLSX(bytes.NewReader(b), int64(len(b)), d, Limits{}) }
	s, err := sniff(Dialect{})
	require.NoError(t, err)
	require.Equal(t, Dialect{Format: XLSX, Header: true, Sheet: "People"}, s.Dialect)
	require.Equal(t, []string{"Sheet1", "Empty", "People", "More"}, s.Sheets, "to choose from")
	require.Equal(t, Mapping{FirstName: 0, LastName: 1, Domain: 2}, s.Mapping)
	require.Equal(t, [][]string{{"People", "Example", "acme.test"}}, s.Rows)
	s, err = sniff(Dialect{Sheet: "hidden"})
	require.NoError(t, err)
	require.Equal(t, "Hidden", s.Rows[0][0])
	s, err = sniff(Dialect{Format: XLSX, Sheet: "More", Header: false})
	require.NoError(t, err)
	require.Len(t, s.Rows, 2)
	_, err = sniff(Dialect{Sheet: "Empty"})
	requireRefusal(t, err, EmptyFile, "Empty")
	_, err = sniff(Dialect{Sheet: "None"})
	requireRefusal(t, err, NoSuchSheet, `"People"`)
	_, rows, err := openXLSX(b, s.Dialect, Limits{})
	require.NoError(t, err)
	require.Equal(t, s.Rows, cellsOf(rows))
	require.True(t, IsXLSX(b))
}

func TestXLSXTitleAndEstimate(t *testing.T) {
	var data strings.Builder
	data.WriteString(`<dimension ref="A1:B5000"/><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Attendees</t></is></c></row><row r="3"><c r="A3" t="inlineStr"><is><t>Full name</t></is></c><c r="B3" t="inlineStr"><is><t>E-Mail</t></is></c></row>`)
	for i := 4; i <= 5000; i++ {
		fmt.Fprintf(&data, `<row r="%d"><c r="A%d" t="inlineStr"><is><t>Ann Example</t></is></c></row>`, i, i)
	}
	b := workbook(data.String() + `</sheetData>`).pack(t)
	s, err := SniffXLSX(bytes.NewReader(b), int64(len(b)), Dialect{}, Limits{})
	require.NoError(t, err)
	require.Equal(t, 1, s.Skip)
	require.Equal(t, []string{"Full name", "E-Mail"}, s.Columns)
	require.InDelta(t, 4997, s.EstimateRows(int64(len(b))), 2)
	_, rows, err := openXLSX(b, s.Dialect, Limits{})
	require.NoError(t, err)
	require.Len(t, rows, 4997)
	require.Equal(t, 4, rows[0].Line)
}

func TestXLSXRefusals(t *testing.T) {
	cell := func(s string) string {
		return `<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>` + s + `</t></is></c></row></sheetData>`
	}
	good := workbook(cell("x")).pack(t)
	many := workbook(cell("x"))
	for i := range 1100 {
		many[fmt.Sprintf("xl/media/%d.bin", i)] = "x"
	}
	noise := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	wide := `<sheetData><row r="1"><c r="AMA1" t="inlineStr"><is><t>x</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row></sheetData>`
	cases := []struct {
		name, code, holds string
		in                []byte
		limits            Limits
	}{
		{"no zip", BrokenXLSX, "not an Excel workbook", []byte("a,b\n1,2\n"), Limits{}},
		{"old xls", NotASpreadsheet, ".xls", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest"), Limits{}},
		{"cut off", BrokenXLSX, "cut off", good[:len(good)-40], Limits{}},
		{"a zip of other things", NotASpreadsheet, "ZIP", parts{"a.csv": "a,b\n"}.with("xl.workbook", "").pack(t), Limits{}},
		{"no sheet part", BrokenXLSX, "missing", func() []byte { p := workbook(""); delete(p, "xl/worksheets/sheet1.xml"); return p.pack(t) }(), Limits{}},
		{"broken XML", BrokenXLSX, "damaged in line", workbook(`<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>x</wrong`).pack(t), Limits{}},
		{"sheet ends too early", BrokenXLSX, "before it is complete", parts(workbook("")).with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>`).pack(t), Limits{}},
		{"text that is not there", BrokenXLSX, "refers to text 7", workbook(`<sheetData><row><c t="s"><v>7</v></c></row></sheetData>`).pack(t), Limits{}},
		{"empty sheet", EmptyFile, "one person per row", workbook(`<sheetData/>`).pack(t), Limits{}},
		{"too many parts", XLSXTooLarge, "1000 parts", many.pack(t), Limits{}},
		{"huge cell", XLSXTooLarge, "far more", workbook(cell(strings.Repeat("A", 4<<20))).pack(t), Limits{}},
		{"huge cell hidden behind noise", XLSXTooLarge, "longer than", workbook(cell(strings.Repeat("A", 4<<20))).with("xl/media/1.bin", string(noise)).pack(t), Limits{}},
		{"huge shared string", XLSXTooLarge, "longer than", workbook(`<sheetData><row><c t="s"><v>0</v></c></row></sheetData>`).with("xl/sharedStrings.xml", "<sst><si><t>"+strings.Repeat("A", 4<<20)+"</t></si></sst>").with("xl/media/1.bin", string(noise)).pack(t), Limits{}},
		{"unpacks too large", XLSXTooLarge, "more than 1 MB", workbook(cell("x")).with("xl/media/1.bin", string(noise)).pack(t), Limits{Unzipped: 1 << 20}},
		{"file too big", TooBig, "1 KB", good, Limits{MaxBytes: 1 << 10}},
		{"too many columns", TooManyColumns, "1000", workbook(wide).pack(t), Limits{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			_, err := SniffXLSX(bytes.NewReader(c.in), int64(len(c.in)), Dialect{}, c.limits)
			took := time.Since(began)
			requireRefusal(t, err, c.code, c.holds)
			require.Less(t, took, 5*time.Second)
			_, _, err = openXLSX(c.in, Dialect{Header: true}, c.limits)
			requireRefusal(t, err, c.code, c.holds)
		})
	}
	only := workbook(`<sheetData><row><c t="inlineStr"><is><t>E-Mail</t></is></c></row></sheetData>`).pack(t)
	s, err := SniffXLSX(bytes.NewReader(only), int64(len(only)), Dialect{}, Limits{})
	require.NoError(t, err)
	requireRefusal(t, s.Mapping.CheckFile(processVerify, s.Dialect, s.Columns), NoRows, "E-Mail")
	s.Header = false
	s, err = SniffXLSX(bytes.NewReader(only), int64(len(only)), s.Dialect, Limits{})
	require.NoError(t, err)
	require.Equal(t, [][]string{{"E-Mail"}}, s.Rows)
	require.False(t, s.NoRows)
}

func TestXLSXRowsAreBadBeyondLimits(t *testing.T) {
	b := workbook(`<sheetData><row><c t="inlineStr"><is><t>h</t></is></c></row>` +
		`<row><c t="inlineStr"><is><t>` + strings.Repeat("é", 20<<10) + `</t></is></c></row>` +
		`<row><c><v>1</v></c><c r="XFD3"><v>2</v></c></row><row><c><v>3</v></c></row></sheetData>`).pack(t)
	_, rows, err := openXLSX(b, Dialect{Header: true}, Limits{})
	require.NoError(t, err)
	require.Equal(t, "cell 1 is longer than 32 KB", rows[0].Bad)
	require.Equal(t, strings.Repeat("é", 16<<10), rows[0].Cells[0])
	require.Equal(t, "more than 1000 columns", rows[1].Bad)
	require.Equal(t, []string{"1"}, rows[1].Cells)
	require.Equal(t, []string{"3"}, rows[2].Cells)
	require.Empty(t, rows[2].Bad)
}

// TestXLSXBombCostsNothing: a few kilobytes that unpack to one cell of 24 MiB.
func TestXLSXBombCostsNothing(t *testing.T) {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for name, content := range workbook("") {
		if name == "xl/worksheets/sheet1.xml" {
			continue
		}
		w, err := zw.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, content)
		require.NoError(t, err)
	}
	w, err := zw.Create("xl/worksheets/sheet1.xml")
	require.NoError(t, err)
	_, err = io.Copy(w, io.MultiReader(strings.NewReader(`<worksheet><sheetData><row><c t="inlineStr"><is><t>`), &endless{block: bytes.Repeat([]byte("A"), 32<<10), left: 24 << 20}, strings.NewReader(`</t></is></c></row></sheetData></worksheet>`)))
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	for _, ratio := range []int{100, 1 << 20} { // by the directory, and by the length of the cell alone
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, err = SniffXLSX(bytes.NewReader(b.Bytes()), int64(b.Len()), Dialect{}, Limits{Ratio: ratio})
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		requireRefusal(t, err, XLSXTooLarge, "CSV")
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(12<<20))
		require.Less(t, took, 2*time.Second)
	}
}

func TestXLSXSharedStringsSpillToDisk(t *testing.T) {
	const n = 800
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var data, texts strings.Builder
	text := func(i int) string { return fmt.Sprintf("%d:", i) + strings.Repeat(string(rune('a'+i%26)), 12_000) }
	for i := range n {
		j := (i * 7919) % n
		fmt.Fprintf(&data, `<row><c t="s"><v>%d</v></c><c t="s"><v>%d</v></c></row>`, i, j)
		fmt.Fprintf(&texts, "<si><t>%s</t></si>", text(i))
	}
	b := workbook("<sheetData>"+data.String()+"</sheetData>").with("xl/sharedStrings.xml", "<sst>"+texts.String()+"</sst>").pack(t)
	rd, err := NewXLSXReader(bytes.NewReader(b), int64(len(b)), Dialect{}, Limits{Ratio: 10_000})
	require.NoError(t, err)
	for i := range n {
		row, err := rd.Next()
		require.NoError(t, err)
		require.Equal(t, text(i), row.Cells[0])
		require.Equal(t, text((i*7919)%n), row.Cells[1])
	}
	_, err = rd.Next()
	require.ErrorIs(t, err, io.EOF)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, rd.Close())
	files, err = os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files, "nothing is left behind")
	require.NoError(t, rd.Close(), "closing twice is closing once")
	_, err = rd.Next()
	require.Error(t, err)
}

func TestXLSXWriterGoesOnInTheNextSheet(t *testing.T) {
	var b bytes.Buffer
	xw, err := newXLSXWriter(&b, WriteOptions{Columns: []string{"n", "sum"}})
	require.NoError(t, err)
	xw.maxRow = 3
	for i := range 5 {
		require.NoError(t, xw.Write([]string{fmt.Sprint(i), "=SUM(A1)"}))
	}
	require.NoError(t, xw.Close())
	var got [][]string
	for _, name := range []string{"Sheet1", "Sheet2", "Sheet3"} {
		columns, rows, err := openXLSX(b.Bytes(), Dialect{Header: true, Sheet: name}, Limits{})
		require.NoError(t, err)
		require.Equal(t, []string{"n", "sum"}, columns)
		got = append(got, cellsOf(rows)...)
	}
	require.Equal(t, [][]string{{"0", "'=SUM(A1)"}, {"1", "'=SUM(A1)"}, {"2", "'=SUM(A1)"}, {"3", "'=SUM(A1)"}, {"4", "'=SUM(A1)"}}, got)
	f, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	value, err := f.GetCellValue("Sheet2", "B2")
	require.NoError(t, err)
	require.Equal(t, "'=SUM(A1)", value, "other programs read it too")
	require.NoError(t, f.Close())
}

func TestXLSXFormatsThatCannotBeApplied(t *testing.T) {
	nf := &numberFormats{ofStyle: []int{0, 200, 201, 202, 14, 49}, codes: map[int]string{200: "", 201: strings.Repeat("0", 300), 202: `[$-x]"[[;;;`}, styles: map[int]int{}, shown: map[shownKey]string{}}
	for style := range 4 {
		require.Equal(t, "12", nf.display(style, "12"))
	}
	require.Equal(t, "11-21-26", nf.display(4, "46347"))
	require.Equal(t, "11-21-26", nf.display(4, "46347"))
	require.Equal(t, "00012", nf.display(5, "00012"))
	require.Equal(t, "7", nf.display(99, "7"))
	require.NoError(t, nf.close())
	for in, want := range map[string]string{"1.0E2": "100", "0.30000000000000004": "0.3", "1E300": "1E300", "abc": "abc", "NaN": "NaN", "0x10": "0x10", "123456789012345678": "123456789012346000", "-1.50": "-1.5"} {
		require.Equal(t, want, plainNumber(in))
	}
}

func TestXLSXGivesErrorsOfTheSource(t *testing.T) {
	b := workbook(`<sheetData><row><c><v>1</v></c></row></sheetData>`).pack(t)
	broken := errors.New("connection reset")
	_, err := SniffXLSX(brokenAt{broken}, int64(len(b)), Dialect{}, Limits{})
	require.ErrorIs(t, err, broken)
}

type brokenAt struct{ err error }

func (b brokenAt) ReadAt([]byte, int64) (int, error) { return 0, b.err }

func BenchmarkXLSXReader(b *testing.B) {
	const n = 20_000
	var out bytes.Buffer
	w, err := NewWriter(&out, XLSX, WriteOptions{Columns: []string{"first_name", "last_name", "company", "domain", "title"}})
	require.NoError(b, err)
	for i := range n {
		require.NoError(b, w.Write([]string{fmt.Sprintf("Anna%d", i), "Example", fmt.Sprintf("Acme %d GmbH", i%500), "acme.test", "Head of Sales"}))
	}
	require.NoError(b, w.Close())
	b.ReportAllocs()
	for b.Loop() {
		_, rows, err := openXLSX(out.Bytes(), Dialect{Header: true}, Limits{})
		require.NoError(b, err)
		require.Len(b, rows, n)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
