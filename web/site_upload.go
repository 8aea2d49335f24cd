package web

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"beagle/app"
)

// uploadOverhead is what a multipart body has beside its file.
const uploadOverhead = 1 << 20

// receive streams the file of a form into a new list. Fields that follow the file are in p.fields when it returns.
// When anything fails nothing is left behind.
func (s *Server) receive(q *call) (app.List, *posted, error) {
	most := s.app.Config.Upload.MaxBytes
	if q.r.ContentLength > most+uploadOverhead {
		return app.List{}, nil, tooLarge(most)
	}
	p, err := readPosted(q.r, q.said)
	if err != nil {
		return app.List{}, nil, err
	}
	if p.file == nil {
		return app.List{}, nil, app.Refuse(app.CodeBadInput, "no_file", "There is no file in this request. Choose one, or paste rows.")
	}
	l, err := s.app.Upload(q.ctx(), q.actor, app.UploadParams{Name: p.fields["name"], Filename: p.filename, Process: p.fields["process"], Body: p.file, Size: -1})
	if err != nil {
		return app.List{}, nil, err
	}
	q.visit.list = l.Ref
	if err := p.rest(); err != nil {
		return app.List{}, nil, s.undo(q, l, err)
	}
	return l, p, nil
}

// undo removes a list that a failed request has made, and keeps the request's own error.
func (s *Server) undo(q *call, l app.List, because error) error {
	if err := s.app.Discard(context.WithoutCancel(q.ctx()), q.actor, l.Ref); err != nil {
		s.log.ErrorContext(q.ctx(), "list of a refused upload not removed", "list", l.ID, "request_id", q.visit.id, "error", err)
	}
	return because
}

// listsCreate takes a file from the browser (or pasted rows) and goes on to its mapping. A script gets the address as JSON.
func (s *Server) listsCreate(q *call) error {
	l, _, err := s.receive(q)
	if err != nil {
		refusal, status := refusalOf(err)
		if status >= 500 || q.wantsJSON() {
			return err
		}
		return s.showLists(q, status, refusal.Message)
	}
	to := "/lists/" + l.Ref + "/mapping"
	if q.wantsJSON() {
		return s.sendJSON(q, http.StatusCreated, map[string]string{"id": l.Ref, "location": to}, nil)
	}
	return q.redirect(to)
}

// listsCreateSample uploads the file of the demo world in the visitor's name.
func (s *Server) listsCreateSample(q *call) error {
	if s.opts.Sample == nil {
		return app.Refuse(app.CodeNotFound, "no_sample", "There is no sample to try on this installation.")
	}
	l, err := s.app.Upload(q.ctx(), q.actor, app.UploadParams{Name: "Sample contacts", Filename: "contacts.csv", Process: app.ProcessFind,
		Body: bytes.NewReader(s.opts.Sample), Size: int64(len(s.opts.Sample))})
	if err != nil {
		return err
	}
	return q.redirect("/lists/" + l.Ref + "/mapping")
}

// truth reads a yes or no of a form or an address.
func truth(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "true", "yes", "on":
		return true
	}
	return false
}
