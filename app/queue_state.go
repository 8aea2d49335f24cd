package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// QueueState is one queue as it is now.
type QueueState struct {
	Name                                        string
	Pending, Active, Scheduled, Retry, Archived int64
	Latency                                     time.Duration // age of the oldest task that waits
}

// queueNames in the order in which they are shown.
var queueNames = []string{QueueRecords, QueueHigh, QueueDefault, QueueMailers, QueueLow}

// Queues measures every queue. It reads asynq's keys itself: asynq's own GetQueueInfo also samples the memory of each task, which costs
// time on a large queue and is not there in the embedded Redis.
func (a *App) Queues(ctx context.Context) ([]QueueState, error) {
	all := make([]QueueState, len(queueNames))
	for i, name := range queueNames {
		prefix := "asynq:{" + name + "}:"
		pipe := a.Queue.Redis.Pipeline()
		pending, active := pipe.LLen(ctx, prefix+"pending"), pipe.LLen(ctx, prefix+"active")
		scheduled, retry, archived := pipe.ZCard(ctx, prefix+"scheduled"), pipe.ZCard(ctx, prefix+"retry"), pipe.ZCard(ctx, prefix+"archived")
		oldest := pipe.LRange(ctx, prefix+"pending", -1, -1)
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("measuring the queue %s: %w", name, err)
		}
		all[i] = QueueState{Name: name, Pending: pending.Val(), Active: active.Val(), Scheduled: scheduled.Val(), Retry: retry.Val(), Archived: archived.Val()}
		if len(oldest.Val()) == 0 {
			continue
		}
		since, err := a.Queue.Redis.HGet(ctx, prefix+"t:"+oldest.Val()[0], "pending_since").Result()
		if err != nil && !errors.Is(err, redis.Nil) { // Nil: it was taken meanwhile
			return nil, fmt.Errorf("measuring the queue %s: %w", name, err)
		}
		if ns, err := strconv.ParseInt(since, 10, 64); err == nil {
			all[i].Latency = max(0, a.Now().Sub(time.Unix(0, ns)))
		}
	}
	return all, nil
}
