package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"beagle/app"
	"beagle/app/finder"
)

// How long email-finder may look, in seconds (Hunter's bounds).
const (
	minDuration, maxDuration = 3, 20
	standardDuration         = 10
	verifyDuration           = 20 * time.Second
	maxNamePart              = 100 // characters
	maxLocal                 = 64  // octets before the @, RFC 5321 §4.5.3.1.1
	maxLabel, maxDomain      = 63, 253
)

// finderJSON is the answer of GET /v2/email-finder: Hunter's fields, and status, reason, pattern and evidence.
type finderJSON struct {
	FirstName    *string          `json:"first_name"`
	LastName     *string          `json:"last_name"`
	Email        *string          `json:"email"`
	Score        *int             `json:"score"`
	Domain       *string          `json:"domain"`
	AcceptAll    *bool            `json:"accept_all"`
	Position     *string          `json:"position"` // not known here: always null, as are the next three
	Twitter      *string          `json:"twitter"`
	LinkedinURL  *string          `json:"linkedin_url"`
	PhoneNumber  *string          `json:"phone_number"`
	Company      *string          `json:"company"`
	Sources      []struct{}       `json:"sources"` // no pages are crawled: always empty
	Verification verificationJSON `json:"verification"`
	Status       string           `json:"status"`
	Reason       *string          `json:"reason"`
	Details      *string          `json:"details"`
	Pattern      *string          `json:"pattern"`
	Evidence     *finder.Evidence `json:"evidence,omitempty"`
}

type verificationJSON struct {
	Date   *string `json:"date"`
	Status *string `json:"status"`
}

type paramsMeta struct {
	Params any `json:"params"`
}

type findParamsJSON struct {
	FirstName   *string `json:"first_name"`
	LastName    *string `json:"last_name"`
	FullName    *string `json:"full_name"`
	Domain      *string `json:"domain"`
	Company     *string `json:"company"`
	MaxDuration *int    `json:"max_duration"`
}

func (s *Server) apiFind(q *call) error {
	p := app.FindParams{First: q.query("first_name"), Last: q.query("last_name"), Full: q.query("full_name"), Domain: q.query("domain"), Company: q.query("company")}
	duration, err := readDuration(q.query("max_duration"))
	if err == nil {
		err = checkFind(p)
	}
	if err != nil {
		return err
	}
	if q.trial {
		return s.sendTrial(q, trialFinder)
	}
	r, pending, err := s.app.FindWithin(q.ctx(), q.actor, p, time.Duration(orElse(duration, standardDuration))*time.Second)
	if err != nil {
		return err
	}
	status := s.pending(q, &r, pending)
	out := s.finderJSON(r)
	out.Company = orNull(p.Company)
	if truth(q.query("explain")) {
		out.Evidence = &r.Evidence
	}
	return s.sendJSON(q, status, out, paramsMeta{findParamsJSON{FirstName: orNull(p.First), LastName: orNull(p.Last), FullName: orNull(p.Full),
		Domain: orNull(p.Domain), Company: orNull(p.Company), MaxDuration: duration}})
}

func (s *Server) finderJSON(r finder.Result) finderJSON {
	now := s.app.Now()
	out := finderJSON{FirstName: orNull(r.First), LastName: orNull(r.Last), Email: orNull(r.Email), Domain: orNull(r.Domain), AcceptAll: acceptsAll(r),
		Sources: []struct{}{}, Status: r.Status, Reason: orNull(r.Reason), Details: orNull(r.Sentence), Pattern: orNull(r.Pattern)}
	if r.Email != "" {
		out.Score = &r.Score
		out.Verification = verificationJSON{Date: orNull(now.UTC().Format(time.DateOnly)), Status: &r.Status}
	}
	return out
}

// pending is the HTTP status of an answer: 202 while a job goes on looking, as at Hunter. Asking again brings the answer.
func (s *Server) pending(q *call, r *finder.Result, yes bool) int {
	if !yes {
		return http.StatusOK
	}
	if r.Status == "" {
		r.Status, r.Reason = finder.StatusUnknown, "timeout"
	}
	r.Sentence = "The lookup is not finished. Ask again in a moment."
	q.w.Header().Set("Retry-After", "5")
	return http.StatusAccepted
}

func acceptsAll(r finder.Result) *bool {
	if r.Evidence.AcceptAll == nil || r.Evidence.AcceptAll.Verdict == "unknown" {
		return nil
	}
	yes := r.Evidence.AcceptAll.Verdict == "yes"
	return &yes
}

func readDuration(text string) (*int, error) {
	if text == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < minDuration || n > maxDuration {
		return nil, app.Refuse(app.CodeBadInput, "invalid_max_duration", "The max_duration must be a number of seconds from %d to %d.", minDuration, maxDuration)
	}
	return &n, nil
}

func orElse(n *int, standard int) int {
	if n == nil {
		return standard
	}
	return *n
}

// checkFind refuses what Hunter refuses, with Hunter's ids.
func checkFind(p app.FindParams) error {
	if p.Domain == "" && p.Company == "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the domain or company parameter.")
	}
	if p.Domain != "" {
		if !isDomain(p.Domain) {
			return app.Refuse(app.CodeBadInput, "invalid_domain", "The domain name is invalid.")
		}
	}
	if p.Full == "" && p.First == "" && p.Last == "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the first_name and last_name parameters, or the full_name parameter.")
	}
	if p.Full == "" && p.First == "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the first_name parameter.")
	}
	if p.Full == "" && p.Last == "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the last_name parameter.")
	}
	for id, name := range map[string]string{"invalid_first_name": p.First, "invalid_last_name": p.Last, "invalid_full_name": p.Full} {
		if !isName(name) {
			return app.Refuse(app.CodeBadInput, id, "The %s is invalid.", strings.ReplaceAll(strings.TrimPrefix(id, "invalid_"), "_", " "))
		}
	}
	return nil
}

// isName takes what may be a name: some letter, no control characters, no address. "" is judged elsewhere.
func isName(s string) bool {
	if s == "" {
		return true
	}
	letters := strings.ContainsFunc(s, unicode.IsLetter)
	return letters && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxNamePart && !strings.ContainsFunc(s, unicode.IsControl) && !strings.ContainsRune(s, '@')
}

// isDomain takes what may be a domain, a website or an address at one. What it lets through is judged by the finder.
func isDomain(s string) bool {
	s = strings.TrimSpace(s)
	if _, after, ok := strings.Cut(s, "://"); ok {
		s = after
	}
	s, _, _ = strings.Cut(s, "/")
	s = strings.TrimSuffix(s[strings.LastIndex(s, "@")+1:], ".")
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || strings.ContainsFunc(label, notInHost) {
			return false
		}
	}
	return len(labels) > 1 && len(s) <= maxDomain && strings.ContainsFunc(labels[len(labels)-1], unicode.IsLetter)
}

func notInHost(r rune) bool {
	return r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// isAddress takes what may be a mailbox: something, an @, and a domain.
func isAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at <= maxLocal && isDomain(s[at+1:]) && !strings.ContainsAny(s, " <>\r\n\t/")
}

// verifierJSON is the answer of GET /v2/email-verifier: Hunter's fields, and reason, details and evidence.
type verifierJSON struct {
	Status     string           `json:"status"`
	Result     string           `json:"result"` // Hunter's old word for status
	Score      int              `json:"score"`
	Email      string           `json:"email"`
	Regexp     bool             `json:"regexp"`
	Gibberish  bool             `json:"gibberish"`
	Disposable bool             `json:"disposable"`
	Webmail    bool             `json:"webmail"`
	MXRecords  bool             `json:"mx_records"`
	SMTPServer bool             `json:"smtp_server"`
	SMTPCheck  bool             `json:"smtp_check"`
	AcceptAll  bool             `json:"accept_all"`
	Block      bool             `json:"block"`
	Sources    []struct{}       `json:"sources"`
	Reason     *string          `json:"reason"`
	Details    *string          `json:"details"`
	Evidence   *finder.Evidence `json:"evidence,omitempty"`
}

func (s *Server) apiVerify(q *call) error {
	address := strings.TrimSpace(q.query("email"))
	if address == "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the email parameter.")
	}
	if !isAddress(address) {
		return app.Refuse(app.CodeBadInput, "invalid_email", "The email is invalid.")
	}
	if q.trial {
		return s.sendTrial(q, trialVerifier)
	}
	r, pending, err := s.app.VerifyWithin(q.ctx(), q.actor, address, verifyDuration)
	if err != nil {
		return err
	}
	status := s.pending(q, &r, pending)
	out := toVerifierJSON(address, r)
	if truth(q.query("explain")) {
		out.Evidence = &r.Evidence
	}
	return s.sendJSON(q, status, out, paramsMeta{map[string]string{"email": address}})
}

func toVerifierJSON(address string, r finder.Result) verifierJSON {
	out := verifierJSON{Status: r.Status, Result: "risky", Score: r.Score, Email: firstOf(r.Email, address), Regexp: true, Sources: []struct{}{},
		Disposable: r.Status == finder.StatusDisposable, Webmail: r.Status == finder.StatusWebmail, SMTPCheck: r.Status == finder.StatusValid,
		Block: r.Reason == "blocked_by_server", Reason: orNull(r.Reason), Details: orNull(r.Sentence)}
	switch r.Status {
	case finder.StatusValid:
		out.Result = "deliverable"
	case finder.StatusInvalid, finder.StatusNotFound:
		out.Result = "undeliverable"
	}
	if d := r.Evidence.Domain; d != nil {
		out.MXRecords = len(d.Hosts) > 0 && !d.Implicit
	}
	for _, line := range r.Evidence.Transcript {
		out.SMTPServer = out.SMTPServer || line.From == "S"
	}
	if yes := acceptsAll(r); yes != nil {
		out.AcceptAll = *yes
	}
	return out
}
