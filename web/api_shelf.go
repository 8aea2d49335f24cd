package web

import (
	"net/http"
	"strings"

	"beagle/app"
)

// trashedMost is how many deleted lists are shown that can still be brought back.
const trashedMost = 100

// listFilters reads which lists are meant. Without archived=… archived lists are among the others.
func listFilters(q *call) app.ListQuery {
	query := app.ListQuery{Tag: q.query("tag"), Search: q.query("search"), After: q.query("cursor")}
	if v := q.query("archived"); v != "" {
		query.Archived = new(truth(v))
	}
	return query
}

// apiTrashed are the deleted lists that can still be brought back.
func (s *Server) apiTrashed(q *call) error {
	lists, err := s.app.TrashedLists(q.ctx(), q.actor.Account, trashedMost)
	if err != nil {
		return err
	}
	total := int64(len(lists))
	return s.sendLists(q, lists, pageMeta{Total: &total})
}

// apiListEdit changes the name or the tags of a list, or both.
func (s *Server) apiListEdit(q *call) error {
	var change struct {
		Name *string   `json:"name"`
		Tags *[]string `json:"tags"`
	}
	if err := readJSON(q.r.Body, &change); err != nil {
		return err
	}
	if change.Name == nil && change.Tags == nil {
		return app.Refuse(app.CodeBadInput, "wrong_params", "Say what to change: name or tags.")
	}
	if change.Name != nil && strings.TrimSpace(*change.Name) == "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "The name may not be empty.")
	}
	if change.Tags != nil {
		if err := s.app.SetTags(q.ctx(), q.actor, q.param("list"), *change.Tags); err != nil {
			return err
		}
	}
	if change.Name != nil {
		if _, err := s.app.RenameList(q.ctx(), q.actor, q.param("list"), *change.Name); err != nil {
			return err
		}
	}
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	return s.sendList(q, http.StatusOK, l, nil)
}

// apiListDelete deletes a list so that it can be brought back for an hour, or with permanently=true at once.
func (s *Server) apiListDelete(q *call) error {
	remove := s.remove
	if truth(q.query("permanently")) {
		remove = func(q *call) error { return s.app.DeleteList(q.ctx(), q.actor, q.param("list")) }
	}
	if err := remove(q); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// remove deletes a list in the way that its state asks for: of an upload that was not started nothing is kept.
func (s *Server) remove(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	if l.State == app.ListMapping {
		return s.app.Discard(q.ctx(), q.actor, l.Ref)
	}
	return s.app.TrashList(q.ctx(), q.actor, l.Ref)
}
