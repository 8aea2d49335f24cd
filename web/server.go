// Package web is what people and programs talk to: server-rendered pages for the one, JSON under /v2 for the other.
// Handlers translate: they read the request, call one method of app and write the answer. Only adapt (routes.go) knows
// that the router is echo.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"beagle/app"
	"beagle/static"
	"beagle/templates"

	"github.com/labstack/echo/v4"
)

// How long a connection may do nothing. Requests have limits of their own; see pace.go.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 90 * time.Second
	maxHeader     = 64 << 10
	drainMargin   = time.Second // of SHUTDOWN_TIMEOUT, kept for closing what did not end by itself
)

// Options are what cmd knows and the environment does not.
type Options struct {
	Demo    bool   // the mail world is simulated: pages say so
	Version string // shown in the footer
	Sample  []byte // a CSV whose people can be found here; nil: the sample can be downloaded, not tried
	SignIn  string // demo: the address to sign in with, shown on the sign-in page
}

// Server answers HTTP for one App.
type Server struct {
	app      *app.App
	opts     Options
	log      *slog.Logger
	pages    *pages
	assets   *assets
	handler  http.Handler
	clientIP func(*http.Request) string
	meters   meters
	secure   bool // cookies are for TLS only
	hsts     bool

	keyLimit  *limiter // requests by one API key
	teamLimit *limiter // requests by all API keys of one account
	badKeys   *limiter // requests without a good key, by IP
	signIns   *limiter // sign-ins and sign-ups, by IP
	streams   *gauge   // live pages open, by account
	seen      sighting // of the back ends
	drain     chan struct{}
	drainOnce sync.Once
}

// New prepares everything that can go wrong before the first request: templates are parsed, static files hashed and packed.
func New(a *app.App, o Options) (*Server, error) {
	log := a.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		app: a, opts: o, log: log,
		secure:    a.Config.SecureCookies,
		hsts:      strings.HasPrefix(a.Config.BaseURL, "https://"),
		keyLimit:  newLimiter("key", a.Config.Limits.PerKey, time.Minute, a.Now),
		teamLimit: newLimiter("account", a.Config.Limits.PerAccount, time.Minute, a.Now),
		badKeys:   newLimiter("ip", 60, time.Minute, a.Now),
		signIns:   newLimiter("ip", 30, time.Minute, a.Now),
		streams:   newGauge(maxStreams),
		drain:     make(chan struct{}),
	}
	var err error
	if s.clientIP, err = ipExtractor(a.Config.TrustedProxies); err != nil {
		return nil, err
	}
	if s.meters, err = newMeters(a.Metrics.Registry); err != nil {
		return nil, fmt.Errorf("preparing metrics: %w", err)
	}
	if s.assets, err = packAssets(static.FS); err != nil {
		return nil, fmt.Errorf("packing static files: %w", err)
	}
	if s.pages, err = parsePages(templates.FS, s.assets); err != nil {
		return nil, fmt.Errorf("parsing templates: %w", err)
	}
	s.handler = s.wrap(s.router())
	return s, nil
}

// Handler is the whole site and API.
func (s *Server) Handler() http.Handler { return s.handler }

// Serve answers on l until ctx ends, then drains: /readyz says no and live pages end at once; for DRAIN_DELAY new requests are still
// taken, since a balancer needs a moment to look; then those that are under way have the rest of SHUTDOWN_TIMEOUT.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	for _, w := range s.app.Config.Warnings() {
		s.log.WarnContext(ctx, w.Variable+" "+w.Text)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving HTTP: %w", err)
	case <-ctx.Done():
	}
	s.StopStreams()
	delay := min(s.app.Config.DrainDelay, s.app.Config.Shutdown/2)
	select {
	case err := <-ended:
		return fmt.Errorf("serving HTTP: %w", err)
	case <-time.After(delay):
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(s.app.Config.Shutdown-delay-drainMargin, drainMargin))
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("requests were cut off after %s", s.app.Config.Shutdown), server.Close())
	}
	<-ended
	return err
}

// StopStreams ends every live page; browsers reconnect, to the process that takes over. /readyz says no from now on.
func (s *Server) StopStreams() { s.drainOnce.Do(func() { close(s.drain) }) }

func (s *Server) isDraining() bool {
	select {
	case <-s.drain:
		return true
	default:
		return false
	}
}

// ipExtractor finds the client's address: the peer's own, or what the named proxies say. Without proxies
// X-Forwarded-For is anybody's word, and is not looked at.
func ipExtractor(proxies []string) (func(*http.Request) string, error) {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect(), nil
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return nil, fmt.Errorf("TRUSTED_PROXIES: %w", err)
		}
		_, network, err := net.ParseCIDR(prefix.Masked().String())
		if err != nil {
			return nil, fmt.Errorf("TRUSTED_PROXIES: %w", err)
		}
		trust = append(trust, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trust...), nil
}
