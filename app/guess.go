package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"beagle/app/db"
	"beagle/app/finder"
)

// An accept-all answer is a guess: it follows from what was known of the domain's people, so a later question makes it anew where
// something is known. That asks nobody while the accept-all answer itself is remembered. The guess that comes out the same keeps its age.

// guess is an earlier guess on its way to the worker that makes it anew.
type guess struct {
	Email   string    `json:"e"`
	Pattern string    `json:"p"`
	Score   int       `json:"s"`
	Reason  string    `json:"r"`
	Checked time.Time `json:"t"`
}

// isGuess tells a guess from what a server or the row itself said.
func isGuess(process, status string) bool {
	return status == finder.StatusAcceptAll && process != ProcessVerify
}

// taught are those of domains of which anything is known that a guess follows from, to an account: of the others a guess stays as it is.
func (a *App) taught(ctx context.Context, account int64, domains []string) (map[string]bool, error) {
	if len(domains) == 0 {
		return nil, nil
	}
	among, arg, err := db.Among(a.DB, domains)
	if err != nil {
		return nil, err
	}
	var names []string
	err = a.DB.WithContext(ctx).Raw(taughtDomains(db.GivenDomain(a.DB), among), arg, account, knownFound, account).Scan(&names).Error
	if err != nil {
		return nil, fmt.Errorf("reading of which domains something is known: %w", err)
	}
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out, nil
}

func taughtDomains(givenDomain, among string) string {
	return `SELECT name FROM domains WHERE name ` + among + ` AND (EXISTS (SELECT 1 FROM observations AS o WHERE o.domain = name)
		OR EXISTS (SELECT 1 FROM known_emails AS k WHERE k.account_id = ? AND k.domain = name AND k.kind <> ?)
		OR EXISTS (SELECT 1 FROM records WHERE account_id = ? AND address <> '' AND ` + givenDomain + ` = name AND list_id > 0))`
}

// guesses are those of a list's earlier answers that are to be made anew, by person key.
func (a *App) guesses(ctx context.Context, l runningList, known map[string]Record) (map[string]*guess, error) {
	out, domains := map[string]*guess{}, []string{}
	for key, r := range known {
		if isGuess(l.Process, r.Status) {
			out[key] = &guess{r.Email, r.Pattern, r.Score, r.Reason, *r.CheckedAt}
			domains = append(domains, domainOf(r.Email))
		}
	}
	slices.Sort(domains)
	taught, err := a.taught(ctx, l.AccountID, slices.Compact(domains))
	for key, g := range out {
		if !taught[domainOf(g.Email)] {
			delete(out, key)
		}
	}
	return out, err
}

func domainOf(email string) string {
	_, domain, _ := strings.Cut(strings.ToLower(email), "@")
	return domain
}

// guessedAnew is what becomes of a guess that was made anew. Where the server says less than it did, the earlier answer stays.
func (a *App) guessedAnew(ctx context.Context, t recordTask, o *outcome) (*outcome, error) {
	switch {
	case o.Status == finder.StatusUnknown:
		known, err := a.answersTo(ctx, t.Account, []string{t.Key})
		if err != nil {
			return nil, err
		}
		if answer, ok := known[t.Key]; ok {
			return reuse(Record{ID: t.ID, Attempt: t.Attempt, ListID: t.List, AccountID: t.Account, Run: t.Run, PersonKey: t.Key, Tries: t.Tries}, answer), nil
		}
	case o.Status == finder.StatusAcceptAll && (guess{o.Email, o.Pattern, o.Score, o.Reason, t.Guess.Checked}) == *t.Guess:
		o.checked = t.Guess.Checked
	}
	return o, nil
}

// keptOrAnew answers a single question with the answer that is kept, or with the guess made anew. Where nobody can say more now, the kept one stays.
func (a *App) keptOrAnew(ctx context.Context, as Actor, process string, p finder.Person, key string, kept finder.Result, err error) (finder.Result, error) {
	if err != nil || timeUp(ctx) || !isGuess(process, kept.Status) {
		return kept, err
	}
	domain := domainOf(kept.Email)
	taught, err := a.taught(ctx, as.Account, []string{domain})
	switch {
	case timeUp(ctx):
		return kept, nil
	case err != nil || !taught[domain]:
		return kept, err
	}
	r, err := a.askOne(ctx, as, process, p, key)
	if timeUp(ctx) || err == nil && r.Status == finder.StatusUnknown {
		return kept, nil
	}
	return r, err
}
