package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"beagle/app"
	"beagle/app/finder"
	"beagle/app/sheet"
)

// answerPage is how an answer is shown with all that it rests on: "how we know".
type answerPage struct {
	List     *app.List // nil: one question, not a row of a list
	Row      int64
	Cells    []cell
	Name     string
	Domain   string
	State    string
	Email    string
	Status   string
	Score    int
	Pattern  string
	Reason   string
	Sentence string
	Next     *time.Time // when a row that waits is asked about again
	Tries    int
	Checked  *time.Time
	Previous *app.Record // with the answer before this one; nil: there was none
	Repeated bool        // the answer was given to an earlier row of the list
	Evidence finder.Evidence
	ID       string                 // of the record
	Edit     []editField            // what can be changed before it is looked up again; nil when it cannot
	Lists    []app.List             // that a single answer can be added to
	Asked    map[sheet.Field]string // what was asked, to be added with
}

// editField is a field of a row that can be changed.
type editField struct {
	ID          sheet.Field
	Word, Value string
}

// cell is one cell of the file with the name of its column.
type cell struct{ Column, Value string }

func (s *Server) recordsShow(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	r, err := s.app.Record(q.ctx(), q.actor.Account, l, q.param("record"))
	if err != nil {
		return err
	}
	page := answerPage{List: &l, Row: r.RowNo, Cells: cells(l.Columns, r.Cells), Name: personName(r), Domain: r.Domain, State: r.State, Email: r.Email, Status: r.Status,
		Score: r.Score, Pattern: r.Pattern, Reason: r.Reason, Sentence: r.Note, Next: r.NextAttemptAt, Tries: r.Tries, Checked: r.CheckedAt, Repeated: r.TwinOf != nil}
	page.ID, page.Edit = idOf(r.ID), editable(l, r)
	if r.PreviousAt != nil {
		page.Previous = &r
	}
	if page.Evidence, err = evidenceOf(r); err != nil {
		return err
	}
	if q.htmx() {
		s.sendFragment(q, http.StatusOK, "records/show", "answer", page)
		return nil
	}
	s.sendPage(q, http.StatusOK, "records/show", page)
	return nil
}

func evidenceOf(r app.Record) (finder.Evidence, error) {
	var e finder.Evidence
	if r.Evidence == "" {
		return e, nil
	}
	if err := json.Unmarshal([]byte(r.Evidence), &e); err != nil {
		return e, fmt.Errorf("reading the evidence of record %d: %w", r.ID, err)
	}
	return e, nil
}

// editable are the fields that a row's process asks about. Rows of a canceled list are not looked up again.
func editable(l app.List, r app.Record) []editField {
	switch l.State {
	case app.ListRunning, app.ListPaused, app.ListExporting, app.ListFinished:
	default:
		return nil
	}
	values := map[sheet.Field]string{sheet.FirstName: r.FirstName, sheet.LastName: r.LastName, sheet.FullName: r.FullName, sheet.Domain: r.Domain, sheet.Company: r.Company, sheet.Email: r.Address}
	var edit []editField
	for _, f := range fields {
		_, mapped := l.Mapping[f.ID]
		if mapped || values[f.ID] != "" || (f.ID == sheet.Domain && l.Process != app.ProcessVerify) {
			edit = append(edit, editField{f.ID, f.Word, values[f.ID]})
		}
	}
	return edit
}

func cells(columns, values []string) []cell {
	all := make([]cell, len(values))
	for i, v := range values {
		all[i] = cell{Column: fmt.Sprintf("Column %d", i+1), Value: v}
		if i < len(columns) {
			all[i].Column = columns[i]
		}
	}
	return all
}

// personName is who a row is about.
func personName(r app.Record) string {
	if name := strings.TrimSpace(r.FirstName + " " + r.LastName); name != "" {
		return name
	}
	return r.FullName
}

// spokenLine is a line of the conversation with the time since its first.
type spokenLine struct{ After, From, Text string }

// Conversation is the SMTP transcript, each line with the time since the first.
func (p answerPage) Conversation() []spokenLine {
	lines := make([]spokenLine, len(p.Evidence.Transcript))
	for i, l := range p.Evidence.Transcript {
		after := l.At.Sub(p.Evidence.Transcript[0].At)
		lines[i] = spokenLine{After: fmt.Sprintf("%.3f s", after.Seconds()), From: l.From, Text: l.Text}
	}
	return lines
}

// Likeliest is the largest chance among the candidates: the bars are drawn against it.
func (p answerPage) Likeliest() float64 {
	most := 0.0
	for _, c := range p.Evidence.Candidates {
		most = max(most, c.Posterior)
	}
	return most
}

// Confidence is the score in a word.
func (p answerPage) Confidence() string { return confidence(p.Score) }

func confidence(score int) string {
	switch {
	case score >= 90:
		return "very likely right"
	case score >= 70:
		return "likely right"
	case score >= 40:
		return "uncertain"
	case score > 0:
		return "a guess"
	}
	return "no estimate"
}
