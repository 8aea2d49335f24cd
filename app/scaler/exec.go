package scaler

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	execTimeout = time.Minute
	execKill    = 5 * time.Second // after execTimeout, for output that children of the command still hold open
	execShown   = 500             // bytes of the output in an error
)

// Exec runs a command of the operator's by the shell, with the wanted number in its environment as WORKERS.
type Exec struct{ Command string }

// Workers is 0: a command says nothing about how many there are.
func (Exec) Workers(context.Context) (int, error) { return 0, nil }

// Set runs the command; it has a minute. An exit code other than 0 is an error with the end of what it printed.
func (e Exec) Set(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, execTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", e.Command)
	cmd.Env = append(os.Environ(), "WORKERS="+strconv.Itoa(n))
	cmd.WaitDelay = execKill
	out, err := cmd.CombinedOutput()
	if err != nil {
		text := strings.TrimSpace(string(out))
		return fmt.Errorf("AUTOSCALE_COMMAND: %w: %s", err, text[max(0, len(text)-execShown):])
	}
	return nil
}
