package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"beagle/app"
	"beagle/app/sheet"
)

// fields are what a column can be mapped to, as the mapping page shows them.
var fields = []struct {
	ID         sheet.Field
	Word, Hint string
}{
	{sheet.FirstName, "First name", ""},
	{sheet.LastName, "Last name", ""},
	{sheet.FullName, "Full name", "when first and last name share a column"},
	{sheet.Domain, "Domain or website", "company.example, or a page of theirs"},
	{sheet.Company, "Company name", "used when there is no domain"},
	{sheet.Email, "E-mail address", "to verify, or to learn a company's pattern from"},
}

// samplesShown is how many values of a column stand beside its name.
const samplesShown = 3

// choices are what a person changed on the mapping page.
type choices struct {
	dialect *sheet.Dialect // nil: as it was detected
	mapping sheet.Mapping  // nil: as it was detected
	process string
	name    string
	options *app.ListOptions // nil: the form was not sent
}

// readChoices reads the form. A mapping that was made for another reading of the file (other delimiter, other encoding)
// is dropped: its columns may have moved.
func readChoices(v url.Values) (choices, error) {
	c := choices{process: v.Get("process"), name: v.Get("name")}
	if !v.Has("format") {
		return c, nil
	}
	c.options = &app.ListOptions{SkipDuplicates: truth(v.Get("skip_duplicates")), Refresh: truth(v.Get("refresh"))}
	c.dialect = &sheet.Dialect{Format: v.Get("format"), Comma: v.Get("comma"), Encoding: v.Get("encoding"), Header: truth(v.Get("header")), Sheet: v.Get("sheet")}
	if n, err := strconv.Atoi(v.Get("skip")); err == nil && n >= 0 {
		c.dialect.Skip = n
	}
	if !readable(*c.dialect) {
		return c, app.Refuse(app.CodeBadInput, "invalid_dialect", "A file cannot be read in this way.")
	}
	if v.Get("read_as") != readAs(*c.dialect) {
		return c, nil
	}
	c.mapping = sheet.Mapping{}
	for _, f := range fields {
		column := v.Get("map_" + string(f.ID))
		if column == "" {
			continue
		}
		n, err := strconv.Atoi(column)
		if err != nil || n < 0 {
			return c, app.Refuse(app.CodeBadInput, "invalid_mapping", "The column for %s is not one of this file.", strings.ToLower(f.Word))
		}
		c.mapping[f.ID] = n
	}
	return c, nil
}

// readable takes the formats, delimiters and encodings that there are; "" leaves the choice to the file.
func readable(d sheet.Dialect) bool {
	return slices.Contains([]string{sheet.CSV, sheet.XLSX, sheet.JSONL}, d.Format) &&
		(d.Comma == "" || slices.Contains(sheet.Commas(), d.Comma)) &&
		(d.Encoding == "" || slices.Contains(sheet.Encodings(), d.Encoding))
}

// readAs names a reading of the file, so that the form can tell which one its columns belong to.
func readAs(d sheet.Dialect) string {
	return strings.Join([]string{d.Format, d.Comma, d.Encoding, strconv.FormatBool(d.Header), d.Sheet, strconv.Itoa(d.Skip)}, "|")
}

// mappingPage is the data of lists/mapping.html.
type mappingPage struct {
	List       app.List
	Dialect    sheet.Dialect
	ReadAs     string
	Columns    []string
	Rows       [][]string
	Fields     []mappingField
	Mapped     map[int]string // column to the word of its field
	Process    string
	Estimate   int
	Exact      bool     // the estimate counted every row
	Check      []string // what was detected with little confidence
	Sheets     []string
	Options    app.ListOptions
	ReuseDays  int    // how young an answer must be to be used again; 0: none is
	Missing    string // what the mapping lacks for the process
	FileError  string // the file cannot be read this way
	StartError string
	Paid       bool // credits are counted
	Credits    int64
}

type mappingField struct {
	ID         sheet.Field
	Word, Hint string
	Column     int // -1: none
	Samples    []string
	Unsure     bool // detected with little confidence
}

// confident is what a detected column needs not to be asked about.
const confident = 0.9

func (s *Server) mappingShow(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	if l.State != app.ListMapping {
		return q.redirect("/lists/" + l.Ref)
	}
	c, err := readChoices(q.r.URL.Query())
	if err != nil {
		return err
	}
	page, err := s.mappingPage(q, l, c)
	if err != nil {
		return err
	}
	if q.htmx() {
		s.sendFragment(q, http.StatusOK, "lists/mapping", "reading", page)
		return nil
	}
	s.sendPage(q, http.StatusOK, "lists/mapping", page)
	return nil
}

// mappingCreate starts the list.
func (s *Server) mappingCreate(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	if err := q.r.ParseForm(); err != nil {
		return app.Refuse(app.CodeBadInput, "wrong_params", "The form could not be read.")
	}
	c, err := readChoices(q.r.PostForm)
	if err != nil {
		return err
	}
	_, err = s.app.Start(q.ctx(), q.actor, l.Ref, app.StartParams{Dialect: c.dialect, Mapping: c.mapping, Process: c.process, Name: c.name, Options: c.options})
	if err == nil {
		return q.redirect("/lists/" + l.Ref)
	}
	refusal, status := refusalOf(err)
	if status >= 500 || l.State != app.ListMapping {
		return err
	}
	page, again := s.mappingPage(q, l, c)
	if again != nil {
		return again
	}
	page.StartError = refusal.Message
	s.sendPage(q, status, "lists/mapping", page)
	return nil
}

// mappingPage reads the file's beginning as chosen. A reading that fails falls back to the detected one, with the reason.
func (s *Server) mappingPage(q *call, l app.List, c choices) (mappingPage, error) {
	page := mappingPage{List: l, Process: firstOf(c.process, l.Process, app.ProcessFind), Options: l.ListOptions, ReuseDays: s.app.Config.Worker.ReuseDays}
	if c.options != nil {
		page.Options = *c.options
	}
	seen, err := s.app.Preview(q.ctx(), q.actor.Account, l.Ref, c.dialect)
	if err != nil && c.dialect != nil {
		refusal, status := refusalOf(err)
		if status >= 500 {
			return page, err
		}
		page.FileError, c.mapping = refusal.Message, nil
		seen, err = s.app.Preview(q.ctx(), q.actor.Account, l.Ref, nil)
	}
	if err != nil {
		return page, err
	}
	if c.name != "" {
		page.List.Name = c.name
	}
	mapping := c.mapping
	if mapping == nil {
		mapping = seen.Mapping
	}
	page.fill(seen, mapping, c.mapping == nil)
	if s.app.Config.Credits {
		account, err := s.app.Account(q.ctx(), q.actor.Account)
		if err != nil {
			return page, err
		}
		page.Paid, page.Credits = true, account.Credits
	}
	return page, nil
}

func (p *mappingPage) fill(seen sheet.Sniffed, mapping sheet.Mapping, detected bool) {
	p.Dialect, p.ReadAs, p.Columns, p.Rows = seen.Dialect, readAs(seen.Dialect), seen.Columns, seen.Rows
	p.Sheets = seen.Sheets
	p.Estimate, p.Exact = seen.EstimateRows(p.List.UploadBytes), seen.Whole
	p.Mapped = map[int]string{}
	for _, part := range []struct {
		word string
		sure float64
	}{{"the delimiter", seen.Confidence.Comma}, {"the encoding", seen.Confidence.Encoding}, {"whether the first row holds the names", seen.Confidence.Header}} {
		if part.sure < confident {
			p.Check = append(p.Check, part.word)
		}
	}
	for _, f := range fields {
		field := mappingField{ID: f.ID, Word: f.Word, Hint: f.Hint, Column: -1}
		if column, ok := mapping[f.ID]; ok && column < len(seen.Columns) {
			field.Column, field.Samples = column, samples(seen.Rows, column)
			field.Unsure = detected && seen.MappingConfidence[f.ID] < confident
			p.Mapped[column] = f.Word
			if field.Unsure {
				p.Check = append(p.Check, "the column for "+strings.ToLower(f.Word))
			}
		}
		p.Fields = append(p.Fields, field)
	}
	if err := mapping.CheckFile(p.Process, seen.Dialect, seen.Columns); err != nil {
		p.Missing = err.Error()
	}
}

// samples are the first different values of a column.
func samples(rows [][]string, column int) []string {
	var some []string
	for _, row := range rows {
		if column >= len(row) {
			continue
		}
		v := strings.TrimSpace(row[column])
		if v != "" && !slices.Contains(some, v) {
			some = append(some, v)
		}
		if len(some) == samplesShown {
			break
		}
	}
	return some
}

// AskToCheck is what the page asks a person to look at before the start; "" when everything is sure.
func (p mappingPage) AskToCheck() string {
	switch n := len(p.Check); n {
	case 0:
		return ""
	case 1:
		return p.Check[0]
	default:
		return strings.Join(p.Check[:n-1], ", ") + " and " + p.Check[n-1]
	}
}

// Short tells that the account's credits may not last to the end of the list.
func (p mappingPage) Short() bool { return p.Paid && int64(p.Estimate) > p.Credits }

// Formats are how text can be read; a workbook is nothing else.
func (p mappingPage) Formats() []choice {
	return []choice{{sheet.CSV, "Table (CSV, TSV)"}, {sheet.JSONL, "JSON lines"}}
}

// Commas are the delimiters.
func (p mappingPage) Commas() []choice {
	return []choice{{",", "Comma  ,"}, {";", "Semicolon  ;"}, {"\t", "Tab"}, {"|", "Pipe  |"}}
}

// encodingWords are the encodings under the names that people know.
var encodingWords = map[string]string{
	sheet.UTF8: "Unicode (UTF-8)", sheet.UTF16LE: "Unicode (UTF-16 LE)", sheet.UTF16BE: "Unicode (UTF-16 BE)",
	sheet.Windows1252: "Western (Windows-1252)", sheet.Macintosh: "Western (Macintosh)",
	sheet.Windows1250: "Central European (Windows-1250)", sheet.ISO88592: "Central European (ISO 8859-2)",
	sheet.Windows1251: "Cyrillic (Windows-1251)", sheet.Windows1254: "Turkish (Windows-1254)",
	sheet.ShiftJIS: "Japanese (Shift JIS)", sheet.GB18030: "Chinese (GB 18030)",
}

// Encodings are the ones that can be read.
func (p mappingPage) Encodings() []choice {
	var all []choice
	for _, e := range sheet.Encodings() {
		all = append(all, choice{e, firstOf(encodingWords[e], e)})
	}
	return all
}

// Processes are what can be done with the rows.
func (p mappingPage) Processes() any { return processes }

// choice is an option of a select.
type choice struct{ Value, Word string }

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
