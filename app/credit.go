package app

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"beagle/app/db"
	"beagle/app/finder"
	"beagle/app/mail"

	"gorm.io/gorm"
)

// Kinds of ledger entries.
const (
	creditFind  = "find"
	creditGrant = "grant"
)

// costOfFind is what a valid answer costs. Everything else is free.
const costOfFind = 1

// CreditEntry is a line of an account's ledger. Lines are only ever added; at most one per record and run.
type CreditEntry struct {
	ID        int64
	AccountID int64
	Amount    int64 // negative: spent
	Kind      string
	RecordID  *int64
	Run       int
	Note      string // what was bought, where no record says it
	FormKey   *string
	CreatedAt time.Time
}

// charge is one valid answer on its way into the ledger.
type charge struct {
	Account int64   `json:"account_id"`
	Key     string  `json:"person_key"`
	Record  *int64  `json:"record_id"`
	Run     int     `json:"run"`
	At      *string `json:"at"`
}

var chargeColumns = []string{"account_id bigint", "person_key text", "record_id bigint", "run integer", "at timestamptz"}

// chargeFound writes the ledger for records that have just ended, in the transaction of their answers. Free are: answers that are not
// valid, repeated rows, a question the account paid for less than REUSE_ANSWERS_DAYS ago, and a run that was charged already.
func (a *App) chargeFound(tx *gorm.DB, ended []settled) error {
	var due []charge
	for _, r := range ended {
		if r.State == RecordDone && r.Status == finder.StatusValid && !r.Twin && r.PersonKey != "" {
			due = append(due, charge{Account: r.AccountID, Key: r.PersonKey, Record: &r.ID, Run: r.Run})
		}
	}
	return a.writeCharges(tx, due)
}

func (a *App) writeCharges(tx *gorm.DB, due []charge) error {
	due, err := a.notYetPaid(tx, due)
	if err != nil || len(due) == 0 {
		return err
	}
	values, arg, err := db.Rows(tx, "v", chargeColumns, due)
	if err != nil {
		return err
	}
	var written []CreditEntry
	err = tx.Raw(`INSERT INTO credit_entries (account_id, amount, kind, record_id, run, created_at)
		SELECT account_id, -1 * ?, ?, record_id, run, at FROM `+values+` WHERE true
		ON CONFLICT DO NOTHING RETURNING account_id, amount`, costOfFind, creditFind, arg).Scan(&written).Error
	if err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	a.Metrics.credits.Add(float64(len(written) * costOfFind)) // a transaction that fails after this is counted again with its next try
	return a.addToBalances(tx, written)
}

// notYetPaid keeps the questions that the account has not paid for lately, and notes them as paid now.
func (a *App) notYetPaid(tx *gorm.DB, due []charge) ([]charge, error) {
	slices.SortFunc(due, func(x, y charge) int { return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Key, y.Key)) })
	due = slices.CompactFunc(due, func(x, y charge) bool { return x.Account == y.Account && x.Key == y.Key })
	if len(due) == 0 {
		return nil, nil
	}
	now := a.Now()
	for i := range due {
		due[i].At = db.Time(tx, now)
	}
	values, arg, err := db.Rows(tx, "v", chargeColumns, due)
	if err != nil {
		return nil, err
	}
	var fresh []struct {
		AccountID int64
		PersonKey string
	}
	err = tx.Raw(`INSERT INTO paid_answers (account_id, person_key, paid_at) SELECT account_id, person_key, at FROM `+values+` WHERE true
		ON CONFLICT (account_id, person_key) DO UPDATE SET paid_at = excluded.paid_at WHERE paid_answers.paid_at < ?
		RETURNING account_id, person_key`, arg, now.AddDate(0, 0, -a.Config.Worker.ReuseDays)).Scan(&fresh).Error
	if err != nil {
		return nil, fmt.Errorf("noting paid answers: %w", err)
	}
	pays := map[charge]bool{}
	for _, f := range fresh {
		pays[charge{Account: f.AccountID, Key: f.PersonKey}] = true
	}
	return slices.DeleteFunc(due, func(c charge) bool { return !pays[charge{Account: c.Account, Key: c.Key}] }), nil
}

func (a *App) addToBalances(tx *gorm.DB, written []CreditEntry) error {
	sums := map[int64]int64{}
	var accounts []int64
	for _, e := range written {
		if _, seen := sums[e.AccountID]; !seen {
			accounts = append(accounts, e.AccountID)
		}
		sums[e.AccountID] += e.Amount
	}
	slices.Sort(accounts)
	for _, id := range accounts {
		if err := tx.Exec("UPDATE accounts SET credits = credits + ? WHERE id = ?", sums[id], id).Error; err != nil {
			return fmt.Errorf("changing a balance: %w", err)
		}
		if err := a.watchBalance(tx, id); err != nil {
			return err
		}
	}
	return nil
}

// watchBalance owes the owners of an account a mail when its credits fall below CREDITS_LOW: once, until they have been above it again.
// The clock sends it: the transaction that spends is no place to wait for Redis.
func (a *App) watchBalance(tx *gorm.DB, account int64) error {
	low := a.Config.CreditsLow
	if !a.Config.Credits || low == 0 || !a.SendsMail() {
		return nil
	}
	again := tx.Exec("UPDATE accounts SET credits_low = false WHERE id = ? AND credits_low AND credits >= ?", account, low)
	crossed := tx.Exec("UPDATE accounts SET credits_low = true WHERE id = ? AND NOT credits_low AND credits < ?", account, low)
	if err := errors.Join(again.Error, crossed.Error); err != nil {
		return fmt.Errorf("watching a balance: %w", err)
	}
	if crossed.RowsAffected == 0 {
		return nil
	}
	now := a.Now()
	err := tx.Exec(`INSERT INTO outbox (once, kind, user_id, created_at, queued_at) SELECT ? || id, ?, id, ?, ? FROM users WHERE account_id = ? AND role = ? ON CONFLICT DO NOTHING`,
		fmt.Sprintf("%s:%d:", mail.CreditsLow, now.Unix()), mail.CreditsLow, now, now.Add(-mailsAgain), account, RoleOwner).Error
	if err != nil {
		return fmt.Errorf("noting a mail: %w", err)
	}
	return nil
}

// SpentThisMonth is how many credits an account has spent since the first of the month, UTC.
func (a *App) SpentThisMonth(ctx context.Context, account int64) (int64, error) {
	now := a.Now().UTC()
	var spent int64
	err := a.DB.WithContext(ctx).Model(&CreditEntry{}).Select("COALESCE(SUM(-amount), 0)").
		Where("account_id = ? AND kind = ? AND created_at >= ?", account, creditFind, time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)).Scan(&spent).Error
	if err != nil {
		return 0, fmt.Errorf("summing the ledger: %w", err)
	}
	return spent, nil
}

// mayStart refuses work for an account without credits, when credits are counted.
func (a *App) mayStart(ctx context.Context, account int64) error {
	if !a.Config.Credits {
		return nil
	}
	var left int64
	err := db.QueryRow(ctx, a.DB, "SELECT credits FROM accounts WHERE id = ?", account).Scan(&left)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoAccount
	}
	if err != nil {
		return fmt.Errorf("reading the credits of account %d: %w", account, err)
	}
	if left <= 0 {
		return Refuse(CodeNoCredits, "no_credits", "This account has no credits left. Ask whoever runs this installation for more.")
	}
	return nil
}
