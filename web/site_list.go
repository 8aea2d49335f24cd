package web

import (
	"fmt"
	"net/http"
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
	Parts   []choice // what can be downloaded beside all
	Tags    []string
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
	Share        float64 // of all rows without an answer
}

type format struct{ ID, Word, Meaning string }

var formats = []format{
	{"csv", "CSV", "opens everywhere"},
	{"xlsx", "Excel", "a workbook"},
	{"jsonl", "JSON lines", "for programs"},
}

// parts are what of a list can be downloaded beside all of it.
var parts = []choice{{app.StatusFound, "Only found"}, {"valid", "Only valid"}}

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
		if q.query("busy") != "" && !records.Busy() {
			q.w.Header().Set("HX-Refresh", "true") // the list may be in another state now
		}
		s.sendFragment(q, http.StatusOK, "lists/show", "records", records)
		return nil
	}
	tags, err := s.app.TagsOf(q.ctx(), l)
	if err != nil {
		return err
	}
	s.sendPage(q, http.StatusOK, "lists/show", listPage{List: l, Live: live, Records: records, Formats: formats, Parts: parts, Tags: tags[l.ID]})
	return nil
}

func (s *Server) live(q *call, l app.List) (livePart, error) {
	progress, err := s.app.Progress(q.ctx(), l)
	if err != nil {
		return livePart{}, err
	}
	live := livePart{List: l, Progress: progress, Slices: donut(progress.Counts)}
	live.Chart = inWords(live.Slices)
	all := int64(0)
	for _, r := range progress.Counts.ByReason {
		if r.Rows > 0 && (r.Status == "unknown" || r.Status == "") && r.Reason != "" {
			live.Unsolved = append(live.Unsolved, unsolved{Reason: r.Reason, Next: nextStep(r.Reason), Rows: r.Rows})
			all += r.Rows
		}
	}
	for i := range live.Unsolved {
		live.Unsolved[i].Share = float64(live.Unsolved[i].Rows) / float64(all)
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

func (s *Server) progressShow(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	live, err := s.live(q, l)
	if err != nil {
		return err
	}
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
