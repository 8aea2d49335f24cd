package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// How long things are kept. Lists are kept for the account's retention_days; 0 keeps them for ever.
const (
	auditKeep  = 400 * 24 * time.Hour
	pointsKeep = 8 * 24 * time.Hour
	mailKeep   = 7 * 24 * time.Hour
	uploadKeep = 24 * time.Hour // multipart uploads that never ended
	cleanLists = 500            // lists deleted in one round
)

// Clean deletes what is past its time and says what that was. It goes on after an error: one kind must not keep the others.
func (a *App) Clean(ctx context.Context) (string, error) {
	now := a.Now()
	var done []string
	var errs []error
	note := func(n int64, what string, err error) {
		if err != nil {
			errs = append(errs, err)
		} else if n > 0 {
			done = append(done, fmt.Sprintf("%d %s", n, what))
		}
	}
	lists, err := a.cleanLists(ctx)
	note(lists, "lists", err)
	accounts, err := a.cleanAccounts(ctx)
	note(accounts, "accounts", err)
	removed, err := a.clearRemoved(ctx)
	note(removed, "removed rows", err)
	for _, old := range []struct {
		what, query string
		before      time.Time
	}{
		{"sessions", "DELETE FROM sessions WHERE expires_at < ?", now},
		{"password resets", "DELETE FROM password_resets WHERE expires_at < ?", now},
		{"links", "DELETE FROM mail_links WHERE expires_at < ?", now},
		{"audit events", "DELETE FROM audit_events WHERE created_at < ?", now.Add(-auditKeep)},
		{"metric points", "DELETE FROM metric_points WHERE at < ?", now.Add(-pointsKeep)},
		{"gauges", "DELETE FROM gauges WHERE at < ?", now.Add(-pointsKeep)},
		{"list times", "DELETE FROM list_times WHERE at < ?", now.Add(-pointsKeep)},
		{"failed mails", "DELETE FROM outbox WHERE failed_at < ?", now.Add(-mailKeep)},
		{"known devices", "DELETE FROM known_devices WHERE seen_at < ?", now.Add(-deviceKept)},
		{"kept mails", "DELETE FROM kept_mails WHERE created_at < ?", now.Add(-mailKeep)},
	} {
		gone := a.DB.WithContext(ctx).Exec(old.query, old.before)
		if gone.Error != nil {
			gone.Error = fmt.Errorf("deleting old %s: %w", old.what, gone.Error)
		}
		note(gone.RowsAffected, old.what, gone.Error)
	}
	note(0, "", a.sealOld(ctx))
	uploads, err := a.Files.AbortStale(ctx, now.Add(-uploadKeep))
	note(int64(uploads), "broken-off uploads", err)
	if len(done) == 0 {
		done = []string{"nothing"}
	}
	return "deleted " + strings.Join(done, ", "), errors.Join(errs...)
}

// cleanLists deletes lists that are past the retention of their account, as a person would. One that cannot be deleted now keeps no other.
func (a *App) cleanLists(ctx context.Context) (int64, error) {
	var terms []int // in days; few, however many accounts there are
	if err := a.DB.WithContext(ctx).Model(&Account{}).Where("retention_days > 0").Distinct().Order("retention_days").Pluck("retention_days", &terms).Error; err != nil {
		return 0, fmt.Errorf("reading how long lists are kept: %w", err)
	}
	n := int64(0)
	var errs []error
	for _, days := range terms {
		var old []List
		err := a.DB.WithContext(ctx).Select("id, ref, account_id").Where("account_id IN (?)", a.DB.Model(&Account{}).Select("id").Where("retention_days = ?", days)).
			Where("state IN ? AND COALESCE(finished_at, created_at) < ?", []string{ListMapping, ListFinished, ListCanceled, ListFailed}, a.Now().AddDate(0, 0, -days)).
			Where("id NOT IN (?)", a.DB.Model(&CatalogueItem{}).Select("list_id").Where("withdrawn_at IS NULL")).
			Order("id").Limit(cleanLists - int(n)).Find(&old).Error
		if err != nil {
			return n, fmt.Errorf("reading old lists: %w", err)
		}
		for _, l := range old {
			if err := a.DeleteList(ctx, Actor{Account: l.AccountID}, l.Ref); err != nil {
				errs = append(errs, fmt.Errorf("deleting old list %d: %w", l.ID, err))
				continue
			}
			n++
		}
		if n >= cleanLists {
			break
		}
	}
	return n, errors.Join(errs...)
}
