package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"beagle/app/config"
	"beagle/app/probe"
)

// How mail servers see us is looked at by the clock and kept beside its schedule, where all processes read it.
const (
	scheduleHealth = "mail_health"
	healthTimeout  = 2 * time.Minute
	healthRead     = 15 * time.Second // how long a process believes what it read
	healthKeep     = 3                // looks that may be missed before the last one counts no more
)

// Alarms of our own health.
const (
	alarmPort25 = "port 25 closed"
	alarmListed = "on a blocklist"
)

// ProbeHealth is the last look at how mail servers see us. The zero value says that nobody has looked lately.
type ProbeHealth struct {
	probe.Health
	Pattern bool // no mail server is asked now: pattern and MX only
}

// healthCache is what this process read last.
type healthCache struct {
	mu    sync.Mutex
	value ProbeHealth
	until time.Time
}

// HealthOptions are what a configuration says to look at.
func HealthOptions(c config.Config) probe.HealthOptions {
	return probe.HealthOptions{Canaries: c.Health.Canaries, Zones: c.Health.Zones, Addresses: c.Health.PublicAddresses()}
}

// CheckHealth looks at how mail servers see us and keeps what it found for all processes.
func (a *App) CheckHealth(ctx context.Context) (string, error) {
	looking, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	h := a.Prober.Health(looking, HealthOptions(a.Config))
	body, err := json.Marshal(h)
	if err != nil {
		return "", fmt.Errorf("encoding our health: %w", err)
	}
	err = a.DB.WithContext(ctx).Exec(`INSERT INTO schedules (name, last_run_at, state) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET state = excluded.state`,
		scheduleHealth, a.Now(), string(body)).Error
	if err != nil {
		return "", fmt.Errorf("keeping our health: %w", err)
	}
	a.health.forget()
	if err := a.alarm(ctx, alarmPort25, h.Port25 == probe.No, "Outgoing port 25 is closed: no mail server can be asked."); err != nil {
		return "", err
	}
	if err := a.alarm(ctx, alarmListed, len(h.Listed) > 0, "On a blocklist: "+strings.Join(h.Listed, ", ")); err != nil {
		return "", err
	}
	return describeHealth(h), nil
}

// alarm raises an alarm or takes it back.
func (a *App) alarm(ctx context.Context, name string, on bool, text string) error {
	if on {
		return a.raise(ctx, name, text)
	}
	return a.allClear(ctx, name)
}

func describeHealth(h probe.Health) string {
	count := map[probe.Tri]int{}
	for _, f := range h.Findings {
		count[f.OK]++
	}
	return fmt.Sprintf("port 25 open: %s; %d findings well, %d to mend, %d not known", h.Port25, count[probe.Yes], count[probe.No], count[probe.Unsure])
}

// ProbeHealth reads the last look, at most healthRead old.
func (a *App) ProbeHealth(ctx context.Context) (ProbeHealth, error) {
	a.health.mu.Lock()
	defer a.health.mu.Unlock()
	if a.Now().Before(a.health.until) {
		return a.health.value, nil
	}
	h, err := a.readHealth(ctx)
	if err != nil {
		return a.health.value, err
	}
	a.health.value, a.health.until = h, a.Now().Add(healthRead)
	return h, nil
}

func (c *healthCache) forget() {
	c.mu.Lock()
	c.until = time.Time{}
	c.mu.Unlock()
}

func (a *App) readHealth(ctx context.Context) (h ProbeHealth, err error) {
	var states []string
	if err := a.DB.WithContext(ctx).Raw("SELECT state FROM schedules WHERE name = ?", scheduleHealth).Scan(&states).Error; err != nil {
		return h, fmt.Errorf("reading our health: %w", err)
	}
	if len(states) == 1 && states[0] != "" {
		if err := json.Unmarshal([]byte(states[0]), &h.Health); err != nil {
			return ProbeHealth{}, fmt.Errorf("reading our health: %w", err)
		}
		if a.Now().Sub(h.At) > healthKeep*a.Config.Health.Every {
			h.Health = probe.Health{}
		}
	}
	switch a.Config.Health.Mode {
	case config.ProbePattern:
		h.Pattern = true
	case config.ProbeAuto:
		h.Pattern = !h.At.IsZero() && !h.Well()
	}
	return h, nil
}

// patternOnly tells the finder whether mail servers may be asked. When that cannot be read, the last answer holds.
func (a *App) patternOnly() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	h, err := a.ProbeHealth(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "our own health not read", "error", err)
	}
	return h.Pattern
}
