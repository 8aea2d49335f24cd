package web

import (
	"context"
	"net/http"

	"beagle/app"
)

// listsPerPage is a screen or two.
const listsPerPage = 30

// listRow is a line of the lists page.
type listRow struct {
	app.List
	Progress app.Progress
}

type listsPage struct {
	Rows      []listRow
	Total     int64
	Next      string
	First     bool // the first page: no cursor was given
	MaxBytes  int64
	CanSample bool
	Error     string
}

func (s *Server) listsIndex(q *call) error { return s.showLists(q, http.StatusOK, "") }

func (s *Server) showLists(q *call, status int, problem string) error {
	lists, next, total, err := s.app.Lists(q.ctx(), q.actor.Account, q.query("after"), listsPerPage)
	if err != nil {
		return err
	}
	page := listsPage{Total: total, Next: next, First: q.query("after") == "", MaxBytes: s.app.Config.Upload.MaxBytes,
		CanSample: s.opts.Sample != nil, Error: problem, Rows: make([]listRow, len(lists))}
	for i, l := range lists {
		page.Rows[i].List = l
		if page.Rows[i].Progress, err = s.app.Progress(q.ctx(), l); err != nil {
			return err
		}
	}
	if q.htmx() {
		s.sendFragment(q, status, "lists/index", "table", page)
		return nil
	}
	s.sendPage(q, status, "lists/index", page)
	return nil
}

// Busy tells that some list on the page still moves, so that the page asks again.
func (p listsPage) Busy() bool {
	for _, r := range p.Rows {
		if !r.Ended() && r.State != app.ListMapping && r.State != app.ListPaused {
			return true
		}
	}
	return false
}

// listed reads the list that the address names.
func (s *Server) listed(q *call) (app.List, error) {
	return s.app.List(q.ctx(), q.actor.Account, q.param("list"))
}

// control is the handler of a button of the list page.
func control(do func(*app.App, context.Context, app.Actor, string) (app.List, error)) func(*Server, *call) error {
	return func(s *Server, q *call) error {
		l, err := do(s.app, q.ctx(), q.actor, q.param("list"))
		if err != nil {
			return err
		}
		return q.redirect("/lists/" + l.Ref)
	}
}

func (s *Server) listsRename(q *call) error {
	l, err := s.app.RenameList(q.ctx(), q.actor, q.param("list"), q.form("name"))
	if err != nil {
		return err
	}
	return q.redirect("/lists/" + l.Ref)
}

func (s *Server) listsDelete(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	remove := s.app.DeleteList
	if l.State == app.ListMapping {
		remove = s.app.Discard // nothing was made of it yet
	}
	if err := remove(q.ctx(), q.actor, l.Ref); err != nil {
		return err
	}
	return q.redirect("/lists")
}
