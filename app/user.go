package app

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"gorm.io/gorm"
)

// Passwords: length is what matters (NIST SP 800-63B); the upper bound keeps hashing cheap for hostile input.
const (
	minPassword = 12
	maxPassword = 128
	maxEmail    = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
	maxName     = 200
)

// Roles of a user in an account.
const (
	RoleOwner  = "owner"
	RoleAdmin  = "admin"
	RoleMember = "member"
)

// passwordCost follows OWASP ASVS 5.0 11.4.2: argon2id with 19 MiB and two passes, about 30 ms on one core.
var passwordCost = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashSlots bounds how many passwords are hashed at once: 19 MiB each.
const hashSlots = 4

// User is a person who signs in.
type User struct {
	ID           int64
	AccountID    int64
	Email        string
	Name         string // "" until the person gave one
	PasswordHash string
	Role         string
	Operator     bool // runs this installation
	Notify       bool // is told by mail when a list has ended
	CreatedAt    time.Time
}

// SignUp makes an account with its owner. Refuses a bad address, a short password, an address that is taken,
// and everything when the installation is closed to sign-ups.
func (a *App) SignUp(ctx context.Context, email, password, name, ip string) (User, error) {
	if !a.Config.SignUps {
		return User{}, Refuse(CodeForbidden, "sign_ups_closed", "This installation does not take sign-ups. Ask whoever runs it for an account.")
	}
	user, err := a.AddUser(ctx, email, password, name, false)
	if err != nil {
		return User{}, err
	}
	a.audit(ctx, Actor{Account: user.AccountID, User: user.ID, IP: ip}, "user.signed_up", "")
	return user, nil
}

// AddUser makes an account with its owner, whatever SIGN_UPS says: for the command line and the first start.
func (a *App) AddUser(ctx context.Context, email, password, name string, operator bool) (User, error) {
	email, err := cleanEmail(email)
	if err != nil {
		return User{}, err
	}
	if err := checkPassword(password, email); err != nil {
		return User{}, err
	}
	hash, err := a.hashPassword(ctx, password)
	if err != nil {
		return User{}, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = email
	}
	if utf8.RuneCountInString(name) > maxName {
		return User{}, Refuse(CodeBadInput, "name_too_long", "The name may have at most %d characters.", maxName)
	}
	user := User{Email: email, PasswordHash: hash, Role: RoleOwner, Operator: operator, Notify: true, CreatedAt: a.Now()}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		account := Account{Name: name, RetentionDays: 90, CreatedAt: a.Now()}
		if err := tx.Create(&account).Error; err != nil {
			return err
		}
		user.AccountID = account.ID
		return tx.Create(&user).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return User{}, Refuse(CodeConflict, "email_taken", "There is already an account with this address. Sign in instead.")
	}
	if err != nil {
		return User{}, fmt.Errorf("adding a user: %w", err)
	}
	return user, nil
}

// UserByEmail finds a user for the command line.
func (a *App) UserByEmail(ctx context.Context, email string) (User, error) {
	var user User
	err := a.DB.WithContext(ctx).Where("email = ?", strings.ToLower(strings.TrimSpace(email))).First(&user).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return User{}, Refuse(CodeNotFound, "user_not_found", "Nobody here has the address %s.", email)
	}
	if err != nil {
		return User{}, fmt.Errorf("reading a user: %w", err)
	}
	return user, nil
}

// HasUsers tells whether anybody can sign in yet.
func (a *App) HasUsers(ctx context.Context) (bool, error) {
	var users []User
	if err := a.DB.WithContext(ctx).Select("id").Limit(1).Find(&users).Error; err != nil {
		return false, fmt.Errorf("looking for users: %w", err)
	}
	return len(users) > 0, nil
}

// Actor is u as the one who asks.
func (u User) Actor() Actor {
	return Actor{Account: u.AccountID, User: u.ID, Role: u.Role, Operator: u.Operator}
}

func cleanEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || len(s) > maxEmail {
		return "", Refuse(CodeBadInput, "invalid_email", "This is not an e-mail address. It should look like name@company.example.")
	}
	return s, nil
}

func checkPassword(password, email string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return Refuse(CodeBadInput, "password_too_short", "The password needs at least %d characters; a few words in a row do well.", minPassword)
	case n > maxPassword:
		return Refuse(CodeBadInput, "password_too_long", "The password may have at most %d characters.", maxPassword)
	case strings.EqualFold(password, email), strings.Count(password, password[:1]) == len(password):
		return Refuse(CodeBadInput, "password_too_easy", "This password is too easy to guess. Take a few words that do not belong together.")
	}
	return nil
}

func (a *App) hashPassword(ctx context.Context, password string) (string, error) {
	if err := a.hashing.acquire(ctx); err != nil {
		return "", err
	}
	defer a.hashing.release()
	hash, err := argon2id.CreateHash(password, passwordCost)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// passwordMatches takes the same time whether or not the user exists: without one it checks against a hash of nothing.
func (a *App) passwordMatches(ctx context.Context, password, hash string) (bool, error) {
	if err := a.hashing.acquire(ctx); err != nil {
		return false, err
	}
	defer a.hashing.release()
	known := hash != ""
	if !known {
		hash = a.noHash
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("checking a password: %w", err)
	}
	return ok && known, nil
}

// slots is a counting semaphore.
type slots chan struct{}

func (s slots) acquire(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) release() { <-s }
