package web

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"beagle/app"
	"beagle/app/apptest/services"

	"github.com/stretchr/testify/require"
)

// shownCall and shownExample find on the page what its readers copy.
var (
	shownCall    = regexp.MustCompile(`(?s)<details class="card call" id="(\w+)">\s*<summary><code><span class="method">(\w+)</span> ([^<]+)</code>(.*?)<form`)
	shownExample = regexp.MustCompile(`(?s)<details><summary>(\w+)</summary><pre class="code" tabindex="0">(.*?)</pre></details>`)
	shownShell   = regexp.MustCompile(`(?s)<pre class="code" tabindex="0">(curl .*?)</pre>`)
)

// listener serves a site and remembers how each request was answered.
type listener struct {
	*site
	url   string
	mu    sync.Mutex
	heard []string // such as "GET /v2/account 200"
}

// heardWriter tells of the status before the client can know it.
type heardWriter struct {
	http.ResponseWriter
	tell func(status int)
	told bool
}

func (w *heardWriter) WriteHeader(status int) {
	w.tell(status)
	w.told = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *heardWriter) Write(b []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *heardWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (s *site) listener() *listener {
	l := &listener{site: s}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.server.Handler().ServeHTTP(&heardWriter{ResponseWriter: w, tell: func(status int) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.heard = append(l.heard, fmt.Sprint(r.Method, " ", r.URL.Path, " ", status))
		}}, r)
	}))
	s.t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// page is what a signed-in user sees.
func (l *listener) page(path string) string {
	b := l.signedIn("owner@one.example")
	r, err := http.NewRequestWithContext(l.t.Context(), "GET", l.http.URL+path, nil)
	require.NoError(l.t, err)
	r.Host = strings.TrimPrefix(l.url, "http://")
	got, err := b.Do(r)
	require.NoError(l.t, err)
	defer got.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(got.Body)
	require.NoError(l.t, err)
	return text.String()
}

// run runs a program that ought to make requests, and gives those.
func (l *listener) run(name string, cmd *exec.Cmd, key string) []string {
	l.mu.Lock()
	l.heard = nil
	l.mu.Unlock()
	cmd.Env = append(os.Environ(), "KEY="+key, "no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1")
	said, err := cmd.CombinedOutput()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.NoError(l.t, err, "%s: %s\n%v", name, said, l.heard)
	return l.heard
}

// ids fills in what an example leaves open. What it is about is new each time, since some delete it.
func (l *listener) ids(code, item string) *strings.Replacer {
	pairs := []string{"ITEM", item}
	if strings.Contains(code, "/LIST") {
		process := app.ProcessNone
		if strings.Contains(code, "/records/retry") {
			process = app.ProcessPattern // there must be something to look up
		}
		list, err := l.CreateList(l.t.Context(), l.owner, "Example", process, "", []string{"first_name", "last_name", "domain"}, [][]string{{"Grace", "Yates", "onegate.example"}, {"Ada", "Ash", "alder.example"}})
		require.NoError(l.t, err)
		require.NoError(l.t, l.Import(l.t.Context(), list.ID))
		require.NoError(l.t, l.Export(l.t.Context(), list.ID))
		pairs = append(pairs, "LIST", list.Ref, "RECORD", l.records(list)[0])
		if strings.Contains(code, "/ACTION") {
			act, err := l.RemoveRecords(l.t.Context(), l.owner, list.Ref, app.Selection{IDs: l.records(list)[1:]})
			require.NoError(l.t, err)
			pairs = append(pairs, "ACTION", idOf(act.ID))
		}
		if strings.Contains(code, "/restore") {
			require.NoError(l.t, l.TrashList(l.t.Context(), l.owner, list.Ref))
		}
	}
	if strings.Contains(code, "/WEBHOOK") {
		hook, err := l.CreateWebhook(l.t.Context(), l.owner, "https://hooks.example/x", nil)
		require.NoError(l.t, err)
		pairs = append(pairs, "WEBHOOK", hook.Ref)
	}
	return strings.NewReplacer(pairs...)
}

// runners run a program of each language. Nobody needs all of them: what is not installed is not run, but for those that Beagle's
// own tests need anyway.
var runners = map[string]func(ctx context.Context, dir, code string) (*exec.Cmd, error){
	"curl":       script("sh", "example.sh"),
	"Python":     script("python3", "example.py"),
	"JavaScript": script("node", "example.mjs"),
	"Ruby":       script("ruby", "example.rb"),
}

func script(program, file string) func(context.Context, string, string) (*exec.Cmd, error) {
	return func(ctx context.Context, dir, code string) (*exec.Cmd, error) {
		path := filepath.Join(dir, file)
		if strings.HasSuffix(file, ".sh") {
			code = strings.ReplaceAll(code, "curl ", "curl -sS --fail-with-body ")
		}
		return exec.CommandContext(ctx, program, path), os.WriteFile(path, []byte(code), 0o600)
	}
}

func TestExamplesOfTheReferenceRunAsTheyAreShown(t *testing.T) {
	s := newSite(t)
	s.Work()
	l, key := s.listener(), s.key(s.owner, false)
	item := s.publishes(s.finished().Ref)
	programs := map[string]bool{"Go": true}
	for language, program := range map[string]string{"curl": "curl", "JavaScript": "node", "Python": "python3", "Ruby": "ruby"} {
		_, err := exec.LookPath(program)
		programs[language] = err == nil
		if err != nil && (program == "curl" || program == "node") {
			services.Missing(t, program+" is not installed")
		}
	}
	calls := shownCall.FindAllStringSubmatch(l.page("/docs/api"), -1)
	require.Len(t, calls, len(apiRoutes), "every call has its examples")
	all := goPrograms{dir: t.TempDir()}
	for _, call := range calls {
		id, method, path, rest := call[1], call[2], html.UnescapeString(call[3]), call[4]
		examples := shownExample.FindAllStringSubmatch(rest, -1)
		require.Len(t, examples, 5, id)
		for _, example := range examples {
			language, code := example[1], html.UnescapeString(example[2])
			if !programs[language] {
				continue
			}
			code = l.ids(code, item).Replace(code)
			if language == "Go" {
				all.add(t, id, code)
				continue
			}
			cmd, err := runners[language](t.Context(), t.TempDir(), code)
			require.NoError(t, err)
			heard := l.runAny(id+" in "+language, cmd, key, method, path)
			require.Len(t, heard, 1, "%s in %s", id, language)
		}
	}
	binary := all.build(t)
	for _, call := range calls {
		heard := l.runAny(call[1]+" in Go", exec.CommandContext(t.Context(), binary, call[1]), key, call[2], html.UnescapeString(call[3]))
		require.Len(t, heard, 1, "%s in Go", call[1])
	}
}

// controls are refused by a list that has ended: the example has done its work when it was told so.
var controls = regexp.MustCompile(`/(pause|resume|cancel)$`)

// runAny runs an example of a call and checks that the call was made and taken.
func (l *listener) runAny(name string, cmd *exec.Cmd, key, method, path string) []string {
	want := "20[0-4]"
	if controls.MatchString(path) {
		want = "409"
		cmd = exec.CommandContext(l.t.Context(), "sh", append([]string{"-c", `"$@" || true`, "sh"}, cmd.Args...)...)
	}
	heard := l.run(name, cmd, key)
	require.Regexp(l.t, "^"+method+" "+pathParts.ReplaceAllString(path, "[^/]+")+" "+want+"$", strings.Join(heard, "\n"), name)
	return heard
}

var pathParts = regexp.MustCompile(`\{\w+\}`)

// goPrograms are made one program, since linking is what takes time: each is a package whose main is called by its name.
type goPrograms struct {
	dir   string
	names []string
}

func (g *goPrograms) add(t *testing.T, name, code string) {
	name = strings.ToLower(name)
	require.Contains(t, code, "package main\n")
	require.Contains(t, code, "func main() {\n")
	code = strings.NewReplacer("package main\n", "package "+name+"\n", "func main() {\n", "func Main() {\n").Replace(code)
	require.NoError(t, os.MkdirAll(filepath.Join(g.dir, name), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, name, "example.go"), []byte(code), 0o600))
	g.names = append(g.names, name)
}

func (g *goPrograms) build(t *testing.T) string {
	imports, cases := "import (\n\t\"os\"\n\t\"strings\"\n", ""
	for _, name := range g.names {
		imports += "\t\"examples/" + name + "\"\n"
		cases += "\tcase \"" + name + "\":\n\t\t" + name + ".Main()\n"
	}
	main := "package main\n\n" + imports + ")\n\nfunc main() {\n\tswitch strings.ToLower(os.Args[1]) {\n" + cases + "\tdefault:\n\t\tpanic(os.Args[1])\n\t}\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "main.go"), []byte(main), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "go.mod"), []byte("module examples\n\ngo 1.22\n"), 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "examples", ".")
	build.Dir = g.dir
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return filepath.Join(g.dir, "examples")
}

func TestShellExamplesOfTheReadmeAndTheKeysPageRun(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		services.Missing(t, "curl is not installed")
	}
	s := newSite(t)
	s.Work()
	l, key := s.listener(), s.key(s.owner, false)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "examples"), 0o755))
	contacts, err := os.ReadFile("../examples/contacts.csv")
	require.NoError(t, err)
	for _, name := range []string{"examples/contacts.csv", "contacts.csv"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), contacts, 0o600))
	}
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, part, ok := strings.Cut(string(readme), "## From a program\n\n```sh\n")
	require.True(t, ok)
	part, _, _ = strings.Cut(part, "```")
	shown := []string{strings.ReplaceAll(part, "http://localhost:3000", l.url)}
	for _, found := range shownShell.FindAllStringSubmatch(l.page("/keys"), -1) {
		shown = append(shown, html.UnescapeString(found[1]))
	}
	require.Len(t, shown, 3)
	ref := s.finished().Ref
	for _, text := range shown {
		text = strings.NewReplacer("$ID", ref, "lists/ID", "lists/"+ref).Replace(text)
		cmd, err := runners["curl"](t.Context(), t.TempDir(), "set -e\n"+text)
		require.NoError(t, err)
		cmd.Dir = dir
		heard := l.run("the shell", cmd, key)
		require.Len(t, heard, strings.Count(text, "curl "), text)
		for _, one := range heard {
			require.Regexp(t, ` 20[0-2]$`, one)
		}
	}
	result, err := os.ReadFile(filepath.Join(dir, "out.csv"))
	require.NoError(t, err)
	require.Contains(t, string(result), "grace.yates@onegate.example")
}
