package config

import (
	"encoding/base64"
	"net/mail"
	"net/url"
	"strings"
)

// Run is how an installation is watched and how it writes to people.
type Run struct {
	MetricsToken string   `env:"METRICS_TOKEN"`              // Bearer token of /metrics; empty: operators and this machine only
	WorkerPort   int      `env:"WORKER_PORT" envDefault:"0"` // where a worker serves /metrics and /healthz; 0: nowhere
	SMTPURL      string   `env:"SMTP_URL"`                   // smtp://user:pass@host:587 or smtps://…; empty: no mail is sent
	MailFrom     string   `env:"MAIL_FROM"`                  // such as "Beagle <beagle@example.com>"
	SentryDSN    string   `env:"SENTRY_DSN"`                 // where errors, time-outs and alarms are reported; empty: nowhere
	Environment  string   `env:"SENTRY_ENVIRONMENT" envDefault:"production"`
	TraceURL     string   `env:"OTEL_EXPORTER_OTLP_ENDPOINT"` // where traces go by OTLP over HTTP; empty: none are made
	TraceHeaders string   `env:"OTEL_EXPORTER_OTLP_HEADERS"`  // such as "x-key=abc,x-team=1"
	AlertURL     string   `env:"ALERT_WEBHOOK_URL"`           // told of alarms when they begin and when they are over
	AlertSecret  string   `env:"ALERT_WEBHOOK_SECRET"`        // whsec_…, signs what is sent there
	PingURLs     []string `env:"PING_URLS"`                   // must answer 200, such as https://beagle.example.com/readyz
	KeepMail     bool     `env:"-"`                           // set by `beagle up`: mail is kept and shown at /dev/mail
}

func (r Run) check(bad func(name, format string, args ...any)) {
	if r.WorkerPort < 0 || r.WorkerPort > 65535 {
		bad("WORKER_PORT", "must be between 0 and 65535, is %d", r.WorkerPort)
	}
	if r.MetricsToken != "" && len(r.MetricsToken) < 16 {
		bad("METRICS_TOKEN", "must have at least 16 characters")
	}
	if r.SMTPURL != "" {
		u, err := url.Parse(r.SMTPURL) // its text is not shown: it may hold a password
		if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
			bad("SMTP_URL", "must look like smtp://user:password@host:587 or smtps://user:password@host:465")
		}
		if r.MailFrom == "" {
			bad("MAIL_FROM", "is needed when SMTP_URL is set")
		}
	}
	r.checkWatching(bad)
	if r.MailFrom != "" {
		if _, err := mail.ParseAddress(r.MailFrom); err != nil {
			bad("MAIL_FROM", "must be an address such as beagle@example.com")
		}
	}
}

const minAlertSecret = 16 // bytes, decoded

func (r Run) checkWatching(bad func(name, format string, args ...any)) {
	if r.SentryDSN != "" && !isURL(r.SentryDSN) {
		bad("SENTRY_DSN", "must look like https://key@host/project")
	}
	if r.TraceURL != "" && !isURL(r.TraceURL) {
		bad("OTEL_EXPORTER_OTLP_ENDPOINT", "must be a URL such as http://collector.example:4318")
	}
	if r.AlertURL != "" {
		if !isURL(r.AlertURL) {
			bad("ALERT_WEBHOOK_URL", "must be a URL such as https://alerts.example.com/beagle")
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.AlertSecret, "whsec_"))
		if err != nil || len(key) < minAlertSecret {
			bad("ALERT_WEBHOOK_SECRET", "is needed for ALERT_WEBHOOK_URL: whsec_ and at least %d bytes in base64", minAlertSecret)
		}
	}
	for _, u := range r.PingURLs {
		if !isURL(u) {
			bad("PING_URLS", "must be URLs such as https://beagle.example.com/readyz, separated by commas")
		}
	}
}
