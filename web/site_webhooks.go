package web

import (
	"net/http"
	"slices"

	"beagle/app"
)

// deliveriesShown is how many messages the log shows.
const deliveriesShown = 50

// eventLabels say in words what webhooks are told of.
var eventLabels = map[string]string{app.EventImported: "a list was imported", app.EventFinished: "a list has finished", app.EventFailed: "a list has failed"}

// eventChoice is a box to tick.
type eventChoice struct {
	Event, Label string
	Chosen       bool
}

func eventChoices(chosen []string) []eventChoice {
	out := make([]eventChoice, len(app.Events))
	for i, e := range app.Events {
		out[i] = eventChoice{e, eventLabels[e], slices.Contains(chosen, e)}
	}
	return out
}

// webhookShown is a webhook with its boxes.
type webhookShown struct {
	app.Webhook
	Choices []eventChoice
}

// webhooksPage is the data of webhooks.html.
type webhooksPage struct {
	Hooks      []webhookShown
	Events     []eventChoice // of a new one: all
	Deliveries []app.Delivery
	Callback   string // what signs messages to callback_urls
	Error      string
}

func (s *Server) webhooksIndex(q *call) error { return s.showWebhooks(q, http.StatusOK, "") }

func (s *Server) showWebhooks(q *call, status int, problem string) error {
	page := webhooksPage{Error: problem, Events: eventChoices(app.Events)}
	hooks, err := s.app.Webhooks(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		page.Hooks = append(page.Hooks, webhookShown{h, eventChoices(h.Events)})
	}
	if page.Deliveries, err = s.app.Deliveries(q.ctx(), q.actor.Account, deliveriesShown); err != nil {
		return err
	}
	if page.Callback, err = s.app.CallbackSecret(q.ctx(), q.actor); err != nil {
		return err
	}
	q.plain() // it shows secrets
	s.sendPage(q, status, "webhooks", page)
	return nil
}

func (s *Server) webhooksCreate(q *call) error {
	events, err := chosenEvents(q)
	if err == nil {
		_, err = s.app.CreateWebhook(q.ctx(), q.actor, q.form("url"), events)
	}
	return s.webhooksAgain(q, err)
}

// webhooksUpdate changes what a webhook is told of.
func (s *Server) webhooksUpdate(q *call) error {
	events, err := chosenEvents(q)
	if err == nil {
		_, err = s.app.EditWebhook(q.ctx(), q.actor, q.param("webhook"), app.WebhookChange{Events: events})
	}
	return s.webhooksAgain(q, err)
}

// webhooksSwitch switches a webhook on, also one that was switched off because it failed, or off.
func (s *Server) webhooksSwitch(q *call) error {
	_, err := s.app.EditWebhook(q.ctx(), q.actor, q.param("webhook"), app.WebhookChange{Enabled: new(truth(q.form("enabled")))})
	return s.webhooksAgain(q, err)
}

// chosenEvents are the boxes that were ticked; at least one.
func chosenEvents(q *call) ([]string, error) {
	_ = q.form("events") // reads the form
	if events := q.r.PostForm["events"]; len(events) > 0 {
		return events, nil
	}
	return nil, app.Refuse(app.CodeBadInput, "no_events", "Choose at least one thing that the address is to be told of.")
}

// webhooksAgain shows the page, with what was wrong if something was.
func (s *Server) webhooksAgain(q *call, err error) error {
	if err == nil {
		return q.redirect("/webhooks")
	}
	refusal, status := refusalOf(err)
	if status >= 500 || status == http.StatusNotFound {
		return err
	}
	return s.showWebhooks(q, status, refusal.Message)
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
