package web

import (
	"net/url"
	"slices"
	"strings"

	"beagle/app"
)

// recordsPart is the records table with its filters.
type recordsPart struct {
	List     app.List
	Rows     []app.Record
	Filters  url.Values // what filters and sorts the table, as its address says it
	After    string     // cursor of this page
	Next     string     // cursor of the next page
	Choices  []slice
	Columns  []column
	Actions  []app.ListAction // under way, or that can be undone
	Matching int64            // how many rows fit, where the counters tell; else 0
	Show     bool             // the process looks something up, so there is something to show
}

func (s *Server) records(q *call, l app.List, live livePart) (recordsPart, error) {
	part := recordsPart{List: l, Filters: filterValues(q.r.URL.Query()), After: q.query("after"), Choices: live.Slices, Columns: columnsOf(q, l), Show: l.Process != app.ProcessNone}
	query := recordFilters(part.Filters)
	query.Sort, query.After, query.Limit = part.Filters.Get("sort"), part.After, recordsPerPage
	var err error
	if part.Rows, part.Next, err = s.app.Records(q.ctx(), q.actor.Account, l, query); err != nil {
		return part, err
	}
	if part.Choices, err = s.withChanged(q, l, live.Slices); err != nil {
		return part, err
	}
	part.Matching = matching(part.Filters, live.Progress.Total, part.Choices)
	part.Actions, err = s.app.OpenActions(q.ctx(), q.actor.Account, l)
	return part, err
}

// withChanged adds a choice of the rows that have another answer than before they were looked up again, where there are any.
func (s *Server) withChanged(q *call, l app.List, choices []slice) ([]slice, error) {
	n, err := s.app.Changed(q.ctx(), l)
	if err != nil || n == 0 {
		return choices, err
	}
	return append(slices.Clone(choices), slice{Status: app.StatusChanged, Word: statusWord(app.StatusChanged), Rows: n}), nil
}

// matching is how many rows fit filters, when that is a count of the list's or one of its choices.
func matching(filters url.Values, total int64, choices []slice) int64 {
	status := filters.Get("status")
	for name := range filters {
		if name != "status" {
			return 0
		}
	}
	if status == "" {
		return total
	}
	for _, part := range choices {
		if part.Status == status {
			return part.Rows
		}
	}
	return 0
}

// Here is the address of this page of the table; NextPage of the one after it, First of the first, All of the table without filters.
func (p recordsPart) Here() string     { return p.at("after", p.After) }
func (p recordsPart) NextPage() string { return p.at("after", p.Next) }
func (p recordsPart) First() string    { return p.at("after", "") }
func (p recordsPart) All() string      { return "/lists/" + p.List.Ref }

// OfStatus is the address of the rows of one status.
func (p recordsPart) OfStatus(status string) string {
	return recordsPart{List: p.List}.at("status", status)
}

// SortedBy is the address of the table in another order; asked for twice, the order of scores turns round.
func (p recordsPart) SortedBy(sort string) string {
	if sort == app.SortScore && p.Filters.Get("sort") == app.SortScore {
		sort = app.SortScoreLow
	}
	return p.at("sort", sort)
}

// Direction is how a column is sorted, as aria-sort says it.
func (p recordsPart) Direction(c column) string {
	switch sort := p.Filters.Get("sort"); {
	case sort == app.SortScore && c.Sort == sort:
		return "descending"
	case sort == app.SortAddress && c.Sort == sort, sort == app.SortScoreLow && c.Sort == app.SortScore:
		return "ascending"
	}
	return "none"
}

// at is the address of the table with one thing changed. Without after it begins at the first page.
func (p recordsPart) at(name, value string) string {
	v := filterValues(p.Filters)
	if v.Del(name); value != "" {
		v.Set(name, value)
	}
	if len(v) == 0 {
		return p.All()
	}
	return p.All() + "?" + v.Encode()
}

// Busy tells that something is being done with the rows: the table asks again until it is.
func (p recordsPart) Busy() bool { return slices.ContainsFunc(p.Actions, app.ListAction.Open) }

// Again is the address that Busy asks; when the work is done the whole page is loaded anew.
func (p recordsPart) Again() string {
	if here := p.Here(); strings.Contains(here, "?") {
		return here + "&busy=1"
	}
	return p.Here() + "?busy=1"
}

// ByScore tells that only a range of scores is shown, from Least to Most.
func (p recordsPart) ByScore() bool { return p.Filters.Has("min_score") || p.Filters.Has("max_score") }
func (p recordsPart) Least() int    { return scoreOf(p.Filters.Get("min_score")) }
func (p recordsPart) Most() int {
	if most := scoreOf(p.Filters.Get("max_score")); most > 0 {
		return most
	}
	return 100
}

// Sorted tells that the rows are in another order than that of the file.
func (p recordsPart) Sorted() bool {
	return p.Filters.Get("q") == "" && (p.Filters.Get("sort") != "" || p.ByScore())
}

// Shown are the columns that are on, and beside changed answers what was answered before.
func (p recordsPart) Shown() []column {
	var on []column
	changed := p.Filters.Get("status") == app.StatusChanged
	for _, c := range p.Columns {
		if (c.On || changed && c.ID == beforeColumn) && (p.Show || c.Index >= 0) {
			on = append(on, c)
		}
	}
	return on
}
