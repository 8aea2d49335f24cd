package app

import (
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

// What an account's own known addresses, and those in its files, teach is for that account: it changes neither what others are told nor what others may find out.
// The finder asks its memory with the context of the question, which says whose question it is.

type accountKey struct{}

// forAccount says whose question ctx is for.
func forAccount(ctx context.Context, account int64) context.Context {
	return context.WithValue(ctx, accountKey{}, account)
}

func accountOf(ctx context.Context) int64 {
	account, _ := ctx.Value(accountKey{}).(int64)
	return account
}

// ownKey is an account and a domain.
type ownKey struct {
	account int64
	domain  string
}

// ownPatterns are the counts to be added to the shared ones of a domain for an account, some of them negative, and how some of the
// addresses behind them write names.
type ownPatterns struct {
	counts    map[string]finder.Count
	spellings map[string]finder.Spelling
	until     time.Time
}

func (m *domainMemory) withOwn(ctx context.Context, known finder.Known, key ownKey) (finder.Known, error) {
	own, ok := m.own.Get(key)
	if !ok || !m.app.Now().Before(own.until) {
		var err error
		if own, err = m.readOwn(ctx, key); err != nil {
			return known, err
		}
		own.until = m.app.Now().Add(domainCacheTTL)
		m.own.Add(key, own)
	}
	if len(own.counts) == 0 {
		return known, nil
	}
	sums := maps.Clone(known.Patterns)
	if sums == nil {
		sums = map[string]finder.Count{}
	}
	for pattern, c := range own.counts {
		sum := finder.Count{Hits: max(0, sums[pattern].Hits+c.Hits), Misses: max(0, sums[pattern].Misses+c.Misses)}
		if sums[pattern] = sum; sum == (finder.Count{}) {
			delete(sums, pattern)
		}
	}
	known.Patterns, known.Spellings = sums, own.spellings
	return known, nil
}

// Bounds of what is looked at for one domain: more teach nothing new.
const (
	givenMost = 200 // addresses of an account's files
	shapeMost = 50  // sent addresses that no pattern explains; each costs half a millisecond
	speltMost = 50  // addresses whose spelling is read
)

// ownAddress is an address that an account knows, whose it is, and the pattern or shape that it shows.
type ownAddress struct{ Email, FirstName, LastName, Pattern, Kind string }

// readGiven reads the addresses at a domain that the account's files brought along. One that was found to be wrong shows nothing.
func (m *domainMemory) readGiven(ctx context.Context, key ownKey) ([]ownAddress, error) {
	var given []struct{ Address, FirstName, LastName, FullName string }
	err := m.app.DB.WithContext(ctx).Table("records").Select("address, first_name, last_name, full_name").
		Where("account_id = ? AND address <> '' AND "+db.GivenDomain(m.app.DB)+" = ? AND list_id > 0", key.account, key.domain).
		Where("status <> 'invalid' AND NOT (status = 'valid' AND LOWER(email) <> LOWER(address))").Limit(givenMost).Scan(&given).Error
	if err != nil {
		return nil, fmt.Errorf("reading addresses of files at %s: %w", key.domain, err)
	}
	var out []ownAddress
	bearer, shared := map[string]string{}, map[string]bool{}
	for _, g := range given {
		name, err := finder.ParseName(g.FirstName, g.LastName, g.FullName)
		local, domain, ok := probe.ValidAddress(g.Address)
		if err != nil || !ok || finder.RoleAccount(local) {
			continue
		}
		address, whose := strings.ToLower(local)+"@"+domain, name.First.Text+" "+name.Last.Text
		shared[address] = shared[address] || bearer[address] != "" && bearer[address] != whose
		bearer[address] = whose
		out = append(out, ownAddress{Email: address, FirstName: name.First.Text, LastName: name.Last.Text, Pattern: finder.Shows(name, local), Kind: KnownRight})
	}
	// What several people have as theirs is an office's, and its shape nobody's.
	return slices.DeleteFunc(out, func(a ownAddress) bool { return shared[a.Email] && !finder.IsTemplate(a.Pattern) }), nil
}

// readSent reads the addresses at a domain that an account has sent and that teach it something. A pattern is stored with its address; the
// shape of one that no pattern explains is not, since its letters tell it.
func (m *domainMemory) readSent(ctx context.Context, key ownKey) ([]ownAddress, error) {
	var sent, out []ownAddress
	err := m.app.DB.WithContext(ctx).Table("known_emails").Where("account_id = ? AND domain = ?", key.account, key.domain).
		Where("pattern <> '' OR (kind = ? AND (first_name <> '' OR last_name <> ''))", KnownRight).Limit(maxDomainEmails).Find(&sent).Error
	if err != nil {
		return nil, fmt.Errorf("reading known addresses at %s: %w", key.domain, err)
	}
	unexplained := 0
	for _, s := range sent {
		local, _, _ := strings.Cut(s.Email, "@")
		if s.Pattern == "" {
			name, err := finder.ParseName(s.FirstName, s.LastName, "")
			if unexplained++; err != nil || unexplained > shapeMost || finder.RoleAccount(local) {
				continue
			}
			s.Pattern = finder.Shows(name, local)
		}
		out = append(out, s)
	}
	return out, nil
}

// readKnown reads an account's addresses at a domain, each once: what it sent stands before what its files say. Those whose owner opted out
// teach nothing.
func (m *domainMemory) readKnown(ctx context.Context, key ownKey) ([]ownAddress, error) {
	rows, err := m.readSent(ctx, key)
	if err != nil {
		return nil, err
	}
	given, err := m.readGiven(ctx, key)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(rows))
	for _, r := range rows {
		seen[r.Email] = true
	}
	for _, g := range given {
		if !seen[g.Email] {
			seen[g.Email] = true
			rows = append(rows, g)
		}
	}
	emails := make([]string, len(rows))
	for i, r := range rows {
		emails[i] = r.Email
	}
	gone, err := m.app.suppressedAmong(ctx, emails)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r ownAddress) bool { return gone[hashSecret(r.Email)] }), nil
}

// readOwn counts an account's known addresses at a domain. One that lookups have an opinion of already is not counted twice, and where
// the account knows better its word stands.
func (m *domainMemory) readOwn(ctx context.Context, key ownKey) (own ownPatterns, err error) {
	rows, err := m.readKnown(ctx, key)
	if err != nil || len(rows) == 0 {
		return own, err
	}
	hashes := make([]string, len(rows))
	for i, r := range rows {
		hashes[i] = hashSecret(r.Email)
	}
	among, arg, err := db.Among(m.app.DB, hashes)
	if err != nil {
		return own, err
	}
	var seen []struct {
		AddressHash, Pattern string
		Hit                  bool
	}
	err = m.app.DB.WithContext(ctx).Table("observations").Where("domain = ? AND address_hash "+among, key.domain, arg).Find(&seen).Error
	if err != nil {
		return own, fmt.Errorf("reading observations of %s: %w", key.domain, err)
	}
	hit := map[[2]string]bool{}
	for _, o := range seen {
		hit[[2]string{o.AddressHash, o.Pattern}] = o.Hit
	}
	own.counts = map[string]finder.Count{}
	for i, r := range rows {
		right := r.Kind != KnownBounce
		before, known := hit[[2]string{hashes[i], r.Pattern}]
		c := own.counts[r.Pattern]
		c.Hits += vote(right, known, before)
		c.Misses += vote(!right, known, !before)
		own.counts[r.Pattern] = c
	}
	own.spellings = spellings(rows)
	return own, nil
}

// spellings are how some of an account's right addresses write names.
func spellings(rows []ownAddress) map[string]finder.Spelling {
	out := map[string]finder.Spelling{}
	for _, r := range rows {
		if r.Kind == KnownBounce || !finder.IsTemplate(r.Pattern) || len(out) == speltMost {
			continue
		}
		if name, err := finder.ParseName(r.FirstName, r.LastName, ""); err == nil {
			local, _, _ := strings.Cut(r.Email, "@")
			out[r.Email] = finder.Spells(name, r.Pattern, local)
		}
	}
	return out
}

// vote is what an opinion adds to a sum that may hold another one of the same address already.
func vote(now, known, before bool) int {
	switch {
	case now && !(known && before):
		return 1
	case !now && known && before:
		return -1
	}
	return 0
}
