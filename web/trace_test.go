package web

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spanSeen is a span that the collector got.
type spanSeen struct{ trace, id, parent, text string }

// collector is an OTLP/HTTP receiver.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans map[string][]spanSeen // by name
	key   string
}

func newCollector(t *testing.T) *collector {
	c := &collector{spans: map[string][]spanSeen{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Encoding") != "gzip" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		packed, err := gzip.NewReader(r.Body)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(packed)
		var got collect.ExportTraceServiceRequest
		if proto.Unmarshal(body, &got) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.key = r.Header.Get("X-Key")
		for _, resource := range got.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					c.spans[s.Name] = append(c.spans[s.Name], spanSeen{hex.EncodeToString(s.TraceId), hex.EncodeToString(s.SpanId), hex.EncodeToString(s.ParentSpanId), s.Name + fmt.Sprint(s.Attributes)})
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) all(name string) []spanSeen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans[name]
}

func TestOneTraceLeadsFromTheUploadToTheFile(t *testing.T) {
	c := newCollector(t)
	s := newSite(t, func(cfg *config.Config) { cfg.Run.TraceURL, cfg.Run.TraceHeaders = c.URL, "X-Key=abc" })
	s.Work()
	key := s.key(s.owner, false)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	got := s.send(http.DefaultClient, "POST", "/v2/lists", form{filename: "people.csv", file: []byte(people)},
		"Authorization", "Bearer "+key, "traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	require.Equal(t, 201, got.status, got.body)
	require.Eventually(t, func() bool { return len(c.all("list:export")) > 0 && len(c.all("record:find")) == 4 }, apptest.Patience, 20*time.Millisecond)
	upload := c.all("POST /v2/lists")
	require.Len(t, upload, 1)
	require.Equal(t, "b7ad6b7169203331", upload[0].parent, "the client's own trace goes on")
	for _, name := range []string{"list:import", "record:find", "list:export"} {
		for _, span := range c.all(name) {
			require.Equal(t, trace, span.trace, name)
			require.Equal(t, upload[0].id, span.parent, name)
		}
	}
	for _, name := range []string{"ask", "commit"} {
		require.Len(t, c.all(name), 4)
		require.Equal(t, trace, c.all(name)[0].trace)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Equal(t, "abc", c.key)
	for name, spans := range c.spans {
		for _, span := range spans {
			require.False(t, strings.Contains(span.text, "@") || strings.Contains(span.text, key), "%s: %s", name, span.text)
		}
	}
}

func TestWithoutACollectorNothingIsTraced(t *testing.T) {
	s := newSite(t)
	require.Nil(t, s.Trace)
	l := s.Upload(s.owner, "people.csv", []byte(people))
	require.Empty(t, l.Trace)
}
