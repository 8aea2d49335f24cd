package services

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	queryTimeout   = 20 * time.Second
	maxConnections = "300"
)

var sharedPostgres shared

// Postgres makes an empty database for the test, dropped when it ends, and gives its URL. What is
// committed survives the death of the server, not of the machine (fsync off); it trusts everyone on loopback.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(envDatabase)
	if server == "" {
		server = sharedPostgres.get(t, startPostgres).URL
	}
	return newDatabase(t, server)
}

// NewPostgres starts a PostgreSQL that only this test uses; URL names its database "postgres".
func NewPostgres(t testing.TB) *Server {
	t.Helper()
	s, err := startPostgres()
	if err != nil {
		unavailable(t, err)
	}
	return s.own(t)
}

func newDatabase(t testing.TB, server string) string {
	t.Helper()
	name := "beagle_" + strings.ToLower(rand.Text())
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL: %v", envDatabase, err)
	}
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("making a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Logf("dropping the test database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

func startPostgres() (*Server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	s := &Server{
		name:    "PostgreSQL",
		kill:    syscall.SIGQUIT, // immediate shutdown: no checkpoint, but children and shared memory go
		account: as,
		command: func(dir string, port int) *exec.Cmd {
			cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data"), "-h", "127.0.0.1",
				"-p", strconv.Itoa(port), "-F", "-k", "", "-N", maxConnections, "-c", "full_page_writes=off",
				"-c", "log_min_messages=fatal")
			cmd.Dir = dir
			return cmd
		},
		ready: func(ctx context.Context, port int) error {
			conn, err := pgx.Connect(ctx, postgresURL(port))
			if err != nil {
				return err
			}
			return conn.Close(ctx)
		},
	}
	if _, err := launch(s, func(dir string) error { return initdb(bin, dir, as) }); err != nil {
		return nil, err
	}
	s.URL = postgresURL(s.port)
	return s, nil
}

func postgresURL(port int) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
}

func initdb(bin, dir string, as *account) error {
	locale := "C"
	if runtime.GOOS == "linux" {
		locale = "C.UTF-8" // upper and lower case beyond ASCII
	}
	cmd := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres",
		"-A", "trust", "-E", "UTF8", "--locale", locale, "-N", "--no-instructions")
	cmd.Dir = dir
	p, err := startProcess(cmd, as, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("running initdb: %w", err)
	}
	<-p.done
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("initdb: %s: %s", cmd.ProcessState, p.out)
	}
	return nil
}

// postgresBin finds the directory with initdb and postgres, which Debian keeps out of the PATH.
func postgresBin() (string, error) {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, glob := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(glob)
		slices.SortFunc(found, byVersion)
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		_, noServer := exec.LookPath(filepath.Join(dir, "postgres"))
		_, noInit := exec.LookPath(filepath.Join(dir, "initdb"))
		if noServer == nil && noInit == nil {
			return dir, nil
		}
	}
	return "", missing("PostgreSQL (postgres and initdb)")
}

// byVersion puts the newest first: …/postgresql/15/bin before …/postgresql/9.6/bin.
func byVersion(a, b string) int {
	version := func(path string) float64 {
		digits := strings.TrimLeft(filepath.Base(filepath.Dir(path)), "abcdefghijklmnopqrstuvwxyz-@")
		v, _ := strconv.ParseFloat(digits, 64)
		return v
	}
	return int(1000 * (version(b) - version(a)))
}

// unprivileged is whom PostgreSQL runs as when we are root, which it refuses to be.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil {
			return &account{uid: uid, gid: gid}, nil
		}
	}
	return nil, errors.New("PostgreSQL cannot run as root, and there is no account postgres or nobody")
}
