package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// How long an answer is kept for its Idempotency-Key, and how long a request that died may keep its key to itself.
const (
	idempotencyKept  = 24 * time.Hour
	idempotencyBeat  = 20 * time.Second
	idempotencyStale = time.Minute
)

// KeptAnswer is the answer to a request that was made with an Idempotency-Key.
type KeptAnswer struct {
	Fingerprint string // of what the request said
	Status      int
	Headers     map[string]string
	Body        []byte
}

// KeyClaim is a key in the hands of the request that came with it first.
type KeyClaim struct {
	app     *App
	account int64
	hash    string
	at      time.Time
	stop    context.CancelFunc
}

// idempotencyKey is a row of idempotency_keys.
type idempotencyKey struct {
	AccountID   int64
	KeyHash     string
	Fingerprint string
	Shape       string
	Status      int
	Headers     string
	Body        []byte
	ClaimedAt   time.Time
	CreatedAt   time.Time
}

func (idempotencyKey) TableName() string { return "idempotency_keys" }

// ClaimKey takes a key for a request. shape is what is known of the request before its body. The first request gets a claim, to be
// kept or dropped; a later one gets the answer that was kept. CodeConflict while the first is still running, CodeUnprocessable when
// the key was used for another request.
func (a *App) ClaimKey(ctx context.Context, account int64, key, shape string) (*KeyClaim, *KeptAnswer, error) {
	now := a.Now().Truncate(time.Microsecond)
	row := idempotencyKey{AccountID: account, KeyHash: hashSecret(key), Shape: shape, Headers: "{}", ClaimedAt: now, CreatedAt: now}
	taken := a.DB.WithContext(ctx).Exec(`INSERT INTO idempotency_keys (account_id, key_hash, shape, claimed_at, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account_id, key_hash) DO UPDATE SET shape = excluded.shape, status = 0, body = NULL, fingerprint = '',
			claimed_at = excluded.claimed_at, created_at = excluded.created_at
		WHERE idempotency_keys.created_at < ? OR (idempotency_keys.status = 0 AND idempotency_keys.claimed_at < ?)`,
		account, row.KeyHash, shape, now, now, now.Add(-idempotencyKept), now.Add(-idempotencyStale))
	if taken.Error != nil {
		return nil, nil, fmt.Errorf("claiming an idempotency key: %w", taken.Error)
	}
	if taken.RowsAffected == 1 {
		beating, stop := context.WithCancel(context.WithoutCancel(ctx))
		claim := &KeyClaim{app: a, account: account, hash: row.KeyHash, at: now, stop: stop}
		go claim.beat(beating)
		return claim, nil, nil
	}
	found := a.DB.WithContext(ctx).Where("account_id = ? AND key_hash = ?", account, row.KeyHash).Limit(1).Find(&row)
	switch {
	case found.Error != nil:
		return nil, nil, fmt.Errorf("reading an idempotency key: %w", found.Error)
	case found.RowsAffected == 1 && row.Shape != shape:
		return nil, nil, ErrKeyReused
	case found.RowsAffected == 0 || row.Status == 0:
		return nil, nil, Refuse(CodeConflict, "idempotency_key_in_flight", "A request with this Idempotency-Key is still running. Ask again in a moment.")
	}
	kept := &KeptAnswer{Fingerprint: row.Fingerprint, Status: row.Status, Body: row.Body}
	if err := json.Unmarshal([]byte(row.Headers), &kept.Headers); err != nil {
		return nil, nil, fmt.Errorf("reading an idempotency key: %w", err)
	}
	return nil, kept, nil
}

// ErrKeyReused refuses a key that came with another request before.
var ErrKeyReused = Refuse(CodeUnprocessable, "idempotency_key_mismatch", "This Idempotency-Key was used for another request. Make a new key for each request.")

// beat shows that the request of a claim still runs.
func (c *KeyClaim) beat(ctx context.Context) {
	for {
		rest(ctx, idempotencyBeat)
		if ctx.Err() != nil {
			return
		}
		if err := c.mine(ctx).Update("claimed_at", c.app.Now()).Error; err != nil {
			c.app.Log.WarnContext(ctx, "idempotency key not held", "error", err)
		}
	}
}

func (c *KeyClaim) mine(ctx context.Context) *gorm.DB {
	return c.app.DB.WithContext(ctx).Model(&idempotencyKey{}).Where("account_id = ? AND key_hash = ? AND created_at = ? AND status = 0", c.account, c.hash, c.at)
}

// Keep stores the answer for the requests that come with the key later.
func (c *KeyClaim) Keep(ctx context.Context, answer KeptAnswer) error {
	c.stop()
	headers, err := json.Marshal(answer.Headers)
	if err != nil {
		return fmt.Errorf("encoding headers: %w", err)
	}
	err = c.mine(ctx).Updates(map[string]any{"fingerprint": answer.Fingerprint, "status": answer.Status, "headers": string(headers), "body": answer.Body}).Error
	if err != nil {
		return fmt.Errorf("keeping an answer for its idempotency key: %w", err)
	}
	return nil
}

// Drop gives the key back: the request was refused or failed, and may be sent again.
func (c *KeyClaim) Drop(ctx context.Context) error {
	c.stop()
	if err := c.mine(ctx).Delete(&idempotencyKey{}).Error; err != nil {
		return fmt.Errorf("dropping an idempotency key: %w", err)
	}
	return nil
}

// sweepKept forgets what is kept for a time only: idempotency keys and single answers.
func (a *App) sweepKept(ctx context.Context) error {
	now := a.Now()
	if err := a.DB.WithContext(ctx).Exec("DELETE FROM idempotency_keys WHERE created_at < ?", now.Add(-idempotencyKept)).Error; err != nil {
		return fmt.Errorf("forgetting idempotency keys: %w", err)
	}
	if err := a.DB.WithContext(ctx).Exec("DELETE FROM single_answers WHERE expires_at < ?", now).Error; err != nil {
		return fmt.Errorf("forgetting single answers: %w", err)
	}
	return nil
}
