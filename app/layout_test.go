package app_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mayImport is the whole of who imports whom inside the project; "*" is everything. Tests may import more.
var mayImport = map[string][]string{
	"cmd/beagle":           {"*"},
	"web":                  {"app", "app/config", "app/sheet", "app/finder", "templates", "static"},
	"app":                  {"app/config", "app/db", "app/files", "app/finder", "app/mail", "app/probe", "app/report", "app/scaler", "app/sheet", "app/trace", "migrations"},
	"app/finder":           {"app/probe"},
	"app/apptest":          {"*"},
	"app/apptest/services": {},
	"app/config":           {},
	"app/embedded":         {"app/config", "app/files"},
	"app/db":               {},
	"app/files":            {},
	"app/mail":             {"templates"},
	"app/mailworld":        {},
	"app/probe":            {},
	"app/report":           {},
	"app/scaler":           {},
	"app/sheet":            {},
	"app/trace":            {},
	"migrations":           {},
	"static":               {},
	"templates":            {},
}

// onlyIn names the one place that may know a library.
var onlyIn = map[string][]string{
	"github.com/labstack/echo/v4":                    {"web"},
	"gorm.io/gorm":                                   {"app", "app/db"},
	"github.com/hibiken/asynq":                       {"app", "cmd/beagle"},
	"github.com/standard-webhooks/standard-webhooks": {"app"},
	"github.com/aws/aws-sdk-go-v2":                   {"app/files", "app/apptest/services"},
	"github.com/johannesboyne/gofakes3":              {"app/files"},
	"github.com/xuri/excelize/v2":                    {"app/sheet"},
	"github.com/prometheus/client_golang":            {"app", "web"},
	"github.com/wneessen/go-mail":                    {"app/mail"},
	"github.com/getsentry/sentry-go":                 {"app/report"},
	"go.opentelemetry.io/otel":                       {"app/trace"},
	"github.com/miekg/dns":                           {"app/probe", "app/mailworld"},
	"modernc.org/sqlite":                             {"app/db"},
	"github.com/caarlos0/env/v11":                    {"app/config"},
	"github.com/alicebob/miniredis/v2":               {"app/embedded"},
	"github.com/gofrs/flock":                         {"app/embedded"},
}

func TestImportsKeepToTheRooms(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	seen := 0
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && strings.HasPrefix(name, ".") && file != root {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		seen++
		checkImports(t, filepath.ToSlash(rel), file)
		return nil
	}))
	require.Greater(t, seen, 50, "the walk found the sources")
}

func checkImports(t *testing.T, room, file string) {
	t.Helper()
	allowed, known := mayImport[room]
	if !known {
		t.Errorf("%s: no such room; add it to mayImport with what it may import", room)
		return
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	require.NoError(t, err)
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		if ours, found := strings.CutPrefix(imported, "beagle/"); found {
			if !slices.Contains(allowed, "*") && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s: not allowed in %s", path.Base(file), imported, room)
			}
			continue
		}
		for library, rooms := range onlyIn {
			if (imported == library || strings.HasPrefix(imported, library+"/")) && !slices.Contains(rooms, room) {
				t.Errorf("%s imports %s: only %v may", path.Base(file), imported, rooms)
			}
		}
	}
}
