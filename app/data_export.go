package app

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"beagle/app/sheet"
)

// maxExportRows bounds each kind of thing in account.json; lists have no such bound, they are streamed.
const maxExportRows = 100_000

// accountData is account.json of an export: what is kept of an account beside its lists. Secrets are not in it.
type accountData struct {
	Team          string          `json:"team"`
	CreatedAt     time.Time       `json:"created_at"`
	Credits       int64           `json:"credits"`
	RetentionDays int             `json:"retention_days"`
	Members       []memberData    `json:"members"`
	Keys          []keyData       `json:"api_keys"`
	Webhooks      []string        `json:"webhooks"`
	Ledger        []LedgerEntry   `json:"ledger"`
	KnownEmails   []knownData     `json:"known_emails"`
	Audit         []AuditEvent    `json:"audit_events"`
	Lists         []listDataShort `json:"lists"`
}

type memberData struct {
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

type keyData struct {
	Name      string     `json:"name"`
	Prefix    string     `json:"prefix"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at"`
}

type knownData struct {
	Email     string    `json:"email"`
	FirstName string    `json:"first_name"`
	LastName  string    `json:"last_name"`
	Kind      string    `json:"kind"`
	CreatedAt time.Time `json:"created_at"`
}

type listDataShort struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Process   string    `json:"process"`
	State     string    `json:"state"`
	Rows      int64     `json:"rows"`
	File      string    `json:"file,omitempty"` // in the archive
	CreatedAt time.Time `json:"created_at"`
}

// ExportData writes all that an account has here as a ZIP archive: account.json, and each list as a CSV file. It streams; an error half way
// leaves an archive that does not open.
func (a *App) ExportData(ctx context.Context, as Actor, w io.Writer) error {
	if err := as.MayOwn(); err != nil {
		return err
	}
	data, lists, err := a.accountData(ctx, as)
	if err != nil {
		return err
	}
	a.audit(ctx, as, "account.exported", "")
	out := zip.NewWriter(w)
	for i, l := range lists {
		if l.Imported == 0 {
			continue
		}
		data.Lists[i].File = fmt.Sprintf("lists/%s-%s.csv", fileName(l.Name), l.Ref[:8])
		if err := a.exportList(ctx, as, l, out, data.Lists[i].File); err != nil {
			return fmt.Errorf("exporting list %s: %w", l.Ref, err)
		}
	}
	file, err := out.Create("account.json")
	if err != nil {
		return fmt.Errorf("exporting account %d: %w", as.Account, err)
	}
	pretty := json.NewEncoder(file)
	pretty.SetIndent("", "  ")
	if err := pretty.Encode(data); err != nil {
		return fmt.Errorf("exporting account %d: %w", as.Account, err)
	}
	return out.Close()
}

func (a *App) exportList(ctx context.Context, as Actor, l List, out *zip.Writer, name string) error {
	file, err := out.Create(name)
	if err != nil {
		return err
	}
	d, err := a.Download(ctx, as.Account, l, sheet.CSV, false)
	if err != nil {
		return err
	}
	defer d.Body.Close()
	_, err = io.Copy(file, d.Body)
	return err
}

func (a *App) accountData(ctx context.Context, as Actor) (data accountData, lists []List, err error) {
	account, err := a.Account(ctx, as.Account)
	if err != nil {
		return data, nil, err
	}
	data = accountData{Team: account.Name, CreatedAt: account.CreatedAt, Credits: account.Credits, RetentionDays: account.RetentionDays}
	members, err := a.Members(ctx, as.Account)
	if err != nil {
		return data, nil, err
	}
	for _, m := range members {
		data.Members = append(data.Members, memberData{m.Email, m.Name, m.Role, m.CreatedAt})
	}
	keys, err := a.Keys(ctx, as.Account)
	if err != nil {
		return data, nil, err
	}
	for _, k := range keys {
		data.Keys = append(data.Keys, keyData{k.Name, k.Prefix, k.CreatedAt, k.RevokedAt})
	}
	hooks, err := a.Webhooks(ctx, as)
	if err != nil {
		return data, nil, err
	}
	for _, h := range hooks {
		data.Webhooks = append(data.Webhooks, h.URL)
	}
	read := a.DB.WithContext(ctx).Limit(maxExportRows)
	if data.Ledger, _, err = a.ledger(ctx, as.Account, "", maxExportRows); err != nil {
		return data, nil, err
	}
	if err := read.Table("known_emails").Where("account_id = ?", as.Account).Order("id").Scan(&data.KnownEmails).Error; err != nil {
		return data, nil, fmt.Errorf("reading known addresses: %w", err)
	}
	if err := a.DB.WithContext(ctx).Limit(maxExportRows).Table("audit_events").Where("account_id = ?", as.Account).Order("id").Scan(&data.Audit).Error; err != nil {
		return data, nil, fmt.Errorf("reading audit events: %w", err)
	}
	err = a.DB.WithContext(ctx).Where("account_id = ? AND state <> ?", as.Account, ListDeleting).Order("id").Find(&lists).Error
	if err != nil {
		return data, nil, fmt.Errorf("reading lists: %w", err)
	}
	for _, l := range lists {
		data.Lists = append(data.Lists, listDataShort{ID: l.Ref, Name: l.Name, Process: l.Process, State: l.State, Rows: l.Imported, CreatedAt: l.CreatedAt})
	}
	return data, lists, nil
}
