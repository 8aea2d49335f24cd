package config_test

import (
	"testing"

	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestDefaultsAreValid(t *testing.T) {
	c, err := config.Parse(nil)
	require.NoError(t, err)
	require.Equal(t, 3000, c.Port)
	require.Equal(t, 50, c.Worker.Concurrency)
	require.ErrorContains(t, c.NeedServices(), "DATABASE_URL, REDIS_URL, S3_BUCKET")
}

func TestEveryWrongValueIsNamed(t *testing.T) {
	_, err := config.Parse(map[string]string{"PORT": "70000", "DATABASE_URL": "mysql://x", "LOG_LEVEL": "loud", "TRUSTED_PROXIES": "10.0.0.1", "S3_ENDPOINT": "here",
		"WORKER_CONCURRENCY": "0", "REQUEST_TIMEOUT": "1h"})
	for _, name := range []string{"PORT", "DATABASE_URL", "LOG_LEVEL", "TRUSTED_PROXIES", "S3_ENDPOINT", "WORKER_CONCURRENCY", "REQUEST_TIMEOUT"} {
		require.ErrorContains(t, err, name)
	}
	_, err = config.Parse(map[string]string{"PORT": "many", "PROBE_TIMEOUT": "30", "SIGN_UPS": "perhaps", "UPLOAD_MAX_BYTES": "5e3"})
	require.EqualError(t, err, `environment:
  PORT: must be a whole number, is "many"
  SIGN_UPS: must be true or false, is "perhaps"
  UPLOAD_MAX_BYTES: must be a whole number, is "5e3"
  PROBE_TIMEOUT: must be a time with its unit such as 30s, 15m or 6h, is "30"`)
}

func TestPlaceholdersOfTheExamplesAreNoSecrets(t *testing.T) {
	_, err := config.Parse(map[string]string{"DATABASE_URL": "postgres://beagle:CHANGE-ME@127.0.0.1/beagle", "SECRET_KEY": "change-me-to-what-openssl-rand-hex-32-prints",
		"REDIS_PROVIDER": "CLOUD_REDIS", "CLOUD_REDIS": "redis://:Change-Me@127.0.0.1", "SOMETHING_ELSE": "CHANGE-ME"})
	for _, name := range []string{"DATABASE_URL", "SECRET_KEY", "CLOUD_REDIS"} {
		require.ErrorContains(t, err, "  "+name+": still has the CHANGE-ME")
	}
	require.NotContains(t, err.Error(), "postgres://", "no value is shown")
	require.NotContains(t, err.Error(), "SOMETHING_ELSE")
}

func TestProcessesListenWhereTheyAreTold(t *testing.T) {
	c, err := config.Parse(nil)
	require.NoError(t, err)
	require.Equal(t, ":3000", c.Listen(3000, ""))
	require.Equal(t, "127.0.0.1:3000", c.Listen(3000, "127.0.0.1"))
	c, err = config.Parse(map[string]string{"BIND_ADDRESS": "::1"})
	require.NoError(t, err)
	require.Equal(t, "[::1]:3000", c.Listen(3000, "127.0.0.1"))
	_, err = config.Parse(map[string]string{"BIND_ADDRESS": "everywhere"})
	require.ErrorContains(t, err, "  BIND_ADDRESS:")
}

func TestRedisProviderNamesTheVariableThatHoldsTheURL(t *testing.T) {
	c, err := config.Parse(map[string]string{"REDIS_PROVIDER": "CLOUD_REDIS", "CLOUD_REDIS": "rediss://user:secret@redis.example:6380"})
	require.NoError(t, err)
	require.Equal(t, "rediss://user:secret@redis.example:6380", c.RedisURL)
	_, err = config.Parse(map[string]string{"REDIS_PROVIDER": "NOT_SET"})
	require.ErrorContains(t, err, "NOT_SET")
}
