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

	"gorm.io/gorm"
)

// What an account's own rows say of companies is for that account, and goes with the list it stands in.

// Bounds of what is noted of a list and read of one company.
const (
	companiesMost      = 20_000 // pairs of company and domain that one import notes: each costs about as much as its row
	companyDomainsMost = 20
	companyKnownMost   = 50 // domains that known addresses are looked for at
)

// companyRow is a line of company_domains: in how many rows of a list a domain stands beside a company.
type companyRow struct {
	List    int64  `json:"list_id"`
	Account int64  `json:"account_id"`
	Company string `json:"company"`
	Domain  string `json:"domain"`
	Rows    int64  `json:"rows"`
}

var companyColumns = []string{"list_id bigint", "account_id bigint", "company text", "domain text", "rows bigint"}

// companies sums up a batch of rows: pairs of company and domain, as they were typed.
type companies map[[2]string]int64

// add counts a row that names a company and where it gets its mail: its domain, or else that of its address.
func (c companies) add(p finder.Person) {
	if p.Company == "" || len(p.Company) > maxField {
		return
	}
	domain := p.Domain
	if domain == "" {
		_, domain, _ = strings.Cut(p.Email, "@")
	}
	if domain != "" {
		c[[2]string{p.Company, domain}]++
	}
}

// compared is the same by names as they are compared, without what is no company's domain.
func (c companies) compared() companies {
	out := companies{}
	for pair, n := range c {
		key := finder.CompanyKey(pair[0])
		if domain, err := probe.CleanDomain(pair[1]); err == nil && key != "" && !probe.Public(domain) {
			out[[2]string{key, domain}] += n
		}
	}
	return out
}

// store adds a batch to what is known of a list, in one statement.
func (c companies) store(tx *gorm.DB, list, account int64) error {
	sums := c.compared()
	if len(sums) == 0 {
		return nil
	}
	rows := make([]companyRow, 0, len(sums))
	for pair, n := range sums {
		rows = append(rows, companyRow{list, account, pair[0], pair[1], n})
	}
	slices.SortFunc(rows, func(x, y companyRow) int {
		return cmp.Or(cmp.Compare(x.Company, y.Company), cmp.Compare(x.Domain, y.Domain))
	})
	values, arg, err := db.Rows(tx, "v", companyColumns, rows)
	if err != nil {
		return err
	}
	err = tx.Exec(`INSERT INTO company_domains (list_id, account_id, company, domain, rows) SELECT list_id, account_id, company, domain, rows FROM `+values+` WHERE true
		ON CONFLICT (list_id, company, domain) DO UPDATE SET rows = company_domains.rows + excluded.rows`, arg).Error
	if err != nil {
		return fmt.Errorf("storing companies: %w", err)
	}
	return nil
}

// moveCompany counts an edited row among the pairs that it names now, and no longer among those that it named before.
func moveCompany(tx *gorm.DB, before, now Record) error {
	was, is := companies{}, companies{}
	was.add(finder.Person{Company: before.Company, Domain: before.Domain, Email: before.Address})
	is.add(finder.Person{Company: now.Company, Domain: now.Domain, Email: now.Address})
	was, is = was.compared(), is.compared()
	if maps.Equal(was, is) {
		return nil
	}
	for pair, n := range was {
		where := []any{now.ListID, pair[0], pair[1]}
		err := tx.Exec("UPDATE company_domains SET rows = rows - ? WHERE list_id = ? AND company = ? AND domain = ?", append([]any{n}, where...)...).Error
		if err == nil {
			err = tx.Exec("DELETE FROM company_domains WHERE list_id = ? AND company = ? AND domain = ? AND rows <= 0", where...).Error
		}
		if err != nil {
			return fmt.Errorf("forgetting a pair of an edited row: %w", err)
		}
	}
	return is.store(tx, now.ListID, now.AccountID)
}

// companyKey is an account and a company.
type companyKey struct {
	account int64
	company string
}

// ownCompany is what was read of a company, and until when it is believed.
type ownCompany struct {
	domains []finder.CompanyDomain
	until   time.Time
}

// CompanyDomains is finder.Companies: the domains that the account which ctx is for has beside a company's name in its lists, and those of
// likely ones at which it knows addresses.
func (m *domainMemory) CompanyDomains(ctx context.Context, company string, likely []string) ([]finder.CompanyDomain, error) {
	key := companyKey{accountOf(ctx), company}
	if key.account == 0 {
		return nil, nil
	}
	if own, ok := m.companies.Get(key); ok && m.app.Now().Before(own.until) {
		return own.domains, nil
	}
	var found []finder.CompanyDomain
	tx := m.app.DB.WithContext(ctx)
	err := tx.Raw(`SELECT domain, CAST(SUM(rows) AS bigint) AS rows FROM company_domains WHERE account_id = ? AND company = ? GROUP BY domain ORDER BY SUM(rows) DESC, domain LIMIT ?`,
		key.account, company, companyDomainsMost).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("reading the domains of a company: %w", err)
	}
	if len(found) == 0 && len(likely) > 0 {
		among, arg, err := db.Among(tx, likely[:min(len(likely), companyKnownMost)])
		if err != nil {
			return nil, err
		}
		err = tx.Raw(`SELECT domain, COUNT(*) AS addresses FROM known_emails WHERE account_id = ? AND domain `+among+` AND kind <> ? GROUP BY domain ORDER BY COUNT(*) DESC, domain LIMIT ?`,
			key.account, arg, KnownBounce, companyDomainsMost).Scan(&found).Error
		if err != nil {
			return nil, fmt.Errorf("reading known addresses at a company: %w", err)
		}
	}
	m.companies.Add(key, ownCompany{found, m.app.Now().Add(domainCacheTTL)})
	return found, nil
}
