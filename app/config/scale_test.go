package config_test

import (
	"testing"

	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestScalingIsOffAndHasTheUsualBounds(t *testing.T) {
	c, err := config.Parse(nil)
	require.NoError(t, err)
	require.Equal(t, config.ScaleOff, c.Scale.Driver)
	require.Equal(t, []int{3, 50, 100}, []int{c.Scale.Min, c.Scale.Max, c.Scale.EventsPerWorker})
	require.Equal(t, 10.0, c.Scale.Interval.Minutes())
}

func TestWrongScalingAndMailAreNamed(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"AUTOSCALE":                   {"AUTOSCALE": "magic"},
		"AUTOSCALE_MIN":               {"AUTOSCALE_MIN": "-1"},
		"AUTOSCALE_MAX":               {"AUTOSCALE_MIN": "9", "AUTOSCALE_MAX": "8"},
		"AUTOSCALE_EVENTS_PER_WORKER": {"AUTOSCALE_EVENTS_PER_WORKER": "0"},
		"AUTOSCALE_INTERVAL":          {"AUTOSCALE_INTERVAL": "1s"},
		"AUTOSCALE_TARGET_SECONDS":    {"AUTOSCALE_TARGET_SECONDS": "-5"},
		"AUTOSCALE_COMMAND":           {"AUTOSCALE": "exec"},
		"HEROKU_API_KEY":              {"AUTOSCALE": "heroku", "HEROKU_APP_NAME": "beagle"},
		"HEROKU_APP_NAME":             {"AUTOSCALE": "heroku", "HEROKU_API_KEY": "k"},
		"HEROKU_API_URL":              {"HEROKU_API_URL": "api"},
		"HEROKU_RESTART_AGE":          {"HEROKU_RESTART_AGE": "1m"},
		"WORKER_MAX_AGE":              {"WORKER_MAX_AGE": "1s"},
		"DRAIN_DELAY":                 {"DRAIN_DELAY": "2m"},
		"CREDITS_LOW":                 {"CREDITS_LOW": "-1"},
		"SENTRY_DSN":                  {"SENTRY_DSN": "sentry"},
		"OTEL_EXPORTER_OTLP_ENDPOINT": {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
		"ALERT_WEBHOOK_URL":           {"ALERT_WEBHOOK_URL": "alerts"},
		"ALERT_WEBHOOK_SECRET":        {"ALERT_WEBHOOK_URL": "https://alerts.example", "ALERT_WEBHOOK_SECRET": "whsec_c2hvcnQ="},
		"PING_URLS":                   {"PING_URLS": "https://one.example/readyz,two"},
		"METRICS_TOKEN":               {"METRICS_TOKEN": "short"},
		"WORKER_PORT":                 {"WORKER_PORT": "70000"},
		"SMTP_URL":                    {"SMTP_URL": "mail.example:25", "MAIL_FROM": "a@b.example"},
		"MAIL_FROM":                   {"SMTP_URL": "smtp://mail.example"},
	} {
		_, err := config.Parse(vars)
		require.ErrorContains(t, err, "  "+name+":", name)
	}
	_, err := config.Parse(map[string]string{"SMTP_URL": "http://user:hunter2@mail.example", "MAIL_FROM": "a@b.example"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}
