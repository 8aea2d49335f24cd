package config

import (
	"fmt"
	"strings"
	"time"
)

// RouterTimeout is when Heroku's router gives up on a request (H12), and when Heroku kills a process that was told to stop; most others
// wait for 30 or 60 s.
const RouterTimeout = 30 * time.Second

// Warning is a setting that is allowed and hardly meant.
type Warning struct{ Variable, Text string }

// Warnings are said at the start and by `beagle doctor`.
func (c Config) Warnings() (all []Warning) {
	if c.RequestTimeout >= RouterTimeout {
		all = append(all, Warning{"REQUEST_TIMEOUT", fmt.Sprintf("%s is not below the %s of most routers: clients see the router's error page while the work goes on here", c.RequestTimeout, RouterTimeout)})
	}
	if c.Shutdown >= RouterTimeout {
		all = append(all, Warning{"SHUTDOWN_TIMEOUT", fmt.Sprintf("%s is not below the %s after which Heroku kills a process (systemd, Compose and Kubernetes as in docs/deploy: 35 to 40 s): what still runs then is cut off, and looked for as lost",
			c.Shutdown, RouterTimeout)})
	}
	if strings.HasPrefix(c.BaseURL, "https://") && len(c.TrustedProxies) == 0 {
		all = append(all, Warning{"TRUSTED_PROXIES", "is empty, but BASE_URL is https, so a proxy is in front: all visitors seem to have its address, and limits by address hit them together"})
	}
	return all
}
