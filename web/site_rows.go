package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"beagle/app"
)

// recordFilters reads what the records page, a download or an action is about. "waiting", "retrying" and "failed" are states of rows
// that the page shows among the statuses.
func recordFilters(v url.Values) app.RecordQuery {
	q := app.RecordQuery{Status: v.Get("status"), State: v.Get("state"), Reason: v.Get("reason"), Search: firstOf(v.Get("q"), v.Get("search")),
		MinScore: scoreOf(v.Get("min_score")), MaxScore: scoreOf(v.Get("max_score"))}
	switch q.Status {
	case "waiting":
		q.Status, q.State = "", app.RecordPending
	case "retrying", "failed":
		q.State, q.Status = q.Status, ""
	case "skipped":
		q.Status, q.Reason = "", "duplicate"
	}
	return q
}

// scoreOf reads a bound of scores; what is none does not filter.
func scoreOf(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > 100 {
		return 0
	}
	return n
}

// selected reads which rows are meant: the ones that were ticked, or all that fit the filters.
func selected(v url.Values) app.Selection {
	if rows := v["row"]; len(rows) > 0 && !truth(v.Get("all")) {
		return app.Selection{IDs: rows}
	}
	return app.Selection{Query: recordFilters(v)}
}

// rowsUpdate does something with the rows that were ticked, or with all that fit the filters.
func (s *Server) rowsUpdate(q *call) error {
	if err := q.r.ParseForm(); err != nil {
		return app.Refuse(app.CodeBadInput, "wrong_params", "The form could not be read.")
	}
	form := q.r.PostForm
	which := selected(form)
	if len(which.IDs) == 0 && !truth(form.Get("all")) {
		return app.Refuse(app.CodeBadInput, "no_rows_chosen", "Tick the rows first, or tick “all that fit”.")
	}
	var err error
	switch form.Get("do") {
	case "retry":
		_, err = s.app.RunAgainLater(q.ctx(), q.actor, q.param("list"), which)
	case "remove":
		_, err = s.app.RemoveRecords(q.ctx(), q.actor, q.param("list"), which)
	default:
		err = app.Refuse(app.CodeBadInput, "wrong_params", "Say what to do with these rows: run them again, or delete them.")
	}
	if err != nil {
		return err
	}
	return q.redirect(recordsPart{List: app.List{Ref: q.param("list")}, Filters: filterValues(form)}.First())
}

// filterValues keeps of a form what filters and sorts the table.
func filterValues(v url.Values) url.Values {
	kept := url.Values{}
	for _, name := range []string{"status", "reason", "q", "min_score", "max_score", "sort"} {
		if value := v.Get(name); value != "" {
			kept.Set(name, value)
		}
	}
	return kept
}

// removalsUndo brings removed rows back.
func (s *Server) removalsUndo(q *call) error {
	id, err := strconv.ParseInt(q.param("removal"), 10, 64)
	if err != nil {
		return app.Refuse(app.CodeNotFound, "not_found", "There is nothing at this address.")
	}
	if _, err := s.app.UndoRemoval(q.ctx(), q.actor, q.param("list"), id); err != nil {
		return err
	}
	return q.redirect("/lists/" + q.param("list"))
}

// recordsUpdate changes what a row asks about and looks it up again.
func (s *Server) recordsUpdate(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	if err := q.r.ParseForm(); err != nil {
		return app.Refuse(app.CodeBadInput, "wrong_params", "The form could not be read.")
	}
	changes := map[string]string{}
	for _, f := range fields {
		if q.r.PostForm.Has(string(f.ID)) {
			changes[string(f.ID)] = q.form(string(f.ID))
		}
	}
	if _, err := s.app.EditRecord(q.ctx(), q.actor, l.Ref, q.param("record"), changes); err != nil {
		return err
	}
	return q.redirect("/lists/" + l.Ref)
}

func (s *Server) recordsRetry(q *call) error {
	if _, err := s.app.RetryRecord(q.ctx(), q.actor, q.param("list"), q.param("record")); err != nil {
		return err
	}
	return q.redirect("/lists/" + q.param("list"))
}

// additionsCreate puts the person of a single answer into a list, where the answer is used again.
func (s *Server) additionsCreate(q *call) error {
	row := map[string]string{}
	for _, f := range fields {
		if value := strings.TrimSpace(q.form(string(f.ID))); value != "" {
			row[string(f.ID)] = value
		}
	}
	ref := q.form("list")
	if ref == "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "Choose a list to add this person to.")
	}
	if _, err := s.app.AddRecords(q.ctx(), q.actor, ref, []map[string]string{row}); err != nil {
		return err
	}
	if q.htmx() {
		l, err := s.app.List(q.ctx(), q.actor.Account, ref)
		if err != nil {
			return err
		}
		s.sendFragment(q, http.StatusOK, "find", "added", l)
		return nil
	}
	return q.redirect("/lists/" + ref)
}

// listsTag replaces the tags of a list; they come in one field, with commas between them.
func (s *Server) listsTag(q *call) error {
	if err := s.app.SetTags(q.ctx(), q.actor, q.param("list"), strings.Split(q.form("tags"), ",")); err != nil {
		return err
	}
	return q.redirect("/lists/" + q.param("list"))
}
