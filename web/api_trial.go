package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"beagle/app"
)

// trialKey is Hunter's key for tests: parameters are checked and one fixed answer is given, nothing is looked up or counted.
const trialKey = "test-api-key"

// trialRoutes are the calls that take it.
var trialRoutes = []string{"/v2/domain-search", "/v2/email-finder", "/v2/email-verifier"}

// The fixed answers. The people and the company are invented.
var (
	trialVerification = verificationJSON{Date: orNull("2026-01-01"), Status: orNull("valid")}
	trialFinder       = finderJSON{FirstName: orNull("Mara"), LastName: orNull("Lindqvist"), Email: orNull("mara.lindqvist@lindqvist-dahl.example"), Score: number(97),
		Domain: orNull("lindqvist-dahl.example"), AcceptAll: new(bool), Company: orNull("Lindqvist & Dahl"), Sources: []struct{}{}, Verification: trialVerification,
		Status: "valid", Reason: orNull("mailbox_exists"), Details: orNull("The mail server takes mail for this address."), Pattern: orNull("{first}.{last}")}
	trialVerifier = verifierJSON{Status: "valid", Result: "deliverable", Score: 97, Email: "mara.lindqvist@lindqvist-dahl.example", Regexp: true, MXRecords: true,
		SMTPServer: true, SMTPCheck: true, Sources: []struct{}{}, Reason: orNull("mailbox_exists"), Details: orNull("The mail server takes mail for this address.")}
	trialDomain = domainJSON{Domain: "lindqvist-dahl.example", Pattern: orNull("{first}.{last}"), Organization: orNull("Lindqvist & Dahl"), LinkedDomains: []string{},
		Emails: []domainEmailJSON{{Value: "mara.lindqvist@lindqvist-dahl.example", Type: "personal", Confidence: 97, Sources: []struct{}{},
			FirstName: orNull("Mara"), LastName: orNull("Lindqvist"), Verification: trialVerification}}}
)

func number(n int) *int { return &n }

// admitTrial lets the key for tests in where it is taken.
func (s *Server) admitTrial(q *call) error {
	left, reset, ok := s.badKeys.take(q.actor.IP)
	s.badKeys.headers(q.w.Header(), left, reset)
	if !ok {
		return s.badKeys.tooMany(q.w.Header(), reset)
	}
	if !slices.Contains(trialRoutes, q.visit.route) {
		return app.Refuse(app.CodeUnauthorized, "authentication_failed", "The key %s is only for domain-search, email-finder and email-verifier. Make a key of your own.", trialKey)
	}
	q.trial = true
	return nil
}

// sendTrial sends a fixed answer with the parameters that were asked with.
func (s *Server) sendTrial(q *call, data any) error {
	params := map[string]string{}
	for name := range q.values() {
		if name != "api_key" {
			params[name] = q.query(name)
		}
	}
	return s.sendJSON(q, http.StatusOK, data, paramsMeta{params})
}

// unmarshalOr reads b as a text, or else as an object.
func unmarshalOr(b []byte, text *string, object any) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, text)
	}
	if err := json.Unmarshal(b, object); err != nil {
		return fmt.Errorf("an address or an object is expected: %w", err)
	}
	return nil
}
