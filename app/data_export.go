package app

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"beagle/app/sheet"
)

// listsExported is how many lists are read at once; of their records one page is.
const listsExported = 100

// accountData is how account.json of an export begins: what is kept of an account beside its lists. Secrets are not in it. What there can
// be very much of follows in pages: ledger, known_emails, audit_events.
type accountData struct {
	Team          string          `json:"team"`
	CreatedAt     time.Time       `json:"created_at"`
	Credits       int64           `json:"credits"`
	RetentionDays int             `json:"retention_days"`
	Members       []memberData    `json:"members"`
	Keys          []keyData       `json:"api_keys"`
	Webhooks      []string        `json:"webhooks"`
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

// ExportData writes all that an account has here as a ZIP archive: each list as a CSV file, and account.json. It streams; an error half way
// leaves an archive that does not open.
func (a *App) ExportData(ctx context.Context, as Actor, w io.Writer) error {
	if err := as.MayOwn(); err != nil {
		return err
	}
	data, err := a.accountData(ctx, as)
	if err != nil {
		return err
	}
	a.audit(ctx, as, "account.exported", "")
	out := zip.NewWriter(w)
	if data.Lists, err = a.exportLists(ctx, as, out); err != nil {
		return err
	}
	file, err := out.Create("account.json")
	if err != nil {
		return fmt.Errorf("exporting account %d: %w", as.Account, err)
	}
	if err := a.writeAccount(ctx, as, file, data); err != nil {
		return fmt.Errorf("exporting account %d: %w", as.Account, err)
	}
	return out.Close()
}

// writeAccount writes account.json, with a page of what there is much of in memory.
func (a *App) writeAccount(ctx context.Context, as Actor, w io.Writer, data accountData) error {
	head, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	_, _ = out.Write(bytes.TrimSuffix(head, []byte("\n}"))) // Flush tells what went wrong
	if err := writeArray(ctx, out, "ledger", as.Account, a.ledger); err != nil {
		return err
	}
	if err := writeArray(ctx, out, "known_emails", as.Account, a.knownAfter); err != nil {
		return err
	}
	if err := writeArray(ctx, out, "audit_events", as.Account, a.auditEvents); err != nil {
		return err
	}
	_, _ = out.WriteString("\n}\n")
	return out.Flush()
}

// writeArray writes one more member of a JSON object: an array, page by page, an element to the line.
func writeArray[T any](ctx context.Context, out *bufio.Writer, name string, account int64,
	page func(ctx context.Context, account int64, after string, limit int) (rows []T, next string, err error)) error {
	_, _ = fmt.Fprintf(out, ",\n  %q: [", name)
	comma := ""
	for after, end := "", false; !end; end = after == "" {
		rows, next, err := page(ctx, account, after, exportPage)
		if err != nil {
			return err
		}
		for _, row := range rows {
			text, err := json.Marshal(row)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "%s\n    %s", comma, text)
			comma = ","
		}
		after = next
	}
	_, err := out.WriteString("]")
	return err
}

// knownAfter reads a page of an account's known addresses, in their order.
func (a *App) knownAfter(ctx context.Context, account int64, after string, limit int) (known []knownData, next string, err error) {
	err = a.DB.WithContext(ctx).Table("known_emails").Where("account_id = ? AND email > ?", account, after).Order("email").Limit(limit).Scan(&known).Error
	if err != nil {
		return nil, "", fmt.Errorf("reading known addresses: %w", err)
	}
	if len(known) == limit {
		next = known[limit-1].Email
	}
	return known, next, nil
}

// exportLists writes each list of an account as a CSV file.
func (a *App) exportLists(ctx context.Context, as Actor, out *zip.Writer) (written []listDataShort, err error) {
	for after := int64(0); ; {
		var lists []List
		err := a.DB.WithContext(ctx).Where("account_id = ? AND state <> ? AND id > ?", as.Account, ListDeleting, after).Order("id").Limit(listsExported).Find(&lists).Error
		if err != nil {
			return nil, fmt.Errorf("reading lists: %w", err)
		}
		for _, l := range lists {
			short := listDataShort{ID: l.Ref, Name: l.Name, Process: l.Process, State: l.State, Rows: l.Imported, CreatedAt: l.CreatedAt}
			if l.Imported > 0 {
				short.File = fmt.Sprintf("lists/%s-%s.csv", fileName(l.Name), l.Ref[:8])
				if err := a.exportList(ctx, as, l, out, short.File); err != nil {
					return nil, fmt.Errorf("exporting list %s: %w", l.Ref, err)
				}
			}
			written, after = append(written, short), l.ID
		}
		if len(lists) < listsExported {
			return written, nil
		}
	}
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

func (a *App) accountData(ctx context.Context, as Actor) (data accountData, err error) {
	account, err := a.Account(ctx, as.Account)
	if err != nil {
		return data, err
	}
	data = accountData{Team: account.Name, CreatedAt: account.CreatedAt, Credits: account.Credits, RetentionDays: account.RetentionDays}
	members, err := a.Members(ctx, as.Account)
	if err != nil {
		return data, err
	}
	for _, m := range members {
		data.Members = append(data.Members, memberData{m.Email, m.Name, m.Role, m.CreatedAt})
	}
	keys, err := a.Keys(ctx, as.Account)
	if err != nil {
		return data, err
	}
	for _, k := range keys {
		data.Keys = append(data.Keys, keyData{k.Name, k.Prefix, k.CreatedAt, k.RevokedAt})
	}
	hooks, err := a.Webhooks(ctx, as)
	for _, h := range hooks {
		data.Webhooks = append(data.Webhooks, h.URL)
	}
	return data, err
}
