package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"beagle/app/report"
)

// How an alarm is told.
const (
	alarmTimeout = 5 * time.Second
	alarmTries   = 2 // of one round; the next round tries again
	alarmPause   = time.Second
)

// alarmPing is followed by an address of PING_URLS.
const alarmPing = "ping "

// Alarm is something that is wrong now, or was and nobody could be told yet that it is over.
type Alarm struct {
	Name      string `gorm:"primaryKey"`
	Note      string
	Since     time.Time
	ClearedAt *time.Time
	Told      bool
}

// Alarms are those that are not over, oldest first.
func (a *App) Alarms(ctx context.Context) ([]Alarm, error) {
	var all []Alarm
	if err := a.DB.WithContext(ctx).Where("cleared_at IS NULL").Order("since, name").Find(&all).Error; err != nil {
		return nil, fmt.Errorf("reading alarms: %w", err)
	}
	return all, nil
}

// raise begins an alarm. One that is on already stays as it began.
func (a *App) raise(ctx context.Context, name, note string) error {
	now := a.Now()
	begun := a.DB.WithContext(ctx).Exec(`INSERT INTO alarms (name, note, since) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE
		SET note = excluded.note, since = excluded.since, cleared_at = NULL, told = false WHERE alarms.cleared_at IS NOT NULL`, name, note, now)
	if begun.Error != nil {
		return fmt.Errorf("raising the alarm %s: %w", name, begun.Error)
	}
	if begun.RowsAffected == 1 {
		a.Log.ErrorContext(ctx, "alarm", "alarm", name, "note", note)
	}
	return nil
}

// allClear ends an alarm if it is on.
func (a *App) allClear(ctx context.Context, name string) error {
	over := a.DB.WithContext(ctx).Exec("UPDATE alarms SET cleared_at = ?, told = false WHERE name = ? AND cleared_at IS NULL", a.Now(), name)
	if over.Error != nil {
		return fmt.Errorf("clearing the alarm %s: %w", name, over.Error)
	}
	if over.RowsAffected == 1 {
		a.Log.InfoContext(ctx, "alarm is over", "alarm", name, report.Always, true)
	}
	return nil
}

// tellAlarms sends what nobody was told yet to ALERT_WEBHOOK_URL. What is not taken is sent again in the next round.
func (a *App) tellAlarms(ctx context.Context) error {
	var untold []Alarm
	if err := a.DB.WithContext(ctx).Where("told = ?", false).Order("since").Find(&untold).Error; err != nil {
		return fmt.Errorf("reading alarms: %w", err)
	}
	var errs []error
	for _, alarm := range untold {
		if err := a.tell(ctx, alarm); err != nil {
			errs = append(errs, err)
			continue
		}
		told := a.DB.WithContext(ctx).Exec("UPDATE alarms SET told = true WHERE name = ? AND since = ? AND cleared_at IS NULL", alarm.Name, alarm.Since)
		if alarm.ClearedAt != nil {
			told = a.DB.WithContext(ctx).Exec("DELETE FROM alarms WHERE name = ? AND cleared_at IS NOT NULL", alarm.Name)
		}
		errs = append(errs, told.Error)
	}
	return errors.Join(errs...)
}

// alarmMessage is what ALERT_WEBHOOK_URL gets, signed like every webhook of ours.
type alarmMessage struct {
	Type      string    `json:"type"` // alarm.raised or alarm.cleared
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Name         string     `json:"name"`
		Note         string     `json:"note"`
		Since        time.Time  `json:"since"`
		ClearedAt    *time.Time `json:"cleared_at"`
		Installation string     `json:"installation"`
	} `json:"data"`
}

func (a *App) tell(ctx context.Context, alarm Alarm) error {
	address := a.Config.Run.AlertURL
	if address == "" {
		return nil
	}
	m := alarmMessage{Type: "alarm.raised", Timestamp: a.Now()}
	if alarm.ClearedAt != nil {
		m.Type = "alarm.cleared"
	}
	m.Data.Name, m.Data.Note, m.Data.Since, m.Data.ClearedAt, m.Data.Installation = alarm.Name, alarm.Note, alarm.Since, alarm.ClearedAt, a.Config.BaseURL
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding an alarm: %w", err)
	}
	d := Delivery{Ref: m.Type + ":" + hashSecret(alarm.Name + strconv.FormatInt(alarm.Since.UnixNano(), 10))[:26], URL: address, Payload: string(body)}
	for try := range alarmTries {
		if try > 0 {
			rest(ctx, alarmPause)
		}
		if err = a.tellOnce(ctx, d); err == nil {
			return nil
		}
	}
	return fmt.Errorf("telling ALERT_WEBHOOK_URL: %w", err)
}

func (a *App) tellOnce(ctx context.Context, d Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, alarmTimeout)
	defer cancel()
	req, err := signed(ctx, d, a.Config.Run.AlertSecret, a.Now())
	if err != nil {
		return err
	}
	return expectOK(req)
}

// forgetPings ends the alarms of addresses that PING_URLS no longer names: nobody would.
func (a *App) forgetPings(ctx context.Context) error {
	on, err := a.Alarms(ctx)
	if err != nil {
		return err
	}
	for _, alarm := range on {
		address, ok := strings.CutPrefix(alarm.Name, alarmPing)
		if ok && !slices.Contains(a.Config.Run.PingURLs, address) {
			if err := a.allClear(ctx, alarm.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// ping asks every address of PING_URLS. One that does not answer 200 twice is an alarm.
func (a *App) ping(ctx context.Context) (string, error) {
	silent := 0
	for _, address := range a.Config.Run.PingURLs {
		err := a.pingOnce(ctx, address)
		if err != nil {
			rest(ctx, alarmPause)
			err = a.pingOnce(ctx, address)
		}
		if err != nil {
			silent++
			err = a.raise(ctx, alarmPing+address, err.Error())
		} else {
			err = a.allClear(ctx, alarmPing+address)
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d of %d addresses answer", len(a.Config.Run.PingURLs)-silent, len(a.Config.Run.PingURLs)), a.tellAlarms(ctx)
}

func (a *App) pingOnce(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, alarmTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("pinging: %w", err)
	}
	return expectOK(req)
}

// maxPingAnswer is how much of an answer is read, so that the connection can be closed in order.
const maxPingAnswer = 4 << 10

func expectOK(req *http.Request) error {
	req.Header.Set("User-Agent", "Beagle-Clock")
	got, err := http.DefaultClient.Do(req)
	if told := (*url.Error)(nil); errors.As(err, &told) {
		err = told.Err // without the address: an alert's may hold a secret
	}
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer got.Body.Close()
	_, _ = io.CopyN(io.Discard, got.Body, maxPingAnswer)
	if got.StatusCode/100 != 2 {
		return fmt.Errorf("the answer is %s", got.Status)
	}
	return nil
}
