package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// GetFromCatalogue copies a published list into an account's own lists and charges its price, both in one transaction: no copy without
// the charge and no charge without the copy. An account that has a copy is given that one and pays nothing; one that deleted its copy
// gets another, free. Rows whose owner opted out are left out. made tells that the list is new.
func (a *App) GetFromCatalogue(ctx context.Context, as Actor, ref string) (l List, made bool, err error) {
	item, err := a.CatalogueItem(ctx, as.Account, ref)
	if err != nil {
		return List{}, false, err
	}
	if item.Copied != "" {
		l, err = a.List(ctx, as.Account, item.Copied)
		return l, false, err
	}
	var source List
	if err := a.DB.WithContext(ctx).Where("id = ? AND state <> ?", item.ListID, ListDeleting).Limit(1).Find(&source).Error; err != nil {
		return List{}, false, fmt.Errorf("reading list %d: %w", item.ListID, err)
	}
	if source.ID == 0 {
		return List{}, false, errNoItem
	}
	gone, err := a.optedOut(ctx, source.ID)
	if err != nil {
		return List{}, false, err
	}
	now := a.Now()
	l = List{Ref: newRef(), AccountID: as.Account, UserID: as.User, Name: item.Title, Process: source.Process, State: ListExporting, Filename: source.Filename,
		Dialect: source.Dialect, Columns: source.Columns, Mapping: source.Mapping, ChangedAt: now, CreatedAt: now, StartedAt: &now}
	already := ""
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if already, err = a.payFor(tx, as.Account, item, l.Ref); err != nil || already != "" {
			return err
		}
		if err := tx.Create(&l).Error; err != nil {
			return err
		}
		return copyRecords(tx, source.ID, &l, gone)
	})
	if err != nil {
		return List{}, false, fmt.Errorf("copying %s of the catalogue: %w", ref, err)
	}
	if already != "" { // another request was faster
		l, err = a.List(ctx, as.Account, already)
		return l, false, err
	}
	a.audit(ctx, as, "catalogue.got", item.Ref)
	return l, true, a.ExportLater(ctx, l)
}

// payFor notes that an account has an item now, and charges it the first time. already is the copy it has.
func (a *App) payFor(tx *gorm.DB, account int64, item CatalogueItem, ref string) (already string, err error) {
	first := tx.Exec("INSERT INTO catalogue_copies (account_id, item_id, list_ref, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", account, item.ID, ref, a.Now())
	if first.Error != nil {
		return "", first.Error
	}
	if first.RowsAffected == 0 {
		again := tx.Exec(`UPDATE catalogue_copies SET list_ref = ? WHERE account_id = ? AND item_id = ?
			AND NOT EXISTS (SELECT 1 FROM lists WHERE lists.ref = catalogue_copies.list_ref AND lists.state <> 'deleting')`, ref, account, item.ID)
		if again.Error != nil || again.RowsAffected == 1 {
			return "", again.Error
		}
		var refs []string
		err := tx.Table("catalogue_copies").Where("account_id = ? AND item_id = ?", account, item.ID).Pluck("list_ref", &refs).Error
		return firstOf(refs...), err
	}
	if !a.Config.Credits || item.Price == 0 {
		return "", nil
	}
	paid := tx.Exec("UPDATE accounts SET credits = credits - ? WHERE id = ? AND credits >= ?", item.Price, account, item.Price)
	if paid.Error != nil {
		return "", paid.Error
	}
	if paid.RowsAffected == 0 {
		return "", Refuse(CodeNoCredits, "no_credits", "This list costs %d credits, and the account has fewer. Ask whoever runs this installation for more.", item.Price)
	}
	if err := tx.Create(&CreditEntry{AccountID: account, Amount: -item.Price, Kind: creditCatalogue, Run: 1, Note: item.Title, CreatedAt: a.Now()}).Error; err != nil {
		return "", err
	}
	return "", a.watchBalance(tx, account)
}

// aboutSomebody is whom a row is about, for the opt-out list.
type aboutSomebody struct {
	RowNo                  int64
	Email, Address, Domain string
}

func (r aboutSomebody) subjects() []string {
	about := []string{strings.ToLower(r.Email), strings.ToLower(r.Address), strings.ToLower(r.Domain)}
	for _, address := range about[:2] {
		if _, domain, ok := strings.Cut(address, "@"); ok {
			about = append(about, domain)
		}
	}
	return slices.DeleteFunc(about, func(s string) bool { return s == "" })
}

// optedOut are the rows of a list whose address or domain was suppressed, by number.
func (a *App) optedOut(ctx context.Context, list int64) ([]int64, error) {
	some, err := a.anySuppressed(ctx)
	if err != nil || !some {
		return nil, err
	}
	var rows []aboutSomebody
	if err := a.DB.WithContext(ctx).Table("records").Select("row_no, email, address, domain").Where("list_id = ?", list).Limit(MaxCatalogueRows).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading records of list %d: %w", list, err)
	}
	var about []string
	for _, r := range rows {
		about = append(about, r.subjects()...)
	}
	hits, err := a.suppressedAmong(ctx, about)
	if err != nil {
		return nil, err
	}
	var gone []int64
	for _, r := range rows {
		for _, s := range r.subjects() {
			if hits[hashSecret(s)] {
				gone = append(gone, r.RowNo)
				break
			}
		}
	}
	return gone, nil
}

// copiedColumns are what a copy of a record takes from the original.
const copiedColumns = `row_no, cells, first_name, last_name, full_name, domain, company, address, person_key, state, email, status, score, pattern, reason, note, evidence, checked_at`

// copyRecords copies the ended records of a list and counts them. Rows in gone are left out.
func copyRecords(tx *gorm.DB, from int64, to *List, gone []int64) error {
	copied := tx.Exec(`INSERT INTO records (list_id, account_id, `+copiedColumns+`) SELECT ?, ?, `+copiedColumns+`
		FROM records WHERE list_id = ? AND state IN ('done', 'failed') ORDER BY row_no LIMIT ?`, to.ID, to.AccountID, from, MaxCatalogueRows)
	if copied.Error != nil {
		return copied.Error
	}
	to.Imported = copied.RowsAffected
	if len(gone) > 0 {
		out := tx.Exec("DELETE FROM records WHERE list_id = ? AND row_no IN ?", to.ID, gone)
		if out.Error != nil {
			return out.Error
		}
		to.Imported -= out.RowsAffected
	}
	to.Total = to.Imported
	err := tx.Exec(`INSERT INTO list_counts (list_id, state, status, reason, rows) SELECT list_id, state, status, reason, COUNT(*)
		FROM records WHERE list_id = ? GROUP BY list_id, state, status, reason`, to.ID).Error
	if err != nil {
		return err
	}
	return tx.Model(&List{}).Where("id = ?", to.ID).Updates(map[string]any{"imported": to.Imported, "total": to.Total}).Error
}
