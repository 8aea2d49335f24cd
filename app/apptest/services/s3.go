package services

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	region       = "us-east-1"
	testAccess   = "beagle-test"
	testSecret   = "beagle-test-secret"
	buildTimeout = 5 * time.Minute
	versitygw    = "github.com/versity/versitygw"
)

// S3Config is a bucket name that nobody has used yet and how to reach its store. The bucket does not
// exist: opening it with the application's own code makes it.
type S3Config struct{ Endpoint, Bucket, Region, AccessKey, SecretKey string }

var sharedS3 shared

// S3 gives a bucket of a versitygw, which checks signatures as AWS does. Requests use path style.
func S3(t testing.TB) S3Config {
	t.Helper()
	if endpoint := os.Getenv(envS3); endpoint != "" {
		c := newBucket(endpoint)
		c.AccessKey = firstEnv("TEST_S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
		c.SecretKey = firstEnv("TEST_S3_SECRET_KEY", "AWS_SECRET_ACCESS_KEY")
		t.Cleanup(func() { removeBucket(t, c) })
		return c
	}
	return newBucket(sharedS3.get(t, startS3).URL)
}

// NewS3 starts an S3 that only this test uses.
func NewS3(t testing.TB) (*Server, S3Config) {
	t.Helper()
	s, err := startS3()
	if err != nil {
		unavailable(t, err)
	}
	return s.own(t), newBucket(s.URL)
}

func newBucket(endpoint string) S3Config {
	return S3Config{
		Endpoint: endpoint, Bucket: "test-" + strings.ToLower(rand.Text()), Region: region,
		AccessKey: testAccess, SecretKey: testSecret,
	}
}

func firstEnv(names ...string) string {
	for _, name := range names {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

func startS3() (*Server, error) {
	bin, err := versitygwBin()
	if err != nil {
		return nil, err
	}
	s := &Server{
		name: "versitygw",
		kill: syscall.SIGKILL,
		command: func(dir string, port int) *exec.Cmd {
			cmd := exec.Command(bin, "--quiet", "--keep-alive", "--port", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
				"--region", region, "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
			// Nothing of our environment: it has settings by other names in it.
			cmd.Env = []string{"ROOT_ACCESS_KEY=" + testAccess, "ROOT_SECRET_KEY=" + testSecret, "HOME=" + dir}
			cmd.Dir = dir
			return cmd
		},
		ready: askS3,
	}
	setup := func(dir string) error {
		return errors.Join(os.Mkdir(filepath.Join(dir, "meta"), 0o700), os.Mkdir(filepath.Join(dir, "data"), 0o700))
	}
	if _, err := launch(s, setup); err != nil {
		return nil, err
	}
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", s.port)
	return s, nil
}

func askS3(ctx context.Context, port int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
	if err != nil {
		return err
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// versitygwBin is the binary that `make tools` keeps in the user's cache; if it is not there it is
// built from the pinned module in .ci/tools, which takes a minute.
func versitygwBin() (string, error) {
	module, err := toolsModule()
	if err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	pinned := regexp.MustCompile(regexp.QuoteMeta(versitygw) + ` (v\S+)`).FindSubmatch(mod)
	if pinned == nil {
		return "", fmt.Errorf("%s is not pinned in %s", versitygw, module)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(cache, "beagle-tools", "versitygw-"+string(pinned[1]))
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	return bin, buildTool(module, bin)
}

// toolsModule is .ci/tools of the repository this test runs in.
func toolsModule() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		module := filepath.Join(dir, ".ci", "tools")
		if _, err := os.Stat(filepath.Join(module, "go.mod")); err == nil {
			return module, nil
		}
		if dir == filepath.Dir(dir) {
			return "", missing("versitygw (no .ci/tools above the test)")
		}
		dir = filepath.Dir(dir)
	}
}

// buildTool builds beside the target and renames, so that test binaries may do it at the same time.
func buildTool(module, bin string) error {
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	tmp := fmt.Sprintf("%s.%d", bin, os.Getpid())
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", tmp, versitygw+"/cmd/versitygw")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("versitygw is %w and does not build: %w: %s", errMissing, err, lastLine(out))
	}
	return os.Rename(tmp, bin)
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
