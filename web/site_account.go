package web

import (
	"net/http"

	"beagle/app"
)

// keysPage is the data of keys.html.
type keysPage struct {
	Keys    []app.Key
	Manages bool     // may make and revoke keys
	Made    *app.Key // just made, with its secret, which is shown this once
	Secret  string
	BaseURL string
	Error   string
}

func (s *Server) keysIndex(q *call) error { return s.showKeys(q, http.StatusOK, keysPage{}) }

func (s *Server) showKeys(q *call, status int, page keysPage) error {
	keys, err := s.app.KeysFor(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	page.Keys, page.BaseURL, page.Manages = keys, s.baseURL(q.r), q.actor.Manages()
	s.sendPage(q, status, "keys", page)
	return nil
}

// keysCreate answers with the page itself and no redirect: the key must not be in an address, nor be kept for a second look.
func (s *Server) keysCreate(q *call) error {
	key, secret, err := s.app.CreateKey(q.ctx(), q.actor, q.form("name"), truth(q.form("in_url")))
	if err != nil {
		refusal, status := refusalOf(err)
		if status >= 500 {
			return err
		}
		return s.showKeys(q, status, keysPage{Error: refusal.Message})
	}
	q.plain()
	return s.showKeys(q, http.StatusCreated, keysPage{Made: &key, Secret: secret})
}

func (s *Server) keysRevoke(q *call) error {
	if err := s.app.RevokeKey(q.ctx(), q.actor, idParam(q, "key")); err != nil {
		return err
	}
	return q.redirect("/keys")
}

// baseURL is where this installation is, for the examples that people copy.
func (s *Server) baseURL(r *http.Request) string {
	if s.app.Config.BaseURL != "" {
		return s.app.Config.BaseURL
	}
	if s.secure || r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
