// Package config reads the environment, once, into a Config. It is the only place that looks at environment variables.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Config is everything an operator can set. Every field names its variable; docs/settings.md lists them.
type Config struct {
	Port           int           `env:"PORT" envDefault:"3000"`
	BindAddress    string        `env:"BIND_ADDRESS"` // of this machine, where web and worker listen; empty: all of them, and loopback in `beagle up`
	BaseURL        string        `env:"BASE_URL"`
	DatabaseURL    string        `env:"DATABASE_URL"`
	RedisURL       string        `env:"REDIS_URL"`
	RedisProvider  string        `env:"REDIS_PROVIDER"`
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"25s"`
	Shutdown       time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"25s"`
	DrainDelay     time.Duration `env:"DRAIN_DELAY" envDefault:"2s"` // how long web still takes requests after /readyz has begun to say no
	TrustedProxies []string      `env:"TRUSTED_PROXIES"`
	SecureCookies  bool          `env:"SECURE_COOKIES" envDefault:"true"`
	SignUps        bool          `env:"SIGN_UPS" envDefault:"true"`
	SecretKey      string        `env:"SECRET_KEY"` // seals what signs webhooks; empty: kept in clear
	Credits        bool          `env:"CREDITS" envDefault:"false"`
	CreditsLow     int64         `env:"CREDITS_LOW" envDefault:"100"` // owners are told when fewer are left; 0: never
	LogLevel       string        `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat      string        `env:"LOG_FORMAT"` // json or text; empty: json, and text in `beagle up`

	S3     S3
	Upload Upload
	Limits Limits
	Worker Worker
	Probe  Probe
	Health Health
	Scale  Scale
	Run    Run
}

// S3 is where uploads and result files live. Empty keys mean the SDK's own chain of credentials.
type S3 struct {
	Endpoint  string `env:"S3_ENDPOINT"`
	Bucket    string `env:"S3_BUCKET"`
	Region    string `env:"AWS_REGION" envDefault:"us-east-1"`
	AccessKey string `env:"AWS_ACCESS_KEY_ID"`
	SecretKey string `env:"AWS_SECRET_ACCESS_KEY"`
	PathStyle bool   `env:"S3_PATH_STYLE" envDefault:"true"`
}

// Upload bounds what a person may send.
type Upload struct {
	MaxBytes int64 `env:"UPLOAD_MAX_BYTES" envDefault:"536870912"`
	MaxRows  int   `env:"UPLOAD_MAX_ROWS" envDefault:"2000000"`
}

// Limits bounds how fast the API may be called, in requests a minute.
type Limits struct {
	PerKey     int `env:"API_REQUESTS_PER_KEY" envDefault:"600"`
	PerAccount int `env:"API_REQUESTS_PER_ACCOUNT" envDefault:"1200"` // all its keys together
}

// Worker says how record jobs are run.
type Worker struct {
	Concurrency   int           `env:"WORKER_CONCURRENCY" envDefault:"50"`     // lookups at once in each record server
	RecordServers int           `env:"WORKER_RECORD_SERVERS" envDefault:"4"`   // asynq servers for the records queue
	EmbedInWeb    bool          `env:"WEB_EMBEDS_WORKER" envDefault:"false"`   // web runs a worker too
	WindowPerList int           `env:"FEED_WINDOW_PER_LIST" envDefault:"2000"` // tasks of one list in Redis
	WindowTotal   int           `env:"FEED_WINDOW_TOTAL" envDefault:"20000"`   // tasks of all lists in Redis
	ReuseDays     int           `env:"REUSE_ANSWERS_DAYS" envDefault:"30"`     // an answer this young is used again
	MaxAge        time.Duration `env:"WORKER_MAX_AGE" envDefault:"0"`          // a worker this old drains and ends, to be started anew; 0: never
	MaxTries      int           `env:"GREYLIST_MAX_TRIES" envDefault:"6"`      // lookups of one record before "come back later" becomes unknown
	MaxWait       time.Duration `env:"GREYLIST_MAX_WAIT" envDefault:"6h"`      // longest time between two of them
}

// Probe says how mail servers are asked.
type Probe struct {
	DNSServer    string        `env:"DNS_SERVER"`
	SMTPPort     int           `env:"PROBE_SMTP_PORT" envDefault:"25"`
	Helo         string        `env:"PROBE_HELO"`
	MailFrom     string        `env:"PROBE_MAIL_FROM"`
	Proxy        string        `env:"PROBE_PROXY"`
	AllowPrivate bool          `env:"PROBE_ALLOW_PRIVATE" envDefault:"false"`
	MaxPerHost   int           `env:"PROBE_MAX_PER_HOST" envDefault:"4"`
	Timeout      time.Duration `env:"PROBE_TIMEOUT" envDefault:"30s"` // for each reply of a mail server

	SessionsPerMinute int      `env:"PROBE_SESSIONS_PER_MINUTE" envDefault:"300"` // new ones to one mail server
	SourceAddresses   []string `env:"PROBE_SOURCE_ADDRESSES"`                     // of this machine; empty: the system's choice
}

// Sources are SourceAddresses, which check has read.
func (p Probe) Sources() []netip.Addr { return parseAddresses(p.SourceAddresses) }

// Load reads the process's environment. Every wrong value is reported at once, each by the name of its variable.
func Load() (Config, error) { return Parse(env.ToMap(os.Environ())) }

// Parse reads the given variables. Unset ones take their defaults.
func Parse(vars map[string]string) (Config, error) {
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: vars}); err != nil {
		return Config{}, fmt.Errorf("environment:\n%w", errors.Join(unreadable(vars, err)...))
	}
	if c.RedisProvider != "" {
		c.RedisURL = vars[c.RedisProvider]
		if c.RedisURL == "" {
			return Config{}, fmt.Errorf("environment: REDIS_PROVIDER names %s, which is not set", c.RedisProvider)
		}
	}
	if err := errors.Join(append(unchanged(c, vars), c.check()...)...); err != nil {
		return Config{}, fmt.Errorf("environment:\n%w", err)
	}
	return c, nil
}

// unreadable are the variables that are no number, time or switch where one belongs, each by its name; env knows them by our fields' names only.
func unreadable(vars map[string]string, all error) (errs []error) {
	fields, err := env.GetFieldParams(&Config{})
	if err != nil {
		return []error{all, err}
	}
	for _, f := range fields {
		var wrong env.ParseError
		if err := env.ParseWithOptions(&Config{}, env.Options{Environment: map[string]string{f.Key: vars[f.Key]}}); errors.As(err, &wrong) {
			errs = append(errs, fmt.Errorf("  %s: must be %s, is %q", f.Key, kindOf(wrong.Type), vars[f.Key]))
		}
	}
	if len(errs) == 0 {
		return []error{all}
	}
	return errs
}

// kindOf says what a variable of a type looks like.
func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a time with its unit such as 30s, 15m or 6h"
	case t.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}

// placeholder is what the example files have where a secret belongs.
const placeholder = "change-me"

// unchanged are the variables of ours that still hold a placeholder: a secret that everybody can read is none. Their values are not shown.
func unchanged(c Config, vars map[string]string) (errs []error) {
	fields, err := env.GetFieldParams(&c)
	if err != nil {
		return []error{err}
	}
	names := []string{c.RedisProvider}
	for _, f := range fields {
		names = append(names, f.Key)
	}
	for _, name := range names {
		if strings.Contains(strings.ToLower(vars[name]), placeholder) {
			errs = append(errs, fmt.Errorf("  %s: still has the CHANGE-ME of the example; put a value of your own there", name))
		}
	}
	return errs
}

// Listen is where a process listens on a port; fallback is the address where BIND_ADDRESS names none.
func (c Config) Listen(port int, fallback string) string {
	return net.JoinHostPort(cmp.Or(c.BindAddress, fallback), strconv.Itoa(port))
}

// NeedServices reports which variables a process on real services still lacks.
func (c Config) NeedServices() error {
	var missing []string
	for name, value := range map[string]string{"DATABASE_URL": c.DatabaseURL, "REDIS_URL": c.RedisURL, "S3_BUCKET": c.S3.Bucket} {
		if value == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("set %s (or use `beagle up`, which brings its own)", strings.Join(missing, ", "))
}

func (c Config) check() []error {
	var errs []error
	bad := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("  %s: %s", name, fmt.Sprintf(format, args...)))
	}
	c.checkNumbers(bad)
	c.checkTimes(bad)
	c.checkPlaces(bad)
	c.Probe.check(bad)
	c.Health.check(bad)
	c.Scale.check(bad)
	c.Run.check(bad)
	if c.SecretKey != "" && len(c.SecretKey) < 32 {
		bad("SECRET_KEY", "must have at least 32 characters, such as what `openssl rand -hex 32` prints")
	}
	if err := new(slog.LevelVar).UnmarshalText([]byte(c.LogLevel)); err != nil {
		bad("LOG_LEVEL", "must be debug, info, warn or error, is %q", c.LogLevel)
	}
	if !slices.Contains([]string{"", "json", "text"}, c.LogFormat) {
		bad("LOG_FORMAT", "must be json or text, is %q", c.LogFormat)
	}
	return errs
}

func (c Config) checkNumbers(bad func(name, format string, args ...any)) {
	for _, n := range []struct {
		name             string
		value, low, high int
	}{
		{"PORT", c.Port, 0, 65535},
		{"WORKER_CONCURRENCY", c.Worker.Concurrency, 1, 2000},
		{"WORKER_RECORD_SERVERS", c.Worker.RecordServers, 1, 32},
		{"FEED_WINDOW_PER_LIST", c.Worker.WindowPerList, 1, 100_000},
		{"FEED_WINDOW_TOTAL", c.Worker.WindowTotal, 1, 1_000_000},
		{"GREYLIST_MAX_TRIES", c.Worker.MaxTries, 1, 100},
		{"REUSE_ANSWERS_DAYS", c.Worker.ReuseDays, 0, 3650},
		{"API_REQUESTS_PER_KEY", c.Limits.PerKey, 1, 1_000_000_000},
		{"API_REQUESTS_PER_ACCOUNT", c.Limits.PerAccount, 1, 1_000_000_000},
		{"UPLOAD_MAX_ROWS", c.Upload.MaxRows, 1, 100_000_000},
		{"PROBE_SMTP_PORT", c.Probe.SMTPPort, 1, 65535},
		{"PROBE_MAX_PER_HOST", c.Probe.MaxPerHost, 1, 100},
		{"PROBE_SESSIONS_PER_MINUTE", c.Probe.SessionsPerMinute, 1, 60_000},
	} {
		if n.value < n.low || n.value > n.high {
			bad(n.name, "must be between %d and %d, is %d", n.low, n.high, n.value)
		}
	}
	if c.Upload.MaxBytes < 1024 {
		bad("UPLOAD_MAX_BYTES", "must be at least 1024, is %d", c.Upload.MaxBytes)
	}
	if c.CreditsLow < 0 {
		bad("CREDITS_LOW", "must be 0 or more, is %d", c.CreditsLow)
	}
}

func (c Config) checkTimes(bad func(name, format string, args ...any)) {
	if c.Worker.MaxWait < time.Second {
		bad("GREYLIST_MAX_WAIT", "must be at least 1s, is %s", c.Worker.MaxWait)
	}
	if c.Worker.MaxAge != 0 && c.Worker.MaxAge < time.Minute {
		bad("WORKER_MAX_AGE", "must be 0 or at least 1m, is %s", c.Worker.MaxAge)
	}
	if c.Probe.Timeout < time.Second || c.Probe.Timeout > 5*time.Minute {
		bad("PROBE_TIMEOUT", "must be between 1s and 5m, is %s", c.Probe.Timeout)
	}
	if c.RequestTimeout < time.Second || c.RequestTimeout > 10*time.Minute {
		bad("REQUEST_TIMEOUT", "must be between 1s and 10m, is %s", c.RequestTimeout)
	}
	if c.Shutdown < time.Second || c.Shutdown > 10*time.Minute {
		bad("SHUTDOWN_TIMEOUT", "must be between 1s and 10m, is %s", c.Shutdown)
	}
	if c.DrainDelay < 0 || c.DrainDelay > time.Minute {
		bad("DRAIN_DELAY", "must be between 0 and 1m, is %s", c.DrainDelay)
	}
}

// checkPlaces checks where the stores, this installation and its proxies are.
func (c Config) checkPlaces(bad func(name, format string, args ...any)) {
	if c.Run.SMTPURL != "" && c.BaseURL == "" {
		bad("BASE_URL", "is needed when SMTP_URL is set: mails carry links")
	}
	if c.DatabaseURL != "" && !hasScheme(c.DatabaseURL, "postgres", "postgresql", "sqlite") {
		bad("DATABASE_URL", "must begin with postgres:// or sqlite://")
	}
	if c.RedisURL != "" && !hasScheme(c.RedisURL, "redis", "rediss") {
		bad("REDIS_URL", "must begin with redis:// or rediss://")
	}
	if c.S3.Endpoint != "" && !isURL(c.S3.Endpoint) {
		bad("S3_ENDPOINT", "must be a URL such as https://s3.example.com")
	}
	if c.BaseURL != "" && !isURL(c.BaseURL) {
		bad("BASE_URL", "must be a URL such as https://beagle.example.com")
	}
	if c.BindAddress != "" {
		if _, err := netip.ParseAddr(c.BindAddress); err != nil {
			bad("BIND_ADDRESS", "must be an IP address of this machine such as 127.0.0.1, is %q", c.BindAddress)
		}
	}
	for _, p := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			bad("TRUSTED_PROXIES", "%q is no network such as 10.0.0.0/8", p)
		}
	}
}

// check checks where questions come from; its numbers and times are among the others.
func (p Probe) check(bad func(name, format string, args ...any)) {
	for _, s := range p.SourceAddresses {
		if ip, err := netip.ParseAddr(strings.TrimSpace(s)); err != nil || ip.Zone() != "" || ip.IsUnspecified() {
			bad("PROBE_SOURCE_ADDRESSES", "%q is no IP address of this machine", s)
		}
	}
	if len(p.SourceAddresses) > 0 && p.Proxy != "" {
		bad("PROBE_SOURCE_ADDRESSES", "cannot be used with PROBE_PROXY: the proxy decides where its connections come from")
	}
}

func hasScheme(s string, schemes ...string) bool {
	scheme, _, found := strings.Cut(s, "://")
	return found && slices.Contains(schemes, scheme)
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
