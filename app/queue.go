package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// DialFunc opens connections in place of net.Dialer.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// Queue is asynq on Redis. It only dispatches: everything in it can be made again from the database.
type Queue struct {
	Redis     *redis.Client
	Inspector *asynq.Inspector
	client    *asynq.Client
	bulk      *bulkClient
	rows      *redis.Client // of the record servers: takes tasks, and tells that they have ended, several at once
	taker     *taker
}

const (
	redisPool    = 64
	redisTimeout = 5 * time.Second
)

func openQueue(ctx context.Context, url string, log *slog.Logger) (*Queue, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	opt.PoolSize = redisPool
	opt.ReadTimeout, opt.WriteTimeout = redisTimeout, redisTimeout
	if opt.TLSConfig != nil && strings.HasSuffix(opt.TLSConfig.ServerName, ".amazonaws.com") {
		// Heroku's Redis presents a chain that it signed itself, on Amazon host names.
		opt.TLSConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	client := redis.NewClient(opt)
	ping, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	if err := client.Ping(ping).Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching Redis: %w", err), client.Close())
	}
	q := &Queue{
		Redis:     client,
		Inspector: asynq.NewInspectorFromRedisClient(client),
		client:    asynq.NewClientFromRedisClient(client),
		bulk:      newBulkClient(client),
		rows:      redis.NewClient(client.Options()),
		taker:     newTaker(client, log),
	}
	q.rows.AddHook(&ackGroup{redis: client})
	q.rows.AddHook(q.taker)
	return q, nil
}

func (q *Queue) close() error {
	q.taker.back.Stop()
	return errors.Join(q.bulk.close(), q.rows.Close(), q.Redis.Close())
}

// enqueue puts one task into its queue. A task that is already there is no error: ids are deterministic.
func (q *Queue) enqueue(ctx context.Context, t *asynq.Task, opts ...asynq.Option) error {
	_, err := q.client.EnqueueContext(ctx, t, opts...)
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("queueing %s: %w", t.Type(), err)
	}
	return nil
}

// asynqLog turns asynq's log into slog. Its debug lines are dropped: there is one per empty poll. Every server of every process
// tries to recover the same tasks of dead workers, and all but one complain that they are gone: that is no news.
type asynqLog struct{ log *slog.Logger }

func (asynqLog) Debug(...any)       {}
func (l asynqLog) Info(args ...any) { l.log.Debug("asynq", "text", fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any) {
	if text := fmt.Sprint(args...); strings.Contains(text, "lease expired task") {
		l.log.Debug("asynq", "text", text)
	} else {
		l.log.Warn("asynq", "text", text)
	}
}
func (l asynqLog) Error(args ...any) { l.log.Error("asynq", "text", fmt.Sprint(args...)) }
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq", "text", fmt.Sprint(args...)) }
