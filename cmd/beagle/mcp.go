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

	"beagle/web"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"
)

const (
	envKey     = "BEAGLE_API_KEY"
	mcpTimeout = 30 * time.Second
	mcpAnswer  = 1 << 20 // bytes of an answer
)

func mcpCommand() *cobra.Command {
	var base string
	cmd := &cobra.Command{
		Use: "mcp", Short: "Serve find, verify and lists to assistants over stdio (Model Context Protocol)", Args: cobra.NoArgs,
		Long: "Serve the tools find, verify and lists to an assistant over standard input and output.\nThey ask the Beagle at --url with the API key in " + envKey + ".\nAssistants that speak MCP over HTTP need no such process: they use /mcp of the site, with the key as a Bearer token.",
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
	return web.NewMCP(version(), func(ctx context.Context, path string, query url.Values) (string, error) {
		return askAPI(ctx, base, key, path, query)
	})
}

// askAPI is one GET of the API. A refusal is an error with what the API said.
func askAPI(ctx context.Context, base, key, path string, query url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, mcpTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+path+"?"+query.Encode(), nil)
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
