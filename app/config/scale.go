package config

import "time"

// Ways to set the number of workers.
const (
	ScaleOff    = "off"
	ScaleHeroku = "heroku"
	ScaleExec   = "exec"
)

// Scale says how many workers there should be and who is told.
type Scale struct {
	Driver          string        `env:"AUTOSCALE" envDefault:"off"` // off, heroku, exec
	HerokuKey       string        `env:"HEROKU_API_KEY"`
	HerokuApp       string        `env:"HEROKU_APP_NAME"`
	HerokuURL       string        `env:"HEROKU_API_URL" envDefault:"https://api.heroku.com"`
	Min             int           `env:"AUTOSCALE_MIN" envDefault:"3"`
	Max             int           `env:"AUTOSCALE_MAX" envDefault:"50"`
	EventsPerWorker int           `env:"AUTOSCALE_EVENTS_PER_WORKER" envDefault:"100"`
	Interval        time.Duration `env:"AUTOSCALE_INTERVAL" envDefault:"10m"`
	TargetSeconds   int           `env:"AUTOSCALE_TARGET_SECONDS" envDefault:"0"` // 0: the rule of EventsPerWorker
	Command         string        `env:"AUTOSCALE_COMMAND"`
	RestartAge      time.Duration `env:"HEROKU_RESTART_AGE" envDefault:"6h"` // the clock restarts older worker dynos; 0: never
}

// The longest that a target or an interval may be: a day.
const maxScaleSeconds = 86_400

func (s Scale) check(bad func(name, format string, args ...any)) {
	between := func(name string, value, low, high int) {
		if value < low || value > high {
			bad(name, "must be between %d and %d, is %d", low, high, value)
		}
	}
	between("AUTOSCALE_MIN", s.Min, 0, 1000)
	between("AUTOSCALE_MAX", s.Max, max(s.Min, 1), 1000)
	between("AUTOSCALE_EVENTS_PER_WORKER", s.EventsPerWorker, 1, 1_000_000)
	between("AUTOSCALE_TARGET_SECONDS", s.TargetSeconds, 0, maxScaleSeconds)
	if s.Interval < 10*time.Second || s.Interval > maxScaleSeconds*time.Second {
		bad("AUTOSCALE_INTERVAL", "must be between 10s and 24h, is %s", s.Interval)
	}
	if s.RestartAge != 0 && (s.RestartAge < 10*time.Minute || s.RestartAge > maxScaleSeconds*time.Second) {
		bad("HEROKU_RESTART_AGE", "must be 0 or between 10m and 24h, is %s", s.RestartAge)
	}
	if !isURL(s.HerokuURL) {
		bad("HEROKU_API_URL", "must be a URL such as https://api.heroku.com")
	}
	switch s.Driver {
	case ScaleOff:
	case ScaleHeroku:
		if s.HerokuKey == "" {
			bad("HEROKU_API_KEY", "is needed for AUTOSCALE=heroku")
		}
		if s.HerokuApp == "" {
			bad("HEROKU_APP_NAME", "is needed for AUTOSCALE=heroku")
		}
	case ScaleExec:
		if s.Command == "" {
			bad("AUTOSCALE_COMMAND", "is needed for AUTOSCALE=exec")
		}
	default:
		bad("AUTOSCALE", "must be off, heroku or exec, is %q", s.Driver)
	}
}
