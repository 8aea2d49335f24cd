package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"

	"beagle/app"
	"beagle/app/sheet"
)

// statusOf is the one table from refusals to HTTP. What is not in it is a 500.
var statusOf = map[app.Code]int{
	app.CodeBadInput:      http.StatusBadRequest,
	app.CodeUnauthorized:  http.StatusUnauthorized,
	app.CodeNoCredits:     http.StatusPaymentRequired,
	app.CodeForbidden:     http.StatusForbidden,
	app.CodeNotFound:      http.StatusNotFound,
	codeMethod:            http.StatusMethodNotAllowed,
	app.CodeConflict:      http.StatusConflict,
	app.CodeTooLarge:      http.StatusRequestEntityTooLarge,
	app.CodeUnprocessable: http.StatusUnprocessableEntity,
	app.CodeTooMany:       http.StatusTooManyRequests,
	app.CodeSuppressed:    http.StatusUnavailableForLegalReasons,
	app.CodeUnavailable:   http.StatusServiceUnavailable,
	app.CodeTimeout:       http.StatusServiceUnavailable,
}

const codeMethod app.Code = "method_not_allowed"

var (
	errMethod = app.Refuse(codeMethod, "method_not_allowed", "This address does not take this method.")
	errPanic  = errors.New("panic") // logged where it was caught
)

// refusalOf is what a person or program is told of err, and its HTTP status. An error that is no refusal tells nothing
// but that it happened; its text stays in the log.
func refusalOf(err error) (*app.Error, int) {
	var tooBig *http.MaxBytesError
	var sheetError *sheet.Refusal
	refusal, ok := app.Refusal(err)
	switch {
	case ok:
	case errors.As(err, &sheetError):
		refusal = &app.Error{Code: app.CodeUnprocessable, ID: sheetError.Code, Message: sheetError.Message}
	case errors.As(err, &tooBig):
		refusal = &app.Error{Code: app.CodeTooLarge, ID: "body_too_large", Message: "This request is too large."}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		refusal = &app.Error{Code: app.CodeTimeout, ID: "timeout", Message: "This took too long and was stopped. Try again in a moment."}
	case errors.Is(err, io.ErrUnexpectedEOF):
		refusal = &app.Error{Code: app.CodeBadInput, ID: "upload_broken_off", Message: "The upload broke off before its end. Send the file again."}
	default:
		refusal = &app.Error{Code: app.CodeInternal, ID: "internal", Message: "Something went wrong on our side. It has been logged; try again, or tell us the request id."}
	}
	if status, ok := statusOf[refusal.Code]; ok {
		return refusal, status
	}
	return refusal, http.StatusInternalServerError
}

// fail answers a request with its error: JSON for programs, a note inside the open page for htmx, a page for the rest.
func (s *Server) fail(q *call, err error) {
	refusal, status := refusalOf(err)
	switch {
	case errors.Is(q.ctx().Err(), context.Canceled) && (errors.Is(err, context.Canceled) || status == http.StatusInternalServerError && err != errPanic):
		s.log.DebugContext(q.ctx(), "client hung up", "request_id", q.visit.id, "error", err) // whose connections were cut off in the middle of something
		return
	case status == http.StatusInternalServerError && err != errPanic:
		s.log.ErrorContext(q.ctx(), "request failed", "request_id", q.visit.id, "route", q.visit.route, "account", q.visit.account, "error", err)
	case refusal.Code == app.CodeTimeout:
		s.timedOut(q, err)
	}
	h := q.w.Header()
	if status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "5")
	}
	switch {
	case q.wantsJSON():
		s.failJSON(q, refusal, status)
	case refusal.Code == app.CodeUnauthorized && q.visit.route != "/sign-in":
		s.toSignIn(q)
	case q.htmx():
		h.Set("HX-Retarget", "#notice")
		h.Set("HX-Reswap", "innerHTML")
		s.sendFragment(q, status, "error", "notice", errorPage{Status: status, Message: refusal.Message, RequestID: q.visit.id})
	default:
		s.sendPage(q, status, "error", errorPage{Status: status, Message: refusal.Message, RequestID: q.visit.id, List: q.visit.list, Known: q.user.ID != 0})
	}
}

// errorPage is the data of error.html.
type errorPage struct {
	Status    int
	Message   string
	RequestID string
	List      string // that the address names
	Known     bool   // somebody is signed in
}

// Back is where to go on: to the list that something could not be done with, to all of them, or for strangers to the front page.
func (e errorPage) Back() string {
	if !e.Known {
		return "/"
	}
	if e.List == "" || e.Status == http.StatusNotFound || e.Status >= http.StatusInternalServerError {
		return "/lists"
	}
	return "/lists/" + e.List
}

// Heading is the error in a few words.
func (e errorPage) Heading() string {
	switch {
	case e.Status == http.StatusNotFound:
		return "Nothing on this trail"
	case e.Status == http.StatusServiceUnavailable:
		return "Back in a moment"
	case e.Status == http.StatusTooManyRequests:
		return "Slow down a little"
	case e.Status >= 500:
		return "Something broke"
	}
	return "That did not work"
}
