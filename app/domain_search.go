package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"beagle/app/db"
	"beagle/app/finder"
	"beagle/app/probe"
)

// maxDomainEmails bounds how many addresses of one domain are looked at for one answer.
const maxDomainEmails = 10_000

// DomainEmail is an address that an account knows at a domain.
type DomainEmail struct {
	Email       string
	First, Last string
	Generic     bool // names a function, such as info@
	Status      string
	Score       int
	At          time.Time // when it was verified, or uploaded
}

// DomainKnowledge is what this installation knows of a mail domain: facts and patterns are shared, addresses are the account's own.
type DomainKnowledge struct {
	Domain     string
	Webmail    bool
	Disposable bool
	AcceptAll  *bool  // nil: not known
	Pattern    string // readable, such as "{first}.{last}"; "" until one was learned
	Emails     []DomainEmail
}

// DomainSearch tells what is known of a domain, or of the domain of a company. Nothing is asked but DNS, and that only for a
// domain that was never seen. Refuses a domain without mail servers and one whose owner opted out.
func (a *App) DomainSearch(ctx context.Context, account int64, domain, company string) (DomainKnowledge, error) {
	own := forAccount(ctx, account)
	name, err := a.domainAsked(own, domain, company)
	if err != nil {
		return DomainKnowledge{}, err
	}
	known, err := a.memory.Recall(own, name)
	if err != nil {
		return DomainKnowledge{}, err
	}
	if known.Facts == nil {
		facts := a.Prober.Lookup(ctx, name)
		if known.Facts = &facts; facts.State != probe.StateDNSFailed {
			if err := a.memory.Remember(ctx, facts, nil); err != nil {
				return DomainKnowledge{}, err
			}
		}
	}
	if status, _, decided := known.Facts.Verdict(); decided && status == probe.Invalid {
		return DomainKnowledge{}, Refuse(CodeBadInput, "invalid_domain", "The domain name %s takes no mail.", name)
	}
	out := DomainKnowledge{Domain: name, Webmail: known.Facts.Webmail, Disposable: known.Facts.Disposable, Pattern: learnedPattern(known.Patterns)}
	if k := known.AcceptAll; k != nil && k.Verdict != probe.Unsure {
		yes := k.Verdict == probe.Yes
		out.AcceptAll = &yes
	}
	if out.Webmail || out.Disposable {
		return out, nil // people there have nothing to do with each other
	}
	out.Emails, err = a.domainEmails(ctx, account, name)
	return out, err
}

// domainAsked is the domain that is meant.
func (a *App) domainAsked(ctx context.Context, domain, company string) (string, error) {
	if domain == "" {
		if domain = a.Finder.CompanyDomain(ctx, company); domain == "" {
			return "", Refuse(CodeBadInput, "invalid_company", "No domain was found for this company. Send its domain.")
		}
	}
	name, err := probe.CleanDomain(domain)
	if err != nil {
		return "", Refuse(CodeBadInput, "invalid_domain", "The domain name is invalid.")
	}
	out, err := a.suppressed(ctx, name)
	if err != nil {
		return "", err
	}
	if out {
		return "", Refuse(CodeSuppressed, "claimed_email", "%s", suppressedResult("").Sentence)
	}
	return name, nil
}

// learnedPattern is the pattern that most people of a domain were confirmed under.
func learnedPattern(counts map[string]finder.Count) string {
	best, most := "", 0
	for id, c := range counts {
		if !finder.IsTemplate(id) {
			continue // a shape is no pattern
		}
		if c.Hits > most || (c.Hits == most && c.Hits > 0 && id < best) {
			best, most = id, c.Hits
		}
	}
	if most == 0 {
		return ""
	}
	return finder.Readable(best)
}

// domainEmails are the account's own addresses at a domain, by address: found in lists, found one by one, uploaded. Those that
// bounced or whose owner opted out are left out.
func (a *App) domainEmails(ctx context.Context, account int64, domain string) ([]DomainEmail, error) {
	var known []struct {
		Email, FirstName, LastName, Kind string
		CreatedAt                        time.Time
	}
	err := a.DB.WithContext(ctx).Table("known_emails").Where("account_id = ? AND domain = ?", account, domain).Limit(maxDomainEmails).Find(&known).Error
	if err != nil {
		return nil, fmt.Errorf("reading known addresses: %w", err)
	}
	var found []Record
	err = a.DB.WithContext(ctx).Select("email, first_name, last_name, full_name, status, score, checked_at").
		Where("account_id = ? AND state = 'done' AND email <> '' AND "+db.MailDomain(a.DB, "email")+" = ? AND status IN ?", account, domain,
			[]string{finder.StatusValid, finder.StatusAcceptAll}).Order("checked_at DESC").Limit(maxDomainEmails).Find(&found).Error
	if err != nil {
		return nil, fmt.Errorf("reading found addresses: %w", err)
	}
	all, bounced := map[string]DomainEmail{}, map[string]bool{}
	for _, k := range known {
		bounced[k.Email] = k.Kind == KnownBounce
		all[k.Email] = DomainEmail{Email: k.Email, First: k.FirstName, Last: k.LastName, Status: finder.StatusValid, Score: knownScore, At: k.CreatedAt}
	}
	for _, r := range slices.Backward(found) { // the newest answer stays
		e := DomainEmail{Email: strings.ToLower(r.Email), First: r.FirstName, Last: r.LastName, Status: r.Status, Score: r.Score}
		if e.First == "" && e.Last == "" && r.FullName != "" {
			if name, err := finder.ParseName("", "", r.FullName); err == nil {
				e.First, e.Last = name.First.Text, name.Last.Text
			}
		}
		if r.CheckedAt != nil {
			e.At = *r.CheckedAt
		}
		all[e.Email] = e
	}
	gone, err := a.suppressedAmong(ctx, slices.Collect(maps.Keys(all)))
	if err != nil {
		return nil, err
	}
	out := make([]DomainEmail, 0, len(all))
	for email, e := range all {
		if bounced[email] || gone[hashSecret(email)] {
			continue
		}
		local, _, _ := strings.Cut(email, "@")
		e.Generic = finder.RoleAccount(local)
		out = append(out, e)
	}
	slices.SortFunc(out, func(x, y DomainEmail) int { return cmp.Compare(x.Email, y.Email) })
	return out, nil
}

// suppressedAmong are the hashes of those addresses whose owner opted out.
func (a *App) suppressedAmong(ctx context.Context, emails []string) (map[string]bool, error) {
	some, err := a.anySuppressed(ctx)
	if err != nil || !some {
		return nil, err
	}
	gone := map[string]bool{}
	for group := range slices.Chunk(emails, flushMax) {
		hashes := make([]string, len(group))
		for i, email := range group {
			hashes[i] = hashSecret(email)
		}
		var hits []string
		if err := a.DB.WithContext(ctx).Table("suppressions").Where("hash IN ?", hashes).Pluck("hash", &hits).Error; err != nil {
			return nil, fmt.Errorf("reading the opt-out list: %w", err)
		}
		for _, h := range hits {
			gone[h] = true
		}
	}
	return gone, nil
}

// knownScore is the confidence in an address that the account itself vouches for.
const knownScore = 99
