package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"
)

const (
	keyPrefix = "bgl_"
	keyShown  = len(keyPrefix) + 6 // how much of a key lists show
	maxKeys   = 100
)

// Key is an API key of an account. The key itself is shown once, when it is made; the table holds its SHA-256.
type Key struct {
	ID         int64
	AccountID  int64
	UserID     int64
	Name       string
	Prefix     string
	Hash       string
	InURL      bool `gorm:"column:in_url"` // may come as ?api_key=, as Hunter's clients send it
	CreatedAt  time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
	Role       string `gorm:"-"` // of its maker, where the key is used
}

// TableName is the table of keys.
func (Key) TableName() string { return "api_keys" }

// Keys lists an account's keys, newest first, revoked ones included.
func (a *App) Keys(ctx context.Context, account int64) ([]Key, error) {
	var keys []Key
	if err := a.DB.WithContext(ctx).Where("account_id = ?", account).Order("id DESC").Find(&keys).Error; err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	return keys, nil
}

// KeysFor lists the keys that somebody may see: all of them who manages the account, others their own.
func (a *App) KeysFor(ctx context.Context, as Actor) ([]Key, error) {
	keys, err := a.Keys(ctx, as.Account)
	if err == nil && !as.Manages() {
		keys = slices.DeleteFunc(keys, func(k Key) bool { return k.UserID != as.User })
	}
	return keys, err
}

// CreateKey makes a key. secret is the only time anybody sees it.
func (a *App) CreateKey(ctx context.Context, as Actor, name string, inURL bool) (key Key, secret string, err error) {
	if err := as.MayManage(); err != nil {
		return Key{}, "", err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = "API key"
	}
	if utf8.RuneCountInString(name) > maxName {
		return Key{}, "", Refuse(CodeBadInput, "name_too_long", "The name may have at most %d characters.", maxName)
	}
	var live int64
	if err := a.DB.WithContext(ctx).Model(&Key{}).Where("account_id = ? AND revoked_at IS NULL", as.Account).Count(&live).Error; err != nil {
		return Key{}, "", fmt.Errorf("counting keys: %w", err)
	}
	if live >= maxKeys {
		return Key{}, "", Refuse(CodeUnprocessable, "too_many_keys", "An account may have %d keys. Revoke one that is not used any more.", maxKeys)
	}
	secret = keyPrefix + rand.Text() + rand.Text()[:6]
	key = Key{AccountID: as.Account, UserID: as.User, Name: name, Prefix: secret[:keyShown], Hash: hashSecret(secret), InURL: inURL, CreatedAt: a.Now()}
	if err := a.DB.WithContext(ctx).Create(&key).Error; err != nil {
		return Key{}, "", fmt.Errorf("making a key: %w", err)
	}
	a.audit(ctx, as, "key.created", key.Prefix)
	return key, secret, nil
}

// RevokeKey makes a key useless from now on. Who does not manage the account may revoke keys of their own. Another account's key is
// not found.
func (a *App) RevokeKey(ctx context.Context, as Actor, id int64) error {
	live := a.DB.WithContext(ctx).Model(&Key{}).Where("account_id = ? AND id = ? AND revoked_at IS NULL", as.Account, id)
	if !as.Manages() {
		live = live.Where("user_id = ?", as.User)
	}
	done := live.Update("revoked_at", a.Now())
	if done.Error != nil {
		return fmt.Errorf("revoking key %d: %w", id, done.Error)
	}
	if done.RowsAffected == 0 {
		return Refuse(CodeNotFound, "key_not_found", "No such key.")
	}
	a.ForgetKeys(ctx)
	a.audit(ctx, as, "key.revoked", fmt.Sprint(id))
	return nil
}

var errNoKey = Refuse(CodeUnauthorized, "no_key", "Send your API key in the Authorization header: Bearer bgl_…")

// readKey reads a key that was not revoked.
func (a *App) readKey(ctx context.Context, hash string) (Key, error) {
	var key Key
	err := a.DB.WithContext(ctx).Where("hash = ? AND revoked_at IS NULL", hash).First(&key).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Key{}, Refuse(CodeUnauthorized, "authentication_failed", "No such API key, or it was revoked.")
	}
	if err != nil {
		return Key{}, fmt.Errorf("reading a key: %w", err)
	}
	var role []string // a key may what its maker may
	if err := a.DB.WithContext(ctx).Model(&User{}).Where("id = ?", key.UserID).Pluck("role", &role).Error; err != nil {
		return Key{}, fmt.Errorf("reading a key's user: %w", err)
	}
	key.Role = firstOf(role...)
	return key, nil
}

// mayCome refuses a key in the address of a request that was not made for it.
func (k Key) mayCome(inURL bool) error {
	if inURL && !k.InURL {
		return Refuse(CodeUnauthorized, "key_not_for_urls", "This key may not be sent as ?api_key=. Send it in the Authorization header, or make a key with \"allow in URL\".")
	}
	return nil
}

func (k Key) actor() Actor { return Actor{Account: k.AccountID, User: k.UserID, Role: k.Role} }
