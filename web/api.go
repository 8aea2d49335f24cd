package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	if status == http.StatusOK && q.api && q.w.Header().Get("ETag") == "" && q.isFresh(s.tagOf(string(body))) {
		return nil
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

// errNotText refuses what no column of text can hold.
var errNotText = app.Refuse(app.CodeBadInput, "wrong_params", "Send text as UTF-8 and without NUL characters.")

// checkText refuses addresses that hold something else than text.
func (q *call) checkText() error {
	if !isText(q.r.URL.Path) {
		return errNotText
	}
	for name, values := range q.values() {
		if !isText(name) || slices.ContainsFunc(values, func(v string) bool { return !isText(v) }) {
			return errNotText
		}
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

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

// accountJSON is the answer of GET /v2/account: Hunter's fields and a few of ours.
type accountJSON struct {
	ID            string       `json:"id"`
	Name          string       `json:"name"`
	FirstName     *string      `json:"first_name"` // not known here
	LastName      *string      `json:"last_name"`
	Email         *string      `json:"email"` // of the key's owner
	PlanName      string       `json:"plan_name"`
	PlanLevel     int          `json:"plan_level"`
	ResetDate     *string      `json:"reset_date"` // credits do not come back by themselves: null
	TeamID        string       `json:"team_id"`
	Requests      requestsJSON `json:"requests"`
	RetentionDays int          `json:"retention_days"`
	CreatedAt     *string      `json:"created_at"`
}

type requestsJSON struct {
	Credits       creditsJSON `json:"credits"`
	Searches      quotaJSON   `json:"searches"`
	Verifications quotaJSON   `json:"verifications"` // free: never counted
}

// creditsJSON has null for what is left where this installation counts no credits.
type creditsJSON struct {
	Used      int64  `json:"used"` // in this month
	Available *int64 `json:"available"`
	Unlimited bool   `json:"unlimited"`
}

// quotaJSON is Hunter's form of a quota. A search costs a credit, so its figures are the credits'.
type quotaJSON struct {
	Used      int64  `json:"used"`
	Available *int64 `json:"available"` // null: no limit
}

func (s *Server) apiAccount(q *call) error {
	account, email, err := s.app.OwnAccount(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	spent := int64(0)
	if s.app.Config.Credits {
		if spent, err = s.app.SpentThisMonth(q.ctx(), q.actor.Account); err != nil {
			return err
		}
	}
	out := accountJSON{ID: idOf(account.ID), Name: account.Name, Email: orNull(email), PlanName: "self-hosted", TeamID: idOf(account.ID),
		RetentionDays: account.RetentionDays, CreatedAt: stamp(&account.CreatedAt)}
	out.Requests.Credits = creditsJSON{Used: spent, Unlimited: !s.app.Config.Credits}
	if s.app.Config.Credits {
		out.Requests.Credits.Available = &account.Credits
	}
	out.Requests.Searches = quotaJSON{spent, out.Requests.Credits.Available}
	return s.sendJSON(q, http.StatusOK, out, nil)
}
