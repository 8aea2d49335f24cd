package web

import (
	"net/http"

	"beagle/app"
	"beagle/app/finder"
)

// findPage is the data of find.html.
type findPage struct {
	Form    app.FindParams
	Address string
	Verify  bool // which of the two forms was sent
	Error   string
	Answer  *answerPage
}

func (s *Server) findNew(q *call) error {
	s.sendPage(q, http.StatusOK, "find", findPage{Verify: q.query("verify") != ""})
	return nil
}

func (s *Server) findCreate(q *call) error {
	page := findPage{Form: app.FindParams{First: q.form("first_name"), Last: q.form("last_name"), Company: q.form("company")}}
	if isDomain(page.Form.Company) {
		page.Form.Domain, page.Form.Company = page.Form.Company, ""
	}
	result, err := s.app.FindOne(q.ctx(), q.actor, page.Form)
	return s.showFound(q, page, result, err)
}

func (s *Server) verifyCreate(q *call) error {
	page := findPage{Address: q.form("email"), Verify: true}
	result, err := s.app.VerifyOne(q.ctx(), q.actor, page.Address)
	return s.showFound(q, page, result, err)
}

func (s *Server) showFound(q *call, page findPage, r finder.Result, err error) error {
	status := http.StatusOK
	if err != nil {
		refusal, code := refusalOf(err)
		if code >= 500 {
			return err
		}
		page.Error, status = refusal.Message, code
	} else {
		now := s.app.Now()
		page.Answer = &answerPage{Name: r.First + " " + r.Last, Domain: r.Domain, State: app.RecordDone, Email: r.Email, Status: r.Status, Score: r.Score,
			Pattern: r.Pattern, Reason: r.Reason, Sentence: r.Sentence, Checked: &now, Evidence: r.Evidence}
	}
	if q.htmx() {
		s.sendFragment(q, status, "find", "found", page)
		return nil
	}
	s.sendPage(q, status, "find", page)
	return nil
}
