package web

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"beagle/app/apptest/services"

	"github.com/stretchr/testify/require"
)

// installTimeout bounds the installation of packages, which is done once per machine.
const installTimeout = 2 * time.Minute

// npmModules installs pinned packages into the user's cache, under a name that changes with their versions, and gives their node_modules.
func npmModules(t *testing.T, name string, packages ...string) string {
	npm, err := exec.LookPath("npm")
	if err != nil {
		services.Missing(t, "npm is not installed")
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "beagle", name)
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return modules
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	ctx, cancel := context.WithTimeout(t.Context(), installTimeout)
	defer cancel()
	install := exec.CommandContext(ctx, npm, append([]string{"install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts"}, packages...)...)
	if said, err := install.CombinedOutput(); err != nil {
		services.Missing(t, name+" cannot be installed by npm: "+string(said))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644))
	return modules
}
