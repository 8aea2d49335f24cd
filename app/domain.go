package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"beagle/app/db"
	"beagle/app/finder"
	"beagle/app/probe"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
	"gorm.io/gorm"
)

// What a process remembers of domains between two reads of the database: short, because other workers learn too.
const (
	domainCacheSize = 20_000
	domainCacheTTL  = 5 * time.Second
)

// domainMemory is the finder's memory: tables domains and domain_patterns behind a small cache.
type domainMemory struct {
	app   *App
	cache *lru.Cache[string, recalled]
	own   *lru.Cache[ownKey, ownPatterns]
	reads singleflight.Group

	companies *lru.Cache[companyKey, ownCompany]
}

// recalled is what was read, and until when it is believed. (The library's own expiring cache keeps a goroutine that cannot be stopped.)
type recalled struct {
	known finder.Known
	until time.Time
}

func newDomainMemory(a *App) (*domainMemory, error) {
	cache, err := lru.New[string, recalled](domainCacheSize)
	if err != nil {
		return nil, err
	}
	own, err := lru.New[ownKey, ownPatterns](domainCacheSize)
	if err != nil {
		return nil, err
	}
	companies, err := lru.New[companyKey, ownCompany](domainCacheSize)
	return &domainMemory{app: a, cache: cache, own: own, companies: companies}, err
}

type domainRow struct {
	Name      string `gorm:"primaryKey"`
	Facts     string
	AcceptAll string
	CheckedAt time.Time
}

func (domainRow) TableName() string { return "domains" }

// Recall reads what is known of a domain, to the account that ctx is for (forAccount): what lookups have shown anybody, and what the
// addresses that this account has sent say.
func (m *domainMemory) Recall(ctx context.Context, domain string) (finder.Known, error) {
	known, err := m.shared(ctx, domain)
	if account := accountOf(ctx); err == nil && account != 0 {
		known, err = m.withOwn(ctx, known, ownKey{account, domain})
	}
	return known, err
}

func (m *domainMemory) shared(ctx context.Context, domain string) (finder.Known, error) {
	if r, ok := m.cache.Get(domain); ok && m.app.Now().Before(r.until) {
		return r.known, nil
	}
	value, err, _ := m.reads.Do(domain, func() (any, error) {
		known, err := m.read(context.WithoutCancel(ctx), domain)
		if err == nil {
			m.cache.Add(domain, recalled{known, m.app.Now().Add(domainCacheTTL)})
		}
		return known, err
	})
	return value.(finder.Known), err
}

func (m *domainMemory) read(ctx context.Context, domain string) (finder.Known, error) {
	var known finder.Known
	var row domainRow
	err := m.app.DB.WithContext(ctx).First(&row, "name = ?", domain).Error
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return known, fmt.Errorf("reading domain %s: %w", domain, err)
	}
	if row.Facts != "" {
		known.Facts = new(probe.Domain)
		if err := json.Unmarshal([]byte(row.Facts), known.Facts); err != nil {
			return finder.Known{}, fmt.Errorf("reading facts of %s: %w", domain, err)
		}
	}
	if row.AcceptAll != "" {
		known.AcceptAll = new(probe.AcceptAllAnswer)
		if err := json.Unmarshal([]byte(row.AcceptAll), known.AcceptAll); err != nil {
			return finder.Known{}, fmt.Errorf("reading the accept-all answer of %s: %w", domain, err)
		}
	}
	if known.Facts != nil && known.AcceptAll != nil && !known.AcceptAll.Of(*known.Facts) {
		known.AcceptAll = nil // the domain has other servers since
	}
	var counts []struct {
		Pattern      string
		Hits, Misses int
	}
	if err := m.app.DB.WithContext(ctx).Table("domain_patterns").Where("domain = ?", domain).Find(&counts).Error; err != nil {
		return known, fmt.Errorf("reading patterns of %s: %w", domain, err)
	}
	if len(counts) > 0 {
		known.Patterns = map[string]finder.Count{}
	}
	for _, c := range counts {
		known.Patterns[c.Pattern] = finder.Count{Hits: c.Hits, Misses: c.Misses}
	}
	return known, nil
}

// Remember stores what DNS and the accept-all question said.
func (m *domainMemory) Remember(ctx context.Context, facts probe.Domain, acceptAll *probe.AcceptAllAnswer) error {
	row := domainRow{Name: facts.Name, CheckedAt: m.app.Now()}
	body, err := json.Marshal(facts)
	if err != nil {
		return fmt.Errorf("encoding facts of %s: %w", facts.Name, err)
	}
	row.Facts = string(body)
	set := "facts = excluded.facts, checked_at = excluded.checked_at"
	if acceptAll != nil {
		if body, err = json.Marshal(acceptAll); err != nil {
			return fmt.Errorf("encoding the accept-all answer of %s: %w", facts.Name, err)
		}
		row.AcceptAll = string(body)
		set += ", accept_all = excluded.accept_all"
	}
	err = m.app.DB.WithContext(ctx).Exec(`INSERT INTO domains (name, facts, accept_all, checked_at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET `+set,
		row.Name, row.Facts, row.AcceptAll, row.CheckedAt).Error
	if err != nil {
		return fmt.Errorf("remembering %s: %w", facts.Name, err)
	}
	m.cache.Remove(facts.Name)
	return nil
}

// observation is one address that a lookup had an answer about. The address is kept as a hash: it is enough to count it once.
type observation struct {
	Domain  string  `json:"domain"`
	Hash    string  `json:"address_hash"`
	Pattern string  `json:"pattern"`
	Hit     bool    `json:"hit"`
	Seen    *string `json:"seen_at"`
}

var observationColumns = []string{"domain text", "address_hash text", "pattern text", "hit boolean", "seen_at timestamptz"}

// learn stores what a group of lookups saw and counts each address once, in the transaction of their answers.
func learn(tx *gorm.DB, group []*outcome) error {
	var seen []observation
	for _, o := range group {
		for _, l := range o.learned {
			seen = append(seen, observation{l.Domain, hashSecret(l.Address), l.Pattern, l.Hit, db.Time(tx, o.checked)})
		}
	}
	return observe(tx, seen)
}

// sourceLookup is the source of observations: what a mail server has said.
const sourceLookup = "lookup"

// observe stores observations and counts each address once, whoever saw it first.
func observe(tx *gorm.DB, seen []observation) error {
	if len(seen) == 0 {
		return nil
	}
	order := func(x, y observation) int {
		return cmp.Or(cmp.Compare(x.Domain, y.Domain), cmp.Compare(x.Hash, y.Hash), cmp.Compare(x.Pattern, y.Pattern))
	}
	slices.SortStableFunc(seen, order)
	seen = slices.CompactFunc(seen, func(x, y observation) bool { return order(x, y) == 0 })
	values, arg, err := db.Rows(tx, "v", observationColumns, seen)
	if err != nil {
		return err
	}
	var fresh []struct {
		Domain, Pattern string
		Hit             bool
	}
	err = tx.Raw(`INSERT INTO observations (domain, address_hash, pattern, hit, source, seen_at)
		SELECT domain, address_hash, pattern, hit, ?, seen_at FROM `+values+` WHERE true
		ON CONFLICT (domain, address_hash, pattern) DO NOTHING RETURNING domain, pattern, hit`, sourceLookup, arg).Scan(&fresh).Error
	if err != nil {
		return fmt.Errorf("storing observations: %w", err)
	}
	sums := map[[2]string]*patternSum{}
	for _, f := range fresh {
		sum := sums[[2]string{f.Domain, f.Pattern}]
		if sum == nil {
			sum = &patternSum{Domain: f.Domain, Pattern: f.Pattern}
			sums[[2]string{f.Domain, f.Pattern}] = sum
		}
		if f.Hit {
			sum.Hits++
		} else {
			sum.Misses++
		}
	}
	return addPatterns(tx, sums)
}

type patternSum struct {
	Domain  string `json:"domain"`
	Pattern string `json:"pattern"`
	Hits    int    `json:"hits"`
	Misses  int    `json:"misses"`
}

func addPatterns(tx *gorm.DB, sums map[[2]string]*patternSum) error {
	if len(sums) == 0 {
		return nil
	}
	rows := make([]*patternSum, 0, len(sums))
	for _, s := range sums {
		rows = append(rows, s)
	}
	slices.SortFunc(rows, func(x, y *patternSum) int {
		return cmp.Or(cmp.Compare(x.Domain, y.Domain), cmp.Compare(x.Pattern, y.Pattern))
	})
	values, arg, err := db.Rows(tx, "v", []string{"domain text", "pattern text", "hits bigint", "misses bigint"}, rows)
	if err != nil {
		return err
	}
	err = tx.Exec(`INSERT INTO domain_patterns (domain, pattern, hits, misses) SELECT domain, pattern, hits, misses FROM `+values+` WHERE true
		ON CONFLICT (domain, pattern) DO UPDATE SET hits = domain_patterns.hits + excluded.hits, misses = domain_patterns.misses + excluded.misses`, arg).Error
	if err != nil {
		return fmt.Errorf("counting patterns: %w", err)
	}
	return nil
}
