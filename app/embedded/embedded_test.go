package embedded

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"beagle/app/config"
	"beagle/app/files"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFolderIsClaimedByOneUntilItsProcessEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if os.Getenv(claimed) != "" { // the other process
		_, taken, err := Claim(os.Getenv(claimed))
		require.NoError(t, err)
		require.False(t, taken)
		fmt.Println("claimed")
		select {} // until it is killed
	}
	release, taken, err := Claim(dir)
	require.NoError(t, err)
	require.False(t, taken)
	refused, taken, err := Claim(dir)
	require.NoError(t, err)
	require.True(t, taken)
	require.NoError(t, refused())
	require.NoError(t, release())

	other := exec.Command(os.Args[0], "-test.run=^TestFolderIsClaimedByOne", "-test.v")
	other.Env = append(os.Environ(), claimed+"="+dir)
	out, err := other.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, other.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "claimed" {
	}
	_, taken, err = Claim(dir)
	require.NoError(t, err)
	require.True(t, taken)
	require.NoError(t, other.Process.Kill())
	_ = other.Wait()
	release, taken, err = Claim(dir)
	require.NoError(t, err)
	require.False(t, taken, "nobody has to clear up after a crash")
	require.NoError(t, release())
}

// claimed names the folder to the process that claims it in this test.
const claimed = "BEAGLE_TEST_CLAIM"

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
