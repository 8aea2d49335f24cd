package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"beagle/app"
)

// column is a column of the records table that a person may show or hide. Index is the column of the file, -1 for one of ours.
type column struct {
	ID, Word string
	Index    int
	On       bool
	Sort     string // the order that a click on its head asks for
}

// ownColumns are the columns that Beagle adds.
var ownColumns = []column{
	{ID: "address", Word: "Address", Index: -1, On: true, Sort: app.SortAddress},
	{ID: "status", Word: "Status", Index: -1, On: true},
	{ID: "score", Word: "Score", Index: -1, On: true, Sort: app.SortScore},
	{ID: "reason", Word: "Reason", Index: -1},
	{ID: "pattern", Word: "Pattern", Index: -1},
	{ID: "checked", Word: "Checked", Index: -1},
	{ID: beforeColumn, Word: "Before", Index: -1},
}

// beforeColumn is the column of the answer before a row was looked up again.
const beforeColumn = "before"

const (
	columnsCookie = "columns"
	columnsAge    = 365 * 24 * time.Hour
	maxShown      = 30 // columns at once: more can neither be read nor fit a cookie
)

// columnsOf are the columns of a list's table, with those on that the visitor chose for it, or the usual ones.
func columnsOf(q *call, l app.List) []column {
	all := slices.Clone(ownColumns)
	for i, name := range l.Columns {
		all = append(all, column{ID: "c" + strconv.Itoa(i), Word: firstOf(name, "Column "+strconv.Itoa(i+1)), Index: i})
	}
	kept, err := q.r.Cookie(columnsCookie)
	if err != nil {
		return all
	}
	on := strings.Split(kept.Value, ".")
	for i := range all {
		all[i].On = slices.Contains(on, all[i].ID)
	}
	return all
}

// columnsUpdate keeps the chosen columns of a list in a cookie of its own.
func (s *Server) columnsUpdate(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	wanted := q.r.URL.Query()["column"]
	var on []string
	for _, c := range columnsOf(q, l) {
		if slices.Contains(wanted, c.ID) && len(on) < maxShown {
			on = append(on, c.ID)
		}
	}
	http.SetCookie(q.w, &http.Cookie{Name: columnsCookie, Value: strings.Join(on, "."), Path: "/lists/" + url.PathEscape(l.Ref), MaxAge: int(columnsAge.Seconds()),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
	return q.redirect("/lists/" + l.Ref)
}

// Cell is what a column shows of a record's file.
func (c column) Cell(r app.Record) string {
	if c.Index < 0 || c.Index >= len(r.Cells) {
		return ""
	}
	return r.Cells[c.Index]
}
