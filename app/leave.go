package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"
)

const (
	deletionGrace = 7 * 24 * time.Hour // between the wish to delete an account and its end: time to change one's mind
	maxRetention  = 3650               // days
)

// SetRetention says after how many days lists are deleted; 0 keeps them for ever.
func (a *App) SetRetention(ctx context.Context, as Actor, days int) error {
	if err := as.MayManage(); err != nil {
		return err
	}
	if days < 0 || days > maxRetention {
		return Refuse(CodeBadInput, "invalid_retention", "Lists can be kept for 1 to %d days, or 0 for ever.", maxRetention)
	}
	if err := a.DB.WithContext(ctx).Model(&Account{}).Where("id = ?", as.Account).Update("retention_days", days).Error; err != nil {
		return fmt.Errorf("changing retention: %w", err)
	}
	a.audit(ctx, as, "retention.changed", fmt.Sprint(days))
	return nil
}

// DeleteAccount sets the day on which an account ends with all that it has. Until then KeepAccount takes it back.
func (a *App) DeleteAccount(ctx context.Context, as Actor, password string) (time.Time, error) {
	if err := as.MayOwn(); err != nil {
		return time.Time{}, err
	}
	if _, err := a.confirmPassword(ctx, as, password); err != nil {
		return time.Time{}, err
	}
	at := a.Now().Add(deletionGrace)
	if err := a.DB.WithContext(ctx).Model(&Account{}).Where("id = ? AND delete_at IS NULL", as.Account).Update("delete_at", at).Error; err != nil {
		return time.Time{}, fmt.Errorf("deleting account %d: %w", as.Account, err)
	}
	a.audit(ctx, as, "account.deletion_set", at.UTC().Format(time.DateOnly))
	return at, nil
}

// KeepAccount takes DeleteAccount back.
func (a *App) KeepAccount(ctx context.Context, as Actor) error {
	if err := as.MayOwn(); err != nil {
		return err
	}
	if err := a.DB.WithContext(ctx).Model(&Account{}).Where("id = ?", as.Account).Update("delete_at", nil).Error; err != nil {
		return fmt.Errorf("keeping account %d: %w", as.Account, err)
	}
	a.audit(ctx, as, "account.kept", "")
	return nil
}

// mustLast refuses an account whose day has come: nobody gets in any more, while what it has is being deleted.
func (a *App) mustLast(ctx context.Context, account int64) error {
	found, err := a.Account(ctx, account)
	if err == nil && found.DeleteAt != nil && found.DeleteAt.Before(a.Now()) {
		err = Refuse(CodeForbidden, "account_deleted", "This account was deleted, as its owner wanted.")
	}
	return err
}

// cleanAccounts ends accounts whose day has come: first nobody gets in, then their lists are cleared, and when none is left all the rest goes.
// It reports how many are gone for good. One that cannot be deleted now keeps no other.
func (a *App) cleanAccounts(ctx context.Context) (int64, error) {
	var due []Account
	if err := a.DB.WithContext(ctx).Where("delete_at < ?", a.Now()).Find(&due).Error; err != nil {
		return 0, fmt.Errorf("reading accounts to delete: %w", err)
	}
	gone := int64(0)
	var errs []error
	for _, account := range due {
		ended, err := a.endAccount(ctx, account.ID)
		if err != nil {
			errs = append(errs, fmt.Errorf("deleting account %d: %w", account.ID, err))
		}
		if ended {
			gone++
		}
	}
	return gone, errors.Join(errs...)
}

func (a *App) endAccount(ctx context.Context, account int64) (ended bool, err error) {
	tx := a.DB.WithContext(ctx)
	for _, query := range []string{"UPDATE api_keys SET revoked_at = COALESCE(revoked_at, ?) WHERE account_id = ?",
		"UPDATE catalogue_items SET withdrawn_at = COALESCE(withdrawn_at, ?) WHERE list_id IN (SELECT id FROM lists WHERE account_id = ?)"} {
		if err := tx.Exec(query, a.Now(), account).Error; err != nil {
			return false, err
		}
	}
	a.ForgetKeys(ctx)
	if err := tx.Exec("DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE account_id = ?)", account).Error; err != nil {
		return false, err
	}
	var lists []List
	if err := tx.Select("id, ref, state").Where("account_id = ?", account).Limit(cleanLists).Find(&lists).Error; err != nil {
		return false, err
	}
	for _, l := range lists {
		if l.State == ListDeleting {
			err = a.ClearLater(ctx, l.ID)
		} else {
			err = a.DeleteList(ctx, Actor{Account: account}, l.Ref)
		}
		if err != nil {
			return false, err
		}
	}
	if len(lists) > 0 {
		return false, nil // the next round looks again
	}
	return true, tx.Transaction(func(tx *gorm.DB) error {
		for _, query := range []string{"DELETE FROM webhook_deliveries WHERE account_id = ?", "DELETE FROM webhooks WHERE account_id = ?", "DELETE FROM callback_secrets WHERE account_id = ?",
			"DELETE FROM idempotency_keys WHERE account_id = ?", "DELETE FROM api_calls WHERE account_id = ?", "DELETE FROM single_answers WHERE account_id = ?", "DELETE FROM known_emails WHERE account_id = ?",
			"DELETE FROM paid_answers WHERE account_id = ?", "DELETE FROM credit_entries WHERE account_id = ?", "DELETE FROM catalogue_copies WHERE account_id = ?",
			"DELETE FROM mail_links WHERE account_id = ?", "DELETE FROM list_tags WHERE account_id = ?", "DELETE FROM list_actions WHERE account_id = ?",
			"DELETE FROM audit_events WHERE account_id = ?", "DELETE FROM api_keys WHERE account_id = ?",
			"DELETE FROM password_resets WHERE user_id IN (SELECT id FROM users WHERE account_id = ?)", "DELETE FROM users WHERE account_id = ?", "DELETE FROM accounts WHERE id = ?"} {
			if err := tx.Exec(query, account).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// AuditEvent is a line of who did what.
type AuditEvent struct {
	ID        int64     `json:"id"`
	Action    string    `json:"action"`
	Subject   string    `json:"subject"`
	Email     string    `json:"email"` // of the user; "" when unknown or gone
	IP        string    `json:"ip"`
	CreatedAt time.Time `json:"created_at"`
}

// auditPage is how many events are read at once.
const auditPage = 50

// AuditEvents reads a page of what was done in an account, latest first. next goes on where it ends; "" at the end.
func (a *App) AuditEvents(ctx context.Context, as Actor, after string) (events []AuditEvent, next string, err error) {
	if err := as.MayManage(); err != nil {
		return nil, "", err
	}
	return a.auditEvents(ctx, as.Account, after, auditPage)
}

func (a *App) auditEvents(ctx context.Context, account int64, after string, limit int) (events []AuditEvent, next string, err error) {
	page := a.DB.WithContext(ctx).Table("audit_events").Select("audit_events.id, action, subject, COALESCE(users.email, '') AS email, ip, audit_events.created_at").
		Joins("LEFT JOIN users ON users.id = audit_events.user_id").Where("audit_events.account_id = ?", account)
	if after != "" {
		id, err := parseCursor(after)
		if err != nil {
			return nil, "", err
		}
		page = page.Where("audit_events.id < ?", id)
	}
	if err := page.Order("audit_events.id DESC").Limit(limit + 1).Scan(&events).Error; err != nil {
		return nil, "", fmt.Errorf("reading audit events: %w", err)
	}
	if len(events) > limit {
		events = events[:limit]
		next = strconv.FormatInt(events[limit-1].ID, 36)
	}
	return events, next, nil
}
