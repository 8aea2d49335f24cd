package web

import (
	"net/http"

	"beagle/app"
)

// webhookJSON is a webhook with its secret: whoever has the key may sign in its name anyway.
type webhookJSON struct {
	ID        string   `json:"id"`
	URL       string   `json:"url"`
	Events    []string `json:"events"`
	Enabled   bool     `json:"enabled"`
	Reason    *string  `json:"reason"` // why it was disabled
	Secret    string   `json:"secret"`
	CreatedAt *string  `json:"created_at"`
}

// webhookChangeJSON makes or changes a webhook; what is left out stays as it is.
type webhookChangeJSON struct {
	URL     *string  `json:"url"`
	Events  []string `json:"events"`
	Enabled *bool    `json:"enabled"`
}

// callbackMeta goes with the webhooks: what signs messages to a list's callback_url.
type callbackMeta struct {
	CallbackSecret string `json:"callback_secret"`
}

func toWebhookJSON(h app.Webhook) webhookJSON {
	return webhookJSON{ID: h.Ref, URL: h.URL, Events: h.Events, Enabled: h.Enabled, Reason: orNull(h.Note), Secret: h.Secret, CreatedAt: stamp(&h.CreatedAt)}
}

func (s *Server) sendWebhook(q *call, status int, h app.Webhook, err error) error {
	if err != nil {
		return err
	}
	return s.sendJSON(q, status, toWebhookJSON(h), nil)
}

func (s *Server) apiWebhooks(q *call) error {
	hooks, err := s.app.Webhooks(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	secret, err := s.app.CallbackSecret(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	out := make([]webhookJSON, len(hooks))
	for i, h := range hooks {
		out[i] = toWebhookJSON(h)
	}
	return s.sendJSON(q, http.StatusOK, out, callbackMeta{secret})
}

func (s *Server) apiWebhooksCreate(q *call) error {
	var in webhookChangeJSON
	if err := readJSON(q.r.Body, &in); err != nil {
		return err
	}
	if in.URL == nil {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the url parameter.")
	}
	h, err := s.app.CreateWebhook(q.ctx(), q.actor, *in.URL, in.Events)
	return s.sendWebhook(q, http.StatusCreated, h, err)
}

func (s *Server) apiWebhook(q *call) error {
	h, err := s.app.Webhook(q.ctx(), q.actor, q.param("webhook"))
	return s.sendWebhook(q, http.StatusOK, h, err)
}

func (s *Server) apiWebhookEdit(q *call) error {
	var in webhookChangeJSON
	if err := readJSON(q.r.Body, &in); err != nil {
		return err
	}
	if in.URL == nil && in.Events == nil && in.Enabled == nil {
		return app.Refuse(app.CodeBadInput, "wrong_params", "Say what to change: url, events or enabled.")
	}
	h, err := s.app.EditWebhook(q.ctx(), q.actor, q.param("webhook"), app.WebhookChange{URL: in.URL, Events: in.Events, Enabled: in.Enabled})
	return s.sendWebhook(q, http.StatusOK, h, err)
}

func (s *Server) apiWebhookDelete(q *call) error {
	if err := s.app.DeleteWebhook(q.ctx(), q.actor, q.param("webhook")); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
