package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"beagle/app"
	"beagle/app/sheet"
)

// Bounds of a list that comes as JSON; larger ones come as a file, which is streamed.
const (
	maxJSON        = 16 << 20
	maxJSONRecords = 50_000
)

// apiListsCreate makes a list and starts it: from a file (multipart/form-data), or from records in the body (JSON).
// Whatever is refused leaves nothing behind.
func (s *Server) apiListsCreate(q *call) error {
	kind, _, err := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "multipart/form-data":
		return s.createFromFile(q)
	case err == nil && kind == "application/json":
		return s.createFromJSON(q)
	}
	return app.Refuse(app.CodeBadInput, "wrong_params", "Send multipart/form-data with a field named file, or application/json with records.")
}

func (s *Server) createFromFile(q *call) error {
	l, p, err := s.receive(q)
	if err != nil {
		return withRemedy(err)
	}
	if l.State != app.ListMapping { // started by a request with the same Idempotency-Key, which died
		return s.sendList(q, http.StatusCreated, l, nil)
	}
	later := p.fields["start"] != "" && !truth(p.fields["start"])
	started, err := s.startUpload(q, l, p.fields, later)
	if err != nil {
		return s.undo(q, l, withRemedy(err))
	}
	return s.sendList(q, http.StatusCreated, started, nil)
}

func (s *Server) startUpload(q *call, l app.List, fields map[string]string, later bool) (app.List, error) {
	params, err := s.startParams(q, fields, l)
	if err != nil {
		return l, err
	}
	if later {
		return s.app.KeepSettings(q.ctx(), q.actor, l.Ref, params)
	}
	return s.app.Start(q.ctx(), q.actor, l.Ref, params)
}

// remedies are what a program can send to mend what a person would mend on the mapping page.
var remedies = map[string]string{
	sheet.NoUsableColumn: "Send mapping to say which column is which.",
	sheet.OneColumn:      "Send delimiter to say what separates the columns.",
	sheet.NoRows:         "Send has_header=false if the first line is a person.",
	sheet.NoSuchSheet:    "Send sheet with one of these names.",
}

// withRemedy adds to a refused file what a program can do about it.
func withRemedy(err error) error {
	refusal, status := refusalOf(err)
	remedy, ok := remedies[refusal.ID]
	if !ok || status >= 500 {
		return err
	}
	return app.Refuse(refusal.Code, refusal.ID, "%s %s", refusal.Message, remedy)
}

// recordsJSON is a list that comes as JSON. Records keep the order of their keys as columns, by the first record that has them.
type recordsJSON struct {
	Name     string      `json:"name"`
	Process  string      `json:"process"`
	Callback string      `json:"callback_url"`
	Records  []postedRow `json:"records"`
}

func (s *Server) createFromJSON(q *call) error {
	var in recordsJSON
	if err := readJSON(http.MaxBytesReader(nil, q.r.Body, maxJSON), &in); err != nil {
		return err
	}
	if len(in.Records) == 0 {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the records parameter.")
	}
	if len(in.Records) > maxJSONRecords {
		return app.Refuse(app.CodeTooLarge, "too_many_records", "At most %d records can be sent as JSON. Send a file instead.", maxJSONRecords)
	}
	columns, rows := table(in.Records)
	l, err := s.app.CreateList(q.ctx(), q.actor, in.Name, in.Process, in.Callback, columns, rows)
	if err != nil {
		return err
	}
	q.visit.list = l.Ref
	return s.sendList(q, http.StatusCreated, l, nil)
}

// postedRow is one object, with its keys in the order in which they were written.
type postedRow struct {
	keys   []string
	values map[string]string
}

// UnmarshalJSON reads an object of texts, numbers, truths and nulls.
func (p *postedRow) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.New("a record must be an object")
	}
	p.values = map[string]string{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		name := key.(string) // the decoder takes nothing else for a key
		if _, nested := value.(json.Delim); nested {
			return fmt.Errorf("the field %q of a record must be text or a number", name)
		}
		if value == nil {
			value = ""
		}
		if _, twice := p.values[name]; !twice {
			p.keys = append(p.keys, name)
		}
		p.values[name] = fmt.Sprint(value)
	}
	return nil
}

// table lays records out in columns, in the order in which their keys first appear.
func table(records []postedRow) (columns []string, rows [][]string) {
	at := map[string]int{}
	for _, r := range records {
		for _, key := range r.keys {
			if _, seen := at[key]; !seen {
				at[key] = len(columns)
				columns = append(columns, key)
			}
		}
	}
	rows = make([][]string, len(records))
	for i, r := range records {
		rows[i] = slices.Repeat([]string{""}, len(columns))
		for key, value := range r.values {
			rows[i][at[key]] = value
		}
	}
	return columns, rows
}

// readJSON reads one JSON value. What is wrong with it is the sender's to know.
func readJSON(body io.Reader, into any) error {
	d := json.NewDecoder(&nulGuard{from: body})
	err := d.Decode(into)
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig), errors.Is(err, errNotText):
		return err
	case err != nil:
		return app.Refuse(app.CodeBadInput, "wrong_params", "The body is not the JSON that is expected: %s.", err)
	}
	_, err = io.Copy(io.Discard, body) // what follows is not looked at, and belongs to the fingerprint of an Idempotency-Key
	return err
}

// nulGuard stops at a NUL that a JSON text spells \u0000: the database's texts cannot hold one.
type nulGuard struct {
	from  io.Reader
	state int // how much of nulEscape was seen
}

const nulEscape = `\u0000`

func (g *nulGuard) Read(p []byte) (int, error) {
	n, err := g.from.Read(p)
	for _, c := range p[:n] {
		switch {
		case c == nulEscape[g.state]:
			g.state++
		case g.state == 1: // another escape, such as \\, which begins nothing
			g.state = 0
		case c == nulEscape[0]:
			g.state = 1
		default:
			g.state = 0
		}
		if g.state == len(nulEscape) {
			return 0, errNotText
		}
	}
	return n, err
}
