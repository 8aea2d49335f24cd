package web

import (
	"context"
	"net/http"
	"net/url"

	"beagle/app"
)

const (
	listsPerPage = 30 // a screen or two
	trashedShown = 5  // deleted lists with a button to bring them back
)

// listRow is a line of the lists page.
type listRow struct {
	app.List
	Progress app.Progress
	Tags     []string
}

type listsPage struct {
	Rows      []listRow
	Total     int64
	Next      string
	First     bool // the first page: no cursor was given
	MaxBytes  int64
	CanSample bool
	Error     string
	Tag       string     // only lists with this tag are shown
	Archived  bool       // the archived ones are
	Tags      []string   // to choose from
	Deleted   []app.List // that can be brought back
}

func (s *Server) listsIndex(q *call) error { return s.showLists(q, http.StatusOK, "") }

func (s *Server) showLists(q *call, status int, problem string) error {
	archived := truth(q.query("archived"))
	lists, next, total, err := s.app.FindLists(q.ctx(), q.actor.Account, app.ListQuery{Tag: q.query("tag"), Archived: &archived, After: q.query("after"), Limit: listsPerPage})
	if err != nil {
		return err
	}
	tags, err := s.app.TagsOf(q.ctx(), lists...)
	if err != nil {
		return err
	}
	page := listsPage{Total: total, Next: next, Tag: q.query("tag"), Archived: archived, First: q.query("after") == "", MaxBytes: s.app.Config.Upload.MaxBytes,
		CanSample: s.opts.Sample != nil, Error: problem, Rows: make([]listRow, len(lists))}
	progress, err := s.app.Progresses(q.ctx(), lists)
	if err != nil {
		return err
	}
	for i, l := range lists {
		page.Rows[i] = listRow{List: l, Tags: tags[l.ID], Progress: progress[i]}
	}
	if q.htmx() {
		s.sendFragment(q, status, "lists/index", "table", page)
		return nil
	}
	if page.Tags, err = s.app.Tags(q.ctx(), q.actor.Account); err != nil {
		return err
	}
	if page.Deleted, err = s.app.TrashedLists(q.ctx(), q.actor.Account, trashedShown); err != nil {
		return err
	}
	s.sendPage(q, status, "lists/index", page)
	return nil
}

// At is the address of a page of these lists, Here that of their first page.
func (p listsPage) At(after string) string {
	v := url.Values{}
	for name, value := range map[string]string{"tag": p.Tag, "after": after} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if p.Archived {
		v.Set("archived", "true")
	}
	if len(v) == 0 {
		return "/lists"
	}
	return "/lists?" + v.Encode()
}
func (p listsPage) Here() string { return p.At("") }

// Fresh tells that there is nothing yet, not even out of sight: somebody begins.
func (p listsPage) Fresh() bool {
	return p.First && len(p.Rows) == 0 && p.Tag == "" && !p.Archived && len(p.Deleted) == 0
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
	if err := s.remove(q); err != nil {
		return err
	}
	return q.redirect("/lists")
}
