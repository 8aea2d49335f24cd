package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

func newWebhookSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "whsec_" + base64.StdEncoding.EncodeToString(b[:])
}

// CallbackSecret is what signs the messages to an account's callback_urls, for those who may make webhooks. It is made when first asked
// for. "" when it was sealed with another SECRET_KEY.
func (a *App) CallbackSecret(ctx context.Context, as Actor) (string, error) {
	if err := as.MayManage(); err != nil {
		return "", err
	}
	return a.callbackSecret(ctx, as.Account)
}

func (a *App) callbackSecret(ctx context.Context, account int64) (string, error) {
	owner := fmt.Sprintf("callbacks:%d", account)
	read := func() (secret []string, err error) {
		err = a.DB.WithContext(ctx).Table("callback_secrets").Where("account_id = ?", account).Pluck("secret", &secret).Error
		return secret, err
	}
	found, err := read()
	if err == nil && len(found) == 0 {
		err = a.DB.WithContext(ctx).Exec("INSERT INTO callback_secrets (account_id, secret, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			account, a.sealer.seal(newWebhookSecret(), owner), a.Now()).Error
		if err == nil {
			found, err = read()
		}
	}
	if err != nil {
		return "", fmt.Errorf("reading the callback secret: %w", err)
	}
	secret, err := a.sealer.open(firstOf(found...), owner)
	if err != nil {
		a.Log.ErrorContext(ctx, "callback secret", "account", account, "error", err)
	}
	return secret, nil
}

// sealOld seals secrets that were kept in clear before there was a SECRET_KEY.
func (a *App) sealOld(ctx context.Context) error {
	if a.sealer.aead == nil {
		return nil
	}
	var hooks []Webhook
	if err := a.DB.WithContext(ctx).Where("secret LIKE 'whsec_%'").Limit(sealBatch).Find(&hooks).Error; err != nil {
		return fmt.Errorf("reading secrets in clear: %w", err)
	}
	for _, h := range hooks {
		err := a.DB.WithContext(ctx).Exec("UPDATE webhooks SET secret = ? WHERE id = ? AND secret = ?", a.sealer.seal(h.Secret, h.sealName()), h.ID, h.Secret).Error
		if err != nil {
			return fmt.Errorf("sealing a secret: %w", err)
		}
	}
	var callbacks []struct {
		AccountID int64
		Secret    string
	}
	if err := a.DB.WithContext(ctx).Table("callback_secrets").Where("secret LIKE 'whsec_%'").Limit(sealBatch).Find(&callbacks).Error; err != nil {
		return fmt.Errorf("reading secrets in clear: %w", err)
	}
	for _, c := range callbacks {
		err := a.DB.WithContext(ctx).Exec("UPDATE callback_secrets SET secret = ? WHERE account_id = ? AND secret = ?",
			a.sealer.seal(c.Secret, fmt.Sprintf("callbacks:%d", c.AccountID)), c.AccountID, c.Secret).Error
		if err != nil {
			return fmt.Errorf("sealing a secret: %w", err)
		}
	}
	return nil
}

// sealBatch is how many secrets are sealed in one round of the cleaning.
const sealBatch = 1000
