//go:build drill

package drill

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// balancer passes requests on to web processes that say that they are ready, as Caddy or a cloud's balancer does. It looks every
// balancerLook, and tries no request a second time.
type balancer struct {
	mu     sync.Mutex
	ports  []int
	ready  []int
	passed atomic.Int64 // requests
}

const (
	balancerLook     = 200 * time.Millisecond
	balancerPatience = 5 * time.Second // Caddy's default
	enough           = 1000            // requests between two replacements
	loadPatience     = time.Minute     // for so many
)

func (b *balancer) add(port int) {
	b.mu.Lock()
	b.ports = append(b.ports, port)
	b.mu.Unlock()
}

// look asks every process until ctx ends.
func (b *balancer) look(ctx context.Context) {
	client := &http.Client{Timeout: balancerPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		b.mu.Lock()
		ports := append([]int(nil), b.ports...)
		b.mu.Unlock()
		var ready []int
		for _, port := range ports {
			if got, err := client.Get("http://127.0.0.1:" + strconv.Itoa(port) + "/readyz"); err == nil {
				_ = got.Body.Close()
				if got.StatusCode == http.StatusOK {
					ready = append(ready, port)
				}
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(balancerLook):
		}
	}
}

func (b *balancer) isReady(port int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.ready {
		if p == port {
			return true
		}
	}
	return false
}

// awaitMore waits until the load goes on.
func (b *balancer) awaitMore(t *testing.T) {
	before := b.passed.Load()
	require.True(t, assertEventually(loadPatience, func() bool { return b.passed.Load() > before+enough }), "no load")
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	ready := b.ready
	b.mu.Unlock()
	if len(ready) == 0 {
		http.Error(w, "nobody is ready", http.StatusBadGateway)
		return
	}
	to := &url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(ready[int(b.passed.Add(1))%len(ready)])}
	httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
}
