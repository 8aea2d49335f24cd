package web

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"beagle/app/apptest/services"

	"github.com/stretchr/testify/require"
)

// n8nNodes is the package that has n8n's Hunter node, pinned. Only that node is unpacked.
const n8nNodes = "n8n-nodes-base@2.41.2"

// n8nPackage fetches the package into the user's cache, once per machine, and gives the folder of what was unpacked.
func n8nPackage(t *testing.T) string {
	npm, err := exec.LookPath("npm")
	if err != nil {
		services.Missing(t, "npm is not installed")
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "beagle", n8nNodes)
	unpacked := filepath.Join(dir, "package")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return unpacked
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	ctx, cancel := context.WithTimeout(t.Context(), installTimeout)
	defer cancel()
	pack := exec.CommandContext(ctx, npm, "pack", n8nNodes, "--pack-destination", dir)
	if said, err := pack.CombinedOutput(); err != nil {
		services.Missing(t, "n8n's Hunter node cannot be fetched: "+string(said))
	}
	tarballs, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	require.NoError(t, err)
	require.Len(t, tarballs, 1)
	said, err := exec.CommandContext(ctx, "tar", "-xzf", tarballs[0], "-C", dir, "package/dist/nodes/Hunter").CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.NoError(t, os.Remove(tarballs[0]))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644))
	return unpacked
}

func TestHunterNodeOfN8nWorksUnchanged(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		services.Missing(t, "node is not installed")
	}
	pkg := n8nPackage(t)
	s := newSite(t)
	run := exec.CommandContext(t.Context(), node, "n8n_test.cjs", pkg, s.http.URL, s.key(s.owner, true))
	run.Stderr = os.Stderr
	said, err := run.Output()
	require.NoError(t, err)
	var got struct {
		Out map[string]struct {
			Items  []map[string]any
			HTTP   string
			Answer errorsJSON
			Error  string
		}
		Asked []string
	}
	require.NoError(t, json.Unmarshal(said, &got), "%s", said)
	first := func(name string) map[string]any {
		t.Helper()
		require.Len(t, got.Out[name].Items, 1, "%s: %s", name, got.Out[name].Error)
		return got.Out[name].Items[0]
	}
	require.Equal(t, "grace.yates@onegate.example", first("finder")["email"])
	require.Equal(t, "deliverable", first("verifier")["result"])
	require.Equal(t, "{first}.{last}", first("search")["pattern"])
	require.Equal(t, "grace.yates@onegate.example", first("emails")["value"])
	require.Len(t, first("all")["emails"], 1, "paging by offset ends")
	require.Empty(t, got.Out["filtered"].Items)
	require.Empty(t, got.Out["filtered"].Error, "its filters are taken")
	require.Contains(t, got.Asked, "GET /v2/domain-search api_key,domain,type,seniority,department,limit")
	require.Equal(t, "400", got.Out["missing"].HTTP)
	require.Equal(t, "wrong_params", got.Out["missing"].Answer.Errors[0].ID)
	require.Equal(t, "401", got.Out["stranger"].HTTP)
	require.Equal(t, "authentication_failed", got.Out["stranger"].Answer.Errors[0].ID)
}
