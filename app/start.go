package app

import (
	"context"
	"fmt"

	"beagle/app/sheet"
)

// StartParams is what the user settled on the mapping page. Nil and empty fields keep what was detected.
type StartParams struct {
	Dialect *sheet.Dialect
	Mapping sheet.Mapping
	Process string
	Name    string
	Options *ListOptions
	// CallbackURL is told of the list's events.
	CallbackURL string
}

// Start checks the mapping and begins the import. Starting a list twice starts it once.
func (a *App) Start(ctx context.Context, as Actor, ref string, p StartParams) (List, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err != nil {
		return List{}, err
	}
	if l.State != ListMapping {
		return List{}, Refuse(CodeConflict, "wrong_state", "This list has been started already.")
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return List{}, err
	}
	err = a.settings(ctx, &l, p)
	if err == nil {
		err = l.Mapping.CheckFile(l.Process, l.Dialect, l.Columns)
	}
	if err != nil {
		return List{}, refuseSheet(err)
	}
	now := a.Now()
	l.State, l.StartedAt, l.ChangedAt = ListImporting, &now, now
	done := a.DB.WithContext(ctx).Model(&List{}).Where("id = ? AND state = ?", l.ID, ListMapping).
		Select("state", "name", "process", "dialect", "columns", "mapping", "callback_url", "skip_duplicates", "refresh", "started_at", "changed_at").Updates(&l)
	if done.Error != nil {
		return List{}, fmt.Errorf("starting list %s: %w", ref, done.Error)
	}
	if done.RowsAffected == 0 {
		return List{}, Refuse(CodeConflict, "wrong_state", "This list has been started already.")
	}
	a.audit(ctx, as, "list.started", ref)
	return l, a.ImportLater(ctx, l)
}

// KeepSettings keeps what is settled already of a list that is to be started later.
func (a *App) KeepSettings(ctx context.Context, as Actor, ref string, p StartParams) (List, error) {
	l, err := a.List(ctx, as.Account, ref)
	if err == nil && l.State != ListMapping {
		return l, nil
	}
	if err == nil {
		err = a.settings(ctx, &l, p)
	}
	if err != nil {
		return List{}, refuseSheet(err)
	}
	err = a.DB.WithContext(ctx).Model(&List{}).Where("id = ? AND state = ?", l.ID, ListMapping).
		Select("name", "process", "dialect", "columns", "mapping", "callback_url", "skip_duplicates", "refresh").Updates(&l).Error
	if err != nil {
		return List{}, fmt.Errorf("keeping the settings of list %s: %w", ref, err)
	}
	return l, nil
}

// settings puts the user's choices into l. Whether the process can work with them is for Start to say.
func (a *App) settings(ctx context.Context, l *List, p StartParams) (err error) {
	if p.Process != "" {
		if l.Process, err = checkProcess(p.Process); err != nil {
			return err
		}
	}
	if l.Name, err = cleanListName(p.Name, l.Name); err != nil {
		return err
	}
	if p.Options != nil {
		l.ListOptions = *p.Options
	}
	if p.CallbackURL != "" {
		if l.CallbackURL, err = checkTarget(p.CallbackURL); err != nil {
			return err
		}
	}
	if p.Dialect != nil && !sameDialect(*p.Dialect, l.Dialect) {
		sniffed, err := a.preview(ctx, *l, p.Dialect)
		if err != nil {
			return err
		}
		l.Dialect, l.Columns, l.Mapping = sniffed.Dialect, sniffed.Columns, sniffed.Mapping
	}
	if p.Mapping != nil {
		l.Mapping = p.Mapping
	}
	for field, column := range l.Mapping {
		if column < 0 || column >= len(l.Columns) {
			return Refuse(CodeBadInput, "invalid_mapping", "The mapping gives column %d for %s, but the file has %d columns, counted from 0.", column, field, len(l.Columns))
		}
	}
	return nil
}

func sameDialect(x, y sheet.Dialect) bool {
	return x.Format == y.Format && x.Comma == y.Comma && x.Encoding == y.Encoding && x.Header == y.Header && x.Sheet == y.Sheet && x.Skip == y.Skip
}
