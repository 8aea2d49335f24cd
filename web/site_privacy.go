package web

import (
	"net/http"
	"strconv"

	"beagle/app"
)

// retentions are the choices for how long lists are kept, in days.
var retentions = []struct {
	Days int
	Word string
}{{7, "7 days"}, {30, "30 days"}, {90, "90 days"}, {180, "180 days"}, {365, "a year"}, {0, "for ever"}}

// privacyPage is the data of privacy.html.
type privacyPage struct {
	Account    app.Account
	Owns       bool
	Retentions any
	Other      bool // the account's retention is none of the choices
	Error      string
}

func (s *Server) privacyShow(q *call) error { return s.showPrivacy(q, http.StatusOK, "") }

func (s *Server) showPrivacy(q *call, status int, problem string) error {
	account, err := s.app.Account(q.ctx(), q.actor.Account)
	if err != nil {
		return err
	}
	page := privacyPage{Account: account, Owns: q.actor.Owns(), Retentions: retentions, Other: true, Error: problem}
	for _, r := range retentions {
		page.Other = page.Other && r.Days != account.RetentionDays
	}
	s.sendPage(q, status, "privacy", page)
	return nil
}

func (s *Server) privacyDone(q *call, err error) error {
	if err == nil {
		return q.redirect("/privacy")
	}
	refusal, status := refusalOf(err)
	if status >= 500 {
		return err
	}
	return s.showPrivacy(q, status, refusal.Message)
}

func (s *Server) retentionUpdate(q *call) error {
	days, err := strconv.Atoi(q.form("days"))
	if err != nil {
		days = -1
	}
	return s.privacyDone(q, s.app.SetRetention(q.ctx(), q.actor, days))
}

func (s *Server) accountDelete(q *call) error {
	_, err := s.app.DeleteAccount(q.ctx(), q.actor, q.form("present"))
	return s.privacyDone(q, err)
}

func (s *Server) accountKeep(q *call) error {
	return s.privacyDone(q, s.app.KeepAccount(q.ctx(), q.actor))
}

// dataShow streams all that the account has. An error half way cuts the connection, so that nobody takes half an archive for a whole one.
func (s *Server) dataShow(q *call) error {
	q.w.Header().Set("Content-Type", "application/zip")
	q.w.Header().Set("Content-Disposition", attachment("beagle-data-"+s.app.Now().UTC().Format("2006-01-02")+".zip"))
	if q.r.Method == http.MethodHead {
		return nil
	}
	if err := s.app.ExportData(q.ctx(), q.actor, q.w); err != nil {
		s.log.WarnContext(q.ctx(), "data export cut off", "account", q.actor.Account, "request_id", q.visit.id, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// auditPage is the data of audit.html.
type auditPage struct {
	Events []app.AuditEvent
	Next   string
	First  bool
}

func (s *Server) auditIndex(q *call) error {
	events, next, err := s.app.AuditEvents(q.ctx(), q.actor, q.query("after"))
	if err != nil {
		return err
	}
	s.sendPage(q, http.StatusOK, "audit", auditPage{Events: events, Next: next, First: q.query("after") == ""})
	return nil
}

// optOutPage is the data of opt_out.html.
type optOutPage struct {
	Mails    bool
	Operator bool // may opt somebody out without a mail
	Subject  string
	SentTo   string // a mail is on its way there
	Done     string // opted out at once
	Error    string
}

func (s *Server) optOutNew(q *call) error {
	s.sendPage(q, http.StatusOK, "opt_out", optOutPage{Mails: s.app.SendsMail(), Operator: q.actor.Operator})
	return nil
}

func (s *Server) optOutCreate(q *call) (err error) {
	if err := s.countSignIn(q); err != nil {
		return err
	}
	page := optOutPage{Mails: s.app.SendsMail(), Operator: q.actor.Operator, Subject: q.form("subject")}
	if q.actor.Operator && truth(q.form("at_once")) {
		page.Done, err = s.app.Suppress(q.ctx(), q.actor, page.Subject)
	} else {
		page.SentTo, err = s.app.AskOptOut(q.ctx(), page.Subject)
	}
	status := http.StatusOK
	if err != nil {
		refusal, code := refusalOf(err)
		if code == http.StatusInternalServerError {
			return err
		}
		page.Error, status = refusal.Message, code
	}
	s.sendPage(q, status, "opt_out", page)
	return nil
}

func (s *Server) optOutShow(q *call) error {
	subject, err := s.app.OptOutAsked(q.ctx(), q.param("token"))
	if err != nil {
		return err
	}
	q.plain()
	s.sendPage(q, http.StatusOK, "confirm", confirmPage{Heading: "Never look this up again?", Button: "Never look it up again", Action: "/opt-out/" + q.param("token"),
		Text: subject + " will not be looked up, verified or shown by this installation again. What it knows of it is deleted."})
	return nil
}

func (s *Server) optOutConfirm(q *call) error {
	subject, err := s.app.ConfirmOptOut(q.ctx(), q.param("token"), q.actor.IP)
	if err != nil {
		return err
	}
	s.sendPage(q, http.StatusOK, "confirm", confirmPage{Heading: "Done", Done: true, Text: subject + " is not looked up here any more.", Back: "/", BackWords: "To the front page"})
	return nil
}
