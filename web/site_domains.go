package web

import (
	"net/http"
	"net/url"
	"strings"

	"beagle/app"
)

// domainEmailsShown is how many of an account's addresses at a domain the page shows; the API has them all.
const domainEmailsShown = 100

// domainsPage is the data of domains/index.html.
type domainsPage struct{ Recent []string }

// domainsIndex is a search box; what was typed leads to the domain's page.
func (s *Server) domainsIndex(q *call) error {
	if name := strings.TrimSpace(q.query("domain")); name != "" {
		return q.redirect("/domains/" + url.PathEscape(name))
	}
	recent, err := s.app.RecentDomains(q.ctx(), q.actor.Account)
	if err != nil {
		return err
	}
	s.sendPage(q, http.StatusOK, "domains/index", domainsPage{Recent: recent})
	return nil
}

// domainFacts is the data of domains/show.html.
type domainFacts struct {
	app.DomainView
	Total int // of the account's addresses there; the first are shown
	Error string
}

func (s *Server) domainsShow(q *call) error { return s.showDomain(q, http.StatusOK, "") }

func (s *Server) showDomain(q *call, status int, problem string) error {
	asked, err := url.PathUnescape(q.param("domain"))
	if err != nil {
		asked = q.param("domain")
	}
	view, err := s.app.Domain(q.ctx(), q.actor.Account, asked)
	if err != nil {
		return err
	}
	page := domainFacts{DomainView: view, Total: len(view.Emails), Error: problem}
	page.Emails = page.Emails[:min(len(page.Emails), domainEmailsShown)]
	s.sendPage(q, status, "domains/show", page)
	return nil
}

// domainsCheck asks the domain's servers again.
func (s *Server) domainsCheck(q *call) error {
	err := s.app.RefreshDomain(q.ctx(), q.actor, q.param("domain"))
	if err == nil {
		return q.redirect("/domains/" + url.PathEscape(q.param("domain")))
	}
	refusal, status := refusalOf(err)
	if status != http.StatusTooManyRequests {
		return err
	}
	return s.showDomain(q, status, refusal.Message)
}
