package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"beagle/app/db"
	"beagle/app/finder"
	"beagle/app/probe"

	"gorm.io/gorm"
)

// Kinds of known addresses: uploaded as right, uploaded as bounced, found by a single question.
const (
	KnownRight  = "known"
	KnownBounce = "bounce"
	knownFound  = "found"
)

// MaxKnown is how many known addresses are taken at once.
const MaxKnown = 10_000

// KnownEmail is an address that an account knows something of. First and Last may be empty; without them an address teaches no pattern.
type KnownEmail struct {
	Email string
	First string
	Last  string
	Full  string
}

// KnownSummary is what became of uploaded addresses.
type KnownSummary struct {
	Received int
	Stored   int // new, or with news
	Taught   int // of those stored, how many show a pattern of their domain
	Skipped  []KnownSkip
}

// KnownSkip is an address that was not taken, by its place from 0.
type KnownSkip struct {
	Index  int
	Email  string
	Reason string // bad_input, suppressed
}

// knownRow is a row of known_emails on its way in, with what it teaches.
type knownRow struct {
	Account int64   `json:"account_id"`
	Email   string  `json:"email"`
	Domain  string  `json:"domain"`
	First   string  `json:"first_name"`
	Last    string  `json:"last_name"`
	Kind    string  `json:"kind"`
	Created *string `json:"created_at"`
	Pattern string  `json:"pattern"`
}

var knownColumns = []string{"account_id bigint", "email text", "domain text", "first_name text", "last_name text", "kind text", "created_at timestamptz", "pattern text"}

// AddKnown stores addresses that an account knows to be right (or to bounce). What they say of how their domains write addresses is
// learned for this account only (see ownPatterns): nobody's word changes what others are told.
// The same address sent again changes nothing; a bounce of a known address takes its lesson back.
func (a *App) AddKnown(ctx context.Context, as Actor, kind string, emails []KnownEmail) (KnownSummary, error) {
	switch {
	case kind != KnownRight && kind != KnownBounce:
		return KnownSummary{}, Refuse(CodeBadInput, "invalid_type", "The type must be known or bounce.")
	case len(emails) == 0:
		return KnownSummary{}, Refuse(CodeBadInput, "wrong_params", "You are missing the emails parameter.")
	case len(emails) > MaxKnown:
		return KnownSummary{}, Refuse(CodeTooLarge, "too_many_emails", "At most %d addresses can be sent at once. Send the rest in further requests.", MaxKnown)
	}
	sum := KnownSummary{Received: len(emails)}
	var rows []*knownRow
	seen := map[string]bool{}
	for i, e := range emails {
		row, reason, err := a.knownRow(ctx, as, kind, e)
		if err != nil {
			return KnownSummary{}, err
		}
		if reason != "" {
			sum.Skipped = append(sum.Skipped, KnownSkip{i, cut(e.Email, maxEmail), reason})
		} else if !seen[row.Email] {
			seen[row.Email] = true
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return sum, nil
	}
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		sum.Stored, sum.Taught, err = a.storeKnown(tx, as.Account, kind, rows)
		return err
	})
	if err != nil {
		return KnownSummary{}, fmt.Errorf("storing known addresses: %w", err)
	}
	for _, r := range rows {
		a.memory.own.Remove(ownKey{as.Account, r.Domain})
	}
	a.audit(ctx, as, "known_emails.added", fmt.Sprintf("%d %s", sum.Stored, kind))
	return sum, nil
}

// knownRow checks one address; reason says why it is not taken.
func (a *App) knownRow(ctx context.Context, as Actor, kind string, e KnownEmail) (row *knownRow, reason string, err error) {
	local, domain, ok := probe.ValidAddress(strings.TrimSpace(e.Email))
	if !ok || len(e.Email) > maxEmail || len(e.First)+len(e.Last)+len(e.Full) > maxField {
		return nil, finder.ReasonBadInput, nil
	}
	address := strings.ToLower(local) + "@" + domain
	if out, err := a.suppressed(ctx, address); err != nil || out {
		return nil, "suppressed", err
	}
	row = &knownRow{Account: as.Account, Email: address, Domain: domain, First: strings.TrimSpace(e.First), Last: strings.TrimSpace(e.Last), Kind: kind,
		Created: db.Time(a.DB, a.Now())}
	name, err := finder.ParseName(e.First, e.Last, e.Full)
	if err != nil {
		return row, "", nil // an address without a usable name is worth keeping
	}
	if row.First == "" && row.Last == "" {
		row.First, row.Last = name.First.Text, name.Last.Text
	}
	if found := finder.Infer(name, local); len(found) > 0 && !finder.RoleAccount(local) {
		row.Pattern = found[0].ID
	}
	return row, "", nil
}

// storeKnown writes the rows that bring news, and tells how many those are and how many of them teach a pattern.
func (a *App) storeKnown(tx *gorm.DB, account int64, kind string, rows []*knownRow) (stored, taught int, err error) {
	values, arg, err := db.Rows(tx, "v", knownColumns, rows)
	if err != nil {
		return 0, 0, err
	}
	var news []struct{ Email, Pattern string }
	err = tx.Raw(`INSERT INTO known_emails (account_id, email, domain, first_name, last_name, kind, created_at, pattern)
		SELECT account_id, email, domain, first_name, last_name, kind, created_at, pattern FROM `+values+` WHERE true
		ON CONFLICT (account_id, email) DO UPDATE SET kind = excluded.kind, created_at = excluded.created_at,
			first_name = CASE WHEN excluded.first_name = '' THEN known_emails.first_name ELSE excluded.first_name END,
			last_name = CASE WHEN excluded.last_name = '' THEN known_emails.last_name ELSE excluded.last_name END,
			pattern = CASE WHEN excluded.pattern = '' THEN known_emails.pattern ELSE excluded.pattern END
		WHERE known_emails.kind <> excluded.kind OR (known_emails.first_name = '' AND excluded.first_name <> '')
			OR (known_emails.pattern = '' AND excluded.pattern <> '') RETURNING email, pattern`, arg).Scan(&news).Error
	if err != nil || kind != KnownBounce {
		return len(news), teaching(news), err
	}
	emails := make([]string, len(news))
	for i, n := range news {
		emails[i] = n.Email
	}
	return len(news), teaching(news), tx.Exec("DELETE FROM single_answers WHERE account_id = ? AND email IN ?", account, emails).Error
}

func teaching(news []struct{ Email, Pattern string }) (n int) {
	for _, row := range news {
		if row.Pattern != "" {
			n++
		}
	}
	return n
}

// keepAnswer stores the answer to a single question for as long as it may be used again, and the address among those the account knows.
func (a *App) keepAnswer(tx *gorm.DB, account int64, key string, r finder.Result, keep time.Duration) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	now := a.Now()
	err = tx.Exec(`INSERT INTO single_answers (account_id, person_key, email, result, checked_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, person_key) DO UPDATE SET email = excluded.email, result = excluded.result, checked_at = excluded.checked_at,
		expires_at = excluded.expires_at`, account, key, strings.ToLower(r.Email), string(body), now, now.Add(keep)).Error
	if err != nil || r.Email == "" || (r.Status != finder.StatusValid && r.Status != finder.StatusAcceptAll) {
		return err
	}
	_, domain, _ := strings.Cut(r.Email, "@")
	return tx.Exec(`INSERT INTO known_emails (account_id, email, domain, first_name, last_name, kind, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account_id, email) DO NOTHING`, account, strings.ToLower(r.Email), domain, r.First, r.Last, knownFound, now).Error
}
