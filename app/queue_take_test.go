package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"beagle/app/apptest/services"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// onEachRedis runs a test on Redis itself and on the embedded one.
func onEachRedis(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("redis", func(t *testing.T) { test(t, services.Redis(t)) })
	t.Run("embedded", func(t *testing.T) { test(t, "redis://"+miniredis.RunT(t).Addr()) })
}

func queueOn(t *testing.T, url string) *Queue {
	q, err := openQueue(t.Context(), url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, q.close()) })
	return q
}

// fill puts rows of several companies into the queue, company after company in turn.
func fill(t *testing.T, q *Queue, rows, companies int) (shards map[string]int) {
	var tasks []bulkTask
	shards = map[string]int{}
	for i := range rows {
		task := recordTask{ID: int64(i + 1), Attempt: 1, Domain: fmt.Sprintf("company-%d.example", i%companies), First: `"h":` + fmt.Sprint(i%256)}
		b, err := task.bulk(ProcessFind)
		require.NoError(t, err)
		tasks = append(tasks, b)
		shards[recordTaskID(task.ID, 1)] = task.shardOf()
	}
	require.NoError(t, q.bulk.enqueue(t.Context(), tasks))
	return shards
}

// taskID is an id within a task's message.
var taskID = regexp.MustCompile(`record:\d+:\d+`)

// take asks as asynq does and gives the ids in the order in which they come, until none is left or n are there.
func take(t *testing.T, q *Queue, n int) (ids []string) {
	until := time.Now().Add(time.Minute).Unix()
	for len(ids) < n {
		text, err := q.rows.EvalSha(t.Context(), "asynq's", []string{recordsPrefix + "pending", recordsPrefix + "paused", recordsPrefix + "active", recordsPrefix + "lease"},
			until, recordsPrefix+"t:").Text()
		if errors.Is(err, redis.Nil) {
			return ids
		}
		require.NoError(t, err)
		id := taskID.FindString(text)
		ids = append(ids, id)
	}
	return ids
}

func TestWorkersTakeTheRowsOfTheirOwnCompaniesFirstAndOthersWhenNoneIsLeft(t *testing.T) {
	onEachRedis(t, func(t *testing.T, url string) {
		first, second := queueOn(t, url), queueOn(t, url)
		shards := fill(t, first, 120, 12)
		for place, q := range []*Queue{first, second} {
			q.taker.sharing(place, 2)
			q.taker.free = func() int { return 40 }
		}
		mine := func(ids []string, place int) (n int) {
			for _, id := range ids {
				shard, known := shards[id]
				require.True(t, known, id)
				if (shard-1)%2 == place {
					n++
				}
			}
			return n
		}
		own := 0
		for _, shard := range shards {
			if (shard-1)%2 == 0 {
				own++
			}
		}
		require.Greater(t, own, 10)
		require.Less(t, own, 110)
		begun := take(t, first, own)
		require.Equal(t, own, mine(begun, 0), "all of its own come first")
		others := take(t, second, 120-own-5)
		require.Equal(t, len(others), mine(others, 1))
		last := take(t, first, 120)
		require.Len(t, last, 5-len(second.taker.taken), "what the other has not taken is taken by whoever has time")
		all := map[string]bool{}
		for _, id := range append(append(begun, others...), last...) {
			require.False(t, all[id], "nothing is given out twice")
			all[id] = true
		}
	})
}

func TestTasksThatNoServerAsksForGoBackInTheirOrder(t *testing.T) {
	onEachRedis(t, func(t *testing.T, url string) {
		q := queueOn(t, url)
		fill(t, q, 30, 3)
		before, err := q.Redis.LRange(t.Context(), recordsPrefix+"pending", 0, -1).Result()
		require.NoError(t, err)
		q.taker.free = func() int { return 40 } // ten are taken at once
		got := take(t, q, 1)
		active, err := q.Redis.LLen(t.Context(), recordsPrefix+"active").Result()
		require.NoError(t, err)
		require.EqualValues(t, 10, active)
		require.Eventually(t, func() bool {
			active, err := q.Redis.LLen(context.Background(), recordsPrefix+"active").Result()
			return err == nil && active == 1
		}, 10*time.Second, 10*time.Millisecond)
		after, err := q.Redis.LRange(t.Context(), recordsPrefix+"pending", 0, -1).Result()
		require.NoError(t, err)
		require.Equal(t, before[:29], after)
		info, err := q.Inspector.GetTaskInfo(QueueRecords, after[28])
		require.NoError(t, err)
		require.Equal(t, asynq.TaskStatePending, info.State)
		info, err = q.Inspector.GetTaskInfo(QueueRecords, got[0])
		require.NoError(t, err)
		require.Equal(t, asynq.TaskStateActive, info.State)
	})
}

func TestPausedQueueGivesNothing(t *testing.T) {
	onEachRedis(t, func(t *testing.T, url string) {
		q := queueOn(t, url)
		fill(t, q, 3, 1)
		require.NoError(t, q.Inspector.PauseQueue(QueueRecords))
		require.Empty(t, take(t, q, 3))
		require.NoError(t, q.Inspector.UnpauseQueue(QueueRecords))
		require.Len(t, take(t, q, 3), 3)
	})
}

// pipelines counts the pipelines that a client sends.
type pipelines struct{ sent atomic.Int64 }

func (p *pipelines) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (p *pipelines) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (p *pipelines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		p.sent.Add(1)
		return next(ctx, cmds)
	}
}

func TestTasksThatEndTogetherAreAcknowledgedTogether(t *testing.T) {
	onEachRedis(t, func(t *testing.T, url string) {
		const rows = 100
		q := queueOn(t, url)
		count := &pipelines{}
		fill(t, q, rows, 7)
		q.Redis.AddHook(count)
		q.taker.free = func() int { return rows }
		var begun, ended sync.WaitGroup
		begun.Add(rows)
		ended.Add(rows)
		together := make(chan struct{})
		server := asynq.NewServerFromRedisClient(q.rows, asynq.Config{Concurrency: rows, Queues: map[string]int{QueueRecords: 1}, LogLevel: asynq.FatalLevel})
		require.NoError(t, server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
			begun.Done()
			<-together
			ended.Done()
			return nil
		})))
		begun.Wait()
		close(together)
		ended.Wait()
		require.Eventually(t, func() bool {
			left, err := q.Redis.Exists(context.Background(), recordsPrefix+"active", recordsPrefix+"lease").Result()
			return err == nil && left == 0
		}, 20*time.Second, 10*time.Millisecond)
		server.Shutdown()
		require.Less(t, count.sent.Load(), int64(rows/2))
		done, err := q.Redis.Get(t.Context(), recordsPrefix+"processed").Int()
		require.NoError(t, err)
		require.Equal(t, rows, done)
		left, err := q.Redis.Keys(t.Context(), recordsPrefix+"t:*").Result()
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

func TestEachAcknowledgementHasItsOwnResult(t *testing.T) {
	onEachRedis(t, func(t *testing.T, url string) {
		q := queueOn(t, url)
		script := redis.NewScript(`if ARGV[1] == 'bad' then return redis.error_reply('NOT FOUND') end return ARGV[1]`)
		ask := func(sha, arg string) (string, error) {
			return q.rows.EvalSha(t.Context(), sha, []string{recordsPrefix + "active"}, arg).Text()
		}
		_, err := ask(script.Hash(), "early")
		require.True(t, redis.HasErrorPrefix(err, "NOSCRIPT"), "asynq sends the script's text then: %v", err)
		require.NoError(t, script.Load(t.Context(), q.Redis).Err())
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				if i%4 == 0 {
					_, err := ask(script.Hash(), "bad")
					require.ErrorContains(t, err, "NOT FOUND")
					return
				}
				got, err := ask(script.Hash(), fmt.Sprint(i))
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(i), got)
			})
		}
		all.Wait()
	})
}

func TestAcknowledgementWhileRedisIsAwayFails(t *testing.T) {
	server := miniredis.RunT(t)
	q := queueOn(t, "redis://"+server.Addr())
	server.Close()
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			require.Error(t, q.rows.EvalSha(t.Context(), "x", []string{recordsPrefix + "active"}, "id").Err())
		})
	}
	all.Wait()
}
