package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	redisDatabases  = 16            // what a Redis has unless told otherwise; 0 keeps the claims
	claimFor        = 1 * time.Hour // a claim of a test binary that died ends by itself
	redisTimeout    = 5 * time.Second
	redisSlots      = 16384
	clusterPatience = 30 * time.Second
)

// Redis gives the URL of an empty Redis that only this test uses: a server of its own (it starts in
// 50 ms), or a claimed and flushed logical database of the one TEST_REDIS_URL names.
func Redis(t testing.TB) string {
	t.Helper()
	if server := os.Getenv(envRedis); server != "" {
		return claimRedis(t, server)
	}
	return NewRedis(t).URL
}

// NewRedis starts a Redis that only this test uses. It saves nothing: killed, it comes back empty.
func NewRedis(t testing.TB) *Server {
	t.Helper()
	s, err := startRedis()
	if err != nil {
		unavailable(t, err)
	}
	return s.own(t)
}

// NewRedisCluster starts a cluster of one node that only this test uses. It refuses scripts and commands whose keys are not all in one slot.
func NewRedisCluster(t testing.TB) *Server {
	t.Helper()
	s, err := startRedis("--cluster-enabled", "yes")
	if err != nil {
		unavailable(t, err)
	}
	s.own(t)
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", s.port)})
	defer client.Close()
	if err := client.ClusterAddSlotsRange(t.Context(), 0, redisSlots-1).Err(); err != nil {
		t.Fatalf("giving a node all slots: %v", err)
	}
	for deadline := time.Now().Add(clusterPatience); ; time.Sleep(10 * time.Millisecond) {
		info, err := client.ClusterInfo(t.Context()).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cluster is not ready: %v %s", err, info)
		}
	}
}

func startRedis(settings ...string) (*Server, error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, missing("redis-server")
	}
	s := &Server{
		name: "Redis",
		kill: syscall.SIGKILL,
		command: func(dir string, port int) *exec.Cmd {
			cmd := exec.Command(bin, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
				"--save", "", "--appendonly", "no", "--loglevel", "warning")
			cmd.Args = append(cmd.Args, settings...)
			cmd.Dir = dir
			return cmd
		},
		ready: pingRedis,
	}
	if _, err := launch(s, func(string) error { return nil }); err != nil {
		return nil, err
	}
	s.URL = fmt.Sprintf("redis://127.0.0.1:%d/0", s.port)
	return s, nil
}

func pingRedis(ctx context.Context, port int) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(redisTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer := make([]byte, len("+PONG\r\n"))
	n, err := conn.Read(answer)
	if err == nil && !strings.HasPrefix(string(answer[:n]), "+PONG") {
		err = fmt.Errorf("answered %q", answer[:n])
	}
	return err
}

// claimRedis takes a logical database of a running Redis until the test ends.
func claimRedis(t testing.TB, server string) string {
	t.Helper()
	opts, err := redis.ParseURL(server)
	if err != nil {
		t.Fatalf("%s: %v", envRedis, err)
	}
	opts.DB = 0
	claims := redis.NewClient(opts)
	ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
	defer cancel()
	for db := 1; db < redisDatabases; db++ {
		key := fmt.Sprintf("beagle:test:db:%d", db)
		err := claims.SetArgs(ctx, key, os.Getpid(), redis.SetArgs{Mode: "NX", TTL: claimFor}).Err()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			t.Fatalf("claiming a database of %s: %v", envRedis, err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
			defer cancel()
			claims.Del(ctx, key)
			_ = claims.Close()
		})
		opts.DB = db
		return flushed(ctx, t, opts, server)
	}
	t.Fatalf("all %d databases of %s are in use", redisDatabases-1, envRedis)
	return ""
}

func flushed(ctx context.Context, t testing.TB, opts *redis.Options, server string) string {
	t.Helper()
	client := redis.NewClient(opts)
	defer client.Close()
	if err := client.FlushDB(ctx).Err(); err != nil {
		t.Fatalf("emptying a database of %s: %v", envRedis, err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", envRedis, err)
	}
	u.Path = "/" + strconv.Itoa(opts.DB)
	return u.String()
}
