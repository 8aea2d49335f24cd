package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"beagle/app/finder"

	"github.com/stretchr/testify/require"
)

// typed runs a command line and returns what it printed.
func typed(t *testing.T, args ...string) (string, error) {
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// installed is a folder with an installation and one user, with no services in the environment.
func installed(t *testing.T) string {
	t.Setenv("DATABASE_URL", "")
	data := filepath.Join(t.TempDir(), "data")
	o, err := openEmbedded(t.Context(), data, false, quiet)
	require.NoError(t, err)
	_, err = o.AddUser(t.Context(), "a@one.example", "eight loud badgers", "One", false)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	return data
}

func TestMistypedFolderIsNoNewInstallation(t *testing.T) {
	t.Setenv("DATABASE_URL", "")
	data := filepath.Join(t.TempDir(), "beagel-data")
	for _, args := range [][]string{{"user", "add", "--email", "a@one.example"}, {"key", "add", "--user", "a@one.example"}, {"credits", "add", "--user", "a@one.example", "--amount", "1"}, {"calibrate"}} {
		_, err := typed(t, append(args, "--data", data)...)
		require.ErrorContains(t, err, "there is no installation in the folder "+data)
	}
	_, err := os.Stat(data)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestSecondUpOnAFolderIsRefusedAndCommandsAreNot(t *testing.T) {
	data := installed(t)
	t.Setenv("DATABASE_URL", "")
	ctx, stop := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(up(ctx, out, "127.0.0.1:0", data, true), out.Close()) }()
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "Data is in") {
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()

	_, err := typed(t, "up", "--demo", "--port", "0", "--data", data)
	require.ErrorContains(t, err, "another `beagle up` runs on the folder "+data)
	for _, args := range [][]string{{"user", "add", "--email", "b@two.example"}, {"key", "add", "--user", "a@one.example"}, {"credits", "add", "--user", "a@one.example", "--amount", "5"}, {"calibrate"}} {
		_, err := typed(t, append(args, "--data", data)...)
		require.NoError(t, err, args[0])
	}
	stop()
	require.NoError(t, <-ended)
	again, err := claim(data)
	require.NoError(t, err, "it gave the folder back")
	require.NoError(t, again())
}

func TestStartSaysWhetherTheFolderIsNew(t *testing.T) {
	require.Contains(t, aboutData("/srv/beagle", false), "new installation: there was none in /srv/beagle")
	require.Contains(t, aboutData("/srv/beagle", true), "Data is in /srv/beagle")
}

func TestCreditsFromTheShell(t *testing.T) {
	data := installed(t)
	out, err := typed(t, "credits", "add", "--user", "a@one.example", "--amount", "500", "--note", "paid", "--data", data)
	require.NoError(t, err)
	require.Contains(t, out, "One has 500 credits now")
	require.Contains(t, out, "CREDITS=true")
	out, err = typed(t, "credits", "add", "--user", "a@one.example", "--amount", "-200", "--data", data)
	require.NoError(t, err)
	require.Contains(t, out, "One has 300 credits now")
	_, err = typed(t, "credits", "add", "--user", "a@one.example", "--amount", "-301", "--data", data)
	require.EqualError(t, err, "This account has fewer credits than that: 300.")
}

func TestOneQuestionObeysProbeMode(t *testing.T) {
	for mode, asked := range map[string]bool{"pattern": false, "auto": true, "smtp": true} {
		t.Setenv("PROBE_MODE", mode)
		for _, question := range [][]string{{"find", "--first", "Grace", "--last", "Yates", "--domain", "onegate.example"}, {"verify", "grace.yates@onegate.example"}} {
			out, err := typed(t, append(question, "--demo", "--json")...)
			require.NoError(t, err)
			var r finder.Result
			require.NoError(t, json.Unmarshal([]byte(out), &r))
			require.Equal(t, asked, len(r.Evidence.Transcript) > 0, "%s with PROBE_MODE=%s", question[0], mode)
			require.Equal(t, asked, r.Status == finder.StatusValid, "%s with PROBE_MODE=%s: %s", question[0], mode, r.Status)
		}
	}
}
