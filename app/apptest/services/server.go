package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

const (
	startTimeout = 20 * time.Second
	endTimeout   = 10 * time.Second
	startTries   = 3 // a free port may be taken before the server binds it
	pollEvery    = 10 * time.Millisecond
	outputKept   = 4 << 10 // bytes of a server's last words, for the error
	dirPrefix    = "beagle-test-"
)

// Server is one service process. Tests of its death own one: it can be killed and started again on
// the same port with the data it had.
type Server struct {
	URL string // what the application is configured with

	name    string
	command func(dir string, port int) *exec.Cmd
	ready   func(ctx context.Context, port int) error
	kill    os.Signal // ends it at once, without leaving children or shared memory
	account *account  // whose process it is; nil = ours

	dir  string
	port int
	proc *process
}

// launch makes the data directory with setup and starts the server on a free port.
func launch(s *Server, setup func(dir string) error) (*Server, error) {
	dir, err := newDir(s.account)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	s.dir = dir
	running.Lock()
	running.set[s] = struct{}{}
	running.Unlock()
	if err := setup(dir); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	for range startTries {
		if s.port, err = freePort(); err != nil {
			return nil, err
		}
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// Kill ends the process as a crash would and waits until it is gone.
func (s *Server) Kill() {
	if s.proc == nil {
		return
	}
	s.proc.end(s.kill)
	s.proc = nil
}

// Start runs a killed server again, same port, same data, and waits until it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if s.proc != nil {
		return
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) start() error {
	p, err := startProcess(s.command(s.dir, s.port), s.account, s.kill)
	if err != nil {
		return fmt.Errorf("starting %s: %w", s.name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := s.ready(ctx, s.port)
		if err == nil && !p.gone() {
			s.proc = p
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended at start: %s", s.name, p.out)
		case <-ctx.Done():
			p.end(s.kill)
			return fmt.Errorf("%s does not answer (%w): %s", s.name, err, p.out)
		case <-time.After(pollEvery):
		}
	}
}

func (s *Server) end() {
	s.Kill()
	_ = os.RemoveAll(s.dir)
}

// own ends the server with the test instead of the binary.
func (s *Server) own(t testing.TB) *Server {
	t.Cleanup(func() {
		running.Lock()
		defer running.Unlock()
		if _, ok := running.set[s]; ok {
			s.end()
			delete(running.set, s)
		}
	})
	return s
}

// process is a running child. It dies with this process where the system can do that.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	out  *tail
}

func startProcess(cmd *exec.Cmd, as *account, atDeath os.Signal) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{}), out: &tail{}}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	cmd.SysProcAttr = attributes(as, atDeath)
	started := make(chan error)
	go func() {
		// Linux ends the child when the thread that made it ends, so the thread stays until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	return p, <-started
}

func (p *process) gone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) end(sig os.Signal) {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = p.cmd.Process.Kill()
	}
	select {
	case <-p.done:
	case <-time.After(endTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	t.b = t.b[max(0, len(t.b)-outputKept):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.b))
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}

// newDir makes a directory for the account, and removes those of test binaries that died.
func newDir(as *account) (string, error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	for _, dir := range old {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), dirPrefix+"%d-", &pid); err == nil && dead(pid) {
			_ = os.RemoveAll(dir)
		}
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		return "", err
	}
	if as != nil {
		err = os.Chown(dir, as.uid, as.gid)
	}
	return dir, err
}

// account is whose process a server is, when it must not be root's.
type account struct{ uid, gid int }

// missing says that a program is not installed and how it is called.
func missing(program string) error { return fmt.Errorf("%s is %w", program, errMissing) }
