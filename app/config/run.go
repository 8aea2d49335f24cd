package config

import (
	"net/mail"
	"net/url"
)

// Run is how an installation is watched and how it writes to people.
type Run struct {
	MetricsToken string `env:"METRICS_TOKEN"`              // Bearer token of /metrics; empty: operators and this machine only
	WorkerPort   int    `env:"WORKER_PORT" envDefault:"0"` // where a worker serves /metrics and /healthz; 0: nowhere
	SMTPURL      string `env:"SMTP_URL"`                   // smtp://user:pass@host:587 or smtps://…; empty: no mail is sent
	MailFrom     string `env:"MAIL_FROM"`                  // such as "Beagle <beagle@example.com>"
	KeepMail     bool   `env:"-"`                          // set by `beagle up`: mail is kept and shown at /dev/mail
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
	if r.MailFrom != "" {
		if _, err := mail.ParseAddress(r.MailFrom); err != nil {
			bad("MAIL_FROM", "must be an address such as beagle@example.com")
		}
	}
}
