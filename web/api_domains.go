package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"beagle/app"
	"beagle/app/finder"
)

// Bounds of domain-search (Hunter's).
const (
	domainPage, domainMost = 10, 100
	maxOffset              = 100_000
)

// What Hunter's filters may hold. Departments and seniorities are not known here: a filter on them matches nobody.
var (
	departments = []string{"executive", "it", "finance", "management", "sales", "legal", "support", "hr", "marketing", "communication", "education", "design",
		"health", "operations"}
	seniorities = []string{"junior", "senior", "executive"}
	verified    = []string{finder.StatusValid, finder.StatusAcceptAll, finder.StatusUnknown}
	required    = []string{"full_name", "position", "phone_number"}
)

// domainJSON is the answer of GET /v2/domain-search: Hunter's fields.
type domainJSON struct {
	Domain        string            `json:"domain"`
	Disposable    bool              `json:"disposable"`
	Webmail       bool              `json:"webmail"`
	AcceptAll     bool              `json:"accept_all"`
	Pattern       *string           `json:"pattern"`      // null until somebody was confirmed here
	Organization  *string           `json:"organization"` // not known here
	LinkedDomains []string          `json:"linked_domains"`
	Emails        []domainEmailJSON `json:"emails"`
}

type domainEmailJSON struct {
	Value        string           `json:"value"`
	Type         string           `json:"type"` // personal, generic
	Confidence   int              `json:"confidence"`
	Sources      []struct{}       `json:"sources"`
	FirstName    *string          `json:"first_name"`
	LastName     *string          `json:"last_name"`
	Position     *string          `json:"position"` // not known here: null, as are the rest but verification
	PositionRaw  *string          `json:"position_raw"`
	Seniority    *string          `json:"seniority"`
	Department   *string          `json:"department"`
	Linkedin     *string          `json:"linkedin"`
	Twitter      *string          `json:"twitter"`
	PhoneNumber  *string          `json:"phone_number"`
	Verification verificationJSON `json:"verification"`
}

type domainMeta struct {
	Results int              `json:"results"`
	Limit   int              `json:"limit"`
	Offset  int              `json:"offset"`
	Params  domainParamsJSON `json:"params"`
}

type domainParamsJSON struct {
	Domain             *string `json:"domain"`
	Company            *string `json:"company"`
	Type               *string `json:"type"`
	Seniority          *string `json:"seniority"`
	Department         *string `json:"department"`
	RequiredField      *string `json:"required_field"`
	VerificationStatus *string `json:"verification_status"`
	JobTitles          *string `json:"job_titles"`
}

func (s *Server) apiDomainSearch(q *call) error {
	limit, offset, err := domainWindow(q)
	if err == nil {
		err = checkDomainSearch(q)
	}
	if err != nil {
		return err
	}
	if q.trial {
		return s.sendTrial(q, trialDomain)
	}
	known, err := s.app.DomainSearch(q.ctx(), q.actor.Account, q.query("domain"), q.query("company"))
	if err != nil {
		return err
	}
	emails := slices.DeleteFunc(known.Emails, func(e app.DomainEmail) bool { return !matches(q, e) })
	out := domainJSON{Domain: known.Domain, Disposable: known.Disposable, Webmail: known.Webmail, AcceptAll: known.AcceptAll != nil && *known.AcceptAll,
		Pattern: orNull(known.Pattern), LinkedDomains: []string{}, Emails: []domainEmailJSON{}}
	for _, e := range emails[min(offset, len(emails)):min(offset+limit, len(emails))] {
		out.Emails = append(out.Emails, toDomainEmailJSON(e))
	}
	return s.sendJSON(q, http.StatusOK, out, domainMeta{Results: len(emails), Limit: limit, Offset: offset, Params: domainParamsJSON{
		Domain: orNull(q.query("domain")), Company: orNull(q.query("company")), Type: orNull(q.query("type")), Seniority: orNull(q.query("seniority")),
		Department: orNull(q.query("department")), RequiredField: orNull(q.query("required_field")), VerificationStatus: orNull(q.query("verification_status")),
		JobTitles: orNull(q.query("job_titles"))}})
}

func toDomainEmailJSON(e app.DomainEmail) domainEmailJSON {
	out := domainEmailJSON{Value: e.Email, Type: kindOf(e), Confidence: e.Score, Sources: []struct{}{}, FirstName: orNull(e.First), LastName: orNull(e.Last)}
	out.Verification.Status = orNull(e.Status)
	if !e.At.IsZero() {
		out.Verification.Date = orNull(e.At.UTC().Format(time.DateOnly))
	}
	return out
}

func kindOf(e app.DomainEmail) string {
	if e.Generic {
		return "generic"
	}
	return "personal"
}

// matches applies the filters of a search to one address.
func matches(q *call, e app.DomainEmail) bool {
	if kind := q.query("type"); kind != "" && kind != kindOf(e) {
		return false
	}
	if q.query("seniority")+q.query("department")+q.query("job_titles") != "" {
		return false
	}
	for field := range strings.SplitSeq(q.query("required_field"), ",") {
		if field == "position" || field == "phone_number" || (field == "full_name" && (e.First == "" || e.Last == "")) {
			return false
		}
	}
	status := q.query("verification_status")
	return status == "" || slices.Contains(strings.Split(status, ","), e.Status)
}

func domainWindow(q *call) (limit, offset int, err error) {
	if limit, err = limitOf(q, domainPage, domainMost); err != nil {
		return 0, 0, err
	}
	if text := q.query("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 || offset > maxOffset {
			return 0, 0, app.Refuse(app.CodeBadInput, "pagination_error", "The offset must be a number from 0 to %d.", maxOffset)
		}
	}
	return limit, offset, nil
}

// checkDomain refuses a question that names no domain.
func checkDomain(q *call) error {
	switch domain := q.query("domain"); {
	case domain == "" && q.query("company") == "":
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the domain parameter.")
	case domain != "" && !isDomain(domain):
		return app.Refuse(app.CodeBadInput, "invalid_domain", "The domain name is invalid.")
	case len(q.query("company")) > maxCompany:
		return app.Refuse(app.CodeBadInput, "invalid_company", "The company may have at most %d characters.", maxCompany)
	}
	return checkOne(q, "type", "invalid_type", []string{"personal", "generic"})
}

// maxCompany bounds the name of a company, in bytes.
const maxCompany = 200

func checkDomainSearch(q *call) error {
	if err := checkDomain(q); err != nil {
		return err
	}
	for _, c := range []struct {
		name, id string
		allowed  []string
	}{{"seniority", "invalid_seniority", seniorities}, {"department", "invalid_department", departments}, {"required_field", "invalid_required_field", required},
		{"verification_status", "invalid_verification_status", verified}} {
		for value := range strings.SplitSeq(q.query(c.name), ",") {
			if value != "" && !slices.Contains(c.allowed, value) {
				return notAllowed(c.name, c.id, c.allowed)
			}
		}
	}
	return nil
}

func checkOne(q *call, name, id string, allowed []string) error {
	if value := q.query(name); value != "" && !slices.Contains(allowed, value) {
		return notAllowed(name, id, allowed)
	}
	return nil
}

func notAllowed(name, id string, allowed []string) error {
	return app.Refuse(app.CodeBadInput, id, "The %s must be one of %s.", name, strings.Join(allowed, ", "))
}

// emailCountJSON is the answer of GET /v2/email-count. Department and seniority are not known here: all zero.
type emailCountJSON struct {
	Total      int            `json:"total"`
	Personal   int            `json:"personal_emails"`
	Generic    int            `json:"generic_emails"`
	Department map[string]int `json:"department"`
	Seniority  map[string]int `json:"seniority"`
}

func (s *Server) apiEmailCount(q *call) error {
	if err := checkDomain(q); err != nil {
		return err
	}
	known, err := s.app.DomainSearch(q.ctx(), q.actor.Account, q.query("domain"), q.query("company"))
	if err != nil {
		return err
	}
	out := emailCountJSON{Department: zeros(departments), Seniority: zeros(seniorities)}
	for _, e := range known.Emails {
		if kind := q.query("type"); kind != "" && kind != kindOf(e) {
			continue
		}
		out.Total++
		if e.Generic {
			out.Generic++
		} else {
			out.Personal++
		}
	}
	return s.sendJSON(q, http.StatusOK, out, paramsMeta{map[string]*string{"domain": orNull(q.query("domain")), "company": orNull(q.query("company")),
		"type": orNull(q.query("type"))}})
}

func zeros(names []string) map[string]int {
	out := make(map[string]int, len(names))
	for _, n := range names {
		out[n] = 0
	}
	return out
}

// knownJSON is the body of POST /v2/known-emails.
type knownJSON struct {
	Type   string           `json:"type"` // known (the default), bounce
	Emails []knownEmailJSON `json:"emails"`
}

type knownEmailJSON struct {
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	FullName  string `json:"full_name"`
}

// UnmarshalJSON takes an object, or an address alone.
func (k *knownEmailJSON) UnmarshalJSON(b []byte) error {
	return unmarshalOr(b, &k.Email, (*knownFields)(k))
}

type knownFields knownEmailJSON

// knownSummaryJSON is the answer: what became of the addresses.
type knownSummaryJSON struct {
	Received int             `json:"received"`
	Stored   int             `json:"stored"` // new, or with news
	Taught   int             `json:"taught"` // of those, how many show a pattern of their domain
	Skipped  []knownSkipJSON `json:"skipped"`
}

type knownSkipJSON struct {
	Index  int    `json:"index"`
	Email  string `json:"email"`
	Reason string `json:"reason"`
}

func (s *Server) apiKnownEmails(q *call) error {
	var in knownJSON
	if err := readJSON(q.r.Body, &in); err != nil {
		return err
	}
	emails := make([]app.KnownEmail, len(in.Emails))
	for i, e := range in.Emails {
		emails[i] = app.KnownEmail{Email: e.Email, First: e.FirstName, Last: e.LastName, Full: e.FullName}
	}
	sum, err := s.app.AddKnown(q.ctx(), q.actor, firstOf(in.Type, app.KnownRight), emails)
	if err != nil {
		return err
	}
	out := knownSummaryJSON{Received: sum.Received, Stored: sum.Stored, Taught: sum.Taught, Skipped: make([]knownSkipJSON, len(sum.Skipped))}
	for i, skip := range sum.Skipped {
		out.Skipped[i] = knownSkipJSON(skip)
	}
	return s.sendJSON(q, http.StatusOK, out, nil)
}
