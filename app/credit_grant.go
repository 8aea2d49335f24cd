package app

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"
)

// Bounds of what an operator gives at once, and of what is shown of it.
const (
	maxGrant    = 1_000_000_000
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

// GiveCredits adds credits to the account of the person with this address, or takes them back when amount is negative: never more than
// there are. The ledger line, the balance and the audit line are one transaction.
func (a *App) GiveCredits(ctx context.Context, as Actor, email string, amount int64, note string) (Grant, error) {
	if err := mustOperate(as); err != nil {
		return Grant{}, err
	}
	note = strings.TrimSpace(note)
	switch {
	case amount == 0 || amount > maxGrant || amount < -maxGrant:
		return Grant{}, Refuse(CodeBadInput, "invalid_amount", "The amount must be a whole number up to %d, or below zero to take credits back.", int64(maxGrant))
	case utf8.RuneCountInString(note) > maxName:
		return Grant{}, Refuse(CodeBadInput, "note_too_long", "The note may have at most %d characters.", maxName)
	}
	user, err := a.UserByEmail(ctx, email)
	if err != nil {
		return Grant{}, err
	}
	g := Grant{Amount: amount, Note: note, CreatedAt: a.Now()}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := a.grant(tx, user.AccountID, amount, note); err != nil {
			return err
		}
		if err := tx.Raw("SELECT name AS account, credits AS left FROM accounts WHERE id = ?", user.AccountID).Scan(&g).Error; err != nil {
			return fmt.Errorf("reading a balance: %w", err)
		}
		if g.Left < 0 && amount < 0 {
			return Refuse(CodeConflict, "too_few_credits", "This account has fewer credits than that: %d.", g.Left-amount)
		}
		event := auditEvent{AccountID: &user.AccountID, Action: "credits.given", Subject: fmt.Sprintf("%+d %s", amount, note), CreatedAt: a.Now()}
		if as.User != 0 {
			event.UserID = &as.User
		}
		return tx.Create(&event).Error
	})
	if err != nil {
		return Grant{}, err
	}
	a.Log.InfoContext(ctx, "credits given", "account", user.AccountID, "amount", amount, "by", as.User)
	return g, nil
}

// GrantCredits adds credits to an account.
func (a *App) GrantCredits(ctx context.Context, account, amount int64) error {
	return a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return a.grant(tx, account, amount, "") })
}

func (a *App) grant(tx *gorm.DB, account, amount int64, note string) error {
	entry := CreditEntry{AccountID: account, Amount: amount, Kind: creditGrant, Run: 1, Note: note, CreatedAt: a.Now()}
	if err := tx.Create(&entry).Error; err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	return a.addToBalances(tx, []CreditEntry{entry})
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
