package app

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Bounds of what an operator gives at once, and of what is shown of it.
const (
	maxGrant    = 1_000_000_000
	maxGrantKey = 100 // characters
	grantsShown = 10
)

// Grant is what an operator gave to an account, or took back.
type Grant struct {
	Account   string // its name
	Amount    int64  // negative: taken back
	Note      string
	Left      int64 // credits of the account now
	CreatedAt time.Time
}

// GrantParams say what an operator gives to whom.
type GrantParams struct {
	Email  string // of somebody in the account
	Amount int64  // negative: take back
	Note   string // the account sees it
	Key    string // of the form that was filled in; what comes with a key is given once. "": each time
}

// GiveCredits adds credits to the account of the person with this address, or takes them back when the amount is negative: never more
// than there are. The ledger line, the balance and the audit line are one transaction. Asked again with the same key it changes nothing and
// answers as the first time; with a key that came with something else it refuses.
func (a *App) GiveCredits(ctx context.Context, as Actor, p GrantParams) (Grant, error) {
	if err := mustOperate(as); err != nil {
		return Grant{}, err
	}
	p.Note = strings.TrimSpace(p.Note)
	if err := p.check(); err != nil {
		return Grant{}, err
	}
	user, err := a.UserByEmail(ctx, p.Email)
	if err != nil {
		return Grant{}, err
	}
	g := Grant{Amount: p.Amount, Note: p.Note, CreatedAt: a.Now()}
	entry := CreditEntry{AccountID: user.AccountID, Amount: p.Amount, Kind: creditGrant, Run: 1, Note: p.Note, CreatedAt: g.CreatedAt}
	if p.Key != "" {
		entry.FormKey = &p.Key
	}
	given := false
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if given, err = a.grant(tx, entry); err != nil {
			return err
		}
		if err := tx.Raw("SELECT name AS account, credits AS left FROM accounts WHERE id = ?", user.AccountID).Scan(&g).Error; err != nil {
			return fmt.Errorf("reading a balance: %w", err)
		}
		if !given {
			return nil
		}
		if g.Left < 0 && p.Amount < 0 {
			return Refuse(CodeConflict, "too_few_credits", "This account has fewer credits than that: %d.", g.Left-p.Amount)
		}
		event := auditEvent{AccountID: &user.AccountID, Action: "credits.given", Subject: fmt.Sprintf("%+d %s", p.Amount, p.Note), CreatedAt: a.Now()}
		if as.User != 0 {
			event.UserID = &as.User
		}
		return tx.Create(&event).Error
	})
	if err != nil {
		return Grant{}, err
	}
	if given {
		a.Log.InfoContext(ctx, "credits given", "account", user.AccountID, "amount", p.Amount, "by", as.User)
	}
	return g, nil
}

func (p GrantParams) check() error {
	switch {
	case p.Amount == 0 || p.Amount > maxGrant || p.Amount < -maxGrant:
		return Refuse(CodeBadInput, "invalid_amount", "The amount must be a whole number up to %d, or below zero to take credits back.", int64(maxGrant))
	case utf8.RuneCountInString(p.Note) > maxName:
		return Refuse(CodeBadInput, "note_too_long", "The note may have at most %d characters.", maxName)
	case len(p.Key) > maxGrantKey:
		return Refuse(CodeBadInput, "invalid_key", "The key of the form may have at most %d characters.", maxGrantKey)
	}
	return nil
}

// GrantCredits adds credits to an account.
func (a *App) GrantCredits(ctx context.Context, account, amount int64) error {
	return a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		_, err := a.grant(tx, CreditEntry{AccountID: account, Amount: amount, Kind: creditGrant, Run: 1, CreatedAt: a.Now()})
		return err
	})
}

// grant writes the ledger and the balance. given is false when the same came with this key before.
func (a *App) grant(tx *gorm.DB, entry CreditEntry) (given bool, err error) {
	made := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&entry)
	if made.Error != nil {
		return false, fmt.Errorf("writing the ledger: %w", made.Error)
	}
	if made.RowsAffected == 1 {
		return true, a.addToBalances(tx, []CreditEntry{entry})
	}
	var before CreditEntry
	if err := tx.Where("form_key = ?", entry.FormKey).Take(&before).Error; err != nil {
		return false, fmt.Errorf("reading the ledger: %w", err)
	}
	if before.AccountID != entry.AccountID || before.Amount != entry.Amount || before.Note != entry.Note {
		return false, Refuse(CodeConflict, "form_sent_before", "This form was sent before, with something else in it, and nothing was given this time. See what was given last, and send it again if it is still right.")
	}
	return false, nil
}

// Grants are the last ones, latest first.
func (a *App) Grants(ctx context.Context, as Actor) ([]Grant, error) {
	if err := mustOperate(as); err != nil {
		return nil, err
	}
	var last []Grant
	err := a.DB.WithContext(ctx).Raw(`SELECT accounts.name AS account, amount, note, credits AS left, credit_entries.created_at FROM credit_entries
		JOIN accounts ON accounts.id = credit_entries.account_id WHERE kind = ? ORDER BY credit_entries.id DESC LIMIT ?`, creditGrant, grantsShown).Scan(&last).Error
	if err != nil {
		return nil, fmt.Errorf("reading grants: %w", err)
	}
	return last, nil
}
