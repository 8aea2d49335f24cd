package files_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"beagle/app/apptest/services"
	"beagle/app/files"
)

// faulty is a store with one file that spoils its first downloads after some bytes.
type faulty struct {
	content []byte
	etag    string
	cutAt   int           // bytes of each spoilt answer
	spoil   int           // answers to spoil
	hang    time.Duration // instead of cutting
	gets    int
	then    func(f *faulty) // after the first spoilt answer
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		return // the bucket exists
	}
	f.gets++
	w.Header().Set("ETag", f.etag)
	if f.spoil <= 0 {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
		return
	}
	f.spoil--
	http.ServeContent(&cutWriter{ResponseWriter: w, f: f, left: f.cutAt}, r, "", time.Time{}, bytes.NewReader(f.content))
}

type cutWriter struct {
	http.ResponseWriter
	f    *faulty
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	if _, err := c.ResponseWriter.Write(p[:n]); err != nil {
		return 0, err
	}
	if c.left -= n; c.left > 0 {
		return n, nil
	}
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	time.Sleep(c.f.hang)
	if c.f.then != nil {
		c.f.then(c.f)
	}
	panic(http.ErrAbortHandler)
}

func openFaulty(t *testing.T, f *faulty) *files.Store {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return open(t, files.Config{Endpoint: server.URL, Bucket: "b-1", AccessKey: "a", SecretKey: "s", PathStyle: true, Stall: 200 * time.Millisecond})
}

func TestABrokenDownloadGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	f := &faulty{content: noise(small), etag: `"1"`, cutAt: 30 << 10, spoil: 3}
	s := openFaulty(t, f)
	require.True(t, bytes.Equal(f.content, read(t, s, "k")))
	require.Equal(t, 4, f.gets)
}

func TestASilentDownloadGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	f := &faulty{content: noise(small), etag: `"1"`, cutAt: 30 << 10, spoil: 1, hang: 500 * time.Millisecond}
	s := openFaulty(t, f)
	require.True(t, bytes.Equal(f.content, read(t, s, "k")))
}

func TestADownloadThatKeepsBreakingFails(t *testing.T) {
	t.Parallel()
	f := &faulty{content: noise(small), etag: `"1"`, cutAt: 1 << 10, spoil: 99}
	s := openFaulty(t, f)
	r, _, err := s.Open(t.Context(), "k")
	require.NoError(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.True(t, bytes.Equal(f.content[:4<<10], got))
}

func TestADownloadNeverMixesTwoVersions(t *testing.T) {
	t.Parallel()
	f := &faulty{content: noise(small), etag: `"1"`, cutAt: 1 << 10, spoil: 1, then: func(f *faulty) { f.etag = `"2"` }}
	s := openFaulty(t, f)
	r, _, err := s.Open(t.Context(), "k")
	require.NoError(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	require.ErrorContains(t, err, "changed")
	require.Len(t, got, 1<<10)
}

func TestListGoesThroughAllPages(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"":   `<IsTruncated>true</IsTruncated><NextContinuationToken>p2</NextContinuationToken><Contents><Key>a</Key><Size>1</Size></Contents>`,
		"p2": `<IsTruncated>false</IsTruncated><Contents><Key>b</Key><Size>2</Size></Contents>`,
	}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			asked++
			_, _ = io.WriteString(w, "<ListBucketResult>"+pages[r.URL.Query().Get("continuation-token")]+"</ListBucketResult>")
		}
	}))
	t.Cleanup(server.Close)
	s := open(t, files.Config{Endpoint: server.URL, Bucket: "b-1", AccessKey: "a", SecretKey: "s", PathStyle: true})
	require.Equal(t, []string{"a", "b"}, keys(t, s, ""))
	require.Equal(t, 2, asked)
	for f := range s.List(t.Context(), "") {
		require.Equal(t, files.File{Key: "a", Size: 1}, f)
		break // a caller may stop
	}
	require.Equal(t, 3, asked, "no page is asked for that nobody reads")
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	good := gateway(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + ln.Addr().String()
	require.NoError(t, ln.Close())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, v := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(v, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))

	for name, c := range map[string]struct {
		change func(*files.Config)
		says   []string
	}{
		"no bucket":           {func(c *files.Config) { c.Bucket = "" }, []string{"bucket is not named"}},
		"endpoint is no URL":  {func(c *files.Config) { c.Endpoint = "localhost:9000" }, []string{`"localhost:9000"`, "http"}},
		"nobody listens":      {func(c *files.Config) { c.Endpoint = closed }, []string{closed, "cannot be reached", "refused"}},
		"wrong secret":        {func(c *files.Config) { c.SecretKey = "x" }, []string{"credentials", "SignatureDoesNotMatch"}},
		"unknown access key":  {func(c *files.Config) { c.AccessKey = "x" }, []string{"access key"}},
		"half of the keys":    {func(c *files.Config) { c.SecretKey = "" }, []string{"both"}},
		"no keys anywhere":    {func(c *files.Config) { c.AccessKey, c.SecretKey = "", "" }, []string{"no S3 credentials"}},
		"bucket name refused": {func(c *files.Config) { c.Bucket = "Not_A_Bucket" }, []string{`"Not_A_Bucket"`}},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			c.change(&bad)
			_, err := files.Open(t.Context(), bad)
			require.Error(t, err)
			for _, part := range c.says {
				require.ErrorContains(t, err, part)
			}
			require.NotContains(t, err.Error(), good.SecretKey)
		})
	}
}

func TestASilentStoreDoesNotHoldTheCaller(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel and never answers
	require.NoError(t, err)
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = files.Open(ctx, files.Config{Endpoint: "http://" + ln.Addr().String(), Bucket: "b-1", AccessKey: "a", SecretKey: "s", PathStyle: true, Stall: 50 * time.Millisecond})
	require.ErrorContains(t, err, "cannot be reached")
	require.NoError(t, ctx.Err(), "the call must end by itself")
}

func TestAStoreThatRestartsIsUsedAgain(t *testing.T) {
	t.Parallel()
	server, c := services.NewS3(t)
	s := open(t, files.Config{Endpoint: c.Endpoint, Bucket: c.Bucket, AccessKey: c.AccessKey, SecretKey: c.SecretKey, PathStyle: true})
	put(t, s, "k", []byte("kept"))
	require.NoError(t, s.Check(t.Context()))
	server.Kill()
	require.ErrorContains(t, s.Check(t.Context()), "cannot be reached")
	server.Start(t)
	require.NoError(t, s.Check(t.Context()))
	require.Equal(t, "kept", string(read(t, s, "k")))
}

func TestUploadsOfDeadProcessesAreAborted(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *files.Store) {
		// A source that has sent a part and hangs: what a killed process leaves behind.
		hang, began := make(chan struct{}), make(chan struct{})
		done := make(chan error)
		go func() {
			_, err := s.Put(context.Background(), "half", "", io.MultiReader(bytes.NewReader(noise(big)), waits{began, hang}))
			done <- err
		}()
		<-began
		n, err := s.AbortStale(t.Context(), time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Zero(t, n, "young uploads are left alone")
		require.Eventually(t, func() bool {
			n, err = s.AbortStale(t.Context(), time.Now().Add(time.Hour))
			return err == nil && n == 1
		}, 10*time.Second, 10*time.Millisecond)
		close(hang)
		require.Error(t, <-done)
		nothingLeft(t, s)
	})
}

type waits struct{ began, until chan struct{} }

func (w waits) Read([]byte) (int, error) {
	close(w.began)
	<-w.until
	return 0, io.EOF
}

func TestEmbeddedFilesOutliveTheServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "files")
	server, err := files.Embedded(dir)
	require.NoError(t, err)
	first := open(t, server.Config("beagle-files"))
	put(t, first, "small", []byte("kept"))
	put(t, first, "big", noise(big))
	first.Close()
	require.NoError(t, server.Close(t.Context()))
	require.ErrorContains(t, first.Check(t.Context()), "cannot be reached")

	again := open(t, embedded(t, dir))
	require.Equal(t, []string{"big", "small"}, keys(t, again, ""))
	require.Equal(t, "kept", string(read(t, again, "small")))
	require.True(t, bytes.Equal(noise(big), read(t, again, "big")))
}

func TestEmbeddedStoreLeavesNoPartsBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, embedded(t, dir))
	put(t, s, "big", noise(big))
	left, err := os.ReadDir(filepath.Join(dir, ".beagle-incoming"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestEmbeddedStoreAnswersOnlyItsOwnProcess(t *testing.T) {
	t.Parallel()
	c := embedded(t, t.TempDir())
	s := open(t, c)
	put(t, s, "k", []byte("private"))
	_, ok, err := s.Presign(t.Context(), "k", "k.csv", time.Minute)
	require.NoError(t, err)
	require.False(t, ok)

	for _, authorization := range []string{"", "AWS4-HMAC-SHA256 Credential=guess/20260101/us-east-1/s3/aws4_request", c.AccessKey} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.Endpoint+"/"+c.Bucket+"/k", nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", authorization)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusForbidden, res.StatusCode)
		require.NotContains(t, string(body), "private")
	}
}

func TestNoGoroutineIsLeftBehind(t *testing.T) {
	http.DefaultClient.CloseIdleConnections()
	before := goleak.IgnoreCurrent()
	server, err := files.Embedded(t.TempDir())
	require.NoError(t, err)
	s, err := files.Open(t.Context(), server.Config("beagle-files"))
	require.NoError(t, err)
	put(t, s, "k", noise(big))
	read(t, s, "k")
	_, err = s.Put(t.Context(), "broken", "", io.MultiReader(bytes.NewReader(noise(big)), strings.NewReader("x"), stuck{}))
	require.Error(t, err)
	s.Close()
	require.NoError(t, server.Close(t.Context()))
	goleak.VerifyNone(t, before)
}
