package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The tools' parameters, as assistants see them.
type (
	findTool struct {
		FirstName string `json:"first_name,omitempty" jsonschema:"the person's first name"`
		LastName  string `json:"last_name,omitempty" jsonschema:"the person's last name"`
		FullName  string `json:"full_name,omitempty" jsonschema:"the whole name, instead of first and last name"`
		Domain    string `json:"domain,omitempty" jsonschema:"the company's domain or website"`
		Company   string `json:"company,omitempty" jsonschema:"the company's name, when its domain is not known"`
	}
	verifyTool struct {
		Email string `json:"email" jsonschema:"the address to check"`
	}
	listsTool struct {
		ID     string `json:"id,omitempty" jsonschema:"a list's id; without it all lists are shown"`
		Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor of the page before"`
	}
)

// AskAPI is one GET of the API: a path and its parameters in, JSON out. A refusal is an error with what the API said.
type AskAPI func(ctx context.Context, path string, query url.Values) (string, error)

// NewMCP has the tools find, verify and lists for assistants (Model Context Protocol). They are answered by ask.
func NewMCP(version string, ask AskAPI) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "beagle", Title: "Beagle", Version: version}, nil)
	answer := func(ctx context.Context, path string, query map[string]string) (*mcp.CallToolResult, any, error) {
		values := url.Values{}
		for name, value := range query {
			if value != "" {
				values.Set(name, value)
			}
		}
		text, err := ask(ctx, path, values)
		if err != nil {
			return nil, nil, err
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
	}
	mcp.AddTool(server, &mcp.Tool{Name: "find", Description: "Find a person's work e-mail address from a name and a company's domain or name. Says how sure it is and why."},
		func(ctx context.Context, _ *mcp.CallToolRequest, in findTool) (*mcp.CallToolResult, any, error) {
			return answer(ctx, "/v2/email-finder", map[string]string{"first_name": in.FirstName, "last_name": in.LastName, "full_name": in.FullName,
				"domain": in.Domain, "company": in.Company})
		})
	mcp.AddTool(server, &mcp.Tool{Name: "verify", Description: "Check whether an e-mail address takes mail, without sending any."},
		func(ctx context.Context, _ *mcp.CallToolRequest, in verifyTool) (*mcp.CallToolResult, any, error) {
			return answer(ctx, "/v2/email-verifier", map[string]string{"email": in.Email})
		})
	mcp.AddTool(server, &mcp.Tool{Name: "lists", Description: "Show the uploaded lists with their progress and counts, or one list by its id."},
		func(ctx context.Context, _ *mcp.CallToolRequest, in listsTool) (*mcp.CallToolResult, any, error) {
			path := "/v2/lists"
			if in.ID != "" {
				path += "/" + url.PathEscape(in.ID)
			}
			return answer(ctx, path, map[string]string{"cursor": in.Cursor})
		})
	return server
}

// mcpServe answers assistants over HTTP with the account of their API key. Each message stands alone: no session is kept, so any web
// process can answer any of them. A message counts as one request, whatever it asks.
func (s *Server) mcpServe(q *call) error {
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server {
		return NewMCP(s.opts.Version, func(ctx context.Context, path string, query url.Values) (string, error) {
			return s.askInside(ctx, q, path, query)
		})
	}, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true,
		DisableLocalhostProtection: true}) // a page that rebinds a name has no key
	handler.ServeHTTP(q.w, q.r)
	return nil
}

// askInside answers a read of the API for whoever made the call q.
func (s *Server) askInside(ctx context.Context, q *call, path string, query url.Values) (string, error) {
	rt, params, ok := findRoute(http.MethodGet, path)
	if !ok || rt.pace != quick || rt.who != keyed {
		return "", fmt.Errorf("there is no %s", path)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
	if err != nil {
		return "", fmt.Errorf("asking for a tool: %w", err)
	}
	held := &heldAnswer{header: http.Header{}}
	inner := &call{w: held, r: r, api: true, actor: q.actor, trial: q.trial, param: func(name string) string { return params[name] },
		visit: &visit{id: q.visit.id, route: rt.path, account: q.visit.account}}
	err = inner.checkText()
	if err == nil {
		err = rt.handler(s, inner)
	}
	if err != nil {
		s.fail(inner, err)
	}
	if held.status >= http.StatusBadRequest {
		return "", fmt.Errorf("%s", strings.TrimSpace(held.body.String()))
	}
	return held.body.String(), nil
}
