package web

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"beagle/app/config"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// workbook is a small XLSX file.
func workbook(t *testing.T, rows ...[]string) []byte {
	t.Helper()
	var body bytes.Buffer
	w, err := sheet.NewWriter(&body, sheet.XLSX, sheet.WriteOptions{Columns: []string{"First name", "Last name", "Website"}})
	require.NoError(t, err)
	for _, row := range rows {
		require.NoError(t, w.Write(row))
	}
	require.NoError(t, w.Close())
	return body.Bytes()
}

// leftNothing fails when a list, a file or a half-sent upload is there.
func (s *site) leftNothing(t *testing.T) {
	t.Helper()
	require.Zero(t, s.lists())
	var rows int64
	require.NoError(t, s.DB.Table("lists").Count(&rows).Error)
	require.Zero(t, rows, "nor one that waits to be cleared")
	for f, err := range s.Files.List(t.Context(), "") {
		require.NoError(t, err)
		t.Errorf("file %s was left behind", f.Key)
	}
	running, err := s.Files.AbortStale(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, running, "uploads still running")
}

// badFiles are files that cannot be used. Those with mapping are only known to be useless once it is known what to do with them:
// the page says so where the columns are chosen, the API when the list would start.
var badFiles = map[string]struct {
	filename string
	body     func(t *testing.T) []byte
	fields   []string // of the API
	reading  url.Values
	status   int
	id       string
	says     string // what to do about it
	mapping  bool
}{
	"empty":                     {body: text(""), status: 422, id: "empty_file", says: "Choose a file with one person per row"},
	"only blanks":               {body: text(" \n\r\n\t\n"), status: 422, id: "empty_file", says: "Choose a file with one person per row"},
	"picture":                   {body: text("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + strings.Repeat("\x00\x01\x02\xff", 4000)), status: 422, id: "not_a_spreadsheet", says: "Upload the table itself as CSV or XLSX"},
	"noise":                     {body: text(strings.Repeat("\x00\x01\x02\x03\x9d", 4000)), status: 422, id: "not_a_spreadsheet", says: "Save the table as CSV or XLSX"},
	"header only":               {body: text("First name,Last name,Website\n"), status: 422, id: "no_rows", says: "Add the people to look up", mapping: true},
	"endless line":              {body: text(strings.Repeat("a", 3<<20)), status: 422, id: "line_too_long", says: "export it again as CSV"},
	"oversize":                  {body: text(strings.Repeat("Ada,Ash,alder.example\n", 5<<20/22)), status: 413, id: "file_too_large", says: "Split it and upload the parts"},
	"one line beyond the limit": {body: text(strings.Repeat("a", 9<<20)), status: 413, id: "file_too_large", says: "Split it and upload the parts"},
	"broken workbook": {filename: "a.xlsx", body: func(t *testing.T) []byte {
		b := workbook(t, []string{"Ada", "Ash", "alder.example"})
		return b[:len(b)*2/3]
	}, status: 422, id: "broken_xlsx", says: "save it again as .xlsx"},
	"workbook without rows":   {filename: "a.xlsx", body: func(t *testing.T) []byte { return workbook(t) }, status: 422, id: "no_rows", says: "Add the people to look up", mapping: true},
	"another kind of archive": {filename: "a.zip", body: text("PK\x03\x04" + strings.Repeat("x", 500)), status: 422, id: "not_a_spreadsheet", says: "Unpack it"},

	"no usable column": {body: text("Colour,Weight\nred,3\nblue,4\n"), status: 422, id: "no_usable_column", says: "Choose the right columns", mapping: true},
	"a delimiter that nobody uses": {body: text("First name^Last name^Website\nAda^Ash^alder.example\n"), status: 422, id: "one_column",
		says: "Save the file again with a comma, semicolon, tab or pipe between the columns", mapping: true},
	"the wrong delimiter by choice": {body: text("First name,Last name,Website\nAda,Ash,alder.example\n"), fields: []string{"delimiter", "semicolon"},
		reading: url.Values{"format": {"csv"}, "comma": {";"}, "encoding": {"utf-8"}, "header": {"true"}}, status: 422, id: "one_column",
		says: "It looks as if a comma separates the columns", mapping: true},
	"a process that the file cannot feed": {body: text("First name,Last name,Website\nAda,Ash,alder.example\n"), fields: []string{"process", "verify"},
		reading: url.Values{"process": {"verify"}}, status: 422, id: "no_usable_column", says: "a column with e-mail addresses", mapping: true},
}

func text(s string) func(*testing.T) []byte { return func(*testing.T) []byte { return []byte(s) } }

func TestBadFilesAreRefusedWithWhatToDoAndLeaveNothing(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Upload.MaxBytes = 4 << 20 })
	auth := []string{"Authorization", "Bearer " + s.key(s.owner, false)}
	b := s.signedIn("owner@one.example")
	for name, c := range badFiles {
		t.Run(name, func(t *testing.T) {
			f := form{fields: c.fields, filename: firstOf(c.filename, "a.csv"), file: c.body(t)}
			got := s.send(http.DefaultClient, "POST", "/v2/lists", f, auth...)
			require.Equal(t, c.status, got.status, got.body)
			require.Contains(t, got.body, `"id":"`+c.id+`"`)
			require.Contains(t, got.body, c.says)
			require.Contains(t, string(openAPI), c.id, "the id is documented")
			s.leftNothing(t)
			f.fields = nil
			if c.mapping {
				s.refusedByMapping(t, b, f, c.reading, c.says)
				s.leftNothing(t)
				return
			}
			got = s.send(b, "POST", "/lists", f)
			require.Equal(t, c.status, got.status, got.body)
			require.Regexp(t, `role="alert"[^!]*`+regexp.QuoteMeta(c.says), got.body, "the page without scripts")
			s.leftNothing(t)
			got = s.send(b, "POST", "/lists", f, "Accept", "application/json")
			require.Equal(t, c.status, got.status, got.body)
			require.Contains(t, got.body, `"id":"`+c.id+`"`, "what the page's script shows")
			require.Contains(t, got.body, c.says)
			s.leftNothing(t)
		})
	}
}

// refusedByMapping uploads a file on the page and sees the mapping page warn, the start refused, and nothing left when the upload is thrown away.
func (s *site) refusedByMapping(t *testing.T, b *http.Client, f form, reading url.Values, says string) {
	t.Helper()
	page := s.send(b, "POST", "/lists", f).header.Get("Location")
	require.Regexp(t, `/mapping$`, page)
	got := s.send(b, "GET", page+"?"+reading.Encode(), nil)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Regexp(t, `class="alert warn"[^!]*`+regexp.QuoteMeta(says), got.body)
	got = s.send(b, "GET", page+"?"+reading.Encode(), nil, "HX-Request", "true")
	require.Regexp(t, `class="alert warn"[^!]*`+regexp.QuoteMeta(says), got.body, "and at once when scripts run")
	got = s.send(b, "POST", page, reading)
	require.Equal(t, http.StatusUnprocessableEntity, got.status, got.body)
	require.Regexp(t, `role="alert"[^!]*`+regexp.QuoteMeta(says), got.body)
	got = s.send(b, "POST", strings.TrimSuffix(page, "mapping")+"deletion", nil)
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
}

func TestOneLineThatLooksLikeAHeaderCanBeSaidToBeAPerson(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	for name, file := range map[string][]byte{"Name,Company.csv": []byte("Name,Company\n"), "a.xlsx": workbook(t)} {
		f := form{filename: name, file: file}
		page := s.send(b, "POST", "/lists", f).header.Get("Location")
		require.Regexp(t, `/mapping$`, page)
		shown := s.send(b, "GET", page, nil).body
		require.Contains(t, shown, "say that the first row is already a person")
		require.Contains(t, shown, `<option value="false">is already a person</option>`)
		require.Contains(t, shown, "No rows")
		choice := url.Values{"format": {"csv"}, "comma": {","}, "encoding": {"utf-8"}, "header": {"true"}, "process": {"none"}}
		if name == "a.xlsx" {
			choice = url.Values{"format": {"xlsx"}, "header": {"true"}, "process": {"none"}}
		}
		require.Equal(t, 422, s.send(b, "POST", page, choice).status, "a header is nobody")
		choice.Set("header", "false")
		require.NotContains(t, s.send(b, "GET", page+"?"+choice.Encode(), nil).body, "only a header")
		require.Equal(t, 303, s.send(b, "POST", page, choice).status)

		key := "Bearer " + s.key(s.owner, false)
		said := []string{"has_header", "false", "process", "none"}
		for _, f := range []form{{filename: name, file: file, fields: said}, {filename: name, file: file, after: said}} {
			require.Equal(t, 201, s.send(http.DefaultClient, "POST", "/v2/lists", f, "Authorization", key).status)
		}
	}
}

// lineOfA is a form whose file is one line of so many bytes, made as it is read.
func lineOfA(bytes int64) (body io.Reader, kind string, length int64) {
	head := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
	tail := "\r\n--b--\r\n"
	return io.MultiReader(strings.NewReader(head), io.LimitReader(letters{}, bytes), strings.NewReader(tail)), "multipart/form-data; boundary=b", int64(len(head)+len(tail)) + bytes
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestGigabyteInOneLineIsRefusedInLittleMemory(t *testing.T) {
	const gigabyte, little = 1 << 30, 24 << 20
	for name, c := range map[string]struct {
		most      int64
		announced bool
		status    int
		id        string
	}{
		"larger than is taken, and says so":   {512 << 20, true, 413, "file_too_large"},
		"within the limit, of unknown length": {2 << 30, false, 422, "line_too_long"},
		"within the limit, and says so":       {2 << 30, true, 422, "line_too_long"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c2 *config.Config) { c2.Upload.MaxBytes = c.most })
			body, kind, length := lineOfA(gigabyte)
			r, err := http.NewRequestWithContext(t.Context(), "POST", s.http.URL+"/v2/lists", body)
			require.NoError(t, err)
			r.Header.Set("Content-Type", kind)
			r.Header.Set("X-API-KEY", s.key(s.owner, false))
			r.ContentLength = -1
			if c.announced {
				r.ContentLength = length
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			said, err := io.ReadAll(got.Body)
			require.NoError(t, err)
			require.NoError(t, got.Body.Close())
			runtime.ReadMemStats(&after)
			require.Equal(t, c.status, got.StatusCode, string(said))
			require.Contains(t, string(said), c.id)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(little), "all that was allocated, freed or not")
			s.leftNothing(t)
		})
	}
}

func TestReadingOfAFileCanBeOverruledByAProgram(t *testing.T) {
	s := newSite(t)
	auth := []string{"X-API-KEY", s.key(s.owner, false)}
	two := twoSheets(t)
	for name, c := range map[string]struct {
		filename, body string
		fields         []string
		status         int
		want           string
	}{
		"delimiter by name":        {"a.csv", "First name;Last name;Website\nAda;Ash;alder.example\n", []string{"delimiter", "semicolon"}, 201, `"columns":["First name","Last name","Website"]`},
		"mapping by the new names": {"a.csv", "x|y|z\nAda|Ash|alder.example\n", []string{"delimiter", "pipe", "mapping", `{"first_name":"x","last_name":"y","domain":"z"}`}, 201, `"mapping":{"domain":2,"first_name":0,"last_name":1}`},
		"encoding":                 {"a.csv", "Vorname,Name,Webseite\nJ\xf6rg,Ash,alder.example\n", []string{"encoding", "windows-1252"}, 201, `"columns":["Vorname","Name","Webseite"]`},
		"sheet":                    {"a.xlsx", string(two), []string{"sheet", "People"}, 201, `"columns":["First name","Last name","Website"]`},
		"no such sheet":            {"a.xlsx", string(two), []string{"sheet", "Persons"}, 422, `"id":"no_such_sheet"`},
		"no such delimiter":        {"a.csv", people, []string{"delimiter", "^"}, 400, `"id":"invalid_dialect"`},
		"no such encoding":         {"a.csv", people, []string{"encoding", "klingon"}, 400, `"id":"invalid_dialect"`},
		"text is no workbook":      {"a.csv", people, []string{"format", "xlsx"}, 400, `"id":"invalid_dialect"`},
	} {
		got := s.send(http.DefaultClient, "POST", "/v2/lists", form{fields: c.fields, filename: c.filename, file: []byte(c.body)}, auth...)
		require.Equal(t, c.status, got.status, "%s: %s", name, got.body)
		require.Contains(t, got.body, c.want, name)
	}
}

func TestMappingPageLetsEverythingDetectedBeChanged(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	got := s.send(b, "POST", "/lists", form{filename: "two.xlsx", file: twoSheets(t)})
	page := got.header.Get("Location")
	got = s.send(b, "GET", page, nil)
	require.Contains(t, got.body, `<option value="Sheet1" selected>Sheet1</option><option value="People">People</option>`)
	require.Contains(t, got.body, `class="alert warn"`, "colours are no people")
	got = s.send(b, "GET", page+"?format=xlsx&header=true&sheet=People", nil, "HX-Request", "true")
	require.Contains(t, got.body, `<option value="People" selected>People</option>`)
	require.Contains(t, got.body, "onegate.example")
	require.NotContains(t, got.body, `class="alert warn"`)
	got = s.send(b, "POST", page, url.Values{"format": {"xlsx"}, "header": {"true"}, "sheet": {"People"}, "skip_duplicates": {"true"}, "refresh": {"true"}})
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	lists, _, _, err := s.Lists(t.Context(), s.owner.Account, "", 1)
	require.NoError(t, err)
	require.Equal(t, "People", lists[0].Dialect.Sheet)
	require.True(t, lists[0].SkipDuplicates && lists[0].Refresh)

	page = s.send(b, "POST", "/lists", form{filename: "a.csv", file: []byte(people)}).header.Get("Location")
	got = s.send(b, "GET", page+"?format=jsonl&header=true", nil, "HX-Request", "true")
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `role="alert"`, "no line of it is JSON")
	got = s.send(b, "GET", page+"?format=csv&header=true&skip_duplicates=true", nil, "HX-Request", "true")
	require.Contains(t, got.body, `value="true" checked><span>Skip repeated rows`)
}

func TestMappingPageAsksWhereItIsNotSure(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	page := s.send(b, "POST", "/lists", form{filename: "a.csv", file: []byte("Ada Ash,alder.example\nBen Birch,birch.example\n")}).header.Get("Location")
	got := s.send(b, "GET", page, nil)
	require.Contains(t, got.body, "Please check")
	page = s.send(b, "POST", "/lists", form{filename: "a.csv", file: []byte(people)}).header.Get("Location")
	require.NotContains(t, s.send(b, "GET", page, nil).body, "Please check")
}

func TestCostIsTold(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Credits = true })
	require.NoError(t, s.GrantCredits(t.Context(), s.owner.Account, 3))
	b := s.signedIn("owner@one.example")
	page := s.send(b, "POST", "/lists", form{filename: "a.csv", file: []byte(people)}).header.Get("Location")
	got := s.send(b, "GET", page, nil)
	require.Contains(t, got.body, "At most 4 credits: one for each valid address that is found. You have 3.")
	require.Contains(t, got.body, "that is more than you have")
}

// twoSheets is a workbook whose people are on its second sheet.
func twoSheets(t *testing.T) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	require.NoError(t, f.SetSheetRow("Sheet1", "A1", &[]any{"Colour", "Weight"}))
	require.NoError(t, f.SetSheetRow("Sheet1", "A2", &[]any{"red", 3}))
	_, err := f.NewSheet("People")
	require.NoError(t, err)
	require.NoError(t, f.SetSheetRow("People", "A1", &[]any{"First name", "Last name", "Website"}))
	require.NoError(t, f.SetSheetRow("People", "A2", &[]any{"Grace", "Yates", "onegate.example"}))
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	return b.Bytes()
}
