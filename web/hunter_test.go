package web

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"beagle/app/apptest/services"

	"github.com/stretchr/testify/require"
)

// hunterClients are the published clients, pinned.
var hunterClients = []string{"hunterio@1.0.0", "hunter.io@0.2.7"}

func TestHuntersClientsWorkUnchanged(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		services.Missing(t, "node is not installed")
	}
	modules := npmModules(t, "hunter-clients-1.0.0-0.2.7", hunterClients...)
	s := newSite(t)
	run := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "hunter_clients.cjs"), modules, s.http.URL, s.key(s.owner, true), s.key(s.owner, false))
	run.Stderr = os.Stderr
	said, err := run.Output()
	require.NoError(t, err)
	type reply struct {
		Data   map[string]any
		Errors []errorJSON
		Failed struct{ Errors []errorJSON }
	}
	var got map[string]map[string]reply
	require.NoError(t, json.Unmarshal(said, &got), "%s", said)
	for _, client := range []string{"hunterio", "hunter.io"} {
		good := got[client+" good"]
		require.Equal(t, "grace.yates@onegate.example", good["emailFinder"].Data["email"], client)
		require.Equal(t, "deliverable", good["emailVerifier"].Data["result"], client)
		require.Equal(t, "{first}.{last}", good["domainSearch"].Data["pattern"], client)
		require.Len(t, good["domainSearch"].Data["emails"], 1, client)
		require.EqualValues(t, 1, good["emailCount"].Data["total"], client)
		require.Equal(t, "owner@one.example", good["account"].Data["email"], client)
		for name, id := range map[string]string{client + " good": "wrong_params", client + " bad": "key_not_for_urls"} {
			wrong := got[name]["wrong"]
			require.Equal(t, id, append(wrong.Errors, wrong.Failed.Errors...)[0].ID, name)
		}
	}
}
