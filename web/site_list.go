package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"beagle/app"
)

// recordsPerPage is a screen or two of the records table.
const recordsPerPage = 50

// listPage is the data of lists/show.html.
type listPage struct {
	List    app.List
	Live    livePart
	Records recordsPart
	Formats []format
}

// livePart is what changes while a list runs. It is sent again and again, so it holds no buttons.
type livePart struct {
	List     app.List
	Progress app.Progress
	Slices   []slice
	Chart    string // the slices in words
	Unsolved []unsolved
}

// unsolved is a reason why rows have no answer, with what to do about it.
type unsolved struct {
	Reason, Next string
	Rows         int64
}

// recordsPart is the records table with its filters.
type recordsPart struct {
	List    app.List
	Rows    []app.Record
	Query   app.RecordQuery
	Next    string // cursor of the next page
	Choices []slice
	Show    bool // the process looks something up, so there is something to show
}

type format struct{ ID, Word, Meaning string }

var formats = []format{
	{"csv", "CSV", "opens everywhere"},
	{"xlsx", "Excel", "a workbook"},
	{"jsonl", "JSON lines", "for programs"},
}

func (s *Server) listsShow(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	if l.State == app.ListMapping {
		return q.redirect("/lists/" + l.Ref + "/mapping")
	}
	live, err := s.live(q, l)
	if err != nil {
		return err
	}
	records, err := s.records(q, l, live)
	if err != nil {
		return err
	}
	if q.htmx() && q.r.Header.Get("HX-Target") == "records" {
		s.sendFragment(q, http.StatusOK, "lists/show", "records", records)
		return nil
	}
	s.sendPage(q, http.StatusOK, "lists/show", listPage{List: l, Live: live, Records: records, Formats: formats})
	return nil
}

func (s *Server) live(q *call, l app.List) (livePart, error) {
	progress, err := s.app.Progress(q.ctx(), l)
	if err != nil {
		return livePart{}, err
	}
	live := livePart{List: l, Progress: progress, Slices: donut(progress.Counts)}
	live.Chart = inWords(live.Slices)
	for _, r := range progress.Counts.ByReason {
		if r.Rows > 0 && (r.Status == "unknown" || r.Status == "") && r.Reason != "" {
			live.Unsolved = append(live.Unsolved, unsolved{Reason: r.Reason, Next: nextStep(r.Reason), Rows: r.Rows})
		}
	}
	slices.SortStableFunc(live.Unsolved, func(a, b unsolved) int { return int(b.Rows - a.Rows) })
	return live, nil
}

// Step is the number of the phase that the list is in: 1 reading the file, 2 looking up, 3 writing the file, 4 ended.
func (p livePart) Step() int {
	switch p.List.State {
	case app.ListImporting:
		return 1
	case app.ListExporting:
		return 3
	case app.ListRunning, app.ListPaused:
		return 2
	}
	return 4
}

// FoundShare is how many of the list's rows have an address, from 0 to 1.
func (p livePart) FoundShare() float64 {
	return float64(p.Progress.Found) / float64(max(p.Progress.Total, 1))
}

// Retryable tells that trying again could give more answers.
func (p livePart) Retryable() bool { return p.List.Ended() && len(p.Unsolved) > 0 }

// Summary is the state of the list in one sentence, for screen readers and the page's title.
func (p livePart) Summary() string {
	c := p.Progress.Counts
	switch p.List.State {
	case app.ListImporting:
		return fmt.Sprintf("Reading the file: %d rows so far.", p.List.Imported)
	case app.ListRunning:
		return fmt.Sprintf("%d of %d rows done, %d addresses found.", c.Done, c.Total, c.Found)
	case app.ListPaused:
		return fmt.Sprintf("Paused after %d of %d rows.", c.Done, c.Total)
	case app.ListExporting:
		return "All rows are done. The result file is being written."
	case app.ListFinished:
		return fmt.Sprintf("Finished: %d of %d addresses found.", c.Found, c.Total)
	}
	return stateWord(p.List.State) + "."
}

func (s *Server) records(q *call, l app.List, live livePart) (recordsPart, error) {
	query := app.RecordQuery{Status: q.query("status"), Reason: q.query("reason"), Search: q.query("q"), After: q.query("after"), Limit: recordsPerPage}
	switch query.Status {
	case "waiting":
		query.Status, query.State = "", app.RecordPending
	case "retrying", "failed":
		query.State, query.Status = query.Status, ""
	}
	rows, next, err := s.app.Records(q.ctx(), q.actor.Account, l, query)
	if err != nil {
		return recordsPart{}, err
	}
	query.Status = q.query("status") // as the form shows it
	return recordsPart{List: l, Rows: rows, Query: query, Next: next, Choices: live.Slices, Show: l.Process != app.ProcessNone}, nil
}

// Filtered tells that not all rows are asked for.
func (p recordsPart) Filtered() bool {
	return p.Query.Status != "" || p.Query.Reason != "" || p.Query.Search != ""
}

// Here is the address of this page of the table; NextPage of the one after it, All of the table without filters.
func (p recordsPart) Here() string     { return p.at(p.Query.After) }
func (p recordsPart) NextPage() string { return p.at(p.Next) }
func (p recordsPart) First() string    { return p.at("") }
func (p recordsPart) All() string      { return "/lists/" + p.List.Ref }

func (p recordsPart) at(after string) string {
	v := url.Values{}
	for name, value := range map[string]string{"status": p.Query.Status, "reason": p.Query.Reason, "q": p.Query.Search, "after": after} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return p.All()
	}
	return p.All() + "?" + v.Encode()
}

func (s *Server) progressShow(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	live, err := s.live(q, l)
	if err != nil {
		return err
	}
	q.w.Header().Set("X-List-State", l.State)
	s.sendFragment(q, http.StatusOK, "lists/show", "live", live)
	return nil
}

// downloadShow sends the result file: what there is so far while the list runs.
func (s *Server) downloadShow(q *call) error {
	l, err := s.listed(q)
	if err != nil || (q.api && q.isFresh(s.listVersion(q, l))) {
		return err
	}
	return s.sendDownload(q, l)
}

// idOf is how ids look outside.
func idOf(id int64) string { return strconv.FormatInt(id, 10) }
