package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"beagle/app/db"
	"beagle/app/mail"
	"beagle/app/probe"

	"gorm.io/gorm"
)

const optOutAge = 2 * 24 * time.Hour

// Kinds of suppressions.
const (
	suppressAddress = "address"
	suppressDomain  = "domain"
)

// AskOptOut begins an opt-out of an address or of a whole domain. Somebody else could ask too, so a link is mailed: to the address itself,
// or to the postmaster of the domain (RFC 5321 §4.5.1: every domain that takes mail has one). sentTo is whom the mail goes to. What is asked
// for again and again is not mailed again.
func (a *App) AskOptOut(ctx context.Context, addressOrDomain string) (sentTo string, err error) {
	subject, _, sentTo, err := optOutSubject(addressOrDomain)
	if err != nil {
		return "", err
	}
	if !a.SendsMail() {
		return "", Refuse(CodeUnavailable, "no_mail", "This installation sends no mail, so your request cannot be confirmed here. Write to whoever runs it.")
	}
	open, err := a.openLinks(ctx, mail.OptOut, sentTo)
	if err != nil || open >= maxOpenLinks {
		return sentTo, err
	}
	return sentTo, a.mailALink(ctx, mailLink{Kind: mail.OptOut, Email: sentTo, Detail: subject}, optOutAge)
}

// optOutSubject reads what is asked for: the address or domain, its kind, and the mailbox that can speak for it.
func optOutSubject(s string) (subject, kind, speaker string, err error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if strings.Contains(s, "@") {
		if subject, err = cleanEmail(s); err != nil {
			return "", "", "", err
		}
		return subject, suppressAddress, subject, nil
	}
	domain, err := probe.CleanDomain(s)
	if err != nil {
		return "", "", "", Refuse(CodeBadInput, "invalid_opt_out", "Write an e-mail address, or a domain such as company.example.")
	}
	return domain, suppressDomain, "postmaster@" + domain, nil
}

// OptOutAsked is the address or domain that a token asks to suppress.
func (a *App) OptOutAsked(ctx context.Context, token string) (string, error) {
	l, err := a.linkOf(ctx, mail.OptOut, token)
	return l.Detail, err
}

// ConfirmOptOut suppresses what a token asks for and says what that was.
func (a *App) ConfirmOptOut(ctx context.Context, token, ip string) (string, error) {
	l, err := a.linkOf(ctx, mail.OptOut, token)
	if err != nil {
		return "", err
	}
	return l.Detail, a.suppress(ctx, Actor{IP: ip}, l.Detail, func(tx *gorm.DB) error { return useLink(tx, l) })
}

// Suppress opts an address or a domain out in its owner's name: for operators who were asked by letter.
func (a *App) Suppress(ctx context.Context, as Actor, addressOrDomain string) (string, error) {
	if err := mustOperate(as); err != nil {
		return "", err
	}
	subject, _, _, err := optOutSubject(addressOrDomain)
	if err != nil {
		return "", err
	}
	return subject, a.suppress(ctx, as, subject, func(*gorm.DB) error { return nil })
}

// suppress stores the hash of an address or a domain and forgets what is known of it: addresses that accounts know, answers to single
// questions, lessons. Files that accounts already got stay as they are until their retention ends.
func (a *App) suppress(ctx context.Context, as Actor, subject string, first func(*gorm.DB) error) error {
	hash := hashSecret(subject)
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := first(tx); err != nil {
			return err
		}
		kind, known, answers, lessons, arg := suppressAddress, "email = ?", "email = ?", "address_hash = ?", subject
		lesson := hash
		if !strings.Contains(subject, "@") {
			kind, known, answers, lessons, lesson = suppressDomain, "domain = ?", db.MailDomain(tx, "email")+" = ?", "domain = ?", subject
		}
		if err := tx.Exec("INSERT INTO suppressions (hash, kind, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", hash, kind, a.Now()).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM known_emails WHERE "+known, arg).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM single_answers WHERE "+answers, arg).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM observations WHERE "+lessons, lesson).Error
	})
	if err != nil {
		return fmt.Errorf("opting out: %w", err)
	}
	a.optOuts.mu.Lock()
	a.optOuts.any, a.optOuts.seen = true, a.Now()
	a.optOuts.mu.Unlock()
	a.memory.own.Purge()
	a.audit(ctx, as, "opt_out.confirmed", hash[:12]) // the address itself is kept nowhere
	return nil
}
