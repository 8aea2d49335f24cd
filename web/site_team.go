package web

import (
	"net/http"
	"strconv"

	"beagle/app"
)

// teamPage is the data of team.html.
type teamPage struct {
	Account     app.Account
	Me          app.User
	Members     []app.User
	Invitations []app.Invitation
	Roles       []string // that the reader may give
	Mails       bool
	Link        string // of an invitation, where no mail is sent: shown this once
	Email       string // typed into a form that was refused
	Error       string
}

func (s *Server) teamShow(q *call) error { return s.showTeam(q, http.StatusOK, teamPage{}) }

func (s *Server) showTeam(q *call, status int, page teamPage) (err error) {
	if page.Account, err = s.app.Account(q.ctx(), q.actor.Account); err != nil {
		return err
	}
	if page.Members, err = s.app.Members(q.ctx(), q.actor.Account); err != nil {
		return err
	}
	if q.actor.Manages() {
		if page.Invitations, err = s.app.Invitations(q.ctx(), q.actor.Account); err != nil {
			return err
		}
	}
	page.Me, page.Mails, page.Roles = q.user, s.app.SendsMail(), app.Roles
	if !q.actor.Owns() {
		page.Roles = app.Roles[1:]
	}
	q.plain() // it may show the link of an invitation
	s.sendPage(q, status, "team", page)
	return nil
}

// teamDone goes back to the team, or shows it with what was wrong.
func (s *Server) teamDone(q *call, err error) error {
	if err == nil {
		return q.redirect("/team")
	}
	refusal, status := refusalOf(err)
	if status >= 500 || status == http.StatusNotFound || status == http.StatusForbidden {
		return err
	}
	return s.showTeam(q, status, teamPage{Error: refusal.Message, Email: q.form("email")})
}

func (s *Server) teamRename(q *call) error {
	return s.teamDone(q, s.app.RenameTeam(q.ctx(), q.actor, q.form("name")))
}

func (s *Server) invitationsCreate(q *call) error {
	token, err := s.app.Invite(q.ctx(), q.actor, q.form("email"), q.form("role"))
	return s.invited(q, token, err)
}

func (s *Server) invitationsResend(q *call) error {
	token, err := s.app.Reinvite(q.ctx(), q.actor, idParam(q, "invitation"))
	return s.invited(q, token, err)
}

// invited answers with the page itself when there is a link to pass on: it must not be in an address.
func (s *Server) invited(q *call, token string, err error) error {
	if err != nil || token == "" {
		return s.teamDone(q, err)
	}
	return s.showTeam(q, http.StatusCreated, teamPage{Link: s.baseURL(q.r) + "/invitations/" + token})
}

func (s *Server) invitationsDelete(q *call) error {
	return s.teamDone(q, s.app.Uninvite(q.ctx(), q.actor, idParam(q, "invitation")))
}

func (s *Server) membersUpdate(q *call) error {
	return s.teamDone(q, s.app.SetRole(q.ctx(), q.actor, idParam(q, "member"), q.form("role")))
}

func (s *Server) membersDelete(q *call) error {
	return s.teamDone(q, s.app.RemoveMember(q.ctx(), q.actor, idParam(q, "member")))
}

// idParam is a number in the address; 0, which nothing has, when it is none.
func idParam(q *call, name string) int64 {
	id, err := strconv.ParseInt(q.param(name), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// invitationPage is the data of invitation.html.
type invitationPage struct {
	app.Invitation
	Token, Name, Error string
}

func (s *Server) invitationsShow(q *call) error {
	return s.showInvitation(q, http.StatusOK, invitationPage{})
}

func (s *Server) showInvitation(q *call, status int, page invitationPage) (err error) {
	page.Token = q.param("token")
	if page.Invitation, err = s.app.Invitation(q.ctx(), page.Token); err != nil {
		return err
	}
	q.plain()
	s.sendPage(q, status, "invitation", page)
	return nil
}

func (s *Server) invitationsAccept(q *call) error {
	if err := s.countSignIn(q); err != nil {
		return err
	}
	user, err := s.app.AcceptInvitation(q.ctx(), q.param("token"), q.form("name"), q.form("password"), q.actor.IP)
	if err == nil {
		err = s.openSession(q, user.Email, q.form("password"))
	}
	if err == nil {
		return q.redirect("/lists")
	}
	refusal, status := refusalOf(err)
	if status >= 500 || status == http.StatusNotFound {
		return err
	}
	return s.showInvitation(q, status, invitationPage{Name: q.form("name"), Error: refusal.Message})
}
