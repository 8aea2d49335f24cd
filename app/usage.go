package app

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"beagle/app/db"
)

// ledgerPage is how many entries a page of the ledger has.
const ledgerPage = 50

// LedgerEntry is a line of the ledger with what it was for.
type LedgerEntry struct {
	ID        int64     `json:"-"`
	Amount    int64     `json:"amount"` // negative: spent
	Kind      string    `json:"kind"`   // find, grant, catalogue
	Note      string    `json:"note,omitempty"`
	ListRef   string    `json:"list,omitempty"` // the list of the record that was paid for; "" for single questions and deleted lists
	ListName  string    `json:"list_name,omitempty"`
	RowNo     int64     `json:"row,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Ledger reads a page of an account's ledger, latest first. next goes on where it ends; "" at the end.
func (a *App) Ledger(ctx context.Context, account int64, after string) (entries []LedgerEntry, next string, err error) {
	return a.ledger(ctx, account, after, ledgerPage)
}

func (a *App) ledger(ctx context.Context, account int64, after string, limit int) (entries []LedgerEntry, next string, err error) {
	page := a.DB.WithContext(ctx).Table("credit_entries").Select(`credit_entries.id, amount, kind, credit_entries.note, credit_entries.created_at,
		COALESCE(lists.ref, '') AS list_ref, COALESCE(lists.name, '') AS list_name, COALESCE(records.row_no, 0) AS row_no`).
		Joins("LEFT JOIN records ON records.id = credit_entries.record_id").Joins("LEFT JOIN lists ON lists.id = records.list_id AND lists.state <> 'deleting'").
		Where("credit_entries.account_id = ?", account)
	if after != "" {
		id, err := parseCursor(after)
		if err != nil {
			return nil, "", err
		}
		page = page.Where("credit_entries.id < ?", id)
	}
	if err := page.Order("credit_entries.id DESC").Limit(limit + 1).Scan(&entries).Error; err != nil {
		return nil, "", fmt.Errorf("reading the ledger: %w", err)
	}
	if len(entries) > limit {
		entries = entries[:limit]
		next = strconv.FormatInt(entries[limit-1].ID, 36)
	}
	return entries, next, nil
}

// LedgerCSV writes the whole ledger of an account, latest first, page by page.
func (a *App) LedgerCSV(ctx context.Context, account int64, w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"at", "kind", "credits", "list", "row", "note"}); err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	for after := ""; ; {
		entries, next, err := a.ledger(ctx, account, after, exportPage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			row := ""
			if e.RowNo > 0 {
				row = strconv.FormatInt(e.RowNo, 10)
			}
			if err := out.Write([]string{e.CreatedAt.UTC().Format(time.RFC3339), e.Kind, strconv.FormatInt(e.Amount, 10), harmless(e.ListName), row, harmless(e.Note)}); err != nil {
				return fmt.Errorf("writing the ledger: %w", err)
			}
		}
		if after = next; after == "" {
			out.Flush()
			return out.Error()
		}
	}
}

// harmless keeps a spreadsheet from taking a name for a formula.
func harmless(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@' || s[0] == '\t' || s[0] == '\r') {
		return "'" + s
	}
	return s
}

// DaySpent is what an account spent and got on one day, UTC.
type DaySpent struct {
	Day            time.Time
	Spent, Granted int64
}

// lastDays are so many days, UTC, oldest first and today the last, and the index of each by its date (2006-01-02).
func (a *App) lastDays(days int) (last []time.Time, at map[string]int) {
	today := a.Now().UTC().Truncate(24 * time.Hour)
	at = make(map[string]int, days)
	for i := range days {
		day := today.AddDate(0, 0, i+1-days)
		last, at[day.Format(time.DateOnly)] = append(last, day), i
	}
	return last, at
}

// SpentByDay reads the last days of the ledger, today included, oldest first; days without an entry are there too.
func (a *App) SpentByDay(ctx context.Context, account int64, days int) ([]DaySpent, error) {
	last, at := a.lastDays(days)
	var sums []struct {
		Day            string
		Spent, Granted int64
	}
	day := db.Day(a.DB, "created_at")
	err := a.DB.WithContext(ctx).Raw(`SELECT `+day+` AS day, SUM(CASE WHEN amount < 0 THEN -amount ELSE 0 END) AS spent, SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS granted
		FROM credit_entries WHERE account_id = ? AND created_at >= ? GROUP BY 1`, account, last[0]).Scan(&sums).Error
	if err != nil {
		return nil, fmt.Errorf("summing the ledger by day: %w", err)
	}
	out := make([]DaySpent, days)
	for i := range out {
		out[i].Day = last[i]
	}
	for _, s := range sums {
		if i, ok := at[s.Day]; ok {
			out[i].Spent, out[i].Granted = s.Spent, s.Granted
		}
	}
	return out, nil
}
