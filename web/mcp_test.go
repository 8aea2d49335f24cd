package web

import (
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// bearer adds a key to every request.
type bearer struct{ key string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return http.DefaultTransport.RoundTrip(r)
}

func (s *site) assistant(key string) (*mcp.ClientSession, error) {
	return mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(s.t.Context(),
		&mcp.StreamableClientTransport{Endpoint: s.http.URL + "/mcp", HTTPClient: &http.Client{Transport: bearer{key}}, MaxRetries: -1}, nil)
}

func TestAssistantsAskOverHTTPAsTheOwnerOfTheirKey(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	call := func(session *mcp.ClientSession, tool string, args map[string]any) (string, bool) {
		t.Helper()
		got, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
		require.NoError(t, err)
		require.Len(t, got.Content, 1)
		return got.Content[0].(*mcp.TextContent).Text, got.IsError
	}
	mine, err := s.assistant(s.key(s.owner, false))
	require.NoError(t, err)
	defer mine.Close()
	tools, err := mine.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, tools.Tools, 3)
	text, bad := call(mine, "find", map[string]any{"full_name": "Grace Yates", "domain": "onegate.example"})
	require.False(t, bad, text)
	require.Contains(t, text, "grace.yates@onegate.example")
	text, bad = call(mine, "verify", map[string]any{"email": "grace.yates@onegate.example"})
	require.False(t, bad, text)
	require.Contains(t, text, `"status":"valid"`)
	text, bad = call(mine, "lists", map[string]any{"id": l.Ref})
	require.False(t, bad, text)
	require.Contains(t, text, `"state":"finished"`)
	for _, wrong := range []map[string]any{{"id": "nosuch"}, {"id": "../account"}, {"id": "\x00"}} {
		text, bad = call(mine, "lists", wrong)
		require.True(t, bad, text)
		require.Contains(t, text, `"errors":[`)
	}

	theirs, err := s.assistant(s.key(s.other, false))
	require.NoError(t, err)
	defer theirs.Close()
	text, _ = call(theirs, "lists", map[string]any{})
	require.NotContains(t, text, l.Ref)
	text, bad = call(theirs, "lists", map[string]any{"id": l.Ref})
	require.True(t, bad)
	require.Contains(t, text, "list_not_found")
}

func TestAssistantsNeedAKeyAndKeepToItsLimit(t *testing.T) {
	s := newSite(t)
	_, err := s.assistant("bgl_NOSUCHKEY")
	require.Error(t, err)
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	accept := []string{"Accept", "application/json, text/event-stream"}
	got := s.send(http.DefaultClient, "POST", "/mcp", ping, accept...)
	require.Equal(t, http.StatusUnauthorized, got.status)
	require.Contains(t, got.body, `"id":"no_key"`)
	accept = append(accept, "X-API-KEY", s.key(s.owner, false))
	require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "POST", "/mcp", ping, accept...).status)
	require.Equal(t, http.StatusMethodNotAllowed, s.send(http.DefaultClient, "GET", "/mcp", nil, accept...).status)
	for _, body := range []string{"", "{", "[]", "null", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find","arguments":7}}`} {
		require.Less(t, s.send(http.DefaultClient, "POST", "/mcp", body, accept...).status, 500, body)
	}
	s.server.keyLimit.quota = 1
	got = s.send(http.DefaultClient, "POST", "/mcp", ping, accept...)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
}
