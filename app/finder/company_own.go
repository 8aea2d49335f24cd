package finder

import (
	"context"
	"fmt"
	"strings"
	"unicode"
)

// Companies is what a Memory may know besides: the domains that the asker's own data has for companies. An error is logged
// and the question goes on as if nothing were known.
type Companies interface {
	// CompanyDomains lists the domains known for a company (see CompanyKey), surest first. likely are domains that
	// a company of this name may well have: those of them at which the asker knows addresses count as well.
	CompanyDomains(ctx context.Context, company string, likely []string) ([]CompanyDomain, error)
}

// CompanyDomain is a domain of a company with what speaks for it.
type CompanyDomain struct {
	Domain    string
	Rows      int // of the asker's lists in which it stands beside the company's name
	Addresses int // known to the asker at a domain named like the company
}

// Where a domain came from, as Evidence.DomainSource says it.
const (
	sourceLists     = "company_lists"
	sourceAddresses = "company_addresses"
	sourceCompany   = "company"
)

// Trust in a domain that the asker's own data has for a company. Two companies of one name, or one with two domains, divide it.
const (
	trustOwnRows      = 0.98
	trustOwnRow       = 0.95 // a single row may be a slip
	trustOwnAddresses = 0.85 // a domain named like the company, where people are known
)

// CompanyKey is a company's name as it is compared: without case, accents, signs and legal form. "" when nothing is left of it.
func CompanyKey(company string) string {
	if len(company) > maxCellBytes {
		return ""
	}
	words, _ := splitCompany(company, anyWord)
	return strings.Join(words, "")
}

// anyWord is a word as it is compared, in whatever script.
func anyWord(w string) string {
	if one := latinWord(w); one != "" {
		return one
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, w)
}

// locateOwn takes the company's domain from the asker's own data.
func (q *question) locateOwn(ctx context.Context, company string) bool {
	own, ok := q.f.memory.(Companies)
	key := CompanyKey(company)
	if !ok || key == "" {
		return false
	}
	known, err := own.CompanyDomains(ctx, key, likelyDomains(company))
	if err != nil {
		q.f.opts.Log.Warn("recall of a company", "error", err)
	}
	if err != nil || len(known) == 0 {
		return false
	}
	best, rows, addresses := known[0], 0, 0
	for _, d := range known {
		rows += d.Rows
		addresses += d.Addresses
	}
	q.domain = best.Domain
	switch {
	case best.Rows > 0:
		trust := trustOwnRows
		if best.Rows == 1 {
			trust = trustOwnRow
		}
		q.res.Evidence.DomainSource = sourceLists
		q.trust = trust * float64(best.Rows) / float64(rows)
		q.trustWhy = fmt.Sprintf("The domain stands beside this company in %d of %d rows of your lists that name both.", best.Rows, rows)
	default:
		q.res.Evidence.DomainSource = sourceAddresses
		q.trust = trustOwnAddresses * float64(best.Addresses) / float64(max(addresses, 1))
		q.trustWhy = "You know addresses at this domain, which is named like the company."
	}
	return true
}

// usualEndings are tried, after the legal form's own, where the asker may know addresses of a company.
var usualEndings = strings.Fields("com de co.uk fr net org io eu co it es nl be ch at se dk no fi pl us")

// likelyDomains are the domains that a company of this name may well have, likeliest first.
func likelyDomains(company string) []string {
	words, endings := splitCompany(company, latinWord)
	if len(words) == 0 {
		return nil
	}
	names := []string{strings.Join(words, "")}
	if len(words) > 1 {
		names = append(names, strings.Join(words, "-"))
	}
	var out []string
	seen := map[string]bool{}
	for _, ending := range append(endings, usualEndings...) {
		for _, name := range names {
			if d, err := cleanDomain(name + "." + ending); err == nil && !seen[d] {
				seen[d] = true
				out = append(out, d)
			}
		}
	}
	return out
}
