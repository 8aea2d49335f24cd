package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"beagle/app"
)

// actionJSON is something that is done with many rows of a list.
type actionJSON struct {
	ID        string  `json:"id"`
	Kind      string  `json:"kind"`  // retry or delete
	State     string  `json:"state"` // waiting, done, undoing, undone, cleared
	Rows      int64   `json:"rows"`  // so far; what was taken back is not counted
	CreatedAt *string `json:"created_at"`
	UndoUntil *string `json:"undo_until"` // null: cannot be undone, or not any more
}

// actionKinds are the words of the API.
var actionKinds = map[string]string{app.ActionRetry: "retry", app.ActionRemove: "delete"}

func (s *Server) toActionJSON(act app.ListAction) actionJSON {
	out := actionJSON{ID: idOf(act.ID), Kind: actionKinds[act.Kind], State: act.State, Rows: act.Rows, CreatedAt: stamp(&act.CreatedAt)}
	if act.State == app.ActionDone && act.ClearAt != nil && act.ClearAt.After(s.app.Now()) {
		out.UndoUntil = stamp(act.ClearAt)
	}
	return out
}

// sendAction answers with an action: 202 while it is under way.
func (s *Server) sendAction(q *call, act app.ListAction, err error) error {
	if err != nil {
		return err
	}
	status := http.StatusOK
	if act.Open() && q.r.Method == http.MethodPost {
		q.w.Header().Set("Retry-After", "2")
		status = http.StatusAccepted
	}
	return s.sendJSON(q, status, s.toActionJSON(act), nil)
}

// apiRowsAction is the handler of what is done with many records: those that are named, those that fit a filter, or all.
func apiRowsAction(do func(*app.App, context.Context, app.Actor, string, app.Selection) (app.ListAction, error)) func(*Server, *call) error {
	return func(s *Server, q *call) error {
		which, err := readSelection(q)
		if err != nil {
			return err
		}
		act, err := do(s.app, q.ctx(), q.actor, q.param("list"), which)
		return s.sendAction(q, act, err)
	}
}

// recordFilterNames are the parameters that pick records, in an address and in a filter.
var recordFilterNames = []string{"status", "state", "reason", "search", "min_score", "max_score"}

// readSelection reads which records are meant. One of the three must be said, so that nothing is done to all of them by a slip.
func readSelection(q *call) (app.Selection, error) {
	var in struct {
		IDs    []string   `json:"ids"`
		Filter *postedRow `json:"filter"`
		All    bool       `json:"all"`
	}
	if err := readJSON(q.r.Body, &in); err != nil {
		return app.Selection{}, err
	}
	said := 0
	for _, yes := range []bool{len(in.IDs) > 0, in.Filter != nil, in.All} {
		if yes {
			said++
		}
	}
	if said != 1 {
		return app.Selection{}, app.Refuse(app.CodeBadInput, "wrong_params", `Say which records: {"ids": […]}, {"filter": {…}} or {"all": true}.`)
	}
	if in.Filter == nil {
		return app.Selection{IDs: in.IDs}, nil
	}
	filter := url.Values{}
	for name, value := range in.Filter.values {
		if !slices.Contains(recordFilterNames, name) {
			return app.Selection{}, app.Refuse(app.CodeBadInput, "wrong_params", "There is no filter %q. The filters are %s.", name, strings.Join(recordFilterNames, ", "))
		}
		if value != "" {
			filter.Set(name, value)
		}
	}
	query := recordFilters(filter)
	if query == (app.RecordQuery{}) {
		return app.Selection{}, app.Refuse(app.CodeBadInput, "wrong_params", `This filter leaves no record out. Send {"all": true} if all are meant.`)
	}
	return app.Selection{Query: query}, checkScores(filter)
}

// apiActions are the actions under way, and the deletions that can still be undone, newest first.
func (s *Server) apiActions(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	acts, err := s.app.OpenActions(q.ctx(), q.actor.Account, l)
	if err != nil {
		return err
	}
	out := make([]actionJSON, len(acts))
	for i, act := range acts {
		out[i] = s.toActionJSON(act)
	}
	total := int64(len(out))
	return s.sendJSON(q, http.StatusOK, out, pageMeta{Total: &total})
}

func (s *Server) apiAction(q *call) error {
	act, err := s.action(q)
	return s.sendAction(q, act, err)
}

// action reads the action that the address names.
func (s *Server) action(q *call) (app.ListAction, error) {
	l, err := s.listed(q)
	if err != nil {
		return app.ListAction{}, err
	}
	return s.app.Action(q.ctx(), q.actor.Account, l, q.param("action"))
}

// apiActionUndo brings deleted records back. Undone twice is undone once.
func (s *Server) apiActionUndo(q *call) error {
	act, err := s.action(q)
	switch {
	case err != nil:
		return err
	case act.Kind != app.ActionRemove:
		return app.Refuse(app.CodeConflict, "not_undoable", "Only deletions can be undone.")
	case act.State != app.ActionUndoing && act.State != app.ActionUndone:
		act, err = s.app.UndoRemoval(q.ctx(), q.actor, q.param("list"), act.ID)
	}
	return s.sendAction(q, act, err)
}
