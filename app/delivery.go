package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"beagle/app/probe"

	"github.com/hibiken/asynq"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"gorm.io/gorm"
)

// States of a delivery.
const (
	DeliveryPending   = "pending"
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed"
)

// How messages are sent. The waits are those of the Standard Webhooks specification, up to 24 hours.
const (
	deliveryTimeout  = 15 * time.Second
	deliveryAnswer   = 500         // bytes of the answer that the log keeps
	deliveryClaim    = time.Minute // a try is nobody else's for so long
	deliveryKept     = 30 * 24 * time.Hour
	webhookPatience  = 5 * 24 * time.Hour // a webhook that has failed for so long is disabled
	deliverySweepMax = 500
)

var deliveryWaits = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 6 * time.Hour}

// Delivery is one message for one address, with what became of it.
type Delivery struct {
	ID        int64
	Ref       string // the webhook-id header, the same on every try
	AccountID int64
	WebhookID *int64 // nil: the callback_url of a list
	URL       string `gorm:"column:url"`
	Event     string
	Payload   string
	State     string
	Tries     int
	Code      int    // HTTP status of the last try, 0 without one
	Note      string // what went wrong, or the beginning of the answer
	NextAt    *time.Time
	TriedAt   *time.Time
	CreatedAt time.Time
}

// TableName is the table of deliveries.
func (Delivery) TableName() string { return "webhook_deliveries" }

// Deliveries are an account's newest messages.
func (a *App) Deliveries(ctx context.Context, account int64, limit int) ([]Delivery, error) {
	var found []Delivery
	if err := a.DB.WithContext(ctx).Where("account_id = ?", account).Order("id DESC").Limit(clampLimit(limit)).Find(&found).Error; err != nil {
		return nil, fmt.Errorf("reading deliveries: %w", err)
	}
	return found, nil
}

// Redeliver sends a message again, whatever became of it.
func (a *App) Redeliver(ctx context.Context, as Actor, ref string) (Delivery, error) {
	if err := as.MayManage(); err != nil {
		return Delivery{}, err
	}
	var d Delivery
	err := a.DB.WithContext(ctx).Where("account_id = ? AND ref = ?", as.Account, ref).First(&d).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Delivery{}, Refuse(CodeNotFound, "delivery_not_found", "No such delivery.")
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("reading a delivery: %w", err)
	}
	now := a.Now()
	d.State, d.Tries, d.NextAt = DeliveryPending, 0, &now
	if err := a.DB.WithContext(ctx).Save(&d).Error; err != nil {
		return Delivery{}, fmt.Errorf("sending a message again: %w", err)
	}
	a.audit(ctx, as, "delivery.resent", ref)
	return d, a.DeliverLater(ctx, d)
}

// deliveryTask is the payload of a delivery's job.
type deliveryTask struct {
	ID int64 `json:"d"`
}

// DeliverLater queues Deliver for the time the message is due.
func (a *App) DeliverLater(ctx context.Context, d Delivery) error {
	payload, err := json.Marshal(deliveryTask{d.ID})
	if err != nil {
		return fmt.Errorf("encoding %s: %w", taskDeliver, err)
	}
	return a.Queue.enqueue(ctx, asynq.NewTask(taskDeliver, payload), asynq.Queue(QueueDefault), asynq.TaskID(fmt.Sprintf("deliver:%d:%d", d.ID, d.Tries)),
		asynq.MaxRetry(recordTries), asynq.Timeout(2*deliveryTimeout), asynq.ProcessAt(*d.NextAt))
}

func (a *App) deliverJob(ctx context.Context, task *asynq.Task) error {
	var t deliveryTask
	if err := json.Unmarshal(task.Payload(), &t); err != nil {
		return fmt.Errorf("reading a payload: %w", errors.Join(err, asynq.SkipRetry))
	}
	if err := a.Deliver(ctx, t.ID); err != nil && !lastTry(ctx) {
		return err // the sweep takes over after the last try
	}
	return nil
}

// Deliver sends one message that is due and notes what became of it. Only one call sends each try. It goes to where its webhook leads
// now, and nowhere when that was switched off meanwhile.
func (a *App) Deliver(ctx context.Context, id int64) error {
	now := a.Now()
	mine := a.DB.WithContext(ctx).Exec("UPDATE webhook_deliveries SET next_at = ? WHERE id = ? AND state = 'pending' AND next_at <= ?", now.Add(deliveryClaim), id, now)
	if mine.Error != nil || mine.RowsAffected == 0 {
		return mine.Error
	}
	var d Delivery
	if err := a.DB.WithContext(ctx).First(&d, id).Error; err != nil {
		return fmt.Errorf("reading delivery %d: %w", id, err)
	}
	if d.WebhookID == nil {
		secret, err := a.callbackSecret(ctx, d.AccountID)
		if err != nil {
			return err
		}
		after, gone := a.send(ctx, &d, secret)
		return a.delivered(ctx, d, nil, after, gone)
	}
	hook := &Webhook{}
	if err := a.DB.WithContext(ctx).First(hook, *d.WebhookID).Error; err != nil {
		return fmt.Errorf("reading the webhook of delivery %d: %w", id, err)
	}
	if !hook.Enabled {
		d.State, d.Code, d.Note = DeliveryFailed, 0, switchedOff
		return a.delivered(ctx, d, nil, 0, false)
	}
	a.unseal(ctx, hook)
	d.URL = hook.URL
	after, gone := a.send(ctx, &d, hook.Secret)
	return a.delivered(ctx, d, hook, after, gone)
}

// switchedOff is the note of a message whose webhook was disabled before it could be sent.
const switchedOff = "The webhook is switched off."

// send makes one try and notes its outcome in d. after is how long the target asked to be left alone, gone that it wants no more.
func (a *App) send(ctx context.Context, d *Delivery, secret string) (after time.Duration, gone bool) {
	now := a.Now()
	d.Tries, d.TriedAt, d.Code, d.Note = d.Tries+1, &now, 0, ""
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	req, err := signed(ctx, *d, secret, now)
	if err != nil {
		d.Note = err.Error()
		return 0, false
	}
	client := http.Client{
		Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: deliveryTimeout, Control: probe.PublicOnly(a.Config.Probe.AllowPrivate)}).DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		d.Note = cut(strings.ToValidUTF8(err.Error(), "�"), deliveryAnswer)
		return 0, false
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, deliveryAnswer)) // for the log: what could be read is enough
	d.Code, d.Note = res.StatusCode, cut(strings.ReplaceAll(strings.ToValidUTF8(string(answer), "�"), "\x00", ""), deliveryAnswer)
	if res.StatusCode/100 == 2 {
		d.State = DeliveryDelivered
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		after = min(time.Duration(seconds)*time.Second, deliveryWaits[5])
	}
	return after, res.StatusCode == http.StatusGone
}

// signed is the request of one try, signed by the Standard Webhooks specification.
func signed(ctx context.Context, d Delivery, secret string, now time.Time) (*http.Request, error) {
	if secret == "" {
		return nil, errSealed
	}
	signer, err := webhooks.NewWebhook(secret)
	if err != nil {
		return nil, err
	}
	signature, err := signer.Sign(d.Ref, now, []byte(d.Payload))
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader([]byte(d.Payload)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Beagle-Webhooks")
	req.Header.Set(webhooks.HeaderWebhookID, d.Ref)
	req.Header.Set(webhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(webhooks.HeaderWebhookSignature, signature)
	return req, nil
}

// delivered writes down a try: done, to be tried again, or given up. A webhook that answers "gone", or fails for days, is disabled.
func (a *App) delivered(ctx context.Context, d Delivery, hook *Webhook, after time.Duration, gone bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	d.NextAt = nil
	switch {
	case d.State != DeliveryPending:
	case gone || d.Tries > len(deliveryWaits):
		d.State = DeliveryFailed
	default:
		next := d.TriedAt.Add(max(after, deliveryWaits[d.Tries-1]))
		d.NextAt = &next
	}
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Save(&d).Error; err != nil || hook == nil {
			return err
		}
		return hook.note(tx, d, gone)
	})
	if err != nil {
		return fmt.Errorf("noting delivery %d: %w", d.ID, err)
	}
	if d.NextAt == nil {
		return nil
	}
	return a.DeliverLater(ctx, d)
}

func (w *Webhook) note(tx *gorm.DB, d Delivery, gone bool) error {
	if d.State == DeliveryDelivered {
		return tx.Exec("UPDATE webhooks SET failing_since = NULL WHERE id = ? AND failing_since IS NOT NULL", w.ID).Error
	}
	if err := tx.Exec("UPDATE webhooks SET failing_since = COALESCE(failing_since, ?) WHERE id = ?", *d.TriedAt, w.ID).Error; err != nil {
		return err
	}
	switch {
	case gone:
		return tx.Exec("UPDATE webhooks SET enabled = false, note = 'The address answered 410 Gone.' WHERE id = ?", w.ID).Error
	case w.FailingSince != nil && d.TriedAt.Sub(*w.FailingSince) > webhookPatience:
		return tx.Exec("UPDATE webhooks SET enabled = false, note = 'Nothing was delivered for five days.' WHERE id = ?", w.ID).Error
	}
	return nil
}

// sweepDeliveries queues messages whose job was lost, and forgets old ones.
func (a *App) sweepDeliveries(ctx context.Context) error {
	now := a.Now()
	var lost []Delivery
	err := a.DB.WithContext(ctx).Where("state = 'pending' AND next_at < ?", now.Add(-stuckAfter)).Order("next_at").Limit(deliverySweepMax).Find(&lost).Error
	if err != nil {
		return fmt.Errorf("looking for lost messages: %w", err)
	}
	var errs []error
	for _, d := range lost {
		errs = append(errs, a.DeliverLater(ctx, d))
	}
	old := a.DB.WithContext(ctx).Exec("DELETE FROM webhook_deliveries WHERE state <> 'pending' AND created_at < ?", now.Add(-deliveryKept))
	return errors.Join(append(errs, old.Error)...)
}
