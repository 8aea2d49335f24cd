package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"
)

const (
	envKey     = "BEAGLE_API_KEY"
	mcpTimeout = 30 * time.Second
	mcpAnswer  = 1 << 20 // bytes of an answer
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

func mcpCommand() *cobra.Command {
	var base string
	cmd := &cobra.Command{
		Use: "mcp", Short: "Serve find, verify and lists to assistants over stdio (Model Context Protocol)", Args: cobra.NoArgs,
		Long: "Serve the tools find, verify and lists to an assistant over standard input and output.\nThey ask the Beagle at --url with the API key in " + envKey + ".",
		RunE: func(cmd *cobra.Command, _ []string) error {
			key := os.Getenv(envKey)
			if key == "" {
				return fmt.Errorf("set %s to an API key (beagle key add --user EMAIL makes one)", envKey)
			}
			return mcpServer(base, key).Run(cmd.Context(), &mcp.StdioTransport{})
		},
	}
	cmd.Flags().StringVar(&base, "url", fmt.Sprintf("http://127.0.0.1:%d", defaultPort), "where Beagle is")
	return cmd
}

// mcpServer has the tools that ask the API at base.
func mcpServer(base, key string) *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "beagle", Title: "Beagle", Version: version()}, nil)
	ask := func(ctx context.Context, path string, query map[string]string) (*mcp.CallToolResult, any, error) {
		text, err := askAPI(ctx, base, key, path, query)
		if err != nil {
			return nil, nil, err
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
	}
	mcp.AddTool(server, &mcp.Tool{Name: "find", Description: "Find a person's work e-mail address from a name and a company's domain or name. Says how sure it is and why."},
		func(ctx context.Context, _ *mcp.CallToolRequest, in findTool) (*mcp.CallToolResult, any, error) {
			return ask(ctx, "/v2/email-finder", map[string]string{"first_name": in.FirstName, "last_name": in.LastName, "full_name": in.FullName,
				"domain": in.Domain, "company": in.Company})
		})
	mcp.AddTool(server, &mcp.Tool{Name: "verify", Description: "Check whether an e-mail address takes mail, without sending any."},
		func(ctx context.Context, _ *mcp.CallToolRequest, in verifyTool) (*mcp.CallToolResult, any, error) {
			return ask(ctx, "/v2/email-verifier", map[string]string{"email": in.Email})
		})
	mcp.AddTool(server, &mcp.Tool{Name: "lists", Description: "Show the uploaded lists with their progress and counts, or one list by its id."},
		func(ctx context.Context, _ *mcp.CallToolRequest, in listsTool) (*mcp.CallToolResult, any, error) {
			path := "/v2/lists"
			if in.ID != "" {
				path += "/" + url.PathEscape(in.ID)
			}
			return ask(ctx, path, map[string]string{"cursor": in.Cursor})
		})
	return server
}

// askAPI is one GET of the API. A refusal is an error with what the API said.
func askAPI(ctx context.Context, base, key, path string, query map[string]string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, mcpTimeout)
	defer cancel()
	values := url.Values{}
	for name, value := range query {
		if value != "" {
			values.Set(name, value)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+path+"?"+values.Encode(), nil)
	if err != nil {
		return "", fmt.Errorf("asking Beagle: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("asking Beagle: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, mcpAnswer))
	if err != nil {
		return "", fmt.Errorf("reading Beagle's answer: %w", err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		return "", errors.New(strings.TrimSpace(string(body)))
	}
	return string(body), nil
}
