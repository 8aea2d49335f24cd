package sheet

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// readAll reads every row, or fails the test.
func readAll(t testing.TB, rd *Reader) []Row {
	t.Helper()
	rows, err := collect(rd)
	require.NoError(t, err)
	require.NoError(t, rd.Close())
	return rows
}

func collect(rd *Reader) ([]Row, error) {
	var rows []Row
	for {
		row, err := rd.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

func cellsOf(rows []Row) [][]string {
	var cells [][]string
	for _, row := range rows {
		cells = append(cells, row.Cells)
	}
	return cells
}

func TestReaderTakesWhatPeopleWrite(t *testing.T) {
	cases := []struct {
		name, in string
		want     [][]string
	}{
		{"plain", "a,b\nc,d\n", [][]string{{"a", "b"}, {"c", "d"}}},
		{"no line end at the end", "a,b\nc,d", [][]string{{"a", "b"}, {"c", "d"}}},
		{"CRLF", "a,b\r\nc,d\r\n", [][]string{{"a", "b"}, {"c", "d"}}},
		{"CR alone", "a,b\rc,d\r", [][]string{{"a", "b"}, {"c", "d"}}},
		{"mixed line ends", "a,b\nc,d\r\ne,f\rg,h", [][]string{{"a", "b"}, {"c", "d"}, {"e", "f"}, {"g", "h"}}},
		{"empty lines are no rows", "\n\na,b\n\r\n\nc,d\n\n", [][]string{{"a", "b"}, {"c", "d"}}},
		{"delimiters alone are a row", "a,b\n,\n", [][]string{{"a", "b"}, {"", ""}}},
		{"quoted", `"a","b"` + "\n", [][]string{{"a", "b"}}},
		{"quoted delimiter", `"a,1",b` + "\n", [][]string{{"a,1", "b"}}},
		{"doubled quote", `"a ""x"" y",b` + "\n", [][]string{{`a "x" y`, "b"}}},
		{"quoted line end", "\"a\nb\",c\nd,e\n", [][]string{{"a\nb", "c"}, {"d", "e"}}},
		{"quoted CRLF", "\"a\r\nb\",c\r\nd,e\r\n", [][]string{{"a\r\nb", "c"}, {"d", "e"}}},
		{"empty quoted cells", `"",""` + "\n", [][]string{{"", ""}}},
		{"lone empty cell", "\"\"\na\n", [][]string{{""}, {"a"}}},
		{"quote within a cell", `5" pipe,b` + "\n", [][]string{{`5" pipe`, "b"}}},
		{"bare quotes in a quoted cell", `"He said "hi" to me",x` + "\n", [][]string{{`He said "hi" to me`, "x"}}},
		{"bare quotes around a delimiter", `"Foo "A, B" Inc",x` + "\n", [][]string{{`Foo "A, B" Inc`, "x"}}},
		{"quote at the start only", `"Bob" Smith,x` + "\n", [][]string{{`"Bob" Smith`, "x"}}},
		{"the next cell's quotes do not close this one", `"Bob" Smith,"x"` + "\n", [][]string{{`"Bob" Smith`, "x"}}},
		{"blanks around quotes", `a, "b, c" ,d` + "\n", [][]string{{"a", "b, c", "d"}}},
		{"blanks stay", " a , b\n", [][]string{{" a ", " b"}}},
		{"short rows are filled up", "a,b,c\nd\n", [][]string{{"a", "b", "c"}, {"d", "", ""}}},
		{"long rows keep their cells", "a,b\nc,d,e\n", [][]string{{"a", "b", ""}, {"c", "d", "e"}}},
		{"byte order mark", "\xEF\xBB\xBFa,b\n", [][]string{{"a", "b"}}},
		{"separator line", "sep=,\na,b\n", [][]string{{"a", "b"}}},
		{"NUL is dropped", "a\x00b,c\n", [][]string{{"ab", "c"}}},
		{"invalid UTF-8 is replaced", "a\xFFb,c\n", [][]string{{"a\uFFFDb", "c"}}},
		{"NUL and invalid UTF-8 in quotes", "\"a\x00\xFF\",c\n", [][]string{{"a\uFFFD", "c"}}},
		{"unclosed quote before quoted rows", "a,\"b\n\"c\",\"d\"\ne,f\n", [][]string{{"a", `"b`}, {"c", "d"}, {"e", "f"}}},
		{"quote alone at the end", "a,b\n\"", [][]string{{"a", "b"}, {`"`, ""}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
				rd, err := NewReader(wrap(strings.NewReader(c.in)), Dialect{}, Limits{})
				require.NoError(t, err)
				require.Equal(t, c.want, cellsOf(readAll(t, rd)))
			}
		})
	}
}

func TestReaderResumesAfterUnclosedQuote(t *testing.T) {
	var in strings.Builder
	in.WriteString("name,company\nAnn,\"Acme\nBob,Beta\n")
	for i := range 20_000 {
		fmt.Fprintf(&in, "p%d,c%d\n", i, i)
	}
	rd, err := NewReader(strings.NewReader(in.String()), Dialect{Header: true}, Limits{})
	require.NoError(t, err)
	rows := readAll(t, rd)
	require.Len(t, rows, 20_002, "every line is a row")
	require.Equal(t, []string{"Ann", `"Acme`}, rows[0].Cells)
	require.Equal(t, "a quote opens in line 2 and is never closed", rows[0].Bad)
	require.Equal(t, Row{Number: 2, Line: 3, Cells: []string{"Bob", "Beta"}}, rows[1])
	require.Equal(t, Row{Number: 20_002, Line: 20_003, Cells: []string{"p19999", "c19999"}}, rows[20_001])
}

func TestReaderRowsAreBadBeyondLimits(t *testing.T) {
	long := strings.Repeat("x", 40<<10)
	wide := strings.Repeat("v,", 1200) + "v"
	cases := []struct {
		name, line, bad string
		cells           int
	}{
		{"long cell", "a," + long + ",c", "cell 2 is longer than 32 KB", 3},
		{"long quoted cell", `a,"` + long + `",c`, "cell 2 is longer than 32 KB", 3},
		{"long quoted cell over lines", "a,\"" + strings.Repeat("xxxxxxx\n", 5<<10) + `",c`, "cell 2 is longer than 32 KB", 3},
		{"too many columns", wide, "more than 1000 columns", 1000},
		{"too many quoted columns", strings.Repeat("\"v\n\",", 1200) + "v", "more than 1000 columns", 1000},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rd, err := NewReader(strings.NewReader("h1,h2,h3\n"+c.line+"\nd,e,f\n"), Dialect{Header: true}, Limits{})
			require.NoError(t, err)
			rows := readAll(t, rd)
			require.Len(t, rows, 2)
			require.Equal(t, c.bad, rows[0].Bad)
			require.Len(t, rows[0].Cells, c.cells)
			for _, cell := range rows[0].Cells {
				require.LessOrEqual(t, len(cell), 32<<10)
			}
			require.Equal(t, []string{"d", "e", "f"}, rows[1].Cells)
			require.Empty(t, rows[1].Bad)
		})
	}
}

func TestReaderCutsCellsBetweenRunes(t *testing.T) {
	rd, err := NewReader(strings.NewReader("h\n"+strings.Repeat("é", 40)+"\n"), Dialect{Header: true}, Limits{MaxCell: 31})
	require.NoError(t, err)
	rows := readAll(t, rd)
	require.Equal(t, strings.Repeat("é", 15), rows[0].Cells[0])
}

func TestReaderRefusesBeyondLimits(t *testing.T) {
	rd, err := NewReader(strings.NewReader("h\na\nb\nc\n"), Dialect{Header: true}, Limits{MaxRows: 2})
	require.NoError(t, err)
	rows, err := collect(rd)
	require.Len(t, rows, 2)
	requireRefusal(t, err, TooManyRows, "line 4")
	_, again := rd.Next()
	require.Equal(t, err, again, "the refusal stays")

	rd, err = NewReader(iotest.OneByteReader(strings.NewReader("h\n"+strings.Repeat("abc\n", 100))), Dialect{Header: true}, Limits{MaxBytes: 200})
	require.NoError(t, err)
	_, err = collect(rd)
	requireRefusal(t, err, TooBig, "200 bytes")

	for _, header := range []bool{true, false} {
		_, err = NewReader(strings.NewReader(strings.Repeat("h,", 1000)+"h\nx\n"), Dialect{Header: header}, Limits{})
		requireRefusal(t, err, TooManyColumns, "1000")
	}
}

func requireRefusal(t *testing.T, err error, code, holds string) {
	t.Helper()
	var refusal *Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code)
	require.Contains(t, refusal.Message, holds)
}

func TestReaderGivesErrorsOfTheSource(t *testing.T) {
	broken := errors.New("connection reset")
	rd, err := NewReader(io.MultiReader(strings.NewReader("h\na\nb\n\"c"), iotest.ErrReader(broken)), Dialect{Header: true}, Limits{})
	require.NoError(t, err)
	_, err = collect(rd)
	require.ErrorIs(t, err, broken)
	_, err = NewReader(iotest.ErrReader(broken), Dialect{Header: true}, Limits{})
	require.ErrorIs(t, err, broken)
}

func TestReaderNamesWrongDialects(t *testing.T) {
	for _, d := range []Dialect{{Format: "ods"}, {Comma: "x"}, {Encoding: "ebcdic"}, {Skip: -1}, {Format: XLSX}} {
		_, err := NewReader(strings.NewReader("a\n"), d, Limits{})
		require.Error(t, err)
	}
}

func TestReaderColumnsWithoutHeader(t *testing.T) {
	rd, err := NewReader(strings.NewReader("a,b\nc,d,e\nf\n"), Dialect{}, Limits{})
	require.NoError(t, err)
	require.Equal(t, []string{"Column 1", "Column 2", "Column 3"}, rd.Columns())
	require.Equal(t, [][]string{{"a", "b", ""}, {"c", "d", "e"}, {"f", "", ""}}, cellsOf(readAll(t, rd)))
}

func TestReaderKeepsHeaderAsWritten(t *testing.T) {
	rd, err := NewReader(strings.NewReader("Title of the file\n name ,,name\na,b,c\n"), Dialect{Header: true, Skip: 1}, Limits{})
	require.NoError(t, err)
	require.Equal(t, []string{" name ", "", "name"}, rd.Columns())
	rows := readAll(t, rd)
	require.Equal(t, 3, rows[0].Line)
}

// endless repeats a block until so many bytes have been read.
type endless struct {
	block []byte
	left  int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), e.left)], e.block)
	e.left -= n
	return n, nil
}

func TestReaderMemoryStaysFlat(t *testing.T) {
	const bytes = 2 << 20
	blocks := map[string]string{
		"one line":           "x",
		"one quoted line":    "\"",
		"one line of commas": ",",
		"unclosed quotes":    "\"a\nb,",
		"quotes and junk":    `"a"a,`,
		"only CR":            "\r",
		"blank and quote":    ` "a`,
	}
	for name, block := range blocks {
		t.Run(name, func(t *testing.T) {
			in := io.MultiReader(strings.NewReader("h1,h2\n\"start"), &endless{block: []byte(strings.Repeat(block, 4096)), left: bytes}, strings.NewReader("\nlast,row\n"))
			rd, err := NewReader(in, Dialect{Header: true}, Limits{MaxRows: 1 << 30})
			require.NoError(t, err)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var last Row
			for n := 0; ; n++ {
				row, err := rd.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				require.NoError(t, err)
				last = row
				if n%(1<<16) == 0 {
					runtime.GC()
					runtime.ReadMemStats(&after)
					require.Less(t, int64(after.HeapInuse)-int64(before.HeapInuse), int64(1<<20))
				}
			}
			require.Equal(t, []string{"last", "row"}, last.Cells[:2])
		})
	}
}

func TestJSONLines(t *testing.T) {
	in := "\xEF\xBB\xBF" + `{"name":"Ann","age":41,"tags":["a","b"],"x":null}
{"email":"ann@acme.test","name":"Bob","ok":true}

[1,2]
{"name":"Cleo"
{"name":"Dan","extra":"late"} {"name":"Eve"}
{"name":"Fay ` + strings.Repeat("y", 100) + `"}
`
	rd, err := NewReader(strings.NewReader(in), Dialect{Format: JSONL, Columns: []string{"name", "age", "tags", "x"}}, Limits{MaxCell: 50})
	require.NoError(t, err)
	rows := readAll(t, rd)
	require.Len(t, rows, 6)
	require.Equal(t, []string{"Ann", "41", `["a","b"]`, ""}, rows[0].Cells)
	require.Equal(t, []string{"Bob", "", "", "", "email: ann@acme.test", "ok: true"}, rows[1].Cells)
	require.Equal(t, "line 4 is not a JSON object", rows[2].Bad)
	require.Equal(t, "[1,2]", rows[2].Cells[0])
	require.Equal(t, "line 5 is not a JSON object", rows[3].Bad)
	require.Equal(t, "line 6 is not a JSON object", rows[4].Bad)
	require.Equal(t, "cell 1 is longer than 50 bytes", rows[5].Bad)

	rd, err = NewReader(strings.NewReader(in), Dialect{Format: JSONL}, Limits{})
	require.NoError(t, err)
	require.Equal(t, []string{"name", "age", "tags", "x", "email", "ok"}, rd.Columns(), "keys in the order first seen")
	require.NoError(t, rd.Close())
}

func TestJSONLinesSkipsEndlessLine(t *testing.T) {
	in := io.MultiReader(strings.NewReader("{\"a\":\"1\"}\n{\"a\":\""), &endless{block: []byte(strings.Repeat("z", 4096)), left: 8 << 20}, strings.NewReader("\"}\n{\"a\":\"3\"}\n"))
	rd, err := NewReader(in, Dialect{Format: JSONL}, Limits{})
	require.NoError(t, err)
	rows := readAll(t, rd)
	require.Len(t, rows, 3)
	require.Equal(t, "line 2 is longer than 1 MB", rows[1].Bad)
	require.Equal(t, []string{"3"}, rows[2].Cells)
}

func TestReaderGoesOnWhereItStopped(t *testing.T) {
	in := "h\n1\n\"2\n3\n\n4\n\"5\"\n"
	rd, err := NewReader(strings.NewReader(in), Dialect{Header: true}, Limits{})
	require.NoError(t, err)
	all := readAll(t, rd)
	for skip := range all {
		rd, err := NewReader(strings.NewReader(in), Dialect{Header: true}, Limits{})
		require.NoError(t, err)
		for range skip {
			_, err := rd.Next()
			require.NoError(t, err)
		}
		require.Equal(t, all[skip:], readAll(t, rd))
	}
}

func benchmarkInput(rows int) string {
	var b strings.Builder
	b.WriteString("first_name,last_name,company,domain,title\n")
	for i := range rows {
		fmt.Fprintf(&b, "Anna%d,Example%d,Acme %d GmbH,acme%d.test,Head of Sales\n", i, i, i%500, i%500)
	}
	return b.String()
}

func benchmarkReader(b *testing.B, in string, d Dialect, rows int) {
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		rd, err := NewReader(strings.NewReader(in), d, Limits{})
		require.NoError(b, err)
		n := 0
		for {
			if _, err := rd.Next(); err != nil {
				break
			}
			n++
		}
		require.Equal(b, rows, n)
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkReader(b *testing.B) {
	const rows = 100_000
	plain := benchmarkInput(rows)
	quoted := `"` + strings.NewReplacer(",", `","`, "\n", "\"\n\"").Replace(strings.TrimSuffix(plain, "\n")) + "\"\n"
	b.Run("plain", func(b *testing.B) { benchmarkReader(b, plain, Dialect{Header: true}, rows) })
	b.Run("quoted", func(b *testing.B) { benchmarkReader(b, quoted, Dialect{Header: true}, rows) })
	b.Run("windows-1252", func(b *testing.B) {
		benchmarkReader(b, plain, Dialect{Header: true, Encoding: Windows1252}, rows)
	})
}
