package main

import (
	"net/http/httptest"
	"testing"

	"beagle/app/apptest"
	"beagle/web"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

func TestAssistantsFindVerifyAndSeeLists(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	_, key, err := e.CreateKey(t.Context(), as, "assistant", false)
	require.NoError(t, err)
	server, err := web.New(e.App, web.Options{})
	require.NoError(t, err)
	site := httptest.NewServer(server.Handler())
	defer site.Close()
	ours, theirs := mcp.NewInMemoryTransports()
	serving, err := mcpServer(site.URL, key).Connect(t.Context(), ours, nil)
	require.NoError(t, err)
	client, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), theirs, nil)
	require.NoError(t, err)
	call := func(tool string, args map[string]any) (string, bool) {
		got, err := client.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
		require.NoError(t, err)
		require.Len(t, got.Content, 1)
		return got.Content[0].(*mcp.TextContent).Text, got.IsError
	}
	text, bad := call("find", map[string]any{"full_name": "Grace Yates", "domain": "onegate.example"})
	require.False(t, bad)
	require.Contains(t, text, "grace.yates@onegate.example")
	text, bad = call("verify", map[string]any{"email": "grace.yates@onegate.example"})
	require.False(t, bad)
	require.Contains(t, text, `"status":"valid"`)
	text, bad = call("lists", map[string]any{})
	require.False(t, bad)
	require.Contains(t, text, `"total":0`)
	text, bad = call("lists", map[string]any{"id": "nosuchlist"})
	require.True(t, bad)
	require.Contains(t, text, "list_not_found")
	require.NoError(t, client.Close())
	require.NoError(t, serving.Wait())
}
