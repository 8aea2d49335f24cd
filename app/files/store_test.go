package files_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"beagle/app/apptest/services"
	"beagle/app/files"
)

func TestMain(m *testing.M) { services.Main(m) }

const (
	small = 100 << 10
	big   = 9 << 20 // two parts
	huge  = 64 << 20
)

// eachStore runs a test on the embedded S3 and on one that checks signatures.
func eachStore(t *testing.T, test func(t *testing.T, s *files.Store)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, open(t, embedded(t, t.TempDir()))) })
	t.Run("versitygw", func(t *testing.T) { t.Parallel(); test(t, open(t, gateway(t))) })
}

func embedded(t testing.TB, dir string) files.Config {
	t.Helper()
	server, err := files.Embedded(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	return server.Config("beagle-files")
}

func gateway(t testing.TB) files.Config {
	t.Helper()
	c := services.S3(t)
	return files.Config{Endpoint: c.Endpoint, Bucket: c.Bucket, Region: c.Region,
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, PathStyle: true}
}

func open(t testing.TB, c files.Config) *files.Store {
	t.Helper()
	s, err := files.Open(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func put(t testing.TB, s *files.Store, key string, content []byte) {
	t.Helper()
	// A reader without Seek, as every source of the application is.
	n, err := s.Put(t.Context(), key, "text/csv", io.MultiReader(bytes.NewReader(content)))
	require.NoError(t, err)
	require.EqualValues(t, len(content), n)
}

func read(t testing.TB, s *files.Store, key string) []byte {
	t.Helper()
	r, size, err := s.Open(t.Context(), key)
	require.NoError(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.EqualValues(t, len(got), size)
	return got
}

func keys(t testing.TB, s *files.Store, prefix string) []string {
	t.Helper()
	var all []string
	for f, err := range s.List(t.Context(), prefix) {
		require.NoError(t, err)
		all = append(all, f.Key)
	}
	slices.Sort(all)
	return all
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// nothingLeft holds when neither a file nor an open multipart upload is there.
func nothingLeft(t *testing.T, s *files.Store) {
	t.Helper()
	require.Empty(t, keys(t, s, ""))
	n, err := s.AbortStale(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, n, "open multipart uploads")
}

func TestFilesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		for _, size := range []int{0, 1, small, 8 << 20, 8<<20 + 1} {
			content := noise(size)
			key := fmt.Sprintf("uploads/%d/source.csv", size)
			put(t, s, key, content)
			require.True(t, bytes.Equal(content, read(t, s, key)), "%d bytes", size)
			n, err := s.Size(t.Context(), key)
			require.NoError(t, err)
			require.EqualValues(t, size, n)
		}
	})
}

func TestPutReplacesAFile(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		put(t, s, "k", noise(big))
		put(t, s, "k", []byte("new"))
		require.Equal(t, "new", string(read(t, s, "k")))
	})
}

func TestReadingFromAnOffset(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		put(t, s, "k", []byte("0123456789"))
		for offset, want := range map[int64]string{0: "0123456789", 1: "123456789", 9: "9", 10: "", 99: ""} {
			r, size, err := s.OpenAt(t.Context(), "k", offset)
			require.NoError(t, err)
			require.EqualValues(t, 10, size)
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.Equal(t, want, string(got), "from %d", offset)
		}
		_, _, err := s.OpenAt(t.Context(), "k", -1)
		require.Error(t, err)
	})
}

func TestKeysInAnyLanguage(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		all := []string{"lists/Ærø & søn.csv", "lists/名簿 100%.csv", "lists/a+b=c?d#e.csv", "lists/" + strings.Repeat("x", files.MaxKey-6)}
		for _, key := range all {
			put(t, s, key, []byte(key))
		}
		slices.Sort(all)
		require.Equal(t, all, keys(t, s, "lists/"))
		for _, key := range all {
			require.Equal(t, key, string(read(t, s, key)))
		}
		require.NoError(t, s.Delete(t.Context(), all...))
		require.Empty(t, keys(t, s, ""))
	})
}

func TestKeysThatMeanAnotherPathAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, embedded(t, t.TempDir()))
	for _, key := range []string{"", "/a", "a/", "a//b", "../a", "a/../b", ".", "a\x00b", "a\nb", "a\\b", "\xff", strings.Repeat("x", files.MaxKey+1)} {
		_, err := s.Put(t.Context(), key, "", strings.NewReader("x"))
		require.Error(t, err, "%q", key)
		_, _, err = s.Open(t.Context(), key)
		require.Error(t, err, "%q", key)
		require.Error(t, s.Delete(t.Context(), key), "%q", key)
	}
	nothingLeft(t, s)
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		_, _, err := s.Open(t.Context(), "none")
		require.ErrorIs(t, err, files.ErrNotFound)
		_, _, err = s.OpenAt(t.Context(), "none", 5)
		require.ErrorIs(t, err, files.ErrNotFound)
		_, err = s.Size(t.Context(), "none")
		require.ErrorIs(t, err, files.ErrNotFound)
		require.NoError(t, s.Delete(t.Context(), "none"))
	})
}

func TestDeleteTakesMoreThanOneBatch(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		var doomed []string
		for i := range 1500 { // nearly all of them not there, which is no error
			doomed = append(doomed, fmt.Sprintf("many/%04d", i))
		}
		for _, key := range []string{"keep", doomed[0], doomed[999], doomed[1000], doomed[1499]} {
			put(t, s, key, nil)
		}
		require.Len(t, keys(t, s, "many/"), 4)
		require.NoError(t, s.Delete(t.Context(), doomed...))
		require.Equal(t, []string{"keep"}, keys(t, s, ""))
	})
}

// stream gives n bytes of noise and sums them.
type stream struct {
	n   int
	rng *rand.ChaCha8
	sum hash.Hash
}

func (s *stream) Read(p []byte) (int, error) {
	if s.n == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), s.n)]
	_, _ = s.rng.Read(p)
	s.sum.Write(p)
	s.n -= len(p)
	return len(p), nil
}

func TestAStreamPassesInFlatMemory(t *testing.T) {
	const room = 56 << 20 // bytes: four parts, the collector's slack; far under two copies of the file
	flat := func(t *testing.T, s *files.Store) {
		src := &stream{n: huge, rng: rand.NewChaCha8([32]byte{2}), sum: sha256.New()}
		back := sha256.New()
		peak := heapPeak(func() {
			n, err := s.Put(t.Context(), "huge", "", src)
			require.NoError(t, err)
			require.EqualValues(t, huge, n)
			r, _, err := s.Open(t.Context(), "huge")
			require.NoError(t, err)
			defer r.Close()
			_, err = io.Copy(back, r)
			require.NoError(t, err)
		})
		require.Equal(t, src.sum.Sum(nil), back.Sum(nil))
		t.Logf("heap grew by %d MiB", peak>>20)
		require.Less(t, peak, uint64(room))
	}
	// One after the other: they share the heap.
	t.Run("embedded", func(t *testing.T) { flat(t, open(t, embedded(t, t.TempDir()))) })
	t.Run("versitygw", func(t *testing.T) { flat(t, open(t, gateway(t))) })
}

// heapPeak is the most live heap seen while work ran, above what there was.
func heapPeak(work func()) uint64 {
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	var peak atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			peak.Store(max(peak.Load(), live()))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	work()
	close(stop)
	<-stopped
	return peak.Load() - min(before, peak.Load())
}

var errSource = errors.New("the browser went away")

func TestAReaderThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		for _, size := range []int{0, small, big, 16 << 20} {
			src := io.MultiReader(bytes.NewReader(noise(size)), iotest.ErrReader(errSource))
			_, err := s.Put(t.Context(), "broken", "", src)
			require.ErrorIs(t, err, errSource, "after %d bytes", size)
		}
		_, err := s.Put(t.Context(), "broken", "", iotest.ErrReader(fmt.Errorf("cut: %w", io.EOF)))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		_, err = s.Put(t.Context(), "broken", "", stuck{})
		require.ErrorIs(t, err, io.ErrNoProgress)
		nothingLeft(t, s)
	})
}

func TestAFailedPutKeepsTheFormerFile(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		put(t, s, "k", []byte("former"))
		_, err := s.Put(t.Context(), "k", "", io.MultiReader(bytes.NewReader(noise(big)), iotest.ErrReader(errSource)))
		require.ErrorIs(t, err, errSource)
		require.Equal(t, "former", string(read(t, s, "k")))
	})
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestACanceledPutLeavesNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		for _, at := range []int{1, 6 << 20, 8<<20 + 1} {
			ctx, cancel := context.WithCancel(t.Context())
			src := &cancelAt{r: bytes.NewReader(noise(big)), left: at, cancel: cancel}
			_, err := s.Put(ctx, "canceled", "", src)
			require.ErrorIs(t, err, context.Canceled)
		}
		nothingLeft(t, s)
	})
}

type cancelAt struct {
	r      io.Reader
	left   int
	cancel func()
}

func (c *cancelAt) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(len(p), small)])
	if c.left -= n; c.left <= 0 {
		c.cancel()
	}
	return n, err
}

func TestACanceledReadEnds(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		put(t, s, "k", noise(big))
		ctx, cancel := context.WithCancel(t.Context())
		r, _, err := s.Open(ctx, "k")
		require.NoError(t, err)
		defer r.Close()
		_, err = io.ReadFull(r, make([]byte, small))
		require.NoError(t, err)
		cancel()
		_, err = io.Copy(io.Discard, r)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestAClosedReaderSaysSo(t *testing.T) {
	t.Parallel()
	s := open(t, embedded(t, t.TempDir()))
	put(t, s, "k", noise(small))
	r, _, err := s.Open(t.Context(), "k")
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	_, err = r.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestASignedURLDownloadsUnderAName(t *testing.T) {
	t.Parallel()
	s := open(t, gateway(t))
	put(t, s, "results/1.csv", []byte("email\n"))
	url, ok, err := s.Presign(t.Context(), "results/1.csv", "Ærø \"beste\"\r\n/kunder.csv", time.Minute)
	require.NoError(t, err)
	require.True(t, ok)

	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "email\n", string(got))
	require.Equal(t, `attachment; filename*=utf-8''%C3%86r%C3%B8%20%22beste%22___kunder.csv`, res.Header.Get("Content-Disposition"))

	res, err = http.Get(strings.Replace(url, "results/1", "results/2", 1))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusForbidden, res.StatusCode)
}
