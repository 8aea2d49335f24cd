package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"time"

	"beagle/app/mail"

	"gorm.io/gorm"
)

// mailLink is something that comes true when the owner of a mailbox follows a link: the mail holds the token, the table only its hash.
// The token is made when the mail is written, so that it is in no queue.
type mailLink struct {
	ID        int64
	Kind      string // mail.Invitation, mail.NewEmail, mail.OptOut
	Email     string // whom the mail is for
	AccountID *int64
	UserID    *int64 // who asked
	Detail    string
	TokenHash *string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// maxOpenLinks is how many links of one kind one address may have open: nobody's mailbox is flooded.
const maxOpenLinks = 3

var errLinkGone = Refuse(CodeNotFound, "link_not_found", "This link has been used, was taken back or is too old. Ask for another one.")

// keepLink stores a link of which the mail is still to be written.
func (a *App) keepLink(tx *gorm.DB, l *mailLink, age time.Duration) error {
	l.CreatedAt, l.ExpiresAt = a.Now(), a.Now().Add(age)
	return tx.Create(l).Error
}

// oweLink owes the mail of a link, in the transaction that makes or renews the link. One that is owed already gives way. The task is for
// mailOnce after the commit.
func (a *App) oweLink(tx *gorm.DB, l mailLink) (mailTask, error) {
	if err := tx.Exec("DELETE FROM outbox WHERE link_id = ?", l.ID).Error; err != nil {
		return mailTask{}, fmt.Errorf("taking back a mail: %w", err)
	}
	t := mailTask{Kind: l.Kind, Link: l.ID, Once: fmt.Sprintf("link:%d:%s", l.ID, newRef())}
	return t, a.owe(tx, t, "")
}

// mailALink stores a link, owes its mail and queues that.
func (a *App) mailALink(ctx context.Context, l mailLink, age time.Duration) error {
	var t mailTask
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if err := a.keepLink(tx, &l, age); err != nil {
			return err
		}
		t, err = a.oweLink(tx, l)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping a link: %w", err)
	}
	a.mailOnce(ctx, t)
	return nil
}

// openLinks counts the links of a kind that wait for the owner of an address.
func (a *App) openLinks(ctx context.Context, kind, email string) (int64, error) {
	var open int64
	err := a.DB.WithContext(ctx).Model(&mailLink{}).Where("email = ? AND kind = ? AND expires_at > ?", email, kind, a.Now()).Count(&open).Error
	if err != nil {
		return 0, fmt.Errorf("counting links: %w", err)
	}
	return open, nil
}

// newToken gives a link a token and makes the one before worthless.
func (a *App) newToken(ctx context.Context, link int64) (string, error) {
	token := rand.Text() + rand.Text() // 2 × 130 bits
	err := a.DB.WithContext(ctx).Model(&mailLink{}).Where("id = ?", link).Update("token_hash", hashSecret(token)).Error
	if err != nil {
		return "", fmt.Errorf("making a link: %w", err)
	}
	return token, nil
}

// sendLink writes the mail of a link and hands it over. A link that was taken back meanwhile is not sent.
func (a *App) sendLink(ctx context.Context, id int64) error {
	var l mailLink
	err := a.DB.WithContext(ctx).Where("id = ? AND expires_at > ?", id, a.Now()).Take(&l).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading a link: %w", err)
	}
	token, err := a.newToken(ctx, l.ID)
	if err != nil {
		return err
	}
	data := mail.LinkData{Email: l.Email, Subject: l.Detail, Days: int(math.Ceil(l.ExpiresAt.Sub(a.Now()).Hours() / 24))} // from now: it may have been renewed
	switch l.Kind {
	case mail.Invitation:
		data.Link = a.link("/invitations/" + token)
		if data.Team, data.By, err = a.inviter(ctx, l); err != nil {
			return err
		}
	case mail.NewEmail:
		data.Link = a.link("/settings/email/" + token)
	case mail.OptOut:
		data.Link = a.link("/opt-out/" + token)
	}
	m, err := mail.Write(l.Kind, l.Email, data)
	if err != nil {
		return err
	}
	return a.handOver(ctx, m)
}

// linkOf reads what a token stands for. CodeNotFound when it was used, taken back or is too old.
func (a *App) linkOf(ctx context.Context, kind, token string) (mailLink, error) {
	var l mailLink
	err := a.DB.WithContext(ctx).Where("token_hash = ? AND kind = ? AND expires_at > ?", hashSecret(token), kind, a.Now()).Take(&l).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return mailLink{}, errLinkGone
	}
	if err != nil {
		return mailLink{}, fmt.Errorf("reading a link: %w", err)
	}
	return l, nil
}

// useLink makes a link worthless, in the transaction of what it stands for: the first who uses it wins.
func useLink(tx *gorm.DB, l mailLink) error {
	gone := tx.Where("id = ? AND token_hash = ?", l.ID, l.TokenHash).Delete(&mailLink{})
	if gone.Error == nil && gone.RowsAffected == 0 {
		return errLinkGone
	}
	return gone.Error
}
