package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"beagle/app/mail"

	"gorm.io/gorm"
)

const (
	invitationAge  = 7 * 24 * time.Hour
	maxInvitations = 50 // open at once, by one account
)

// Invitation asks somebody to join a team.
type Invitation struct {
	ID        int64
	Team      string
	By        string // who sent it; "" when that person has left
	Email     string
	Role      string
	CreatedAt time.Time
	ExpiresAt time.Time
}

var errNoInvitation = Refuse(CodeNotFound, "invitation_not_found", "No such invitation.")

// Invitations are those of an account that wait for an answer, newest first.
func (a *App) Invitations(ctx context.Context, account int64) ([]Invitation, error) {
	var links []mailLink
	err := a.DB.WithContext(ctx).Where("account_id = ? AND kind = ? AND expires_at > ?", account, mail.Invitation, a.Now()).Order("id DESC").Find(&links).Error
	if err != nil {
		return nil, fmt.Errorf("reading invitations: %w", err)
	}
	out := make([]Invitation, len(links))
	for i, l := range links {
		out[i] = Invitation{ID: l.ID, Email: l.Email, Role: l.Detail, CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt}
	}
	return out, nil
}

// Invite asks the owner of an address to join the team. Where this installation sends no mail, token is what the inviter passes on
// in a link; else it is "". An open invitation of the same address is replaced.
func (a *App) Invite(ctx context.Context, as Actor, email, role string) (token string, err error) {
	if err := errors.Join(as.MayManage(), mayGive(as, role)); err != nil {
		return "", err
	}
	if email, err = cleanEmail(email); err != nil {
		return "", err
	}
	var owed mailTask
	link := mailLink{Kind: mail.Invitation, Email: email, AccountID: &as.Account, UserID: &as.User, Detail: role}
	err = a.withMember(ctx, as, as.User, func(tx *gorm.DB, inviter User) error {
		if !mayInvite(inviter.Role, role) { // demoted a moment ago
			return errNotManager
		}
		if err := a.roomToInvite(tx, as.Account, email); err != nil {
			return err
		}
		if err := a.keepLink(tx, &link, invitationAge); err != nil {
			return err
		}
		owed, err = a.oweInvitation(tx, link)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("inviting: %w", err)
	}
	a.audit(ctx, as, "member.invited", email+" "+role)
	return a.deliverInvitation(ctx, link, owed)
}

// roomToInvite makes room for an invitation of an address, or refuses it.
func (a *App) roomToInvite(tx *gorm.DB, account int64, email string) error {
	if err := tx.Where("account_id = ? AND kind = ? AND (email = ? OR expires_at < ?)", account, mail.Invitation, email, a.Now()).Delete(&mailLink{}).Error; err != nil {
		return err
	}
	var here, open int64
	if err := tx.Model(&User{}).Where("account_id = ? AND email = ?", account, email).Count(&here).Error; err != nil {
		return err
	}
	if here > 0 {
		return Refuse(CodeConflict, "already_member", "%s is in your team already.", email)
	}
	if err := tx.Model(&mailLink{}).Where("account_id = ? AND kind = ?", account, mail.Invitation).Count(&open).Error; err != nil {
		return err
	}
	if open >= maxInvitations {
		return Refuse(CodeUnprocessable, "too_many_invitations", "%d invitations wait for an answer. Take one back first.", maxInvitations)
	}
	return nil
}

// mayInvite tells that somebody with this role may invite people to be what is offered.
func mayInvite(role, offered string) bool {
	as := Actor{Role: role}
	return as.Manages() && mayGive(as, offered) == nil
}

// withdrawInvitations takes back what a member has invited to and with this role may give no more, in the transaction that changes the
// role; role is "" for one who leaves. uninvited are the addresses. Mails that are still owed go along.
func withdrawInvitations(tx *gorm.DB, account, user int64, role string) (uninvited []string, err error) {
	gone := slices.DeleteFunc(slices.Clone(Roles), func(offered string) bool { return mayInvite(role, offered) })
	if len(gone) == 0 {
		return nil, nil
	}
	err = tx.Raw("DELETE FROM mail_links WHERE account_id = ? AND kind = ? AND user_id = ? AND detail IN ? RETURNING email", account, mail.Invitation, user, gone).Scan(&uninvited).Error
	if err != nil {
		return nil, fmt.Errorf("taking invitations back: %w", err)
	}
	return uninvited, nil
}

func (a *App) auditUninvited(ctx context.Context, as Actor, addresses []string) {
	for _, email := range addresses {
		a.audit(ctx, as, "member.uninvited", email)
	}
}

// Reinvite sends an open invitation again, with a new link and seven more days. token is as in Invite.
func (a *App) Reinvite(ctx context.Context, as Actor, id int64) (token string, err error) {
	l, err := a.invitationOf(ctx, as, id)
	if err != nil {
		return "", err
	}
	var owed mailTask
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		renewed := tx.Model(&mailLink{}).Where("id = ?", id).Update("expires_at", a.Now().Add(invitationAge))
		if renewed.Error != nil {
			return renewed.Error
		}
		if renewed.RowsAffected == 0 {
			return errNoInvitation
		}
		owed, err = a.oweInvitation(tx, l)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("inviting again: %w", err)
	}
	a.audit(ctx, as, "member.invited", l.Email+" again")
	return a.deliverInvitation(ctx, l, owed)
}

// oweInvitation owes an invitation's mail where mail is sent.
func (a *App) oweInvitation(tx *gorm.DB, l mailLink) (mailTask, error) {
	if !a.SendsMail() {
		return mailTask{}, nil
	}
	return a.oweLink(tx, l)
}

// deliverInvitation queues the mail that is owed, or makes a token for the inviter to pass on.
func (a *App) deliverInvitation(ctx context.Context, l mailLink, owed mailTask) (token string, err error) {
	if !a.SendsMail() {
		return a.newToken(ctx, l.ID)
	}
	a.mailOnce(ctx, owed)
	return "", nil
}

// Uninvite takes an invitation back. Its link leads nowhere from now on.
func (a *App) Uninvite(ctx context.Context, as Actor, id int64) error {
	l, err := a.invitationOf(ctx, as, id)
	if err != nil {
		return err
	}
	if err := a.DB.WithContext(ctx).Delete(&mailLink{}, l.ID).Error; err != nil {
		return fmt.Errorf("taking an invitation back: %w", err)
	}
	a.audit(ctx, as, "member.uninvited", l.Email)
	return nil
}

func (a *App) invitationOf(ctx context.Context, as Actor, id int64) (l mailLink, err error) {
	if err := as.MayManage(); err != nil {
		return l, err
	}
	err = a.DB.WithContext(ctx).Where("account_id = ? AND kind = ? AND id = ?", as.Account, mail.Invitation, id).Take(&l).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return l, errNoInvitation
	}
	if err != nil {
		return l, fmt.Errorf("reading an invitation: %w", err)
	}
	return l, nil
}

// Invitation is what a token invites to.
func (a *App) Invitation(ctx context.Context, token string) (Invitation, error) {
	l, err := a.linkOf(ctx, mail.Invitation, token)
	if err != nil {
		return Invitation{}, err
	}
	out := Invitation{ID: l.ID, Email: l.Email, Role: l.Detail, CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt}
	out.Team, out.By, err = a.inviter(ctx, l)
	return out, err
}

// inviter is the team that a link invites to, and who sent it.
func (a *App) inviter(ctx context.Context, l mailLink) (team, by string, err error) {
	account, err := a.Account(ctx, *l.AccountID)
	if err != nil {
		return "", "", err
	}
	by, err = a.UserEmail(ctx, Actor{Account: *l.AccountID, User: *l.UserID})
	return account.Name, by, err
}

// AcceptInvitation makes a user of whoever follows an invitation's link. Somebody who has an account here already is refused: a person
// is in one team. A password that is refused leaves the link as it is.
func (a *App) AcceptInvitation(ctx context.Context, token, name, password, ip string) (User, error) {
	l, err := a.linkOf(ctx, mail.Invitation, token)
	if err != nil {
		return User{}, err
	}
	if name, err = cleanPersonName(name); err != nil {
		return User{}, err
	}
	if err := checkPassword(password, l.Email); err != nil {
		return User{}, err
	}
	hash, err := a.hashPassword(ctx, password)
	if err != nil {
		return User{}, err
	}
	user := User{AccountID: *l.AccountID, Email: l.Email, Name: name, PasswordHash: hash, Role: l.Detail, Notify: true, CreatedAt: a.Now()}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := useLink(tx, l); err != nil {
			return err
		}
		return tx.Create(&user).Error
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return User{}, Refuse(CodeConflict, "email_taken", "There is already an account with this address, and a person can be in one team. Leave or delete the other one first, or ask for an invitation to another address.")
	}
	if err != nil {
		return User{}, fmt.Errorf("joining a team: %w", err)
	}
	a.audit(ctx, Actor{Account: user.AccountID, User: user.ID, IP: ip}, "member.joined", user.Email)
	return user, nil
}

func cleanPersonName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", nil
	}
	return cleanListName(name, "")
}
