package web

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

const (
	fuzzRounds = 3000
	fuzzSlow   = 15 * time.Second // no call may take longer, whatever it is sent
	fuzzBytes  = 4096
)

// fuzzed is a site that random bytes are sent to.
type fuzzed struct {
	handler          http.Handler
	log              *bytes.Buffer
	key, list, other string
	places           []fuzzPlace
}

// fuzzPlace is where bytes go: a parameter, a header, a field or the body of a call.
type fuzzPlace struct {
	route    route
	in, name string
}

func newFuzzed(t testing.TB, stack apptest.Stack) *fuzzed {
	e := apptest.NewOn(t, stack, func(c *config.Config) { c.Worker.MaxTries = 1 })
	out := &fuzzed{log: &bytes.Buffer{}}
	e.App.Log = slog.New(slog.NewJSONHandler(out.log, &slog.HandlerOptions{Level: slog.LevelError}))
	server, err := New(e.App, Options{Demo: true})
	require.NoError(t, err)
	server.keyLimit.quota, server.teamLimit.quota = 1<<30, 1<<30
	out.handler = server.Handler()
	as := e.NewActor("owner@one.example")
	_, out.key, err = e.CreateKey(t.Context(), as, "fuzz", false)
	require.NoError(t, err)
	l, err := e.CreateList(t.Context(), as, "Fuzzed", app.ProcessNone, "", []string{"First Name", "Website"}, [][]string{{"Grace", "onegate.example"}})
	require.NoError(t, err)
	require.NoError(t, e.Import(t.Context(), l.ID))
	out.list = l.Ref
	rows, _, err := e.Records(t.Context(), as.Account, l, app.RecordQuery{})
	require.NoError(t, err)
	out.other = idOf(rows[0].ID)
	doc, err := contract()
	require.NoError(t, err)
	for _, rt := range apiRoutes {
		item := doc.Paths.Value(pathParam.ReplaceAllString(rt.path, "{$1}"))
		op := item.GetOperation(rt.method)
		for _, p := range append(item.Parameters, op.Parameters...) {
			out.places = append(out.places, fuzzPlace{rt, p.Value.In, p.Value.Name})
		}
		for _, name := range []string{"X-Request-Id", "If-None-Match", "User-Agent", "X-Forwarded-For"} {
			out.places = append(out.places, fuzzPlace{rt, "header", name})
		}
		out.places = append(out.places, fuzzPlace{rt, "rawquery", ""})
		if op.RequestBody == nil {
			continue
		}
		out.places = append(out.places, fuzzPlace{rt, "body", ""}, fuzzPlace{rt, "bodytype", ""}, fuzzPlace{rt, "bitten", ""})
		for _, field := range []string{"name", "process", "callback_url", "type", "emails", "url", "events", "records", "First Name", "domain"} {
			out.places = append(out.places, fuzzPlace{rt, "json", field})
		}
		if op.RequestBody.Value.Content.Get("multipart/form-data") != nil {
			for _, field := range []string{"file", "filename", "name", "process", "callback_url", "mapping", "has_header", "start"} {
				out.places = append(out.places, fuzzPlace{rt, "form", field})
			}
		}
	}
	return out
}

// request puts data into a place of an otherwise good call.
func (f *fuzzed) request(p fuzzPlace, data []byte) *http.Request {
	name := p.route.method + " " + p.route.path
	ids := map[string]string{":list": f.list, ":record": f.other, ":webhook": "some"}
	if p.route.method == http.MethodDelete {
		ids[":list"] = "some" // the others need it
	}
	if p.in == "path" {
		ids[":"+p.name] = url.PathEscape(string(data))
	}
	path := p.route.path
	for id, value := range ids {
		path = strings.ReplaceAll(path, id, value)
	}
	query, _ := url.ParseQuery(strings.TrimPrefix(queries[name], "?"))
	body, kind := []byte(nil), "application/json"
	if good, ok := apiCases[name].body.(string); ok {
		body = []byte(good)
	}
	switch p.in {
	case "query":
		query.Set(p.name, string(data))
	case "body", "bodytype":
		body = data
	case "bitten": // a good body with a hole
		if n := len(body); n > 0 && len(data) > 1 {
			body = append(append(bytes.Clone(body[:int(data[0])*n/256]), data[1:]...), body[int(data[0])*n/256:]...)
		}
	case "json":
		body = inJSON(p.name, data)
	case "form":
		body, kind = inForm(p.name, data)
	}
	r := httptest.NewRequest(p.route.method, "/", bytes.NewReader(body))
	r.URL, _ = url.Parse("http://beagle.example/")
	r.URL.RawPath, r.URL.RawQuery = path, query.Encode()
	r.URL.Path, _ = url.PathUnescape(path)
	r.RequestURI = path
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+f.key)
	switch {
	case p.in == "rawquery":
		r.URL.RawQuery = strings.Map(func(c rune) rune {
			if c <= ' ' {
				return -1
			}
			return c
		}, string(data))
	case p.in == "header":
		r.Header.Set(p.name, string(data))
	case p.in == "bodytype":
		r.Header.Set("Content-Type", string(data))
	}
	return r
}

// inJSON is a body that has data in one field, where a text, a list or a record may be.
func inJSON(name string, data []byte) []byte {
	text, _ := json.Marshal(string(data))
	fields := map[string]json.RawMessage{"records": json.RawMessage(`[{"domain":"a.example","first_name":"A","last_name":"B"}]`), "emails": json.RawMessage(`["a@b.example"]`),
		"url": json.RawMessage(`"https://hooks.example/"`)}
	switch name {
	case "emails", "events":
		fields[name] = json.RawMessage("[" + string(text) + `,{"email":` + string(text) + `,"full_name":` + string(text) + "}]")
	case "records":
		fields[name] = json.RawMessage("[{" + string(text) + ":" + string(text) + `,"domain":` + string(text) + "}]")
	case "First Name", "domain":
		fields = map[string]json.RawMessage{name: text}
	default:
		fields[name] = text
	}
	body, _ := json.Marshal(fields)
	return body
}

func inForm(name string, data []byte) ([]byte, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	file, filename := []byte("First Name,Website\nGrace,onegate.example\n"), "a.csv"
	switch name {
	case "file":
		file = data
	case "filename":
		filename = string(data)
	default:
		_ = w.WriteField(name, string(data)) // into memory: cannot fail
	}
	part, _ := w.CreateFormFile("file", filename)
	_, _ = part.Write(file)
	_ = w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// try sends data and checks that it was answered in time, as the contract says, and not with a failure of ours.
func (f *fuzzed) try(t testing.TB, place int, data []byte) int {
	p := f.places[place%len(f.places)]
	r, w := f.request(p, data), httptest.NewRecorder()
	began := time.Now()
	f.handler.ServeHTTP(w, r)
	require.Less(t, time.Since(began), fuzzSlow, "%s %s with %q in %s %s", p.route.method, p.route.path, data, p.in, p.name)
	require.Less(t, w.Code, 500, "%s %s with %q in %s %s: %s\n%s", p.route.method, p.route.path, data, p.in, p.name, w.Body, f.log)
	if w.Header().Get("X-Request-Id") == "" {
		t.Fatal("no X-Request-Id")
	}
	if p.in != "path" { // an empty or dotted id is another path
		require.NoError(t, checkContract(r, answer{w.Code, w.Header(), w.Body.String()}), "%s %s with %q in %s %s: %d %s", p.route.method, p.route.path, data, p.in, p.name, w.Code, w.Body)
	}
	return w.Code
}

var fuzzAlphabet = []rune("abcXYZ019 .-_@/\\:;,?&=%+\t\n'\"<>äßøΩж中\u00ad\u200b\ufeff\U0001f40d")

// randomBytes are bytes of any kind, text in several alphabets, or what breaks careless readers.
func randomBytes(r *rand.Rand) []byte {
	nasty := []string{"", "\x00", "\xff\xfe", "%", "'\"--", "../..", "{{.}}", "\r\nX: y", "1e999", "-0", "9223372036854775808", "NaN", "\u202e", "💥", "a@b@c", "xn--", "http://[::1",
		`{"a":`, strings.Repeat("[", 500), strings.Repeat("ä", 300), "ＡＢＣ。example", "=1+1", "ſ", "İstanbul.example"}
	switch r.IntN(3) {
	case 0:
		return []byte(nasty[r.IntN(len(nasty))] + nasty[r.IntN(len(nasty))])
	case 1:
		out := make([]rune, r.IntN(60))
		for i := range out {
			out[i] = fuzzAlphabet[r.IntN(len(fuzzAlphabet))]
		}
		return []byte(string(out))
	}
	out := make([]byte, r.IntN(200))
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func TestRandomBytesAreRefusedOrAnsweredNeverFailed(t *testing.T) {
	for _, stack := range []apptest.Stack{apptest.Embedded, apptest.Services} {
		t.Run(stack.Name, func(t *testing.T) {
			f := newFuzzed(t, stack)
			r := rand.New(rand.NewPCG(11, 21)) // the same bytes each time
			seen := map[int]int{}
			for i := range fuzzRounds {
				seen[f.try(t, i, randomBytes(r))/100]++
			}
			require.Greater(t, seen[2], fuzzRounds/20, "some of it is taken: %v", seen)
			require.Greater(t, seen[4], fuzzRounds/20, "some of it is refused: %v", seen)
		})
	}
}

// FuzzAPI is for make fuzz, which instruments our own packages only. Work in the background makes coverage differ from run to run, so
// inputs are hardly minimized there.
func FuzzAPI(f *testing.F) {
	site := newFuzzed(f, apptest.Embedded)
	for i := range site.places {
		f.Add(uint16(i), []byte("a\x00\xff"))
	}
	f.Fuzz(func(t *testing.T, place uint16, data []byte) {
		if len(data) <= fuzzBytes {
			site.try(t, int(place), data)
		}
	})
}
