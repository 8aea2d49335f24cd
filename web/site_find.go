package web

import (
	"net/http"
	"slices"

	"beagle/app"
	"beagle/app/finder"
	"beagle/app/sheet"
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

// addableLists is how many lists a single answer can be added to, the newest ones.
const addableLists = 30

// addable are the newest lists that take further rows.
func (s *Server) addable(q *call) ([]app.List, error) {
	current := false
	lists, _, _, err := s.app.FindLists(q.ctx(), q.actor.Account, app.ListQuery{Archived: &current, Limit: addableLists})
	return slices.DeleteFunc(lists, func(l app.List) bool {
		return !slices.Contains([]string{app.ListRunning, app.ListPaused, app.ListExporting, app.ListFinished}, l.State)
	}), err
}

// asked is the question of the page as a row of a list.
func (p findPage) asked() map[sheet.Field]string {
	if p.Verify {
		return map[sheet.Field]string{sheet.Email: p.Address}
	}
	return map[sheet.Field]string{sheet.FirstName: p.Form.First, sheet.LastName: p.Form.Last, sheet.Domain: p.Form.Domain, sheet.Company: p.Form.Company}
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
		lists, err := s.addable(q)
		if err != nil {
			return err
		}
		page.Answer = &answerPage{Name: r.First + " " + r.Last, Domain: r.Domain, State: app.RecordDone, Email: r.Email, Status: r.Status, Score: r.Score,
			Pattern: r.Pattern, Reason: r.Reason, Sentence: r.Sentence, Checked: &now, Evidence: r.Evidence, Lists: lists, Asked: page.asked()}
	}
	if q.htmx() {
		s.sendFragment(q, status, "find", "found", page)
		return nil
	}
	s.sendPage(q, status, "find", page)
	return nil
}
