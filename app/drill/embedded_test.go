//go:build drill

package drill

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"beagle/app/apptest"
	"beagle/app/apptest/services"

	"github.com/stretchr/testify/require"
)

// diskSize is a disk that the embedded stores fill quickly: an empty installation takes about 4 MiB of it.
const diskSize = "24m"

// caller is a client of the API.
type caller struct {
	t         *testing.T
	base, key string
}

// list is what the API tells of a list.
type list struct {
	ID, State string
	Counts    struct{ Total, Done, Failed int64 }
}

func (c caller) call(method, path, kind string, body io.Reader, into any) (status int) {
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, body)
	require.NoError(c.t, err)
	req.Header.Set("X-API-KEY", c.key)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	client := http.Client{Timeout: 30 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0
	}
	if raw, ok := into.(*[]byte); ok {
		*raw = text
	} else if into != nil && res.StatusCode < 300 {
		require.NoError(c.t, json.Unmarshal(text, &struct{ Data any }{into}))
	}
	return res.StatusCode
}

// upload sends a file and starts it.
func (c caller) upload(name string, body []byte) (l list, status int) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	require.NoError(c.t, err)
	_, err = part.Write(body)
	require.NoError(c.t, err)
	require.NoError(c.t, w.Close())
	status = c.call(http.MethodPost, "/v2/lists", w.FormDataContentType(), &form, &l)
	return l, status
}

// smallDisk is a file system of diskSize that is gone after the test.
func smallDisk(t *testing.T) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+diskSize); err != nil {
		services.Missing(t, "no file system can be mounted here: "+err.Error())
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

func TestDiskFullUnderTheEmbeddedStores(t *testing.T) {
	disk := smallDisk(t)
	h := &house{t: t, vars: map[string]string{"PORT": freePort(t)}}
	t.Cleanup(h.end)
	up := func() *exec.Cmd {
		c := exec.Command(binary, "up", "--demo", "--data", filepath.Join(disk, "data"), "--port", h.vars["PORT"])
		c.Env, c.Stderr, c.Stdout = os.Environ(), h, h
		require.NoError(t, c.Start())
		h.workers = append(h.workers, c)
		return c
	}
	up()
	api := caller{t: t, base: "http://127.0.0.1:" + h.vars["PORT"]}
	require.True(t, assertEventually(patience, func() bool { return api.call(http.MethodGet, "/healthz", "", nil, nil) == http.StatusOK }))
	signIn, err := os.ReadFile(filepath.Join(disk, "data", "sign-in.txt"))
	require.NoError(t, err)
	api.key = regexp.MustCompile(`bgl_\S+`).FindString(string(signIn))

	began := time.Now()
	contacts := apptest.Example(t, "contacts.csv")
	l, status := api.upload("contacts.csv", contacts)
	require.Equal(t, http.StatusCreated, status)
	require.True(t, assertEventually(patience, func() bool {
		api.call(http.MethodGet, "/v2/lists/"+l.ID, "", nil, &l)
		return l.Counts.Done > 5
	}))
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	_, status = api.upload("contacts.csv", bytes.Repeat(contacts, 20))
	require.GreaterOrEqual(t, status, 400, "a file that does not fit is refused")
	time.Sleep(10 * time.Second) // the list meets the full disk
	require.NoError(t, os.Remove(ballast))
	require.True(t, assertEventually(patience, func() bool {
		return api.call(http.MethodGet, "/v2/lists/"+l.ID, "", nil, &l) == http.StatusOK && l.State == "finished"
	}), "the list is %s, %d of %d done", l.State, l.Counts.Done, l.Counts.Total)

	var out []byte
	require.Equal(t, http.StatusOK, api.call(http.MethodGet, "/v2/lists/"+l.ID+"/download", "", nil, &out))
	in, rows := strings.Split(strings.TrimSpace(string(contacts)), "\n"), strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, rows, len(in))
	for i := range in {
		require.Equal(t, strings.SplitN(in[i], ",", 3)[:2], strings.SplitN(strings.ReplaceAll(rows[i], "\r", ""), ",", 3)[:2], "row %d is where it was", i)
	}
	require.Zero(t, l.Counts.Failed)
	require.Equal(t, l.Counts.Total, l.Counts.Done)
	h.began = began
	h.note(l.Counts.Total, "10 s without room in the middle of a list; an upload meanwhile refused")
}

// fill writes a file until the disk has no room.
func fill(t *testing.T, name string) {
	f, err := os.Create(name)
	require.NoError(t, err)
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
}

// A web process dies while files come in: nothing of them stays, and nothing belongs to nobody.
func TestWebKilledDuringUploads(t *testing.T) {
	h := newHouse(t, 120, time.Millisecond)
	h.vars["PORT"] = freePort(t)
	api := caller{t: t, base: "http://127.0.0.1:" + h.vars["PORT"]}
	var err error
	_, api.key, err = h.app.CreateKey(t.Context(), h.as, "drill", false)
	require.NoError(t, err)
	began := time.Now()
	for range 5 {
		web := h.run("web")
		require.True(t, assertEventually(patience, func() bool { return api.call(http.MethodGet, "/healthz", "", nil, nil) == http.StatusOK }))
		coming, hurry := io.Pipe()
		answered := make(chan int)
		go func() {
			answered <- api.call(http.MethodPost, "/v2/lists", "multipart/form-data; boundary=b", coming, nil)
		}()
		head := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.csv\"\r\n\r\n"
		_, err := io.WriteString(hurry, head)
		require.NoError(t, err)
		for range 1 << 8 { // 24 MiB: some parts are in storage already
			_, err := hurry.Write(bytes.Repeat([]byte("Ada,Ash,alder.example,and the rest of a line\n"), 2200))
			require.NoError(t, err)
		}
		h.kill(web)
		_ = hurry.CloseWithError(io.ErrUnexpectedEOF)
		require.Zero(t, <-answered, "nobody was told that it went well")
	}
	var lists int64
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM lists").Scan(&lists).Error)
	require.Zero(t, lists)
	h.checkStorage()
	aborted, err := h.app.Files.AbortStale(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.NotZero(t, aborted, "the parts that were there are found by the clock's cleaning")
	h.run("web")
	h.run("worker")
	require.True(t, assertEventually(patience, func() bool { return api.call(http.MethodGet, "/healthz", "", nil, nil) == http.StatusOK }))
	sent, status := api.upload("people.csv", h.file)
	require.Equal(t, http.StatusCreated, status)
	l, err := h.app.List(t.Context(), h.as.Account, sent.ID)
	require.NoError(t, err)
	h.began = began
	h.finish(l, "killed 5 times with 24 MiB of an upload in hand; no list, no file, %d broken-off uploads swept away", aborted)
}
