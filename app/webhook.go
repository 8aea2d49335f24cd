package app

import (
	"context"
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
	Secret       string   // whsec_…; sealed in the table. "" when it cannot be read, and then Note says why
	Enabled      bool
	Note         string // why it was disabled
	FailingSince *time.Time
	CreatedAt    time.Time
}

// Webhooks lists an account's webhooks, newest first, with what signs them: only who may make webhooks may read that.
func (a *App) Webhooks(ctx context.Context, as Actor) ([]Webhook, error) {
	if err := as.MayManage(); err != nil {
		return nil, err
	}
	var hooks []Webhook
	if err := a.DB.WithContext(ctx).Where("account_id = ?", as.Account).Order("id DESC").Find(&hooks).Error; err != nil {
		return nil, fmt.Errorf("reading webhooks: %w", err)
	}
	for i := range hooks {
		a.unseal(ctx, &hooks[i])
	}
	return hooks, nil
}

// Webhook reads one webhook of an account, as Webhooks does.
func (a *App) Webhook(ctx context.Context, as Actor, ref string) (Webhook, error) {
	if err := as.MayManage(); err != nil {
		return Webhook{}, err
	}
	var hook Webhook
	err := a.DB.WithContext(ctx).Where("account_id = ? AND ref = ?", as.Account, ref).First(&hook).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Webhook{}, Refuse(CodeNotFound, "webhook_not_found", "No such webhook.")
	}
	if err != nil {
		return Webhook{}, fmt.Errorf("reading a webhook: %w", err)
	}
	a.unseal(ctx, &hook)
	return hook, nil
}

// unseal makes the secret of a webhook readable that came from the table.
func (a *App) unseal(ctx context.Context, hook *Webhook) {
	secret, err := a.sealer.open(hook.Secret, hook.sealName())
	if err != nil {
		a.Log.ErrorContext(ctx, "webhook secret", "webhook", hook.Ref, "error", err)
		hook.Note = errSealed.Error()
	}
	hook.Secret = secret
}

func (w *Webhook) sealName() string { return "webhook:" + w.Ref }

// CreateWebhook makes a webhook. No events means all of them.
func (a *App) CreateWebhook(ctx context.Context, as Actor, target string, events []string) (Webhook, error) {
	if err := as.MayManage(); err != nil {
		return Webhook{}, err
	}
	if ref, ok, err := as.Claim.before(madeWebhook); err != nil {
		return Webhook{}, err
	} else if ok {
		if hook, err := a.Webhook(ctx, as, ref); CodeOf(err) != CodeNotFound {
			return hook, err
		}
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
	row := hook
	row.Secret = a.sealer.seal(hook.Secret, hook.sealName())
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := as.Claim.note(tx, madeWebhook, hook.Ref); err != nil {
			return err
		}
		return tx.Create(&row).Error
	})
	if err != nil {
		return Webhook{}, fmt.Errorf("making a webhook: %w", err)
	}
	hook.ID = row.ID
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
	hook, err := a.Webhook(ctx, as, ref)
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
	changed := []string{"url", "events"} // the rest is left to deliveries, which may be noting something just now
	if c.Enabled != nil {
		hook.Enabled, hook.Note, hook.FailingSince = *c.Enabled, "", nil
		changed = append(changed, "enabled", "note", "failing_since")
	}
	if err := a.DB.WithContext(ctx).Select(changed).Updates(&hook).Error; err != nil {
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
	hook, err := a.Webhook(ctx, as, ref)
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
	w.URL, w.Events = target, slices.DeleteFunc(slices.Clone(Events), func(e string) bool { return !slices.Contains(events, e) }) // each once
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

// announce writes down what is to be told of a list, for each of the account's webhooks and the list's own callback_url, in the transaction
// of what has happened. The messages are for deliverAll after the commit; the sweep queues those whose job is lost.
func (a *App) announce(tx *gorm.DB, list int64, event string) ([]Delivery, error) {
	var l List
	if err := tx.Where("id = ?", list).First(&l).Error; err != nil {
		return nil, fmt.Errorf("reading list %d: %w", list, err)
	}
	var hooks []Webhook
	if err := tx.Omit("secret").Where("account_id = ? AND enabled", l.AccountID).Order("id").Find(&hooks).Error; err != nil {
		return nil, fmt.Errorf("reading webhooks: %w", err)
	}
	now := a.Now()
	data := listPayloadData{ID: l.Ref, Name: l.Name, Process: l.Process, State: l.State, Total: l.Total}
	if l.Reason != "" {
		data.Reason, data.Details = &l.Reason, &l.Note
	}
	payload, err := json.Marshal(listPayload{event, now, data})
	if err != nil {
		return nil, fmt.Errorf("encoding an event: %w", err)
	}
	message := func(target string, hook *int64) Delivery {
		return Delivery{Ref: "msg_" + newRef(), AccountID: l.AccountID, WebhookID: hook, URL: target, Event: event, Payload: string(payload),
			State: DeliveryPending, NextAt: &now, CreatedAt: now}
	}
	var due []Delivery
	for _, h := range hooks {
		if slices.Contains(h.Events, event) {
			due = append(due, message(h.URL, &h.ID))
		}
	}
	if l.CallbackURL != "" {
		due = append(due, message(l.CallbackURL, nil))
	}
	if len(due) == 0 {
		return nil, nil
	}
	if err := tx.Create(&due).Error; err != nil {
		return nil, fmt.Errorf("writing deliveries: %w", err)
	}
	return due, nil
}

// deliverAll queues messages that were written down.
func (a *App) deliverAll(ctx context.Context, due []Delivery) {
	for _, d := range due {
		if err := a.DeliverLater(ctx, d); err != nil {
			a.Log.WarnContext(ctx, "message not queued; the sweep will", "delivery", d.ID, "error", err)
		}
	}
}
