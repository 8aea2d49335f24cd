package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"beagle/app/mail"

	"gorm.io/gorm"
)

const newEmailAge = 24 * time.Hour

// sessionShown is how much of a session's hash names it on the settings page.
const sessionShown = 16

// Session is one signed-in browser of a user.
type Session struct {
	ID        string
	Current   bool
	Agent, IP string
	CreatedAt time.Time
	SeenAt    time.Time
}

// SetName changes a user's own name.
func (a *App) SetName(ctx context.Context, as Actor, name string) error {
	name, err := cleanPersonName(name)
	if err != nil {
		return err
	}
	if err := a.DB.WithContext(ctx).Model(&User{}).Where("id = ?", as.User).Update("name", name).Error; err != nil {
		return fmt.Errorf("changing a name: %w", err)
	}
	return nil
}

// confirmPassword asks for the password again before something that a borrowed browser must not do. Wrong ones slow down as at sign-in.
func (a *App) confirmPassword(ctx context.Context, as Actor, password string) (User, error) {
	var user User
	if err := a.DB.WithContext(ctx).Where("id = ? AND account_id = ?", as.User, as.Account).Take(&user).Error; err != nil {
		return User{}, fmt.Errorf("reading a user: %w", err)
	}
	if err := a.slowDown(ctx, user.Email, as.IP); err != nil {
		return User{}, err
	}
	ok, err := a.passwordMatches(ctx, cut(password, 4*maxPassword), user.PasswordHash)
	if err != nil {
		return User{}, err
	}
	if !ok {
		a.countFailure(ctx, user.Email, as.IP)
		return User{}, Refuse(CodeBadInput, "wrong_password", "The present password is wrong.")
	}
	return user, nil
}

// ChangePassword gives a user another password and signs out all browsers but the one with token.
func (a *App) ChangePassword(ctx context.Context, as Actor, present, fresh, token string) error {
	user, err := a.confirmPassword(ctx, as, present)
	if err != nil {
		return err
	}
	if err := checkPassword(fresh, user.Email); err != nil {
		return err
	}
	hash, err := a.hashPassword(ctx, fresh)
	if err != nil {
		return err
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Where("user_id = ? AND token_hash <> ?", as.User, hashSecret(token)).Delete(&session{}).Error; err != nil {
			return err
		}
		if err := tx.Where("user_id = ?", as.User).Delete(&passwordReset{}).Error; err != nil {
			return err
		}
		return tx.Model(&User{}).Where("id = ?", as.User).Update("password_hash", hash).Error
	})
	if err != nil {
		return fmt.Errorf("changing a password: %w", err)
	}
	a.audit(ctx, as, "password.changed", "")
	return nil
}

// ChangeEmail gives a user another address. Where mail is sent, a link to the new address does it (confirm = true); else it is done at once.
func (a *App) ChangeEmail(ctx context.Context, as Actor, email, password string) (confirm bool, err error) {
	if email, err = cleanEmail(email); err != nil {
		return false, err
	}
	user, err := a.confirmPassword(ctx, as, password)
	if err != nil || email == user.Email {
		return false, err
	}
	if !a.SendsMail() {
		return false, a.setEmail(ctx, as, email, func(*gorm.DB) error { return nil })
	}
	open, err := a.openLinks(ctx, mail.NewEmail, email)
	if err != nil || open >= maxOpenLinks {
		return true, err
	}
	return true, a.mailALink(ctx, mailLink{Kind: mail.NewEmail, Email: email, AccountID: &as.Account, UserID: &as.User}, newEmailAge)
}

// ConfirmEmail makes the address that a token was mailed to the user's own.
func (a *App) ConfirmEmail(ctx context.Context, token, ip string) error {
	l, err := a.linkOf(ctx, mail.NewEmail, token)
	if err != nil {
		return err
	}
	return a.setEmail(ctx, Actor{Account: *l.AccountID, User: *l.UserID, IP: ip}, l.Email, func(tx *gorm.DB) error { return useLink(tx, l) })
}

// NewEmail is the address that a token would make the user's own.
func (a *App) NewEmail(ctx context.Context, token string) (string, error) {
	l, err := a.linkOf(ctx, mail.NewEmail, token)
	return l.Email, err
}

func (a *App) setEmail(ctx context.Context, as Actor, email string, first func(*gorm.DB) error) error {
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := first(tx); err != nil {
			return err
		}
		return tx.Model(&User{}).Where("id = ?", as.User).Update("email", email).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return Refuse(CodeConflict, "email_taken", "There is already an account with this address.")
	}
	if err != nil {
		return fmt.Errorf("changing an address: %w", err)
	}
	a.audit(ctx, as, "email.changed", email)
	return nil
}

// Sessions are a user's signed-in browsers, the one with token marked, latest first.
func (a *App) Sessions(ctx context.Context, as Actor, token string) ([]Session, error) {
	var found []session
	err := a.DB.WithContext(ctx).Where("user_id = ? AND expires_at > ? AND seen_at > ?", as.User, a.Now(), a.Now().Add(-sessionIdle)).Order("seen_at DESC").Find(&found).Error
	if err != nil {
		return nil, fmt.Errorf("reading sessions: %w", err)
	}
	out := make([]Session, len(found))
	for i, s := range found {
		out[i] = Session{ID: s.TokenHash[:sessionShown], Current: s.TokenHash == hashSecret(token), Agent: s.Agent, IP: s.IP, CreatedAt: s.CreatedAt, SeenAt: s.SeenAt}
	}
	return out, nil
}

// EndSession signs one browser of a user out.
func (a *App) EndSession(ctx context.Context, as Actor, id string) error {
	gone := a.DB.WithContext(ctx).Where("user_id = ? AND substr(token_hash, 1, ?) = ?", as.User, sessionShown, id).Delete(&session{})
	if gone.Error != nil {
		return fmt.Errorf("ending a session: %w", gone.Error)
	}
	if gone.RowsAffected == 0 {
		return Refuse(CodeNotFound, "session_not_found", "This browser is signed out already.")
	}
	a.audit(ctx, as, "session.ended", "")
	return nil
}

// EndOtherSessions signs out all browsers of a user but the one with token.
func (a *App) EndOtherSessions(ctx context.Context, as Actor, token string) error {
	if err := a.DB.WithContext(ctx).Where("user_id = ? AND token_hash <> ?", as.User, hashSecret(token)).Delete(&session{}).Error; err != nil {
		return fmt.Errorf("ending sessions: %w", err)
	}
	a.audit(ctx, as, "session.ended", "all others")
	return nil
}
