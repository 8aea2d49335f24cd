package app

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Tasks whose answers were committed together end together, and asynq tells Redis of each in a call of its own: a fifth of a worker's
// CPU time. ackGroup is a hook of the Redis client that the record servers use. It holds an acknowledgement back for ackLinger and sends
// those that came meanwhile in one pipeline; each caller gets its own result or error, as if it had called alone.
const (
	ackLinger  = time.Millisecond
	ackMost    = 500
	ackTimeout = 30 * time.Second // asynq's lease: after it the task is somebody else's
)

type ackGroup struct {
	redis   *redis.Client // sends
	mu      sync.Mutex
	waiting []ack
}

// ack is one call that waits for its group. The copy of the command is written by whoever sends; a caller whose context ends
// leaves it behind.
type ack struct {
	cmd  *redis.Cmd
	done chan struct{}
}

// DialHook is part of redis.Hook.
func (g *ackGroup) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessPipelineHook is part of redis.Hook.
func (g *ackGroup) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook takes acknowledgements into a group; everything else goes through at once. A script that Redis does not know
// (NOSCRIPT, after a flush) is an answer like others: asynq then sends its text, by itself.
func (g *ackGroup) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		call, ok := cmd.(*redis.Cmd)
		if !ok || !acknowledges(call) {
			return next(ctx, cmd)
		}
		a := g.join(ctx, call.Args())
		select {
		case <-a.done:
		case <-ctx.Done():
			call.SetErr(ctx.Err())
			return ctx.Err()
		}
		value, err := a.cmd.Result()
		if err != nil {
			call.SetErr(err)
			return err
		}
		call.SetVal(value)
		return nil
	}
}

// acknowledges tells whether a call takes a task off the active ones: the scripts of asynq whose first key is the list of them.
func acknowledges(call *redis.Cmd) bool {
	args := call.Args()
	if call.Name() != "evalsha" || len(args) < 4 {
		return false
	}
	key, _ := args[3].(string)
	return strings.HasSuffix(key, ":active")
}

func (g *ackGroup) join(ctx context.Context, args []any) ack {
	a := ack{cmd: redis.NewCmd(context.WithoutCancel(ctx), args...), done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, a)
	n := len(g.waiting)
	g.mu.Unlock()
	switch n {
	case 1:
		time.AfterFunc(ackLinger, g.send)
	case ackMost:
		go g.send()
	}
	return a
}

// send sends what waits. Groups do not wait for one another.
func (g *ackGroup) send() {
	g.mu.Lock()
	group := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	if len(group) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), ackTimeout)
	defer cancel()
	pipe := g.redis.Pipeline()
	for _, a := range group {
		_ = pipe.Process(ctx, a.cmd) // queues it; nothing is sent yet
	}
	_, _ = pipe.Exec(ctx) // every command has its own result or error
	for _, a := range group {
		close(a.done)
	}
}
