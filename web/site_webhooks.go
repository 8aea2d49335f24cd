package web

import (
	"net/http"

	"beagle/app"
)

// deliveriesShown is how many messages the log shows.
const deliveriesShown = 50

// webhooksPage is the data of webhooks.html.
type webhooksPage struct {
	Hooks      []app.Webhook
	Deliveries []app.Delivery
	Callback   string // what signs messages to callback_urls
	Error      string
}

func (s *Server) webhooksIndex(q *call) error { return s.showWebhooks(q, http.StatusOK, "") }

func (s *Server) showWebhooks(q *call, status int, problem string) error {
	page := webhooksPage{Error: problem}
	var err error
	if page.Hooks, err = s.app.Webhooks(q.ctx(), q.actor.Account); err != nil {
		return err
	}
	if page.Deliveries, err = s.app.Deliveries(q.ctx(), q.actor.Account, deliveriesShown); err != nil {
		return err
	}
	if page.Callback, err = s.app.CallbackSecret(q.ctx(), q.actor.Account); err != nil {
		return err
	}
	q.plain() // it shows secrets
	s.sendPage(q, status, "webhooks", page)
	return nil
}

func (s *Server) webhooksCreate(q *call) error {
	if _, err := s.app.CreateWebhook(q.ctx(), q.actor, q.form("url"), nil); err != nil {
		refusal, status := refusalOf(err)
		if status >= 500 {
			return err
		}
		return s.showWebhooks(q, status, refusal.Message)
	}
	return q.redirect("/webhooks")
}

func (s *Server) webhooksDelete(q *call) error {
	if err := s.app.DeleteWebhook(q.ctx(), q.actor, q.param("webhook")); err != nil {
		return err
	}
	return q.redirect("/webhooks")
}

func (s *Server) deliveriesRetry(q *call) error {
	if _, err := s.app.Redeliver(q.ctx(), q.actor, q.param("delivery")); err != nil {
		return err
	}
	return q.redirect("/webhooks")
}
