package app

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"beagle/app/db"

	"gorm.io/gorm"
)

// Bounds of tags.
const (
	maxTags   = 20 // of one list
	maxTag    = 40 // characters of one
	tagsShown = 100
)

// ListQuery picks lists of an account. Empty fields do not filter.
type ListQuery struct {
	Tag      string
	Archived *bool
	Search   string // in the name
	After    string // the cursor a page before gave
	Limit    int    // at most 500
}

// FindLists reads a page of an account's lists, newest first, and how many there are in all.
func (a *App) FindLists(ctx context.Context, account int64, q ListQuery) (lists []List, next string, total int64, err error) {
	all := func() *gorm.DB {
		lists := a.DB.WithContext(ctx).Model(&List{}).Where("account_id = ? AND state <> ?", account, ListDeleting)
		if q.Tag != "" {
			lists = lists.Where("id IN (SELECT list_id FROM list_tags WHERE account_id = ? AND tag = ?)", account, strings.ToLower(q.Tag))
		}
		if q.Archived != nil && *q.Archived {
			lists = lists.Where("archived_at IS NOT NULL")
		} else if q.Archived != nil {
			lists = lists.Where("archived_at IS NULL")
		}
		if s := strings.ToLower(strings.TrimSpace(q.Search)); s != "" {
			lists = lists.Where(`LOWER(name) LIKE ? ESCAPE '\'`, "%"+likeEscaper.Replace(s)+"%")
		}
		return lists
	}
	if err := all().Count(&total).Error; err != nil {
		return nil, "", 0, fmt.Errorf("counting lists: %w", err)
	}
	page := all()
	if q.After != "" {
		id, err := parseCursor(q.After)
		if err != nil {
			return nil, "", 0, err
		}
		page = page.Where("id < ?", id)
	}
	limit := clampLimit(q.Limit)
	rows, err := page.Select(listFields).Order("id DESC").Limit(limit + 1).Rows()
	if err == nil {
		err = db.Each(rows, func(row *sql.Rows) error {
			lists = append(lists, List{})
			return row.Scan(lists[len(lists)-1].places()...)
		})
	}
	if err != nil {
		return nil, "", 0, fmt.Errorf("reading lists: %w", err)
	}
	if len(lists) > limit {
		lists = lists[:limit]
		next = strconv.FormatInt(lists[limit-1].ID, 36)
	}
	return lists, next, total, nil
}

// SetTags gives a list these tags and no others. Case and spaces around them do not matter.
func (a *App) SetTags(ctx context.Context, as Actor, ref string, tags []string) error {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return err
	}
	clean, err := cleanTags(tags)
	if err != nil {
		return err
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("DELETE FROM list_tags WHERE list_id = ?", l.ID).Error; err != nil {
			return err
		}
		for _, tag := range clean {
			err := tx.Exec("INSERT INTO list_tags (list_id, account_id, tag) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", l.ID, l.AccountID, tag).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tagging list %s: %w", ref, err)
	}
	return nil
}

func cleanTags(tags []string) ([]string, error) {
	var clean []string
	for _, tag := range tags {
		tag = strings.ToLower(strings.Join(strings.Fields(strings.ToValidUTF8(tag, "�")), " "))
		if utf8.RuneCountInString(tag) > maxTag {
			return nil, Refuse(CodeBadInput, "tag_too_long", "A tag may have at most %d characters.", maxTag)
		}
		if tag != "" && !slices.Contains(clean, tag) {
			clean = append(clean, tag)
		}
		if len(clean) > maxTags { // a request may hold very many
			return nil, Refuse(CodeBadInput, "too_many_tags", "A list may have at most %d tags.", maxTags)
		}
	}
	slices.Sort(clean)
	return clean, nil
}

// Tags are the tags of an account's lists, by name.
func (a *App) Tags(ctx context.Context, account int64) ([]string, error) {
	var tags []string
	err := a.DB.WithContext(ctx).Raw(`SELECT DISTINCT tag FROM list_tags WHERE account_id = ? ORDER BY tag LIMIT ?`, account, tagsShown).Scan(&tags).Error
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	return tags, nil
}

// TagsOf are the tags of some lists, by the list's id.
func (a *App) TagsOf(ctx context.Context, lists ...List) (map[int64][]string, error) {
	ids := make([]int64, len(lists))
	for i, l := range lists {
		ids[i] = l.ID
	}
	var rows []struct {
		ListID int64
		Tag    string
	}
	if err := a.DB.WithContext(ctx).Table("list_tags").Where("list_id IN ?", ids).Order("tag").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading tags of lists: %w", err)
	}
	of := map[int64][]string{}
	for _, r := range rows {
		of[r.ListID] = append(of[r.ListID], r.Tag)
	}
	return of, nil
}

// ArchiveList puts a list out of sight: it stays as it is, and is shown among the archived ones only.
func (a *App) ArchiveList(ctx context.Context, as Actor, ref string) (List, error) {
	now := a.Now()
	return a.shelve(ctx, as, ref, "list.archived", map[string]any{"archived_at": &now})
}

// UnarchiveList puts a list back among the others.
func (a *App) UnarchiveList(ctx context.Context, as Actor, ref string) (List, error) {
	return a.shelve(ctx, as, ref, "list.unarchived", map[string]any{"archived_at": nil})
}

func (a *App) shelve(ctx context.Context, as Actor, ref, action string, set map[string]any) (List, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, err
	}
	if err := a.DB.WithContext(ctx).Model(&List{}).Where("id = ?", l.ID).Updates(set).Error; err != nil {
		return List{}, fmt.Errorf("%s %s: %w", action, ref, err)
	}
	a.audit(ctx, as, action, ref)
	return a.List(ctx, as.Account, ref)
}

// TrashList hides a list and stops its work. RestoreList brings it back for undoFor; then its rows and files are deleted.
func (a *App) TrashList(ctx context.Context, as Actor, ref string) error {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return err
	}
	if err := a.mayGo(ctx, l); err != nil {
		return err
	}
	_, err = a.move(ctx, l.ID, livingStates, ListDeleting, map[string]any{"deleted_from": gorm.Expr("state"), "clear_at": a.Now().Add(undoFor)})
	if err != nil {
		return err
	}
	a.audit(ctx, as, "list.deleted", ref)
	return nil
}

// TrashedLists are the lists of an account that can still be brought back, at most so many, the last deleted first.
func (a *App) TrashedLists(ctx context.Context, account int64, most int) ([]List, error) {
	var lists []List
	err := a.DB.WithContext(ctx).Where("account_id = ? AND state = ? AND clear_at > ?", account, ListDeleting, a.Now()).Order("clear_at DESC").Limit(most).Find(&lists).Error
	if err != nil {
		return nil, fmt.Errorf("reading deleted lists: %w", err)
	}
	return lists, nil
}

// RestoreList brings a deleted list back to the state that it was in, and its work goes on. A list that is there stays as it is.
func (a *App) RestoreList(ctx context.Context, as Actor, ref string) (List, error) {
	now := a.Now()
	back := a.DB.WithContext(ctx).Exec(`UPDATE lists SET state = deleted_from, deleted_from = '', clear_at = NULL, changed_at = ?
		WHERE account_id = ? AND ref = ? AND state = ? AND deleted_from <> '' AND clear_at > ?`, now, as.Account, ref, ListDeleting, now)
	if back.Error != nil {
		return List{}, fmt.Errorf("restoring list %s: %w", ref, back.Error)
	}
	if back.RowsAffected == 0 {
		l, err := a.List(ctx, as.Account, ref)
		if CodeOf(err) == CodeNotFound {
			err = Refuse(CodeNotFound, "list_not_found", "No such list, or it was deleted too long ago.")
		}
		return l, err
	}
	a.audit(ctx, as, "list.restored", ref)
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, err
	}
	switch l.State {
	case ListImporting:
		err = a.ImportLater(ctx, l)
	case ListExporting:
		err = a.ExportLater(ctx, l)
	case ListRunning:
		err = a.endIfDone(ctx, []int64{l.ID})
	}
	return l, err
}
