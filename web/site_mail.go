package web

import (
	"net/http"
	"regexp"
	"strings"

	"beagle/app"
)

// resetPage is the data of reset.html.
type resetPage struct {
	Mails bool // this installation sends mail
	Sent  bool
	Email string
	Error string
}

func (s *Server) resetNew(q *call) error {
	s.sendPage(q, http.StatusOK, "reset", resetPage{Mails: s.app.SendsMail()})
	return nil
}

// resetCreate says the same whether or not somebody has the address.
func (s *Server) resetCreate(q *call) error {
	if err := s.countSignIn(q); err != nil {
		return err
	}
	page := resetPage{Mails: s.app.SendsMail(), Email: strings.TrimSpace(q.form("email")), Sent: true}
	status := http.StatusOK
	if err := s.app.ForgotPassword(q.ctx(), page.Email, q.actor.IP); err != nil {
		refusal, code := refusalOf(err)
		if code == http.StatusInternalServerError {
			return err
		}
		page.Sent, page.Error, status = false, refusal.Message, code
	}
	s.sendPage(q, status, "reset", page)
	return nil
}

// passwordPage is the data of reset_password.html.
type passwordPage struct{ Token, Email, Error string }

// passwordNew does not use the link up: mail programs look at links before people do.
func (s *Server) passwordNew(q *call) error {
	user, err := s.app.ResetUser(q.ctx(), q.param("token"))
	if err != nil {
		return err
	}
	q.plain()
	s.sendPage(q, http.StatusOK, "reset_password", passwordPage{Token: q.param("token"), Email: user.Email})
	return nil
}

func (s *Server) passwordCreate(q *call) error {
	if err := s.countSignIn(q); err != nil {
		return err
	}
	err := s.app.ResetPassword(q.ctx(), q.param("token"), q.form("password"), q.actor.IP)
	if app.CodeOf(err) == app.CodeBadInput {
		user, userErr := s.app.ResetUser(q.ctx(), q.param("token"))
		if userErr != nil {
			return userErr
		}
		q.plain()
		s.sendPage(q, http.StatusBadRequest, "reset_password", passwordPage{Token: q.param("token"), Email: user.Email, Error: err.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	return q.redirect("/sign-in")
}

// keptMail is one mail of dev/mail.html, with the addresses in it.
type keptMail struct {
	app.KeptMail
	Links []string
}

type keptMailsPage struct{ Mails []keptMail }

var mailLink = regexp.MustCompile(`https?://\S+`)

// keptMailsIndex is there only where mail is kept, and only for operators and this machine: links to new passwords are in it.
func (s *Server) keptMailsIndex(q *call) error {
	if !s.app.Config.Run.KeepMail || !(q.actor.Operator || fromHere(q.r)) {
		return app.Refuse(app.CodeNotFound, "not_found", "There is nothing at this address.")
	}
	kept, err := s.app.KeptMails(q.ctx())
	if err != nil {
		return err
	}
	page := keptMailsPage{Mails: make([]keptMail, len(kept))}
	for i, m := range kept {
		page.Mails[i] = keptMail{m, mailLink.FindAllString(m.TextBody, -1)}
	}
	q.plain()
	s.sendPage(q, http.StatusOK, "dev/mail", page)
	return nil
}
