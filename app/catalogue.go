package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"
)

const creditCatalogue = "catalogue"

// Bounds of the catalogue. A list is copied in one transaction, so it may not be larger than one can be.
const (
	MaxCatalogueRows = 50_000
	maxPrice         = 1_000_000
	maxDescription   = 2000
	catalogueSample  = 5 // rows shown
	maxCatalogue     = 500
)

// CatalogueItem is a list that operators published: accounts copy it into their own lists for credits.
type CatalogueItem struct {
	ID          int64
	Ref         string
	ListID      int64
	Title       string
	Description string
	Price       int64 // credits for the whole list; 0: free
	Rows        int64
	Columns     []string   `gorm:"serializer:json"`
	Sample      [][]string `gorm:"serializer:json"` // the first rows, addresses and names masked
	PublishedAt time.Time
	WithdrawnAt *time.Time
	Copied      string `gorm:"-"` // the account's own copy, if it has one
}

// PublishParams say how a list appears in the catalogue.
type PublishParams struct {
	Title       string
	Description string
	Price       int64
}

// Publish puts an operator's own list into the catalogue.
func (a *App) Publish(ctx context.Context, as Actor, ref string, p PublishParams) (CatalogueItem, error) {
	if err := mustOperate(as); err != nil {
		return CatalogueItem{}, err
	}
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return CatalogueItem{}, err
	}
	p.Title, p.Description = strings.TrimSpace(p.Title), strings.TrimSpace(p.Description)
	switch {
	case l.State != ListFinished:
		return CatalogueItem{}, Refuse(CodeConflict, "wrong_state", "Only a finished list can be published; this one is %s.", l.State)
	case l.Imported > MaxCatalogueRows:
		return CatalogueItem{}, Refuse(CodeUnprocessable, "list_too_large", "A list in the catalogue may have %d rows; this one has %d. Split it.", MaxCatalogueRows, l.Imported)
	case p.Title == "" || utf8.RuneCountInString(p.Title) > maxName:
		return CatalogueItem{}, Refuse(CodeBadInput, "invalid_title", "The list needs a title of at most %d characters.", maxName)
	case utf8.RuneCountInString(p.Description) > maxDescription:
		return CatalogueItem{}, Refuse(CodeBadInput, "invalid_description", "The description may have at most %d characters.", maxDescription)
	case p.Price < 0 || p.Price > maxPrice:
		return CatalogueItem{}, Refuse(CodeBadInput, "invalid_price", "The price must be between 0 and %d credits.", maxPrice)
	}
	sample, err := a.maskedSample(ctx, as.Account, l)
	if err != nil {
		return CatalogueItem{}, err
	}
	item := CatalogueItem{Ref: newRef(), ListID: l.ID, Title: p.Title, Description: p.Description, Price: p.Price, Rows: l.Imported,
		Columns: outColumns(l.Columns), Sample: sample, PublishedAt: a.Now()}
	err = a.DB.WithContext(ctx).Create(&item).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return CatalogueItem{}, Refuse(CodeConflict, "already_published", "This list is in the catalogue already. Withdraw it first.")
	}
	if err != nil {
		return CatalogueItem{}, fmt.Errorf("publishing list %s: %w", ref, err)
	}
	a.audit(ctx, as, "catalogue.published", item.Ref)
	return item, nil
}

// Withdraw takes an item out of the catalogue. Copies stay with those who have them.
func (a *App) Withdraw(ctx context.Context, as Actor, ref string) error {
	if err := mustOperate(as); err != nil {
		return err
	}
	gone := a.DB.WithContext(ctx).Model(&CatalogueItem{}).Where("ref = ? AND withdrawn_at IS NULL", ref).Update("withdrawn_at", a.Now())
	if gone.Error != nil {
		return fmt.Errorf("withdrawing %s: %w", ref, gone.Error)
	}
	if gone.RowsAffected == 0 {
		return errNoItem
	}
	a.audit(ctx, as, "catalogue.withdrawn", ref)
	return nil
}

var errNoItem = Refuse(CodeNotFound, "catalogue_not_found", "No such list in the catalogue.")

// Catalogue lists what is published, newest first, with the account's own copies marked.
func (a *App) Catalogue(ctx context.Context, account int64) ([]CatalogueItem, error) {
	var items []CatalogueItem
	if err := a.DB.WithContext(ctx).Where("withdrawn_at IS NULL").Order("id DESC").Limit(maxCatalogue).Find(&items).Error; err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	copies, err := a.copies(ctx, account)
	for i := range items {
		items[i].Copied = copies[items[i].ID]
	}
	return items, err
}

// CatalogueItem reads one published list.
func (a *App) CatalogueItem(ctx context.Context, account int64, ref string) (CatalogueItem, error) {
	var item CatalogueItem
	err := a.DB.WithContext(ctx).Where("ref = ? AND withdrawn_at IS NULL", ref).Take(&item).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return CatalogueItem{}, errNoItem
	}
	if err != nil {
		return CatalogueItem{}, fmt.Errorf("reading %s of the catalogue: %w", ref, err)
	}
	copies, err := a.copies(ctx, account)
	item.Copied = copies[item.ID]
	return item, err
}

// copies are the lists an account still has of what it got, by item.
func (a *App) copies(ctx context.Context, account int64) (map[int64]string, error) {
	var got []struct {
		ItemID  int64
		ListRef string
	}
	err := a.DB.WithContext(ctx).Table("catalogue_copies").Select("item_id, list_ref").Joins("JOIN lists ON lists.ref = catalogue_copies.list_ref AND lists.state <> 'deleting'").
		Where("catalogue_copies.account_id = ?", account).Scan(&got).Error
	if err != nil {
		return nil, fmt.Errorf("reading copies of the catalogue: %w", err)
	}
	out := make(map[int64]string, len(got))
	for _, g := range got {
		out[g.ItemID] = g.ListRef
	}
	return out, nil
}

// isPublished tells that a list is in the catalogue: then it must not be deleted.
func (a *App) isPublished(ctx context.Context, list int64) (bool, error) {
	var n int64
	err := a.DB.WithContext(ctx).Model(&CatalogueItem{}).Where("list_id = ? AND withdrawn_at IS NULL", list).Count(&n).Error
	if err != nil {
		return false, fmt.Errorf("reading the catalogue: %w", err)
	}
	return n > 0, nil
}

// maskedSample are the first rows of a list as strangers may see them: the file's shape, with what names somebody masked.
func (a *App) maskedSample(ctx context.Context, account int64, l List) ([][]string, error) {
	rows, _, err := a.Records(ctx, account, l, RecordQuery{Limit: catalogueSample})
	if err != nil {
		return nil, err
	}
	out := make([][]string, len(rows))
	for i, r := range rows {
		cells := outCells(r, len(l.Columns))
		for j := range cells[:len(cells)-len(resultColumns)+1] { // the last of these is the address that was found
			cells[j] = masked(cells[j])
		}
		out[i] = cells
	}
	return out, nil
}

// masked leaves the first letter of each part of a cell, so that its shape can be seen and nobody be recognised.
func masked(s string) string {
	var b strings.Builder
	begins := true
	for _, r := range s {
		switch {
		case strings.ContainsRune(" .@-_/:", r):
			b.WriteRune(r)
			begins = true
		case begins:
			b.WriteRune(r)
			begins = false
		default:
			b.WriteRune('•')
		}
	}
	return b.String()
}
