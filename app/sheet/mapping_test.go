package sheet

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// headerCase is one line of testdata/headers.tsv or exports.tsv.
type headerCase struct {
	name    string
	columns []string
	want    Mapping
}

func headerCases(t *testing.T, file string) []headerCase {
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	var cases []headerCase
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		parts := strings.Split(lines.Text(), "\t")
		require.Len(t, parts, 3, lines.Text())
		c := headerCase{name: parts[0], columns: strings.Split(parts[1], "·"), want: Mapping{}}
		for _, pair := range strings.Fields(parts[2]) {
			field, column, _ := strings.Cut(pair, "=")
			c.want[Field(field)], err = strconv.Atoi(column)
			require.NoError(t, err)
		}
		cases = append(cases, c)
	}
	return cases
}

// rowsFor makes rows that fit the wanted mapping. A link that is none of the fields leads to a profile, as in exports of LinkedIn; other
// columns are empty.
func rowsFor(c headerCase) [][]string {
	sample := map[Field][]string{
		FirstName: {"Ann", "Bob", "Cleo", "Dan"}, LastName: {"Example", "Sample", "Muster", "Prova"},
		FullName: {"Ann Example", "Bob Sample", "Cleo Muster", "Dan Prova"}, Company: {"Acme GmbH", "Beta Ltd", "Gamma", "Delta Inc"},
		Domain: {"acme.test", "https://www.beta.test/", "", "delta.test"}, Email: {"ann@acme.test", "", "", "dan@delta.test"},
	}
	var rows [][]string
	for i := range 4 {
		row := make([]string, len(c.columns))
		for column, name := range c.columns {
			if strings.Contains(strings.ToLower(name), "url") {
				row[column] = "https://www.linkedin.com/in/" + strings.ToLower(sample[FirstName][i])
			}
		}
		for field, column := range c.want {
			row[column] = sample[field][i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestDetectMappingKnowsRealHeaders(t *testing.T) {
	cases := headerCases(t, "headers.tsv")
	require.GreaterOrEqual(t, len(cases), 60)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, rows := range [][][]string{nil, rowsFor(c)} {
				m, sure := DetectMapping(c.columns, rows, true)
				require.Equal(t, c.want, m, "%v", c.columns)
				require.Len(t, sure, len(m))
				for field, s := range sure {
					require.True(t, s > 0 && s <= 1, "%s: %v", field, s)
				}
			}
		})
	}
}

func TestSniffFindsRealHeaders(t *testing.T) {
	for _, c := range headerCases(t, "headers.tsv") {
		var text strings.Builder
		w, err := NewWriter(&text, CSV, WriteOptions{Comma: ";", Columns: c.columns, Raw: true})
		require.NoError(t, err)
		for _, row := range rowsFor(c) {
			require.NoError(t, w.Write(row))
		}
		require.NoError(t, w.Close())
		s, err := Sniff([]byte(text.String()), true, "")
		require.NoError(t, err)
		require.True(t, s.Header, c.name)
		require.Equal(t, c.columns, s.Columns, c.name)
		require.Equal(t, c.want, s.Mapping, c.name)
	}
}

func TestDetectMappingReadsContentWithoutHeader(t *testing.T) {
	cases := []struct {
		name string
		rows [][]string
		want Mapping
	}{
		{"names, company, domain", [][]string{{"Anna", "Example", "Acme GmbH", "acme.test"}, {"Peter", "Sample", "Beta Ltd", "beta.test"}, {"Marie", "Muster", "Gamma Inc", "gamma.test"}}, Mapping{FirstName: 0, LastName: 1, Company: 2, Domain: 3}},
		{"surname first", [][]string{{"Example", "Anna"}, {"Sample", "Peter"}, {"Muster", "Marie"}}, Mapping{FirstName: 1, LastName: 0}},
		{"full name and URL", [][]string{{"1", "Anna Example", "https://acme.test/about"}, {"2", "Peter van der Sample", "http://www.beta.test"}, {"3", "Marie-Claire Muster", "gamma.test"}}, Mapping{FullName: 1, Domain: 2}},
		{"e-mails", [][]string{{"ann@acme.test"}, {""}, {"bob@beta.test"}}, Mapping{Email: 0}},
		{"profiles are no domains", [][]string{{"Anna Example", "https://www.linkedin.com/in/anna-example"}, {"Peter Sample", "linkedin.com/in/peter"}}, Mapping{FullName: 0}},
		{"numbers and dates", [][]string{{"1", "2026-01-02"}, {"2", "2026-01-03"}}, Mapping{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _ := DetectMapping(numberedColumns(len(c.rows[0])), c.rows, false)
			require.Equal(t, c.want, m)
		})
	}
}

func TestDetectMappingLooksBehindTheName(t *testing.T) {
	linkedIn := [][]string{{"Ann Example", "https://www.linkedin.com/in/ann"}, {"Bob Sample", "https://de.linkedin.com/in/bob"}}
	m, _ := DetectMapping([]string{"Name", "URL"}, linkedIn, true)
	require.Equal(t, Mapping{FullName: 0}, m, "a profile is no website")

	companies := [][]string{{"Acme GmbH", "acme.test"}, {"Beta Ltd", "beta.test"}, {"Gamma Inc.", "gamma.test"}}
	m, _ = DetectMapping([]string{"Name", "Website"}, companies, true)
	require.Equal(t, Mapping{Company: 0, Domain: 1}, m, "the names of companies")

	phones := [][]string{{"+49 30 1", "ann@acme.test"}, {"+49 30 2", "bob@acme.test"}, {"+49 30 3", "cleo@acme.test"}}
	m, sure := DetectMapping([]string{"Email", "xyz"}, phones, true)
	require.Equal(t, 1, m[Email], "the column that holds addresses wins")
	require.Less(t, sure[Email], 0.95)

	_, sure = DetectMapping([]string{"Vorname", "Nachname", "Webseite"}, [][]string{{"Anna", "Example", "acme.test"}, {"Jan", "Sample", "beta.test"}, {"Eva", "Muster", "c.test"}}, true)
	for field, s := range sure {
		require.Greater(t, s, 0.9, "%s", field)
	}
}

func TestMappingCheckSaysWhatIsMissing(t *testing.T) {
	cases := []struct {
		process string
		m       Mapping
		missing string // "" = enough
	}{
		{"find", Mapping{FirstName: 0, LastName: 1, Domain: 2}, ""},
		{"find", Mapping{FullName: 0, Company: 1}, ""},
		{"find_all", Mapping{LastName: 0, Domain: 1}, ""},
		{"find", Mapping{FirstName: 0, LastName: 1, Email: 2}, "the domain, website or name of the company."},
		{"find", Mapping{Domain: 0}, "a name (first and last name, or full name)."},
		{"find", Mapping{}, "a name (first and last name, or full name) and the domain"},
		{"verify", Mapping{Email: 3}, ""},
		{"verify", Mapping{FullName: 0}, "a column with e-mail addresses"},
		{"pattern", Mapping{Company: 0}, ""},
		{"pattern", Mapping{FullName: 0}, "domain"},
		{"classify", Mapping{Domain: 0}, ""},
		{"classify", Mapping{Company: 0}, "domain or website"},
		{"none", Mapping{}, ""},
	}
	for _, c := range cases {
		err := c.m.Check(c.process)
		if c.missing == "" {
			require.NoError(t, err, "%s %v", c.process, c.m)
			continue
		}
		requireRefusal(t, err, NoUsableColumn, c.missing)
	}
	requireRefusal(t, Mapping{FullName: 0}.Check("verify"), NoUsableColumn, "full name (column 1)")
	err := Mapping{}.CheckColumns("verify", []string{"a", "b", strings.Repeat("x", 100), "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"})
	requireRefusal(t, err, NoUsableColumn, `"a", "b"`)
	require.Contains(t, err.Error(), "and 2 more")
	require.Error(t, Mapping{}.Check("guess"))
}

func TestOneColumnNamesTheDelimiterThatItLooksLike(t *testing.T) {
	for header, says := range map[string]string{
		"First name;Last name;Website":  "a semicolon separates the columns",
		"First name\tLast name\tDomain": "a tab separates the columns",
		"First name^Last name^Domain":   "Save the file again",
		"People":                        "If another character separates the columns",
	} {
		err := Mapping{FullName: 0}.CheckFile("find", Dialect{Format: CSV, Comma: ","}, []string{header})
		requireRefusal(t, err, OneColumn, says)
	}
	requireRefusal(t, Mapping{}.CheckFile("find", Dialect{Format: CSV, Comma: ","}, []string{"a", "b"}), NoUsableColumn, `"a"`)
	requireRefusal(t, Mapping{}.CheckFile("find", Dialect{Format: JSONL}, []string{"a"}), NoUsableColumn, `"a"`)
	require.NoError(t, Mapping{Email: 0}.CheckFile("verify", Dialect{Format: CSV}, []string{"E-Mail"}), "one column is enough")
}
