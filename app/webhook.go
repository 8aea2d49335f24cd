package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Events that webhooks are told.
const (
	EventImported = "list.imported"
	EventFinished = "list.finished"
	EventFailed   = "list.failed"
)

// Events in the order in which they happen.
var Events = []string{EventImported, EventFinished, EventFailed}

const (
	maxWebhooks   = 20
	maxWebhookURL = 500
	secretBytes   = 32 // the Standard Webhooks specification asks for 24 to 64
)

// Webhook is an address that an account wants its events sent to.
type Webhook struct {
	ID           int64
	Ref          string
	AccountID    int64
	URL          string   `gorm:"column:url"`
	Events       []string `gorm:"serializer:json"`
	Secret       string   // whsec_…
	Enabled      bool
	Note         string // why it was disabled
	FailingSince *time.Time
	CreatedAt    time.Time
}

// Webhooks lists an account's webhooks, newest first.
func (a *App) Webhooks(ctx context.Context, account int64) ([]Webhook, error) {
	var hooks []Webhook
	if err := a.DB.WithContext(ctx).Where("account_id = ?", account).Order("id DESC").Find(&hooks).Error; err != nil {
		return nil, fmt.Errorf("reading webhooks: %w", err)
	}
	return hooks, nil
}

// Webhook reads one webhook of an account.
func (a *App) Webhook(ctx context.Context, account int64, ref string) (Webhook, error) {
	var hook Webhook
	err := a.DB.WithContext(ctx).Where("account_id = ? AND ref = ?", account, ref).First(&hook).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Webhook{}, Refuse(CodeNotFound, "webhook_not_found", "No such webhook.")
	}
	if err != nil {
		return Webhook{}, fmt.Errorf("reading a webhook: %w", err)
	}
	return hook, nil
}

// CreateWebhook makes a webhook. No events means all of them.
func (a *App) CreateWebhook(ctx context.Context, as Actor, target string, events []string) (Webhook, error) {
	if err := as.MayManage(); err != nil {
		return Webhook{}, err
	}
	hook := Webhook{Ref: newRef(), AccountID: as.Account, Secret: newWebhookSecret(), Enabled: true, CreatedAt: a.Now()}
	if err := hook.set(target, events); err != nil {
		return Webhook{}, err
	}
	var n int64
	if err := a.DB.WithContext(ctx).Model(&Webhook{}).Where("account_id = ?", as.Account).Count(&n).Error; err != nil {
		return Webhook{}, fmt.Errorf("counting webhooks: %w", err)
	}
	if n >= maxWebhooks {
		return Webhook{}, Refuse(CodeUnprocessable, "too_many_webhooks", "An account may have %d webhooks. Delete one that is not used any more.", maxWebhooks)
	}
	if err := a.DB.WithContext(ctx).Create(&hook).Error; err != nil {
		return Webhook{}, fmt.Errorf("making a webhook: %w", err)
	}
	a.audit(ctx, as, "webhook.created", hook.Ref)
	return hook, nil
}

// WebhookChange is what EditWebhook changes; nil leaves a field as it is.
type WebhookChange struct {
	URL     *string
	Events  []string
	Enabled *bool
}

// EditWebhook changes a webhook. Enabling one forgets that it failed.
func (a *App) EditWebhook(ctx context.Context, as Actor, ref string, c WebhookChange) (Webhook, error) {
	if err := as.MayManage(); err != nil {
		return Webhook{}, err
	}
	hook, err := a.Webhook(ctx, as.Account, ref)
	if err != nil {
		return Webhook{}, err
	}
	target, events := hook.URL, hook.Events
	if c.URL != nil {
		target = *c.URL
	}
	if c.Events != nil {
		events = c.Events
	}
	if err := hook.set(target, events); err != nil {
		return Webhook{}, err
	}
	if c.Enabled != nil {
		hook.Enabled, hook.Note, hook.FailingSince = *c.Enabled, "", nil
	}
	if err := a.DB.WithContext(ctx).Save(&hook).Error; err != nil {
		return Webhook{}, fmt.Errorf("changing a webhook: %w", err)
	}
	a.audit(ctx, as, "webhook.changed", ref)
	return hook, nil
}

// DeleteWebhook removes a webhook. What was not delivered to it yet is not.
func (a *App) DeleteWebhook(ctx context.Context, as Actor, ref string) error {
	if err := as.MayManage(); err != nil {
		return err
	}
	hook, err := a.Webhook(ctx, as.Account, ref)
	if err != nil {
		return err
	}
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("DELETE FROM webhook_deliveries WHERE webhook_id = ?", hook.ID).Error; err != nil {
			return err
		}
		return tx.Delete(&hook).Error
	})
	if err != nil {
		return fmt.Errorf("deleting a webhook: %w", err)
	}
	a.audit(ctx, as, "webhook.deleted", ref)
	return nil
}

func (w *Webhook) set(target string, events []string) error {
	target, err := checkTarget(target)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		events = Events
	}
	for _, e := range events {
		if !slices.Contains(Events, e) {
			return Refuse(CodeBadInput, "invalid_event", "The events are %s.", strings.Join(Events, ", "))
		}
	}
	w.URL, w.Events = target, events
	return nil
}

// checkTarget refuses what cannot be a webhook's address. Where it leads is judged when it is dialled.
func checkTarget(target string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(target))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || len(target) > maxWebhookURL {
		return "", Refuse(CodeBadInput, "invalid_url", "The address must be http or https, without a user name, and at most %d characters.", maxWebhookURL)
	}
	u.Fragment = ""
	return u.String(), nil
}

func newWebhookSecret() string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "whsec_" + base64.StdEncoding.EncodeToString(b[:])
}

// CallbackSecret is what signs the messages to an account's callback_urls. It is made when first asked for.
func (a *App) CallbackSecret(ctx context.Context, account int64) (string, error) {
	err := a.DB.WithContext(ctx).Exec("INSERT INTO callback_secrets (account_id, secret, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		account, newWebhookSecret(), a.Now()).Error
	var secret []string
	if err == nil {
		err = a.DB.WithContext(ctx).Table("callback_secrets").Where("account_id = ?", account).Pluck("secret", &secret).Error
	}
	if err != nil {
		return "", fmt.Errorf("reading the callback secret: %w", err)
	}
	return firstOf(secret...), nil
}

// listPayload is the message about a list: thin, so that it never holds a customer's row.
type listPayload struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      listPayloadData `json:"data"`
}

type listPayloadData struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Process string  `json:"process"`
	State   string  `json:"state"`
	Total   int64   `json:"total"`
	Reason  *string `json:"reason"`
	Details *string `json:"details"`
}

// announce writes down what is to be told of a list, for each of the account's webhooks and the list's own callback_url, and queues it.
// A message whose job is lost is queued again by the sweep. What cannot be written is logged: no list stops for it.
func (a *App) announce(ctx context.Context, list int64, event string) {
	if err := a.writeEvent(ctx, list, event); err != nil {
		a.Log.ErrorContext(ctx, "event not announced", "list", list, "event", event, "error", err)
	}
}

func (a *App) writeEvent(ctx context.Context, list int64, event string) error {
	var l List
	if err := a.DB.WithContext(ctx).Where("id = ?", list).First(&l).Error; err != nil {
		return fmt.Errorf("reading list %d: %w", list, err)
	}
	hooks, err := a.Webhooks(ctx, l.AccountID)
	if err != nil {
		return err
	}
	now := a.Now()
	data := listPayloadData{ID: l.Ref, Name: l.Name, Process: l.Process, State: l.State, Total: l.Total}
	if l.Reason != "" {
		data.Reason, data.Details = &l.Reason, &l.Note
	}
	payload, err := json.Marshal(listPayload{event, now, data})
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	message := func(target string, hook *int64) Delivery {
		return Delivery{Ref: "msg_" + newRef(), AccountID: l.AccountID, WebhookID: hook, URL: target, Event: event, Payload: string(payload),
			State: DeliveryPending, NextAt: &now, CreatedAt: now}
	}
	var due []Delivery
	for _, h := range hooks {
		if h.Enabled && slices.Contains(h.Events, event) {
			due = append(due, message(h.URL, &h.ID))
		}
	}
	if l.CallbackURL != "" {
		due = append(due, message(l.CallbackURL, nil))
	}
	if len(due) == 0 {
		return nil
	}
	if err := a.DB.WithContext(ctx).Create(&due).Error; err != nil {
		return fmt.Errorf("writing deliveries: %w", err)
	}
	var errs []error
	for _, d := range due {
		errs = append(errs, a.DeliverLater(ctx, d))
	}
	return errors.Join(errs...)
}
