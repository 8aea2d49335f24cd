package sheet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// seeds are files that fuzzing starts from.
func seeds(f *testing.F) {
	for _, s := range []string{
		"", "a", "a,b\nc,d\n", "First Name;Last Name\r\nAnn;Example\r\n", "sep=;\na;b\n", "\xEF\xBB\xBFname\nAnn\n", "a\tb\rc\td\r",
		`"a","b ""c""",d` + "\n", "\"a\nb\",c\n\"x\n", `"Bob" Smith,"x"` + "\n", " \"a\",\" b\"\n", "\xFF\xFEa\x00,\x00b\x00\n\x00", "\x00a\x00,\x00\n",
		`{"a":1,"b":[2]}` + "\n" + `{"c":null}` + "\n{", "[1,2]", "M\xFCller;Gr\xF6\xDFe\n", "\x93\x8C\x8B\x9E,\x91\xE5\x8D\xE3\n", "PK\x03\x04xl/workbook.xml", "\"\"\"\"\n\"\"\"\n", "a,\"\r\n,\n\"",
	} {
		f.Add([]byte(s), uint8(0), uint8(0), true)
		f.Add([]byte(s), uint8(1), uint8(3), false)
	}
}

func FuzzSniff(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte, comma, encoding uint8, whole bool) {
		chosen := Dialect{Comma: Commas()[int(comma)%4], Encoding: Encodings()[int(encoding)%len(Encodings())], Header: whole}
		for _, sniffed := range []func() (Sniffed, error){
			func() (Sniffed, error) { return Sniff(in, whole, "a.csv") },
			func() (Sniffed, error) { return SniffAs(in, whole, chosen) },
		} {
			s, err := sniffed()
			if err != nil {
				var refusal *Refusal
				require.ErrorAs(t, err, &refusal)
				require.NotEmpty(t, refusal.Message)
				continue
			}
			require.Equal(t, s.NoRows, s.RoughRows == 0)
			require.True(t, s.Header || !s.NoRows, "nothing below a header, not nothing")
			require.LessOrEqual(t, len(s.Rows), SampleRows)
			for field, column := range s.Mapping {
				require.Positive(t, s.MappingConfidence[field])
				require.GreaterOrEqual(t, column, 0)
			}
			rd, err := NewReader(bytes.NewReader(in), s.Dialect, Limits{})
			require.NoError(t, err)
			if whole {
				require.Equal(t, s.Columns, rd.Columns())
				rows, err := collect(rd)
				require.NoError(t, err)
				require.Len(t, rows, s.RoughRows)
			}
		}
	})
}

func FuzzReader(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte, comma, encoding uint8, header bool) {
		d := Dialect{Comma: Commas()[int(comma)%4], Encoding: Encodings()[int(encoding)%len(Encodings())], Header: header}
		if comma >= 128 {
			d.Format = JSONL
		}
		limits := Limits{MaxCell: 64, MaxColumns: 20, MaxRows: 1 << 20}
		read := func(skip int) ([]Row, error) {
			rd, err := NewReader(bytes.NewReader(in), d, limits)
			if err != nil {
				return nil, err
			}
			for range skip {
				if _, err := rd.Next(); err != nil {
					return nil, err
				}
			}
			rows, err := collect(rd)
			return rows, errors.Join(err, rd.Close())
		}
		all, err := read(0)
		if err != nil {
			var refusal *Refusal
			require.ErrorAs(t, err, &refusal)
			return
		}
		require.LessOrEqual(t, len(all), len(in)+1)
		for i, row := range all {
			require.Equal(t, i+1, row.Number)
			require.LessOrEqual(t, len(row.Cells), 20)
			for _, cell := range row.Cells {
				require.LessOrEqual(t, len(cell), 3*64)
				require.Equal(t, clean([]byte(cell)), cell, "what a database can store")
			}
		}
		if len(all) > 0 {
			rest, err := read(len(all) / 2)
			require.NoError(t, err)
			if want := all[len(all)/2:]; len(want) > 0 {
				require.Equal(t, want, rest)
			}
		}
	})
}

func FuzzXLSX(f *testing.F) {
	f.Add(`<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>`, `<sst><si><t>x</t></si></sst>`, `<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`)
	f.Add(`<sheetData><row><c t="inlineStr"><is><t>a_x0000_</t></is></c><c s="0"><v>46347</v></c></row><row/></sheetData>`, `<sst>`, `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy"/></numFmts><cellXfs><xf numFmtId="164"/></cellXfs></styleSheet>`)
	f.Fuzz(func(t *testing.T, sheet, texts, styles string) {
		b := workbook(sheet).with("xl/sharedStrings.xml", texts).with("xl/styles.xml", styles).pack(t)
		_, _, err := openXLSX(b, Dialect{}, Limits{MaxColumns: 50})
		if err != nil {
			var refusal *Refusal
			require.ErrorAs(t, err, &refusal)
		}
		_, _ = SniffXLSX(bytes.NewReader(b), int64(len(b)), Dialect{}, Limits{})
	})
}
