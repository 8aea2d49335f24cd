package config

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// How mail servers are asked.
const (
	ProbeAuto    = "auto"    // as smtp, but as pattern while the last look at our own health says so
	ProbeSMTP    = "smtp"    // mail servers are always asked
	ProbePattern = "pattern" // no mail server is asked: addresses are ranked by pattern and MX, with capped scores
)

// Health says how we look at ourselves as mail servers see us.
type Health struct {
	Mode      string        `env:"PROBE_MODE" envDefault:"auto"`
	Every     time.Duration `env:"PROBE_HEALTH_EVERY" envDefault:"15m"` // between two looks of the clock; 0: never
	Canaries  []string      `env:"PROBE_CANARIES" envDefault:"gmail.com,outlook.com"`
	Zones     []string      `env:"DNSBL_ZONES" envDefault:"zen.spamhaus.org,bl.spamcop.net,psbl.surriel.com"`
	Addresses []string      `env:"PROBE_PUBLIC_ADDRESSES"` // how mail servers see us, where that cannot be found out
}

// PublicAddresses are Addresses, which check has read.
func (h Health) PublicAddresses() []netip.Addr { return parseAddresses(h.Addresses) }

func parseAddresses(list []string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		if ip, err := netip.ParseAddr(strings.TrimSpace(s)); err == nil {
			out = append(out, ip)
		}
	}
	return out
}

func (h Health) check(bad func(name, format string, args ...any)) {
	if !slices.Contains([]string{ProbeAuto, ProbeSMTP, ProbePattern}, h.Mode) {
		bad("PROBE_MODE", "must be auto, smtp or pattern, is %q", h.Mode)
	}
	if h.Every != 0 && h.Every < time.Minute {
		bad("PROBE_HEALTH_EVERY", "must be 0 or at least 1m, is %s", h.Every)
	}
	for _, s := range h.Addresses {
		if ip, err := netip.ParseAddr(strings.TrimSpace(s)); err != nil || ip.Zone() != "" || ip.IsUnspecified() {
			bad("PROBE_PUBLIC_ADDRESSES", "%q is no IP address", s)
		}
	}
}
