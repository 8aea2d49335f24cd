package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"beagle/app/config"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// What README and docs say is held to what there is: commands, flags, links, files, make targets, variables. metrics_test.go does the same for metrics.

const repository = "../.."

// documents are README and all of docs, by their path from the repository's root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{"README.md": read(t, "README.md")}
	require.NoError(t, fs.WalkDir(os.DirFS(repository), "docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".md" {
			texts[name] = read(t, name)
		}
		return err
	}))
	require.Greater(t, len(texts), 15)
	return texts
}

// read is a file by its path from the repository's root.
func read(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(repository, name))
	require.NoError(t, err)
	return string(body)
}

// readAll are the files that a pattern names, one after another.
func readAll(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	var all strings.Builder
	for _, f := range files {
		body, err := os.ReadFile(f)
		require.NoError(t, err)
		all.Write(body)
	}
	return all.String()
}

var (
	fence = regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	span  = regexp.MustCompile("`([^`\n]+)`")
)

// codes are the pieces of code of a document: each line of a block, and each span.
func codes(text string) (all []string) {
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			all = append(all, strings.TrimSpace(line))
		}
	}
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, m[1])
	}
	return all
}

var (
	between = regexp.MustCompile(`&&|\|\||[;&|()]| #.*$`)
	before  = regexp.MustCompile(`^(?:[A-Z_0-9]+=\S* |sudo -u \S+ |heroku run |flock \S+ |go run )+`)
	ours    = regexp.MustCompile(`^(?:\./cmd/|(?:/usr/local/)?bin/)?beagle(?: |$)`)
	quoted  = regexp.MustCompile(`'[^']*'|"[^"]*"`)
)

// callsOf are the words after each `beagle` that a piece of code runs.
func callsOf(code string) (calls [][]string) {
	for _, one := range between.Split(quoted.ReplaceAllString(code, "X"), -1) {
		one = before.ReplaceAllString(strings.TrimSpace(one), "")
		if loc := ours.FindStringIndex(one); loc != nil {
			calls = append(calls, strings.Fields(one[loc[1]:]))
		}
	}
	return calls
}

// wrong says what a call of ours names that there is not.
func wrong(words []string) string {
	root := rootCommand()
	root.InitDefaultHelpCmd()
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err.Error()
	}
	if len(rest) > 0 && cmd.HasSubCommands() && !strings.HasPrefix(rest[0], "-") {
		return cmd.CommandPath() + " has no command " + rest[0]
	}
	for _, word := range rest {
		name, _, _ := strings.Cut(strings.TrimLeft(word, "-[]"), "=")
		name = strings.Trim(name, "[],.")
		word = strings.Trim(word, "[]")
		switch {
		case strings.HasPrefix(word, "--") && cmd.Flags().Lookup(name) == nil && name != "help":
			return cmd.CommandPath() + " has no flag --" + name
		case !strings.HasPrefix(word, "--") && strings.HasPrefix(word, "-") && cmd.Flags().ShorthandLookup(name) == nil:
			return cmd.CommandPath() + " has no flag -" + name
		}
	}
	return ""
}

func TestDocsNameCommandsAndFlagsThatExist(t *testing.T) {
	found := 0
	for name, text := range documents(t) {
		for _, code := range codes(text) {
			for _, words := range callsOf(code) {
				found++
				if what := wrong(words); what != "" {
					t.Errorf("%s: `%s`: %s", name, code, what)
				}
			}
		}
	}
	require.Greater(t, found, 50, "the calls in the documents are no longer found")
}

func TestACallThatDoesNotExistIsSeen(t *testing.T) {
	for code, what := range map[string]string{
		"go run ./cmd/beagle up --demo":                                          "",
		"printf 'a b' | beagle user add --email you@example.com --admin":         "",
		"sudo -u postgres createuser beagle":                                     "",
		"DATABASE_URL=x beagle migrate; beagle docter":                           "unknown command",
		"beagle web & beagle worker --quickly &":                                 "no flag --quickly",
		"bin/beagle bench everything":                                            "no command everything",
		"beagle enrich people.csv -x out.csv":                                    "no flag -x",
		"beagle enrich people.csv -o out.csv --demo   # --this-is-a-remark":      "",
		"heroku run bin/beagle autoscale --dry-run && bin/beagle user remove me": "no command remove",
	} {
		var got string
		for _, words := range callsOf(code) {
			got += wrong(words)
		}
		if what == "" {
			require.Empty(t, got, code)
			continue
		}
		require.Contains(t, got, what, code)
	}
}

// eachCommand goes through the commands that can be run, hidden ones aside.
func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" {
			continue
		}
		if sub.Runnable() {
			do(sub)
		}
		eachCommand(sub, do)
	}
}

func TestEveryCommandAndFlagIsInTheListOfCommands(t *testing.T) {
	text := documents(t)["docs/commands.md"]
	rows := 0
	eachCommand(rootCommand(), func(c *cobra.Command) {
		row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(c.CommandPath()) + "(?: [^`]*)?` \\|.*$").FindString(text)
		if row == "" {
			t.Errorf("docs/commands.md has no row for `%s`", c.CommandPath())
			return
		}
		rows++
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !f.Hidden && !regexp.MustCompile("--"+f.Name+"\\b").MatchString(row) {
				t.Errorf("docs/commands.md does not say that `%s` has --%s", c.CommandPath(), f.Name)
			}
		})
	})
	require.Equal(t, rows, len(regexp.MustCompile("(?m)^\\| `beagle ").FindAllString(text, -1)), "docs/commands.md has rows of commands that there are not")
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// anchors are what the headings of a document are called in addresses.
func anchors(text string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(strings.TrimSpace(name), " ", "-"))
	}
	return all
}

func TestLinksInDocsLeadSomewhere(t *testing.T) {
	texts := documents(t)
	found := 0
	for name, text := range texts {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			found++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
				t.Errorf("%s: link to %s: there is no %s", name, m[1], target)
			} else if anchor != "" && !slices.Contains(anchors(texts[target]), anchor) {
				t.Errorf("%s: link to %s: no such heading", name, m[1])
			}
		}
	}
	require.Greater(t, found, 40, "the links in the documents are no longer found")
}

func TestDocsNameFilesThatExist(t *testing.T) {
	file := regexp.MustCompile(`^(?:app|cmd|web|migrations|templates|static|docs|examples|\.ci)/[\w./*@-]+$`)
	made := []string{"web/testdata/fuzz", "docs/deploy/.env"} // by make fuzz, when an input fails; by whoever starts Compose
	bare := regexp.MustCompile(`^[a-z_]+\.go$`)
	found := 0
	for name, text := range documents(t) {
		for _, code := range codes(text) {
			var pattern string
			switch {
			case slices.Contains(made, code):
				continue
			case file.MatchString(code):
				pattern = code
			case bare.MatchString(code):
				pattern = "app/" + code
			default:
				continue
			}
			found++
			if there, err := filepath.Glob(filepath.Join(repository, pattern)); err != nil || len(there) == 0 {
				t.Errorf("%s names `%s`, which there is not", name, code)
			}
		}
	}
	require.Greater(t, found, 50, "the files in the documents are no longer found")
}

func TestDocsNameMakeTargetsThatExist(t *testing.T) {
	makefile := read(t, "Makefile")
	found := 0
	for name, text := range documents(t) {
		for _, code := range codes(text) {
			for _, m := range regexp.MustCompile(`(?:^|; |&& )make ([a-z][a-z-]*)`).FindAllStringSubmatch(code, -1) {
				found++
				if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
					t.Errorf("%s: `%s`: the Makefile has no %s", name, code, m[1])
				}
			}
		}
	}
	require.Greater(t, found, 8, "the targets in the documents are no longer found")
}

func TestDocsNameDrillsThatExist(t *testing.T) {
	drills := readAll(t, "app/drill/*_test.go")
	rows := regexp.MustCompile(`(?m)^\| ([A-Z]\w+) \| \d+ \| \d+ \|`).FindAllStringSubmatch(documents(t)["docs/reliability.md"], -1)
	require.Greater(t, len(rows), 10)
	for _, m := range rows {
		if !strings.Contains(drills, "func Test"+m[1]+"(") {
			t.Errorf("docs/reliability.md has a row of %s, which is no drill", m[1])
		}
	}
}

func TestDocsNamePathsThatAreServed(t *testing.T) {
	var routes []string
	for _, m := range regexp.MustCompile(`(?m)^\t\{(?:get|post|http\.Method\w+), "(/[^"]*)"`).FindAllStringSubmatch(readAll(t, "web/routes*.go"), -1) {
		routes = append(routes, m[1])
	}
	served := func(address string) bool {
		return slices.ContainsFunc(routes, func(route string) bool { return fits(route, address) })
	}
	require.True(t, served("/lists/*/events"))
	require.False(t, served("/lists/*/evens"))
	address := regexp.MustCompile(`^(?:(?:GET|POST|PATCH|DELETE) |.*http://localhost:3000)?(/[\w./$*:-]+)(?:[?"].*)?`)
	ofTheMachine := regexp.MustCompile(`^/(?:etc|usr|var|tmp|dev/shm)(?:/|$)`)
	found := 0
	for name, text := range documents(t) {
		for _, code := range codes(text) {
			m := address.FindStringSubmatch(code)
			if m == nil || ofTheMachine.MatchString(m[1]) {
				continue
			}
			found++
			if !served(m[1]) {
				t.Errorf("%s: `%s`: nothing answers at %s", name, code, m[1])
			}
		}
	}
	require.Greater(t, found, 20, "the paths in the documents are no longer found")
}

// fits tells whether an address as documents write it (/v2/lists/$ID, /lists/*/events) is one of a route.
func fits(route, address string) bool {
	parts, given := strings.Split(route, "/"), strings.Split(address, "/")
	return slices.EqualFunc(parts, given, func(part, is string) bool { return part == is || strings.HasPrefix(part, ":") })
}

// runtimes are variables that Go itself reads, and that are worth setting.
var runtimes = []string{"GOGC", "GOMEMLIMIT"}

// others are variables that documents name and that are no settings.
var others = []string{"GOCACHE", "GOMODCACHE", "CGO_ENABLED", envKey, "POSTGRES_PASSWORD", "S3_PASSWORD"}

func TestTheTableOfSettingsIsWhatConfigReads(t *testing.T) {
	known := variables(reflect.TypeFor[config.Config]())
	for _, name := range runtimes {
		known[name] = true
	}
	said := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|").FindAllStringSubmatch(documents(t)["docs/settings.md"], -1) {
		for _, m := range span.FindAllStringSubmatch(row[1], -1) {
			require.False(t, said[m[1]], "docs/settings.md says %s twice", m[1])
			said[m[1]] = true
			if !known[m[1]] {
				t.Errorf("docs/settings.md has %s, which nothing reads", m[1])
			}
		}
	}
	for name := range known {
		if !said[name] {
			t.Errorf("docs/settings.md does not have %s", name)
		}
	}
}

func TestDocsNameVariablesThatAreRead(t *testing.T) {
	known := variables(reflect.TypeFor[config.Config]())
	for _, name := range slices.Concat(runtimes, others) {
		known[name] = true
	}
	variable := regexp.MustCompile(`\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b`)
	found := 0
	for name, text := range documents(t) {
		for _, code := range codes(text) {
			for _, v := range variable.FindAllString(code, -1) {
				found++
				if !known[v] {
					t.Errorf("%s: `%s`: nothing reads %s", name, code, v)
				}
			}
		}
	}
	require.Greater(t, found, 100, "the variables in the documents are no longer found")
}

func TestTheTableOfSettingsHasTheDefaults(t *testing.T) {
	defaults := map[string]string{}
	collectDefaults(reflect.TypeFor[config.Config](), defaults)
	text := documents(t)["docs/settings.md"]
	found := 0
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z0-9_]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(text, -1) {
		is, fromConfig := defaults[row[1]]
		if !fromConfig || is == "" {
			continue
		}
		found++
		if said := strings.NewReplacer("`", "", ",", "").Replace(row[2]); said != strings.ReplaceAll(is, ",", "") {
			t.Errorf("docs/settings.md says that %s is %q by default; it is %q", row[1], row[2], is)
		}
	}
	require.Greater(t, found, 25, "the defaults in the table are no longer found")
}

func collectDefaults(of reflect.Type, into map[string]string) {
	for i := range of.NumField() {
		f := of.Field(i)
		if name := f.Tag.Get("env"); name != "" && name != "-" {
			into[name] = f.Tag.Get("envDefault")
		} else if f.Type.Kind() == reflect.Struct {
			collectDefaults(f.Type, into)
		}
	}
}
