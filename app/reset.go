package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"beagle/app/mail"

	"gorm.io/gorm"
)

const (
	resetAge  = time.Hour
	resetMost = 3 // links of one user that are open at once: nobody's mailbox is flooded
)

// passwordReset is one link that was mailed. The mail holds the token; the table only its hash.
type passwordReset struct {
	TokenHash string `gorm:"primaryKey"`
	UserID    int64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// ForgotPassword owes the owner of an address a mail with a link, if there is one. Whether there is one cannot be told from outside:
// both are owed and queued alike. Refuses what is no address, and everything where no mail is sent.
func (a *App) ForgotPassword(ctx context.Context, email, ip string) error {
	if !a.SendsMail() {
		return Refuse(CodeUnavailable, "no_mail", "This installation sends no mail. Ask whoever runs it for a new password.")
	}
	email, err := cleanEmail(email)
	if err != nil {
		return err
	}
	user, err := a.UserByEmail(ctx, email)
	if err != nil && CodeOf(err) != CodeNotFound {
		return err
	}
	a.audit(ctx, Actor{Account: user.AccountID, User: user.ID, IP: ip}, "password.forgotten", "")
	t := mailTask{Kind: mail.PasswordReset, User: user.ID, Once: mail.PasswordReset + ":" + newRef()}
	if err := a.owe(a.DB.WithContext(ctx), t, ""); err != nil {
		return err
	}
	a.mailOnce(ctx, t)
	return nil
}

// sendReset writes the mail of a password reset that was asked for at a time, and hands it over. Nobody waits any more for one that is
// older than its link would be. A link that was not handed over is taken back: a mail server that is away uses none up.
func (a *App) sendReset(ctx context.Context, to User, asked time.Time) error {
	if !asked.IsZero() && asked.Before(a.Now().Add(-resetAge)) {
		return nil
	}
	token, err := a.newReset(ctx, to.ID)
	if err != nil || token == "" {
		return err
	}
	m, err := mail.Write(mail.PasswordReset, to.Email, mail.ResetData{Email: to.Email, Link: a.link("/reset/" + token)})
	if err == nil {
		err = a.handOver(ctx, m)
	}
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	return errors.Join(err, a.DB.WithContext(ctx).Where("token_hash = ?", hashSecret(token)).Delete(&passwordReset{}).Error)
}

// newReset makes a link's token; "" when the user has enough of them.
func (a *App) newReset(ctx context.Context, user int64) (token string, err error) {
	var open int64
	if err := a.DB.WithContext(ctx).Model(&passwordReset{}).Where("user_id = ? AND expires_at > ?", user, a.Now()).Count(&open).Error; err != nil {
		return "", fmt.Errorf("counting password resets: %w", err)
	}
	if open >= resetMost {
		return "", nil
	}
	token = rand.Text() + rand.Text() // 2 × 130 bits
	reset := passwordReset{TokenHash: hashSecret(token), UserID: user, CreatedAt: a.Now(), ExpiresAt: a.Now().Add(resetAge)}
	if err := a.DB.WithContext(ctx).Create(&reset).Error; err != nil {
		return "", fmt.Errorf("keeping a password reset: %w", err)
	}
	return token, nil
}

// ResetUser is whose password a token changes. CodeNotFound when it is unknown, used or older than an hour.
func (a *App) ResetUser(ctx context.Context, token string) (User, error) {
	var user User
	err := a.DB.WithContext(ctx).Joins("JOIN password_resets ON password_resets.user_id = users.id").
		Where("password_resets.token_hash = ? AND password_resets.expires_at > ?", hashSecret(token), a.Now()).Take(&user).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return User{}, Refuse(CodeNotFound, "reset_not_found", "This link has been used or is older than an hour. Ask for another one.")
	}
	if err != nil {
		return User{}, fmt.Errorf("reading a password reset: %w", err)
	}
	return user, nil
}

// ResetPassword gives the token's user a new password, signs every browser out and makes all links of the user worthless. A password that
// is refused leaves the link as it is.
func (a *App) ResetPassword(ctx context.Context, token, password, ip string) error {
	user, err := a.ResetUser(ctx, token)
	if err != nil {
		return err
	}
	if err := checkPassword(password, user.Email); err != nil {
		return err
	}
	hash, err := a.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		used := tx.Where("token_hash = ? AND expires_at > ?", hashSecret(token), a.Now()).Delete(&passwordReset{})
		if used.Error != nil {
			return used.Error
		}
		if used.RowsAffected == 0 {
			return Refuse(CodeNotFound, "reset_not_found", "This link has just been used.")
		}
		if err := tx.Where("user_id = ?", user.ID).Delete(&passwordReset{}).Error; err != nil {
			return err
		}
		if err := tx.Where("user_id = ?", user.ID).Delete(&session{}).Error; err != nil {
			return err
		}
		return tx.Model(&User{}).Where("id = ?", user.ID).Update("password_hash", hash).Error
	})
	if err != nil {
		return fmt.Errorf("changing a password: %w", err)
	}
	a.forgetFailures(ctx, user.Email)
	a.audit(ctx, Actor{Account: user.AccountID, User: user.ID, IP: ip}, "password.reset", "")
	return nil
}
