package app

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// How record tasks are taken from the queue. asynq takes one task with each call, whichever is oldest. taker is a hook of the record servers'
// Redis client that answers these calls from a few tasks taken at once, and prefers those whose domain belongs to this worker: the sessions
// to a company's mail servers, and what its first rows have taught, are used by its other rows (ADR 14).
const (
	takeMost   = 16                     // tasks taken at once
	takeShare  = 4                      // of the tasks that could be taken up now, a quarter
	takeOthers = 4                      // of other workers' tasks, when none of our own waits
	takeWindow = 256                    // oldest tasks of the queue among which our own are looked for
	takeRest   = 500 * time.Millisecond // tasks that no server has asked for by then go back
	takeShards = 256
)

// takeTasks does what asynq's own script for one task does (v0.26, internal/rdb), for several: {id, message, …}.
// KEYS: pending, paused, active, lease. ARGV: end of the lease, prefix of a task's key, how many, our shards as a 1 for each of takeShards
// or "" for all, how many of the oldest to look at, how many of others' to take when none is ours. A shard is read from the task's payload
// (recordTask.Shard), where no value can look like it, since quotes within values are escaped; a task without one is everybody's.
var takeTasks = redis.NewScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return {} end
local most, share, got = tonumber(ARGV[3]), ARGV[4], {}
local function begin(id)
  local key = ARGV[2] .. id
  local message = redis.call('HGET', key, 'msg')
  if not message then
    redis.call('LREM', KEYS[3], 1, id)
    return
  end
  redis.call('HSET', key, 'state', 'active')
  redis.call('HDEL', key, 'pending_since')
  redis.call('ZADD', KEYS[4], ARGV[1], id)
  got[#got + 1] = id
  got[#got + 1] = message
end
if share ~= '' then
  local seen, passed, length = 0, 0, 64
  while #got < 2 * most and seen < tonumber(ARGV[5]) and length == 64 do
    local ids = redis.call('LRANGE', KEYS[1], -passed - 64, -passed - 1)
    length = #ids
    for i = length, 1, -1 do
      local ours = false
      if #got < 2 * most then
        local shard = string.match(redis.call('HGET', ARGV[2] .. ids[i], 'msg') or '', '"h":(%d+)')
        ours = not shard or string.byte(share, tonumber(shard)) == 49
      end
      if ours then
        redis.call('LREM', KEYS[1], -1, ids[i])
        redis.call('LPUSH', KEYS[3], ids[i])
        begin(ids[i])
      else
        passed = passed + 1
      end
    end
    seen = seen + length
  end
  if #got > 0 then return got end
  most = math.min(most, tonumber(ARGV[6]))
end
for _ = 1, most do
  local id = redis.call('RPOPLPUSH', KEYS[1], KEYS[3])
  if not id then break end
  begin(id)
end
return got`)

// putTaskBack does what asynq's script for a task that goes back does. KEYS: active, lease, pending, the task. ARGV: its id.
var putTaskBack = redis.NewScript(`
if redis.call('LREM', KEYS[1], 0, ARGV[1]) == 0 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[1])
redis.call('HSET', KEYS[4], 'state', 'pending')
return 1`)

const recordsPrefix = "asynq:{" + QueueRecords + "}:" // of the keys of their queue

type taker struct {
	redis *redis.Client
	log   *slog.Logger
	free  func() int // tasks that this process could take up now

	mu    sync.Mutex
	share string
	taken []takenTask // and asked for by no server yet
	back  *time.Timer
}

type takenTask struct{ id, message string }

func newTaker(r *redis.Client, log *slog.Logger) *taker {
	t := &taker{redis: r, log: log, free: func() int { return 1 }}
	t.back = time.AfterFunc(takeRest, t.putBack)
	return t
}

// shardOf tells which shard, from 1, the task of a row belongs to: rows of one company belong to the same.
func (t recordTask) shardOf() int {
	_, mail, _ := strings.Cut(t.Address, "@")
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(firstOf(t.Domain, mail, t.Company, strconv.FormatInt(t.ID, 10)))))
	return 1 + int(h.Sum32()%takeShards)
}

// sharing says that this worker is one of several: the shards are dealt out in turn. Nobody need agree on it: tasks whose worker is busy or
// gone are taken by whoever has none of its own.
func (t *taker) sharing(place, workers int) {
	share := ""
	if workers > 1 {
		deal := []byte(strings.Repeat("0", takeShards))
		for i := place; i < takeShards; i += workers {
			deal[i] = '1'
		}
		share = string(deal)
	}
	t.mu.Lock()
	t.share = share
	t.mu.Unlock()
}

// DialHook is part of redis.Hook.
func (t *taker) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessPipelineHook is part of redis.Hook.
func (t *taker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook answers calls for the next record task; everything else goes through.
func (t *taker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		call, ok := cmd.(*redis.Cmd)
		if !ok || !asksForTask(call) {
			return next(ctx, cmd)
		}
		message, err := t.next(ctx, call.Args())
		if err != nil {
			call.SetErr(err)
			return err
		}
		call.SetVal(message)
		return nil
	}
}

// asksForTask knows asynq's script by its keys: pending, paused, active and lease of the queue of records; after them the end of the lease
// and the prefix of a task's key.
func asksForTask(call *redis.Cmd) bool {
	args := call.Args()
	return call.Name() == "evalsha" && len(args) == 9 && args[3] == recordsPrefix+"pending" && args[6] == recordsPrefix+"lease"
}

// next is one task: one that was taken with others before, or the first of some that are taken now.
func (t *taker) next(ctx context.Context, args []any) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.taken) == 0 {
		keys := []string{recordsPrefix + "pending", recordsPrefix + "paused", recordsPrefix + "active", recordsPrefix + "lease"}
		most := max(1, min(takeMost, t.free()/takeShare))
		got, err := takeTasks.Run(ctx, t.redis, keys, args[7], args[8], most, t.share, takeWindow, takeOthers).StringSlice()
		if err != nil {
			return "", err
		}
		for i := 0; i+1 < len(got); i += 2 {
			t.taken = append(t.taken, takenTask{got[i], got[i+1]})
		}
		if len(t.taken) == 0 {
			return "", redis.Nil
		}
		t.back.Reset(takeRest)
	}
	first := t.taken[0]
	t.taken = t.taken[1:]
	return first.message, nil
}

// putBack returns tasks that were taken and that no server has asked for.
func (t *taker) putBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.taken) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
	defer cancel()
	var errs []error
	for i := len(t.taken) - 1; i >= 0; i-- { // the oldest is put in last, to be the next
		id := t.taken[i].id
		errs = append(errs, putTaskBack.Run(ctx, t.redis, []string{recordsPrefix + "active", recordsPrefix + "lease", recordsPrefix + "pending", recordsPrefix + "t:" + id}, id).Err())
	}
	t.taken = nil
	if err := errors.Join(errs...); err != nil {
		t.log.WarnContext(ctx, "tasks not put back; the sweep will", "error", err)
	}
}
