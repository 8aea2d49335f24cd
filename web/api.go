package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"beagle/app"
)

// envelope is every answer of the API that is not an error.
type envelope struct {
	Data any `json:"data"`
	Meta any `json:"meta"`
}

// errorsJSON is every error of the API, in Hunter's shape.
type errorsJSON struct {
	Errors []errorJSON `json:"errors"`
}

type errorJSON struct {
	ID      string `json:"id"`
	Code    int    `json:"code"`
	Details string `json:"details"`
}

// pageMeta goes with a page of a collection. Total is left out where counting would cost more than the page.
type pageMeta struct {
	Total      *int64  `json:"total,omitempty"`
	NextCursor *string `json:"next_cursor"`
}

func (s *Server) sendJSON(q *call, status int, data, meta any) error {
	if meta == nil {
		meta = struct{}{}
	}
	body, err := json.Marshal(envelope{Data: data, Meta: meta})
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	q.send(status, "application/json; charset=utf-8", append(body, '\n'))
	return nil
}

func (s *Server) failJSON(q *call, refusal *app.Error, status int) {
	details := refusal.Message
	if status == http.StatusInternalServerError {
		details += " Request id: " + q.visit.id
	}
	body, err := json.Marshal(errorsJSON{Errors: []errorJSON{{ID: refusal.ID, Code: status, Details: details}}})
	if err != nil {
		s.log.ErrorContext(q.ctx(), "writing an error", "error", err)
	}
	q.send(status, "application/json; charset=utf-8", append(body, '\n'))
}

// limitOf reads the size of a page.
func limitOf(q *call, standard, most int) (int, error) {
	text := q.query("limit")
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, app.Refuse(app.CodeBadInput, "pagination_error", "The limit must be a number from 1 to %d.", most)
	}
	return n, nil
}

// orNull is nil for "", so that JSON says null where nothing is known.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// stamp is how times look in the API: RFC 3339, UTC, whole seconds.
func stamp(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return orNull(t.UTC().Format(time.RFC3339))
}

// accountJSON is the answer of GET /v2/account.
type accountJSON struct {
	ID            string       `json:"id"`
	Name          string       `json:"name"`
	PlanName      string       `json:"plan_name"`
	Requests      requestsJSON `json:"requests"`
	RetentionDays int          `json:"retention_days"`
	CreatedAt     *string      `json:"created_at"`
}

type requestsJSON struct {
	Credits creditsJSON `json:"credits"`
}

// creditsJSON has null for what is left where this installation counts no credits.
type creditsJSON struct {
	Available *int64 `json:"available"`
	Unlimited bool   `json:"unlimited"`
}

func (s *Server) apiAccount(q *call) error {
	account, err := s.app.Account(q.ctx(), q.actor.Account)
	if err != nil {
		return err
	}
	out := accountJSON{ID: idOf(account.ID), Name: account.Name, PlanName: "self-hosted", RetentionDays: account.RetentionDays, CreatedAt: stamp(&account.CreatedAt)}
	out.Requests.Credits.Unlimited = !s.app.Config.Credits
	if s.app.Config.Credits {
		out.Requests.Credits.Available = &account.Credits
	}
	return s.sendJSON(q, http.StatusOK, out, nil)
}
