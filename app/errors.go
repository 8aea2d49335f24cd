package app

import (
	"errors"
	"fmt"
)

// Code says what kind of refusal an Error is. web has one table that turns it into an HTTP status.
type Code string

// The codes. CodeInternal is never made on purpose: it is what CodeOf says of an error that is no refusal.
const (
	CodeNotFound      Code = "not_found"
	CodeBadInput      Code = "bad_input"
	CodeUnauthorized  Code = "unauthorized"
	CodeForbidden     Code = "forbidden"
	CodeConflict      Code = "conflict"
	CodeTooLarge      Code = "too_large"
	CodeUnprocessable Code = "unprocessable"
	CodeUnavailable   Code = "unavailable"
	CodeTimeout       Code = "timeout"
	CodeSuppressed    Code = "suppressed"
	CodeNoCredits     Code = "no_credits"
	CodeTooMany       Code = "too_many"
	CodeInternal      Code = "internal"
)

// Error is a refusal: something a person can understand and act on.
type Error struct {
	Code    Code
	ID      string // for machines, such as "no_usable_column"
	Message string // a sentence for people
}

func (e *Error) Error() string { return e.Message }

// Refuse makes a refusal.
func Refuse(code Code, id, format string, args ...any) error {
	return &Error{Code: code, ID: id, Message: fmt.Sprintf(format, args...)}
}

// Refusal finds the refusal inside err.
func Refusal(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// CodeOf is the code of the refusal inside err, or CodeInternal.
func CodeOf(err error) Code {
	if e, ok := Refusal(err); ok {
		return e.Code
	}
	return CodeInternal
}
