package web

import (
	"net/http"

	"beagle/app"
)

// settingsPage is the data of settings.html.
type settingsPage struct {
	User     app.User
	Account  app.Account
	Sessions []app.Session
	Mails    bool   // this installation sends mail
	MaxBytes int64  // of an upload
	MaxRows  int    // of a list
	Done     string // what was just changed
	Error    string
	At       string // which form the error belongs to
}

// saidDone are the words for what a form of the settings changed, by the name that the redirect carries.
var saidDone = map[string]string{"name": "Your name is changed.", "password": "Your password is changed, and all other browsers are signed out.",
	"email": "Your address is changed. Sign in with it from now on.", "mail": "Look into the mailbox of the new address: the link there changes it.",
	"mails": "Saved.", "sessions": "Signed out."}

func (s *Server) settingsShow(q *call) error {
	return s.showSettings(q, http.StatusOK, settingsPage{Done: saidDone[q.query("done")]})
}

func (s *Server) showSettings(q *call, status int, page settingsPage) (err error) {
	if page.Account, err = s.app.Account(q.ctx(), q.actor.Account); err != nil {
		return err
	}
	if page.Sessions, err = s.app.Sessions(q.ctx(), q.actor, s.sessionToken(q.r)); err != nil {
		return err
	}
	c := s.app.Config
	page.User, page.Mails, page.MaxBytes, page.MaxRows = q.user, s.app.SendsMail(), c.Upload.MaxBytes, c.Upload.MaxRows
	s.sendPage(q, status, "settings", page)
	return nil
}

// settled goes back to the settings, or shows the form again with what was wrong.
func (s *Server) settled(q *call, form, done string, err error) error {
	if err == nil {
		return q.redirect("/settings?done=" + done)
	}
	refusal, status := refusalOf(err)
	if status >= 500 || status == http.StatusNotFound {
		return err
	}
	return s.showSettings(q, status, settingsPage{Error: refusal.Message, At: form})
}

func (s *Server) mailsUpdate(q *call) error {
	return s.settled(q, "mails", "mails", s.app.SetNotify(q.ctx(), q.actor, truth(q.form("notify"))))
}

func (s *Server) nameUpdate(q *call) error {
	return s.settled(q, "name", "name", s.app.SetName(q.ctx(), q.actor, q.form("name")))
}

func (s *Server) passwordUpdate(q *call) error {
	return s.settled(q, "password", "password", s.app.ChangePassword(q.ctx(), q.actor, q.form("present"), q.form("password"), s.sessionToken(q.r)))
}

func (s *Server) emailUpdate(q *call) error {
	byMail, err := s.app.ChangeEmail(q.ctx(), q.actor, q.form("email"), q.form("present"))
	done := "email"
	if byMail {
		done = "mail"
	}
	return s.settled(q, "email", done, err)
}

func (s *Server) sessionsEnd(q *call) error {
	return s.settled(q, "sessions", "sessions", s.app.EndSession(q.ctx(), q.actor, q.param("session")))
}

func (s *Server) sessionsEndOthers(q *call) error {
	return s.settled(q, "sessions", "sessions", s.app.EndOtherSessions(q.ctx(), q.actor, s.sessionToken(q.r)))
}

// confirmPage is the data of confirm.html: what a link in a mail is about to do. It takes a click, because mail programs look at links
// before people do.
type confirmPage struct {
	Heading, Text, Button, Action string
	Done                          bool
	Back, BackWords               string
}

func (s *Server) emailShow(q *call) error {
	email, err := s.app.NewEmail(q.ctx(), q.param("token"))
	if err != nil {
		return err
	}
	q.plain()
	s.sendPage(q, http.StatusOK, "confirm", confirmPage{Heading: "Use this address?", Text: "You sign in with " + email + " from now on.", Button: "Use this address",
		Action: "/settings/email/" + q.param("token")})
	return nil
}

func (s *Server) emailConfirm(q *call) error {
	if err := s.app.ConfirmEmail(q.ctx(), q.param("token"), q.actor.IP); err != nil {
		return err
	}
	return q.redirect("/settings?done=email")
}
