package services

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { Main(m) }

func query(t *testing.T, url, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), queryTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(ctx)
	var v string
	require.NoError(t, conn.QueryRow(ctx, sql).Scan(&v))
	return v
}

func TestPostgresGivesEachCallAnEmptyDatabaseOfItsOwn(t *testing.T) {
	a, b := Postgres(t), Postgres(t)
	require.NotEqual(t, a, b)
	require.NoError(t, execute(a, "CREATE TABLE seen (n int)"))
	require.Equal(t, "0", query(t, b, "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'"))
	require.Equal(t, "ÉCOLE", query(t, a, "SELECT upper('école')"))
}

func TestPostgresDatabaseIsGoneAfterItsTest(t *testing.T) {
	var name, url string
	t.Run("uses one", func(t *testing.T) {
		url = Postgres(t)
		name = query(t, url, "SELECT current_database()::text")
	})
	other := Postgres(t)
	require.Equal(t, "0", query(t, other, "SELECT count(*)::text FROM pg_database WHERE datname = '"+name+"'"))
}

func TestPostgresOfAUrlFromTheEnvironmentIsUsed(t *testing.T) {
	s := NewPostgres(t)
	t.Setenv(envDatabase, s.URL)
	require.Contains(t, Postgres(t), s.URL[:len("postgres://postgres@127.0.0.1:")+4])
}

func TestPostgresComesBackWithItsDataAfterACrash(t *testing.T) {
	s := NewPostgres(t)
	require.NoError(t, execute(s.URL, "CREATE TABLE kept AS SELECT 'yes' AS v"))
	s.Kill()
	require.Error(t, execute(s.URL, "SELECT 1"))
	s.Start(t)
	require.Equal(t, "yes", query(t, s.URL, "SELECT v FROM kept"))
}

func TestRedisIsEmptyAndComesBackEmpty(t *testing.T) {
	s := NewRedis(t)
	opts, err := redis.ParseURL(s.URL)
	require.NoError(t, err)
	c := redis.NewClient(opts)
	defer c.Close()
	require.NoError(t, c.Set(t.Context(), "k", "v", 0).Err())
	s.Kill()
	s.Start(t)
	require.Zero(t, c.Exists(t.Context(), "k").Val())
}

func TestRedisFromTheEnvironmentGivesDatabasesThatDoNotMeet(t *testing.T) {
	t.Setenv(envRedis, NewRedis(t).URL)
	seen := map[string]bool{}
	t.Run("claims", func(t *testing.T) {
		for range 3 {
			url := Redis(t)
			require.False(t, seen[url])
			seen[url] = true
			opts, err := redis.ParseURL(url)
			require.NoError(t, err)
			c := redis.NewClient(opts)
			require.NoError(t, c.Set(t.Context(), "k", "v", 0).Err())
			require.NoError(t, c.Close())
		}
	})
	again := Redis(t) // the claims have ended with their test
	require.True(t, seen[again])
	opts, err := redis.ParseURL(again)
	require.NoError(t, err)
	c := redis.NewClient(opts)
	defer c.Close()
	require.Zero(t, c.DBSize(t.Context()).Val())
}

func TestS3Answers(t *testing.T) {
	c := S3(t)
	require.NotEmpty(t, c.Bucket)
	require.NotEqual(t, c.Bucket, S3(t).Bucket)
}

func TestMissingServiceIsWrittenToTheListOfSkipped(t *testing.T) {
	list := filepath.Join(t.TempDir(), "skipped")
	t.Setenv(envSkipped, list)
	t.Setenv("CI", "")
	t.Run("skips", func(t *testing.T) { unavailable(t, missing("frobnicator")) })
	got, err := os.ReadFile(list)
	require.NoError(t, err)
	require.Equal(t, "TestMissingServiceIsWrittenToTheListOfSkipped/skips: frobnicator is not installed\n", string(got))
}

// The child of this test starts a Redis and is killed; what it started must not live on.
func TestServicesDieWithATestBinaryThatIsKilled(t *testing.T) {
	const role = "BEAGLE_SERVICES_CHILD"
	if at := os.Getenv(role); at != "" {
		s := NewRedis(t)
		require.NoError(t, os.WriteFile(at, []byte(s.URL), 0o600))
		time.Sleep(time.Minute)
		return
	}
	if attributes(nil, nil) == nil {
		t.Skip("this system does not end children with their parent")
	}
	at := filepath.Join(t.TempDir(), "url")
	child := exec.Command(os.Args[0], "-test.run", t.Name())
	child.Env = append(os.Environ(), role+"="+at, "TMPDIR="+t.TempDir())
	require.NoError(t, child.Start())
	var url []byte
	require.Eventually(t, func() bool { url, _ = os.ReadFile(at); return len(url) > 0 }, startTimeout, pollEvery)
	port, err := strconv.Atoi(regexp.MustCompile(`:(\d+)/`).FindStringSubmatch(string(url))[1])
	require.NoError(t, err)
	require.NoError(t, pingRedis(t.Context(), port))

	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	require.Eventually(t, func() bool { return pingRedis(t.Context(), port) != nil }, endTimeout, pollEvery)
}
