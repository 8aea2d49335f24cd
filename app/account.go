package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"beagle/app/db"

	"gorm.io/gorm"
)

// Account is the team that owns lists and pays for answers.
type Account struct {
	ID            int64
	Name          string
	Credits       int64 // the sum of its credit entries
	RetentionDays int
	DeleteAt      *time.Time // when it ends, if an owner wants that
	CreatedAt     time.Time
}

// Actor is who asks: a signed-in person or the owner of an API key. What belongs to an account is read with it.
type Actor struct {
	Account  int64
	User     int64
	Role     string
	Operator bool
	IP       string
	Agent    string
	Claim    *KeyClaim // of a request with an Idempotency-Key; nil for all others
}

var errNoAccount = Refuse(CodeNotFound, "account_not_found", "No such account.")

// Account reads one account.
func (a *App) Account(ctx context.Context, account int64) (Account, error) {
	var found Account
	err := a.DB.WithContext(ctx).First(&found, account).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Account{}, errNoAccount
	}
	if err != nil {
		return Account{}, fmt.Errorf("reading account %d: %w", account, err)
	}
	return found, nil
}

// OwnAccount reads the account of an actor and the address of the user behind it, "" when that user is gone.
func (a *App) OwnAccount(ctx context.Context, as Actor) (found Account, email string, err error) {
	err = db.QueryRow(ctx, a.DB, `SELECT id, name, credits, retention_days, delete_at, created_at,
		COALESCE((SELECT email FROM users WHERE users.account_id = accounts.id AND users.id = ?), '') FROM accounts WHERE id = ?`, as.User, as.Account).
		Scan(&found.ID, &found.Name, &found.Credits, &found.RetentionDays, &found.DeleteAt, &found.CreatedAt, &email)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, "", errNoAccount
	}
	if err != nil {
		return Account{}, "", fmt.Errorf("reading account %d: %w", as.Account, err)
	}
	return found, email, nil
}

// UserEmail is the address of the user behind an actor.
func (a *App) UserEmail(ctx context.Context, as Actor) (string, error) {
	var email []string
	err := a.DB.WithContext(ctx).Model(&User{}).Where("account_id = ? AND id = ?", as.Account, as.User).Pluck("email", &email).Error
	if err != nil {
		return "", fmt.Errorf("reading user %d: %w", as.User, err)
	}
	return firstOf(email...), nil
}

// auditEvent is a line of who did what.
type auditEvent struct {
	ID        int64
	AccountID *int64
	UserID    *int64
	Action    string
	Subject   string
	IP        string `gorm:"column:ip"`
	CreatedAt time.Time
}

func (auditEvent) TableName() string { return "audit_events" }

// audit keeps who did what. A failure to write it is logged and stops nothing.
func (a *App) audit(ctx context.Context, as Actor, action, subject string) {
	event := auditEvent{Action: action, Subject: subject, IP: as.IP, CreatedAt: a.Now()}
	if as.Account != 0 {
		event.AccountID = &as.Account
	}
	if as.User != 0 {
		event.UserID = &as.User
	}
	if err := a.DB.WithContext(ctx).Create(&event).Error; err != nil {
		a.Log.ErrorContext(ctx, "audit event lost", "action", action, "error", err)
	}
}
