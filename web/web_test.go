package web

import (
	"bytes"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/apptest/services"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

// TestMain starts what the tests need and holds, by services.Main, that no goroutine outlives them.
func TestMain(m *testing.M) { services.Main(m) }

// people is a file of four rows, two of whom the demo world knows.
const people = "First Name,Last Name,Website\nGrace,Yates,onegate.example\nNathan,Fenwick,https://www.pelican-apps.example/about\nNobody,Atall,nullarbor.test\n=cmd,Person,nowhere-at-all.example\n"

// site is a running web process on a whole app, with two accounts.
type site struct {
	*apptest.Env
	t            *testing.T
	server       *Server
	http         *httptest.Server
	log          *bytes.Buffer
	owner, other app.Actor
}

func newSite(t *testing.T, change ...func(*config.Config)) *site {
	return siteOn(t, apptest.New(t, append([]func(*config.Config){func(c *config.Config) { c.Worker.MaxTries = 1 }}, change...)...))
}

func siteOn(t *testing.T, e *apptest.Env) *site {
	s := &site{Env: e, t: t, log: &bytes.Buffer{}}
	s.App.Log = slog.New(slog.NewJSONHandler(s.log, nil))
	var err error
	s.server, err = New(s.App, Options{Demo: true, Version: "test", Sample: []byte(people), SignIn: "owner@one.example"})
	require.NoError(t, err)
	s.http = httptest.NewServer(s.server.Handler())
	t.Cleanup(s.http.Close)
	s.owner, s.other = s.NewActor("owner@one.example"), s.NewActor("owner@two.example")
	return s
}

// browser is a client with cookies that does not follow redirects.
func (s *site) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// signedIn is a browser of the user with this address.
func (s *site) signedIn(email string) *http.Client {
	b := s.browser()
	got := s.send(b, "POST", "/sign-in", url.Values{"email": {email}, "password": {apptest.Password}})
	require.Equal(s.t, http.StatusSeeOther, got.status, "sign-in of %s: %s", email, got.body)
	return b
}

func (s *site) key(as app.Actor, inURL bool) string {
	_, secret, err := s.CreateKey(s.t.Context(), as, "test", inURL)
	require.NoError(s.t, err)
	return secret
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a request. body is nil, url.Values, an upload or a string of JSON; more are header names and values.
func (s *site) send(c *http.Client, method, path string, body any, more ...string) answer {
	s.t.Helper()
	var reader io.Reader
	kind := ""
	switch b := body.(type) {
	case url.Values:
		reader, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	case form:
		reader, kind = b.encode(s.t)
	case string:
		reader, kind = strings.NewReader(b), "application/json"
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, reader)
	require.NoError(s.t, err)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	got, err := c.Do(r)
	require.NoError(s.t, err, "%s %s", method, path)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(s.t, err, "%s %s", method, path)
	read := answer{got.StatusCode, got.Header, string(text)}
	if strings.HasPrefix(path, "/v2/") {
		requireContract(s.t, r, read)
	}
	return read
}

// form is a multipart form: pairs of name and value, and a file. Fields in after follow the file.
type form struct {
	fields   []string
	filename string
	file     []byte
	after    []string
}

func (f form) encode(t *testing.T) (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	write := func(pairs []string) {
		for i := 0; i+1 < len(pairs); i += 2 {
			require.NoError(t, w.WriteField(pairs[i], pairs[i+1]))
		}
	}
	write(f.fields)
	if f.filename != "" {
		part, err := w.CreateFormFile("file", f.filename)
		require.NoError(t, err)
		_, err = part.Write(f.file)
		require.NoError(t, err)
	}
	write(f.after)
	require.NoError(t, w.Close())
	return &b, w.FormDataContentType()
}

// finished is a list of the owner that has run to its end. A worker must be running.
func (s *site) finished() app.List {
	l := s.Run(s.owner, "people.csv", []byte(people))
	require.Equal(s.t, app.ListFinished, l.State, "%s %s", l.Reason, l.Note)
	return l
}

// records are the ids of a list's rows.
func (s *site) records(l app.List) []string {
	rows, _, err := s.Records(s.t.Context(), s.owner.Account, l, app.RecordQuery{})
	require.NoError(s.t, err)
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = idOf(r.ID)
	}
	return ids
}
