package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
)

// How long an answer is kept for its Idempotency-Key, and how long a request that died may keep its key to itself.
const (
	idempotencyKept  = 24 * time.Hour
	idempotencyBeat  = 20 * time.Second
	idempotencyStale = time.Minute
)

// Kinds of what a request can make.
const (
	madeList    = "list"
	madeRecords = "records"
	madeWebhook = "webhook"
	madeRetry   = "retry"
	madeAction  = "action"
)

// KeptAnswer is the answer to a request that was made with an Idempotency-Key.
type KeptAnswer struct {
	Fingerprint string // of what the request said
	Status      int
	Headers     map[string]string
	Body        []byte
}

// KeyClaim is a key in the hands of the request that came with it first, or of the next one when that died.
// What a request makes under a claim is noted in the transaction that makes it, so that the next one finds it and makes nothing twice.
type KeyClaim struct {
	Said func() string // the fingerprint of the request, once its body has been read; nil where that is not yet known when something is made

	app     *App
	account int64
	hash    string
	at      time.Time
	stop    context.CancelFunc
	made    string // by the request that died
	said    string // its fingerprint, if it was noted
	noted   bool   // this request has made something
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
	Made        string
}

func (idempotencyKey) TableName() string { return "idempotency_keys" }

// ClaimKey takes a key for a request. shape is what is known of the request before its body. The first request gets a claim, to be
// kept or dropped; a later one gets the answer that was kept. CodeConflict while the first is still running, CodeUnprocessable when
// the key was used for another request.
func (a *App) ClaimKey(ctx context.Context, account int64, key, shape string) (*KeyClaim, *KeptAnswer, error) {
	now := a.Now().Truncate(time.Microsecond)
	old := now.Add(-idempotencyKept)
	row := idempotencyKey{AccountID: account, KeyHash: hashSecret(key), Shape: shape, Headers: "{}", ClaimedAt: now, CreatedAt: now}
	var taken []idempotencyKey
	err := a.DB.WithContext(ctx).Raw(`INSERT INTO idempotency_keys (account_id, key_hash, shape, claimed_at, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account_id, key_hash) DO UPDATE SET status = 0, body = NULL, claimed_at = excluded.claimed_at, created_at = excluded.created_at,
			shape = CASE WHEN idempotency_keys.created_at < ? OR idempotency_keys.made = '' THEN excluded.shape ELSE idempotency_keys.shape END,
			fingerprint = CASE WHEN idempotency_keys.created_at < ? THEN '' ELSE idempotency_keys.fingerprint END,
			made = CASE WHEN idempotency_keys.created_at < ? THEN '' ELSE idempotency_keys.made END
		WHERE idempotency_keys.created_at < ? OR (idempotency_keys.status = 0 AND idempotency_keys.claimed_at < ?)
		RETURNING shape, fingerprint, made`,
		account, row.KeyHash, shape, now, now, old, old, old, old, now.Add(-idempotencyStale)).Scan(&taken).Error
	if err != nil {
		return nil, nil, fmt.Errorf("claiming an idempotency key: %w", err)
	}
	if len(taken) == 1 {
		claim := &KeyClaim{app: a, account: account, hash: row.KeyHash, at: now, made: taken[0].Made, said: taken[0].Fingerprint, stop: func() {}}
		if taken[0].Shape != shape {
			return nil, nil, errors.Join(ErrKeyReused, claim.free(ctx))
		}
		beating, stop := context.WithCancel(context.WithoutCancel(ctx))
		claim.stop = stop
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
		return nil, nil, errKeyInFlight
	}
	kept := &KeptAnswer{Fingerprint: row.Fingerprint, Status: row.Status, Body: row.Body}
	if err := json.Unmarshal([]byte(row.Headers), &kept.Headers); err != nil {
		return nil, nil, fmt.Errorf("reading an idempotency key: %w", err)
	}
	return nil, kept, nil
}

var errKeyInFlight = Refuse(CodeConflict, "idempotency_key_in_flight", "A request with this Idempotency-Key is still running. Ask again in a moment.")

// ErrKeyReused refuses a key that came with another request before.
var ErrKeyReused = Refuse(CodeUnprocessable, "idempotency_key_mismatch", "This Idempotency-Key was used for another request. Make a new key for each request.")

// beat shows that the request of a claim still runs.
func (c *KeyClaim) beat(ctx context.Context) {
	for {
		rest(ctx, idempotencyBeat)
		if ctx.Err() != nil {
			return
		}
		if err := c.mine(c.app.DB.WithContext(ctx)).Update("claimed_at", c.app.Now()).Error; err != nil {
			c.app.Log.WarnContext(ctx, "idempotency key not held", "error", err)
		}
	}
}

func (c *KeyClaim) mine(tx *gorm.DB) *gorm.DB {
	return tx.Model(&idempotencyKey{}).Where("account_id = ? AND key_hash = ? AND created_at = ? AND status = 0", c.account, c.hash, c.at)
}

// Keep stores the answer for the requests that come with the key later.
func (c *KeyClaim) Keep(ctx context.Context, answer KeptAnswer) error {
	c.stop()
	headers, err := json.Marshal(answer.Headers)
	if err != nil {
		return fmt.Errorf("encoding headers: %w", err)
	}
	err = c.mine(c.app.DB.WithContext(ctx)).Updates(map[string]any{"fingerprint": answer.Fingerprint, "status": answer.Status, "headers": string(headers), "body": answer.Body}).Error
	if err != nil {
		return fmt.Errorf("keeping an answer for its idempotency key: %w", err)
	}
	return nil
}

// Drop gives the key back: the request was refused, and has left nothing behind, or it failed. What a request that failed, or died before
// it, has made all the same is remembered for the next one.
func (c *KeyClaim) Drop(ctx context.Context, refused bool) error {
	c.stop()
	if (c.noted && !refused) || (c.made != "" && !c.noted) {
		return c.free(ctx)
	}
	if err := c.mine(c.app.DB.WithContext(ctx)).Delete(&idempotencyKey{}).Error; err != nil {
		return fmt.Errorf("dropping an idempotency key: %w", err)
	}
	return nil
}

// free lets the next request take the key over at once.
func (c *KeyClaim) free(ctx context.Context) error {
	if err := c.mine(c.app.DB.WithContext(ctx)).Update("claimed_at", c.at.Add(-2*idempotencyStale)).Error; err != nil {
		return fmt.Errorf("giving an idempotency key back: %w", err)
	}
	return nil
}

// note writes down what a request makes, in the transaction that makes it. It refuses when another request has taken the key over
// because this one seemed dead: one of the two makes the thing. Without a claim it does nothing.
func (c *KeyClaim) note(tx *gorm.DB, kind, made string) error {
	if c == nil {
		return nil
	}
	set := map[string]any{"made": kind + ":" + made}
	if c.Said != nil {
		set["fingerprint"] = c.Said()
	}
	done := c.mine(tx).Updates(set)
	if done.Error != nil {
		return fmt.Errorf("noting what an idempotency key made: %w", done.Error)
	}
	if done.RowsAffected == 0 {
		return errKeyInFlight
	}
	c.noted = true
	return nil
}

// before is what the request that died has made, if it is of this kind. CodeUnprocessable when that was another request.
func (c *KeyClaim) before(kind string) (made string, ok bool, err error) {
	if c == nil {
		return "", false, nil
	}
	if made, ok = strings.CutPrefix(c.made, kind+":"); ok && c.said != "" && c.Said != nil && c.Said() != c.said {
		return "", false, ErrKeyReused
	}
	return made, ok, nil
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
