package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Roles in the order of what they may: a member works with lists; an admin also manages keys, webhooks, members and how long lists are
// kept; an owner also decides over admins, owners and the account itself.
var Roles = []string{RoleOwner, RoleAdmin, RoleMember}

// Manages tells that the actor may manage keys, webhooks and the team.
func (as Actor) Manages() bool { return as.Role == RoleOwner || as.Role == RoleAdmin }

// Owns tells that the actor may decide over the account itself.
func (as Actor) Owns() bool { return as.Role == RoleOwner }

// MayManage refuses those who may not manage keys, webhooks and the team.
func (as Actor) MayManage() error {
	if !as.Manages() {
		return errNotManager
	}
	return nil
}

var errNotManager = Refuse(CodeForbidden, "not_allowed", "Only an owner or admin of your team may do this. Ask one of them.")

// MayOwn refuses those who may not decide over the account itself.
func (as Actor) MayOwn() error {
	if !as.Owns() {
		return Refuse(CodeForbidden, "not_allowed", "Only an owner of your team may do this. Ask one of them.")
	}
	return nil
}

// mayGive refuses roles that do not exist, and owners made or changed by anybody but an owner.
func mayGive(as Actor, roles ...string) error {
	for _, role := range roles {
		if !slices.Contains(Roles, role) {
			return Refuse(CodeBadInput, "invalid_role", "The role must be one of %s.", strings.Join(Roles, ", "))
		}
		if role == RoleOwner && !as.Owns() {
			return Refuse(CodeForbidden, "not_allowed", "Only an owner may make or change an owner.")
		}
	}
	return nil
}

// Members are the people of an account, owners first, then by age.
func (a *App) Members(ctx context.Context, account int64) ([]User, error) {
	var users []User
	err := a.DB.WithContext(ctx).Where("account_id = ?", account).
		Order("CASE role WHEN 'owner' THEN 0 WHEN 'admin' THEN 1 ELSE 2 END, id").Find(&users).Error
	if err != nil {
		return nil, fmt.Errorf("reading a team: %w", err)
	}
	return users, nil
}

// RenameTeam gives the account another name.
func (a *App) RenameTeam(ctx context.Context, as Actor, name string) error {
	if err := as.MayManage(); err != nil {
		return err
	}
	name, err := cleanListName(name, "")
	if err != nil {
		return err
	}
	if name == "" {
		return Refuse(CodeBadInput, "name_missing", "The team needs a name.")
	}
	if err := a.DB.WithContext(ctx).Model(&Account{}).Where("id = ?", as.Account).Update("name", name).Error; err != nil {
		return fmt.Errorf("renaming account %d: %w", as.Account, err)
	}
	a.audit(ctx, as, "team.renamed", name)
	return nil
}

// SetRole changes what a member may do. The last owner stays one. Invitations to what the member may give no more are taken back.
func (a *App) SetRole(ctx context.Context, as Actor, user int64, role string) error {
	if err := as.MayManage(); err != nil {
		return err
	}
	var uninvited []string
	var email string
	err := a.withMember(ctx, as, user, func(tx *gorm.DB, who User) (err error) {
		email = who.Email
		if err := mayGive(as, role, who.Role); err != nil {
			return err
		}
		if who.Role == RoleOwner && role != RoleOwner {
			if err := keepsAnOwner(tx, as.Account); err != nil {
				return err
			}
		}
		if err := tx.Model(&User{}).Where("id = ?", user).Update("role", role).Error; err != nil {
			return err
		}
		uninvited, err = withdrawInvitations(tx, as.Account, user, role)
		return err
	})
	if err != nil {
		return err
	}
	a.ForgetKeys(ctx)
	a.audit(ctx, as, "member.role", email+" "+role)
	a.auditUninvited(ctx, as, uninvited)
	return nil
}

// RemoveMember takes somebody out of the team; members may take out themselves. Their keys are revoked, their browsers signed out, their
// open invitations taken back, and their lists go on under whoever did it (an owner, when they left by themselves).
func (a *App) RemoveMember(ctx context.Context, as Actor, user int64) error {
	if user != as.User {
		if err := as.MayManage(); err != nil {
			return err
		}
	}
	var uninvited []string
	var email string
	err := a.withMember(ctx, as, user, func(tx *gorm.DB, who User) (err error) {
		email = who.Email
		if user != as.User {
			if err := mayGive(as, who.Role); err != nil {
				return err
			}
		}
		if who.Role == RoleOwner {
			if err := keepsAnOwner(tx, as.Account); err != nil {
				return err
			}
		}
		heir := as.User
		if user == as.User {
			if err := tx.Model(&User{}).Select("id").Where("account_id = ? AND role = ? AND id <> ?", as.Account, RoleOwner, user).Order("id").Limit(1).Scan(&heir).Error; err != nil {
				return err
			}
		}
		if uninvited, err = withdrawInvitations(tx, as.Account, user, ""); err != nil {
			return err
		}
		return handDown(tx, a.Now(), user, heir)
	})
	if err != nil {
		return err
	}
	a.ForgetKeys(ctx)
	a.audit(ctx, as, "member.removed", email)
	a.auditUninvited(ctx, as, uninvited)
	return nil
}

// handDown gives what a user made to another one and deletes the user.
func handDown(tx *gorm.DB, now time.Time, user, heir int64) error {
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"UPDATE api_keys SET revoked_at = COALESCE(revoked_at, ?), user_id = ? WHERE user_id = ?", []any{now, heir, user}},
		{"UPDATE lists SET user_id = ? WHERE user_id = ?", []any{heir, user}},
		{"DELETE FROM mail_links WHERE user_id = ? AND kind = 'new_email'", []any{user}},
		{"DELETE FROM password_resets WHERE user_id = ?", []any{user}},
		{"DELETE FROM sessions WHERE user_id = ?", []any{user}},
		{"DELETE FROM users WHERE id = ?", []any{user}},
	} {
		if err := tx.Exec(step.query, step.args...).Error; err != nil {
			return err
		}
	}
	return nil
}

// withMember does something with a member while nobody else changes the team: the account's row is held.
func (a *App) withMember(ctx context.Context, as Actor, user int64, do func(tx *gorm.DB, who User) error) error {
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("UPDATE accounts SET name = name WHERE id = ?", as.Account).Error; err != nil {
			return err
		}
		var who User
		err := tx.Where("account_id = ? AND id = ?", as.Account, user).Take(&who).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return Refuse(CodeNotFound, "member_not_found", "No such member.")
		}
		if err != nil {
			return err
		}
		return do(tx, who)
	})
	if err != nil {
		return fmt.Errorf("changing a team: %w", err)
	}
	return nil
}

// keepsAnOwner refuses what would leave an account without an owner.
func keepsAnOwner(tx *gorm.DB, account int64) error {
	var owners int64
	if err := tx.Model(&User{}).Where("account_id = ? AND role = ?", account, RoleOwner).Count(&owners).Error; err != nil {
		return err
	}
	if owners < 2 {
		return Refuse(CodeConflict, "last_owner", "A team needs an owner. Make somebody else an owner first, or delete the account.")
	}
	return nil
}

// Manages tells that the user may manage keys, webhooks and the team.
func (u User) Manages() bool { return u.Actor().Manages() }

// Owns tells that the user may decide over the account itself.
func (u User) Owns() bool { return u.Actor().Owns() }
