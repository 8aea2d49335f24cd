package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"beagle/app/finder"
	"beagle/app/probe"
)

const (
	domainRefreshRest = time.Minute      // between two refreshes of one domain: mail servers are not asked for fun
	domainRefreshTime = 20 * time.Second // most that a refresh waits for them
	recentRows        = 500              // of the latest list, looked at for its domains
	recentDomains     = 12
)

// PatternShare is one way in which a company writes its addresses, with how often it was confirmed and refused.
type PatternShare struct {
	Pattern      string // readable, such as "{first}.{last}"
	Hits, Misses int
	Share        float64 // of all confirmed addresses of the domain
}

// DomainView is all that can be shown of a domain: DNS facts and patterns are shared by all accounts, addresses are the account's own.
type DomainView struct {
	Name       string
	Facts      *probe.Domain // nil: never looked at
	AcceptAll  *probe.AcceptAllAnswer
	Patterns   []PatternShare // most confirmed first
	Confirmed  int            // addresses behind the patterns
	Emails     []DomainEmail
	MayRefresh bool
}

// Domain tells what is known of a domain. A domain that was never seen is looked up in DNS; no mail server is asked.
func (a *App) Domain(ctx context.Context, account int64, domain string) (DomainView, error) {
	name, err := a.domainAsked(ctx, domain, domain)
	if err != nil {
		return DomainView{}, err
	}
	known, err := a.memory.Recall(ctx, name)
	if err != nil {
		return DomainView{}, err
	}
	if known.Facts == nil {
		facts := a.Prober.Lookup(ctx, name)
		if known.Facts = &facts; facts.State == probe.StateOK {
			if err := a.memory.Remember(ctx, facts, nil); err != nil {
				return DomainView{}, err
			}
		}
	}
	view := DomainView{Name: name, Facts: known.Facts, AcceptAll: known.AcceptAll, MayRefresh: a.mayRefresh(known)}
	view.Patterns, view.Confirmed = patternShares(known.Patterns)
	if !known.Facts.Webmail && !known.Facts.Disposable { // people there have nothing to do with each other
		view.Emails, err = a.domainEmails(ctx, account, name)
	}
	return view, err
}

func (a *App) mayRefresh(known finder.Known) bool {
	last := known.Facts.CheckedAt
	if known.AcceptAll != nil && known.AcceptAll.At.After(last) {
		last = known.AcceptAll.At
	}
	return a.Now().Sub(last) >= domainRefreshRest
}

// patternShares are the patterns of a domain that were seen at all.
func patternShares(counts map[string]finder.Count) (shares []PatternShare, confirmed int) {
	for _, c := range counts {
		confirmed += max(c.Hits, 0)
	}
	for id, c := range counts {
		if c.Hits <= 0 && c.Misses <= 0 {
			continue
		}
		share := PatternShare{Pattern: finder.Readable(id), Hits: c.Hits, Misses: c.Misses}
		if confirmed > 0 {
			share.Share = float64(c.Hits) / float64(confirmed)
		}
		shares = append(shares, share)
	}
	slices.SortFunc(shares, func(x, y PatternShare) int {
		return cmp.Or(cmp.Compare(y.Hits, x.Hits), cmp.Compare(y.Misses, x.Misses), cmp.Compare(x.Pattern, y.Pattern))
	})
	return shares, confirmed
}

// RefreshDomain asks DNS and the mail servers of a domain again: who takes its mail, and whether they take every name. What was asked less
// than a minute ago is not asked again, and mail servers are not while PROBE_MODE or our own health forbids it.
func (a *App) RefreshDomain(ctx context.Context, as Actor, domain string) error {
	name, err := a.domainAsked(ctx, domain, domain)
	if err != nil {
		return err
	}
	known, err := a.memory.Recall(ctx, name)
	if err != nil {
		return err
	}
	if known.Facts != nil && !a.mayRefresh(known) {
		return Refuse(CodeTooMany, "too_soon", "This domain was asked about less than a minute ago. Try again in a moment.")
	}
	asking, cancel := context.WithTimeout(ctx, domainRefreshTime)
	defer cancel()
	facts := a.Prober.Lookup(asking, name)
	var answer *probe.AcceptAllAnswer // nil leaves the one before
	if !a.patternOnly() {
		said := a.Prober.AcceptAll(asking, facts)
		answer = &said
	}
	if before := known.AcceptAll; answer != nil && answer.Verdict == probe.Unsure && before != nil && before.Verdict != probe.Unsure && before.Of(facts) {
		answer = nil // a server that is silent now takes back nothing that it said
	}
	if err := a.memory.Remember(context.WithoutCancel(ctx), facts, answer); err != nil {
		return err
	}
	a.audit(ctx, as, "domain.refreshed", name)
	return nil
}

// RecentDomains are the first domains of an account's latest list that has rows: a place to begin.
func (a *App) RecentDomains(ctx context.Context, account int64) ([]string, error) {
	var latest []int64
	err := a.DB.WithContext(ctx).Model(&List{}).Where("account_id = ? AND imported > 0 AND state <> ?", account, ListDeleting).Order("id DESC").Limit(1).Pluck("id", &latest).Error
	if err != nil || len(latest) == 0 {
		return nil, err
	}
	var seen, out []string
	err = a.DB.WithContext(ctx).Model(&Record{}).Where("list_id = ? AND row_no <= ?", latest[0], recentRows).Order("row_no").Pluck("domain", &seen).Error
	if err != nil {
		return nil, fmt.Errorf("reading recent domains: %w", err)
	}
	for _, d := range seen {
		if d != "" && !slices.Contains(out, d) && len(out) < recentDomains {
			out = append(out, d)
		}
	}
	return out, nil
}
