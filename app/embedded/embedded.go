// Package embedded brings the three stores inside the process, for a machine with nothing installed: a SQLite file,
// Redis (miniredis) and S3 (a folder). Redis is volatile here: after a start the queue is made again from the database.
package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"beagle/app/config"
	"beagle/app/files"

	"github.com/alicebob/miniredis/v2"
	"github.com/gofrs/flock"
)

const (
	bucket       = "beagle"
	database     = "beagle.db"
	lockFile     = "beagle.lock"
	closeTimeout = 10 * time.Second
	// Measured: miniredis copies a list on every push, so its queues must stay short.
	windowPerList = 500
	windowTotal   = 1000
	recordServers = 1
)

// Stack is the running stores.
type Stack struct {
	dir   string
	redis *miniredis.Miniredis
	files *files.Server
	stop  chan struct{}
}

// Exists tells whether there is an installation in a folder.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, database))
	return err == nil
}

// Claim makes the caller the only one that runs an installation on a folder, which it makes if need be, until it calls release or its process
// ends, however it ends. taken tells that another one does. Commands that do one thing beside it claim nothing.
func Claim(dir string) (release func() error, taken bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("making the data folder: %w", err)
	}
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	mine, err := lock.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("locking the data folder: %w", err)
	}
	return lock.Close, !mine, nil
}

// Start runs the stores on a folder, which it makes if need be.
func Start(dir string) (*Stack, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	s := &Stack{dir: dir, redis: miniredis.NewMiniRedis(), stop: make(chan struct{})}
	if err := s.redis.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("starting the embedded Redis: %w", err)
	}
	if s.files, err = files.Embedded(filepath.Join(dir, "files")); err != nil {
		s.redis.Close()
		return nil, fmt.Errorf("starting the embedded file store: %w", err)
	}
	go s.tick()
	return s, nil
}

// tick moves miniredis's clock, once a second. (Its ClockTTL walks every key on every command: measured eleven times slower.)
func (s *Stack) tick() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.redis.FastForward(time.Second)
		case <-s.stop:
			return
		}
	}
}

// Configure points c at the stores and sizes the worker for them.
func (s *Stack) Configure(c config.Config) config.Config {
	c.DatabaseURL = "sqlite://" + filepath.Join(s.dir, database)
	c.RedisURL = "redis://" + s.redis.Addr()
	f := s.files.Config(bucket)
	c.S3 = config.S3{Endpoint: f.Endpoint, Bucket: f.Bucket, Region: f.Region, AccessKey: f.AccessKey, SecretKey: f.SecretKey, PathStyle: f.PathStyle}
	c.Worker.WindowPerList = min(c.Worker.WindowPerList, windowPerList)
	c.Worker.WindowTotal = min(c.Worker.WindowTotal, windowTotal)
	c.Worker.RecordServers = recordServers
	return c
}

// Close stops the stores. The folder stays.
func (s *Stack) Close() error {
	close(s.stop)
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.files.Close(ctx)
	s.redis.Close()
	return err
}
