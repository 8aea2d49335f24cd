package sheet

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// written is what a writer makes of a header and rows.
func written(t require.TestingT, format string, o WriteOptions, rows ...[]string) []byte {
	var b bytes.Buffer
	w, err := NewWriter(&b, format, o)
	require.NoError(t, err)
	for _, row := range rows {
		require.NoError(t, w.Write(row))
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestGuard(t *testing.T) {
	guarded := []string{"=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\x00=1", "+1+1", "-1+1", "-2+3+cmd|' /C calc'!D2", "+A1", "-A1", "+", "-", "+-1", "+49 30 x cmd", "-(1)", "+SUM(1)", "--1", "+1E", "-1E5A", "+1;2", "+49 30,=1"}
	for _, cell := range guarded {
		require.Equal(t, "'"+cell, Guard(cell))
		require.Equal(t, "'"+cell, Guard(Guard(cell)), "a second time changes nothing")
	}
	kept := []string{"", "a", "1", "a=1", " =1", "'=1", "-1", "+1", "+.1", "-1,234.50", "- 5 %", "+1E+5", "-1.5e-7", "-12 €", "+49 30 123456", "+49 (0)30 123-45", "+1 (555) 010-0199", "+1.555.010.0199", "+1 555 0100 ext. 12", "+1 555 0100 x12", "+33 1/23/45"}
	for _, cell := range kept {
		require.Equal(t, cell, Guard(cell))
	}
}

func TestGuardedCellsAreNoFormulas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`[=@+\-\t\r\x00'][ -~]{0,12}`), rapid.StringMatching(`[+\-][0-9 ().,/eEx%-]{0,10}`)).Draw(t, "cell")
		once := Guard(cell)
		require.Equal(t, once, Guard(once))
		require.True(t, once == cell || once == "'"+cell, "nothing but the quote is added")
		if once != "" && strings.ContainsRune("=@\t\r\x00", rune(once[0])) {
			t.Fatalf("%q begins a formula", once)
		}
		if once != "" && strings.ContainsRune("+-", rune(once[0])) {
			require.False(t, strings.ContainsAny(once, "=|!;:*^&<>\"@"), "%q is more than a number", once)
		}
	})
}

func TestCSVWriter(t *testing.T) {
	got := written(t, CSV, WriteOptions{Comma: ";", Columns: []string{"name", "note"}, BOM: true, CRLF: true},
		[]string{"Ann", "a;b"}, []string{`the "one"`, "two\nlines"}, []string{"", " x"}, []string{"=1+1", "+49 30 1"}, []string{""})
	require.Equal(t, "\xEF\xBB\xBFname;note\r\nAnn;\"a;b\"\r\n\"the \"\"one\"\"\";\"two\nlines\"\r\n;\" x\"\r\n'=1+1;+49 30 1\r\n\"\"\r\n", string(got))
	require.Equal(t, "=1+1\n", string(written(t, CSV, WriteOptions{Raw: true}, []string{"=1+1"})))
}

func TestJSONLWriter(t *testing.T) {
	got := written(t, JSONL, WriteOptions{Columns: []string{"name", "name", "", "name"}}, []string{"Ann", "=1", "<b>\"", "ü\n", "extra"}, []string{"Bob"})
	require.Equal(t, `{"name":"Ann","name (2)":"=1","Column 3":"\u003cb\u003e\"","name (3)":"ü\n","Column 5":"extra"}`+"\n"+`{"name":"Bob"}`+"\n", string(got))
}

type brokenWriter struct{ after int }

var errDisk = errors.New("disk full")

func (b *brokenWriter) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestWritersSayWhenTheyCannotWrite(t *testing.T) {
	for _, format := range []string{CSV, JSONL, XLSX} {
		w, err := NewWriter(&brokenWriter{after: 100}, format, WriteOptions{Columns: []string{"a"}})
		require.NoError(t, err)
		for range 10_000 {
			if err = w.Write([]string{"some text in a cell"}); err != nil {
				break
			}
		}
		if err == nil {
			err = w.Close()
		} else {
			require.Error(t, w.Close())
		}
		require.ErrorIs(t, err, errDisk, format)
	}
	_, err := NewWriter(&bytes.Buffer{}, "ods", WriteOptions{})
	require.Error(t, err)
	_, err = NewWriter(&bytes.Buffer{}, CSV, WriteOptions{Comma: ";;"})
	require.Error(t, err)
}

// tables draws a header and rows of random cells that text can hold.
func tables(t *rapid.T, letters string) [][]string {
	columns := rapid.IntRange(1, 6).Draw(t, "columns")
	chars := rapid.SampledFrom([]rune(letters + `"";;,,` + "\t|\n\r '=@+-.ab01"))
	cell := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(chars, 0, 12).Draw(t, "cell")) })
	return rapid.SliceOfN(rapid.SliceOfN(cell, columns, columns), 1, 12).Draw(t, "rows")
}

// lettersOf are some characters that an encoding can express.
var lettersOf = map[string]string{
	UTF8: "äß€漢字\U0001F600\uFEFF", UTF16LE: "äß€漢字\U0001F600", UTF16BE: "äß€漢字\U0001F600", Windows1252: "äéñß€“", Windows1250: "ąřőš€", ISO88592: "ąřőš",
	Windows1251: "абвЖЯё", Windows1254: "ğışİ", Macintosh: "äéñß", ShiftJIS: "あア漢字ﾊ", GB18030: "汉字，€\U0001F600",
}

func TestWrittenTablesAreReadAgain(t *testing.T) {
	for _, encoding := range Encodings() {
		t.Run(encoding, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				rows := tables(t, lettersOf[encoding])
				comma := rapid.SampledFrom(Commas()).Draw(t, "comma")
				text := written(t, CSV, WriteOptions{Comma: comma, Raw: true, CRLF: rapid.Bool().Draw(t, "crlf")}, rows...)
				enc, err := encodingOf(encoding)
				require.NoError(t, err)
				if enc != nil {
					text, err = enc.NewEncoder().Bytes(text)
					require.NoError(t, err)
				}
				rd, err := NewReader(bytes.NewReader(text), Dialect{Comma: comma, Encoding: encoding}, Limits{})
				require.NoError(t, err)
				got, err := collect(rd)
				require.NoError(t, err)
				require.Equal(t, rows, cellsOf(got))
				for _, row := range got {
					require.Empty(t, row.Bad)
				}
			})
		})
	}
}

func TestWrittenJSONLIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := tables(t, lettersOf[UTF8]+"\u2028<&\\")
		rd, err := NewReader(bytes.NewReader(written(t, JSONL, WriteOptions{Columns: rows[0]}, rows...)), Dialect{Format: JSONL}, Limits{})
		require.NoError(t, err)
		require.Len(t, rd.Columns(), len(rows[0]), "every column has a key of its own")
		got, err := collect(rd)
		require.NoError(t, err)
		require.Equal(t, rows, cellsOf(got))
	})
}

func TestWrittenXLSXIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := tables(t, "äß€漢字\U0001F600<>&_x005F_")
		rows[0][0] = "first"
		b := written(t, XLSX, WriteOptions{Columns: rows[0], Raw: true}, rows[1:]...)
		rd, err := NewXLSXReader(bytes.NewReader(b), int64(len(b)), Dialect{Header: true}, Limits{})
		require.NoError(t, err)
		require.Equal(t, rows[0][:len(rd.Columns())], rd.Columns())
		got, err := collect(rd)
		require.NoError(t, err)
		require.NoError(t, rd.Close())
		want := [][]string{}
		for _, row := range rows[1:] {
			if !isEmpty(row) {
				want = append(want, row)
			}
		}
		require.Len(t, got, len(want))
		for i, row := range got {
			for j, cell := range row.Cells {
				require.Equal(t, want[i][j], cell)
			}
			require.True(t, isEmpty(want[i][len(row.Cells):]), "only empty cells are left out at the end")
		}
	})
}
