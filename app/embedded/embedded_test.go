package embedded

import (
	"context"
	"testing"

	"beagle/app/config"
	"beagle/app/files"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStoresAnswerAndLeaveNothingRunning(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // what was in the folder is there again; Redis begins empty
		s, err := Start(dir)
		require.NoError(t, err)
		c := s.Configure(config.Config{})
		options, err := redis.ParseURL(c.RedisURL)
		require.NoError(t, err)
		client := redis.NewClient(options)
		require.Zero(t, client.DBSize(t.Context()).Val())
		require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
		require.NoError(t, client.Close())
		store, err := files.Open(t.Context(), files.Config{Endpoint: c.S3.Endpoint, Bucket: c.S3.Bucket, Region: c.S3.Region,
			AccessKey: c.S3.AccessKey, SecretKey: c.S3.SecretKey, PathStyle: c.S3.PathStyle})
		require.NoError(t, err)
		require.NoError(t, store.Check(context.Background()))
		store.Close()
		require.NoError(t, s.Close())
	}
}
