package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"beagle/app/config"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const deployFiles = "../../docs/deploy"

// variables are the names of all environment variables that config reads.
func variables(of reflect.Type) map[string]bool {
	known := map[string]bool{}
	for i := range of.NumField() {
		f := of.Field(i)
		if name := f.Tag.Get("env"); name != "" && name != "-" {
			known[name] = true
		} else if f.Type.Kind() == reflect.Struct {
			for name := range variables(f.Type) {
				known[name] = true
			}
		}
	}
	return known
}

func TestDeployFilesNameCommandsAndVariablesThatExist(t *testing.T) {
	known := variables(reflect.TypeFor[config.Config]())
	commands := map[string]bool{}
	for _, c := range rootCommand().Commands() {
		commands[c.Name()] = true
	}
	parsed := 0
	require.NoError(t, filepath.WalkDir(deployFiles, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() {
			return nil
		}
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed++
		switch filepath.Ext(file) {
		case ".yaml":
			checkYAML(t, file, body, known, commands)
		case ".service":
			if filepath.Base(file) == "versitygw.service" {
				return nil
			}
			m := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/beagle (\S+)$`).FindSubmatch(body)
			require.NotNil(t, m, file)
			require.True(t, commands[string(m[1])], "%s starts %s", file, m[1])
		case ".env":
			if filepath.Base(file) == "versitygw.env" {
				return nil
			}
			for _, m := range regexp.MustCompile(`(?m)^([A-Z0-9_]+)=`).FindAllSubmatch(body, -1) {
				require.True(t, known[string(m[1])], "%s sets %s", file, m[1])
			}
		}
		return nil
	}))
	require.GreaterOrEqual(t, parsed, 8)
}

// checkYAML looks at every document of a file: the variables that are given to our image, and what it is started with.
func checkYAML(t *testing.T, file string, body []byte, known, commands map[string]bool) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	for {
		var doc map[string]any
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err, file)
		require.NotEmpty(t, doc, file)
		for _, key := range []string{"data", "stringData"} {
			if settings, ok := doc[key].(map[string]any); ok {
				for name := range settings {
					require.True(t, known[name], "%s sets %s", file, name)
				}
			}
		}
		services, _ := doc["services"].(map[string]any)
		for name, s := range services {
			service := s.(map[string]any)
			if service["image"] != "beagle:local" {
				continue
			}
			require.True(t, commands[service["command"].([]any)[0].(string)], "%s runs %s", file, name)
			for variable := range service["environment"].(map[string]any) {
				require.True(t, known[variable], "%s sets %s for %s", file, variable, name)
			}
		}
		for _, m := range regexp.MustCompile(`args:\[(\w+)\]`).FindAllStringSubmatch(flat(doc), -1) {
			require.True(t, commands[m[1]], "%s runs %s", file, m[1])
		}
	}
}

// flat is a document as Go prints it: enough to look for one key at any depth.
func flat(doc map[string]any) string {
	var b strings.Builder
	_ = json.NewEncoder(&b).Encode(doc) // maps of what YAML gave
	return strings.NewReplacer(`"`, "").Replace(b.String())
}

// settings are the variables of an environment file, as systemd reads it.
func settings(t *testing.T, file string) map[string]string {
	body, err := os.ReadFile(file)
	require.NoError(t, err)
	vars := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z0-9_]+)=(.*)$`).FindAllSubmatch(body, -1) {
		vars[string(m[1])] = strings.Trim(string(m[2]), `"`)
	}
	return vars
}

func TestExamplesAreRefusedUntilTheirSecretsAreChanged(t *testing.T) {
	vars := settings(t, deployFiles+"/systemd/beagle.env")
	_, err := config.Parse(vars)
	for _, name := range []string{"DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "SECRET_KEY", "METRICS_TOKEN"} {
		require.ErrorContains(t, err, "  "+name+": still has the CHANGE-ME")
	}
	for name, value := range vars {
		vars[name] = strings.ReplaceAll(value, "CHANGE-ME", "0123456789abcdef0123456789abcdef")
	}
	c, err := config.Parse(vars)
	require.NoError(t, err)
	require.NoError(t, c.NeedServices())
	require.Equal(t, "127.0.0.1", c.BindAddress)
	cluster, err := os.ReadFile(deployFiles + "/kubernetes/beagle.yaml")
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^  (\w+): \S*CHANGE-ME`).FindAllSubmatch(cluster, -1)
	require.Len(t, found, 5)
	for _, m := range found {
		_, err := config.Parse(map[string]string{string(m[1]): "CHANGE-ME"})
		require.ErrorContains(t, err, "  "+string(m[1])+": still has the CHANGE-ME")
	}
}

// A pod whose root is read-only has no /tmp: an .xlsx file that is uploaded or read would be refused.
func TestEveryPodHasATemporaryFolder(t *testing.T) {
	body, err := os.ReadFile(deployFiles + "/kubernetes/beagle.yaml")
	require.NoError(t, err)
	pods := 0
	for _, doc := range strings.Split(string(body), "\n---\n") {
		if !strings.Contains(doc, "image: ") {
			continue
		}
		pods++
		require.Contains(t, doc, "readOnlyRootFilesystem: true", doc)
		require.Contains(t, doc, "volumeMounts: [{ name: tmp, mountPath: /tmp }]", doc)
		require.Contains(t, doc, "volumes: [{ name: tmp, emptyDir: {} }]", doc)
	}
	require.Equal(t, 4, pods)
}

// A service that starts while its database restarts must not be given up by systemd.
func TestUnitsAreStartedAgainForEver(t *testing.T) {
	units, err := filepath.Glob(deployFiles + "/systemd/*.service")
	require.NoError(t, err)
	require.Len(t, units, 4)
	for _, unit := range units {
		body, err := os.ReadFile(unit)
		require.NoError(t, err)
		require.Regexp(t, `(?s)\[Unit\].*StartLimitIntervalSec=0.*\[Service\].*Restart=always`, string(body), unit)
	}
}

func TestProcfileAndManifestFitTheCommands(t *testing.T) {
	commands := map[string]bool{}
	for _, c := range rootCommand().Commands() {
		commands[c.Name()] = true
	}
	procfile, err := os.ReadFile("../../Procfile")
	require.NoError(t, err)
	processes := map[string]bool{}
	for line := range strings.Lines(string(procfile)) {
		name, command, ok := strings.Cut(strings.TrimSpace(line), ": bin/beagle ")
		require.True(t, ok && commands[command], line)
		processes[name] = true
	}
	manifest, err := os.ReadFile("../../app.json")
	require.NoError(t, err)
	var app struct {
		Formation map[string]any
		Env       map[string]any
	}
	require.NoError(t, json.Unmarshal(manifest, &app))
	for name := range app.Formation {
		require.True(t, processes[name], "formation of %s", name)
	}
	known := variables(reflect.TypeFor[config.Config]())
	for name := range app.Env {
		require.True(t, known[name], "app.json sets %s", name)
	}
}
