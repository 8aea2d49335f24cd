//go:build drill

package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	clients       = 24                     // at once; the own generator gives each an account
	pause         = 100 * time.Millisecond // of a client of the own generator: within its limit of requests
	clientTimeout = 30 * time.Second
)

// traffic is what came of a load: pages, API reads and, as every tenth request, a list made by the API, which nobody may send twice.
type traffic struct {
	by       string // the generator
	answered int64  // by 2xx
	made     int64  // lists that were answered for
	open     int64  // requests at most that were cut off when the load ended
	failed   []string
}

// traffic loads site while work goes on: by wrk where it is installed, else by a generator of our own.
func (h *house) traffic(site string, keys []string, work func()) traffic {
	if wrk, err := exec.LookPath("wrk"); err == nil {
		return wrkTraffic(h.t, wrk, site, keys, work)
	}
	return ownTraffic(h.t, site, keys, work)
}

// wrkTraffic sends as many requests as wrk can with a short pause, and goes by what it counts: errors of sockets and statuses other than 2xx.
func wrkTraffic(t *testing.T, wrk, site string, keys []string, work func()) traffic {
	var out bytes.Buffer
	c := exec.Command(wrk, append([]string{"-t", "2", "-c", strconv.Itoa(clients), "-d", seconds(patience), "--timeout", seconds(clientTimeout),
		"-s", "testdata/traffic.lua", site, "--"}, keys...)...)
	c.Stdout, c.Stderr = &out, &out
	require.NoError(t, c.Start())
	defer func() { _ = c.Process.Kill() }() // when work has failed; else it has ended
	work()
	require.NoError(t, c.Process.Signal(os.Interrupt)) // it ends, and says what it has counted
	require.NoError(t, c.Wait(), out.String())
	var sum struct {
		Answered, Made, Connect, Read, Write, Timeout int64
		Bad                                           string
	}
	said := out.String()
	require.NoError(t, json.Unmarshal([]byte(said[max(0, strings.LastIndex(said, "\n{")):]), &sum), said)
	got := traffic{by: "wrk", answered: sum.Answered, made: sum.Made, open: clients}
	if sum.Connect+sum.Read+sum.Write+sum.Timeout > 0 || sum.Bad != "" {
		got.failed = append(got.failed, said)
	}
	return got
}

// seconds is a time as wrk takes it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.0fs", d.Seconds()) }

// ownTraffic is for machines without wrk. It lets each request end.
func ownTraffic(t *testing.T, site string, keys []string, work func()) traffic {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g := &generator{site: site, sum: traffic{by: "our generator"}}
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() { g.run(ctx, i, keys[i%len(keys)]) })
	}
	work()
	cancel()
	running.Wait()
	return g.sum
}

type generator struct {
	site string
	mu   sync.Mutex
	sum  traffic
}

func (g *generator) run(ctx context.Context, i int, key string) {
	client := &http.Client{Timeout: clientTimeout, Transport: &http.Transport{}}
	for n := 0; ctx.Err() == nil; n++ {
		method, path, body := "GET", []string{"/", "/docs/api", "/v2/lists", "/v2/account"}[n%4], ""
		if n%10 == 9 {
			method, path, body = "POST", "/v2/lists", fmt.Sprintf(`{"name":"%d-%d","process":"none","records":[{"first_name":"Ada","domain":"alder.example"}]}`, i, n)
		}
		g.note(method, path, send(client, method, g.site+path, key, body))
		time.Sleep(pause) // the pace of a client
	}
}

// send makes one request. Anything but a complete 2xx is an error.
func send(client *http.Client, method, url, key, body string) error {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	got, err := client.Do(r)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if _, err := io.Copy(io.Discard, got.Body); err != nil {
		return err
	}
	if got.StatusCode < 200 || got.StatusCode > 299 {
		return fmt.Errorf("answered %s", got.Status)
	}
	return nil
}

func (g *generator) note(method, path string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.sum.failed = append(g.sum.failed, fmt.Sprintf("%s %s: %v", method, path, err))
		return
	}
	g.sum.answered++
	if method == "POST" {
		g.sum.made++
	}
}
