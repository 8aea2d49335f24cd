package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"
)

// contract is openapi.yaml as it is checked against; only tests need the library.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

var pathParam = regexp.MustCompile(`:(\w+)`)

func TestEveryCallIsInTheContractAndTheReverse(t *testing.T) {
	doc, err := contract()
	require.NoError(t, err)
	served, written := map[string]bool{}, map[string]bool{}
	for _, rt := range apiRoutes {
		served[rt.method+" "+pathParam.ReplaceAllString(rt.path, "{$1}")] = true
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			written[method+" "+path] = true
			require.False(t, ids[op.OperationID], "%s twice", op.OperationID)
			ids[op.OperationID] = true
			require.NotEmpty(t, op.Summary, path)
			_, takesKey := strings.CutPrefix(method, http.MethodPost)
			require.Equal(t, takesKey, op.Parameters.GetByInAndName("header", "Idempotency-Key") != nil, "%s %s", method, path)
		}
	}
	require.Equal(t, served, written)
}

func TestContractNoticesWhatItDoesNotAllow(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), "GET", "/v2/email-count?domain=a.example", nil)
	require.NoError(t, err)
	good := answer{200, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, `{"data":{"total":0,"personal_emails":0,"generic_emails":0,"department":{},"seniority":{}},"meta":{"params":{}}}`}
	require.NoError(t, checkContract(r, good))
	for _, wrong := range []answer{
		{200, good.header, strings.Replace(good.body, `"total":0`, `"total":"0"`, 1)},
		{200, good.header, strings.Replace(good.body, `"total":0,`, "", 1)},
		{200, good.header, strings.Replace(good.body, `"total":0,`, `"total":0,"surprise":1,`, 1)},
		{201, good.header, good.body},
		{200, http.Header{"Content-Type": {"text/html"}}, good.body},
		{400, good.header, `{"errors":[]}`},
	} {
		require.Error(t, checkContract(r, wrong), "%d %s", wrong.status, wrong.body)
	}
}

// requireContract checks an answer of the API against openapi.yaml.
func requireContract(t *testing.T, r *http.Request, got answer) {
	t.Helper()
	require.NoError(t, checkContract(r, got), "%s %s: %d %s", r.Method, r.URL.Path, got.status, got.body)
}

func checkContract(r *http.Request, got answer) error {
	doc, err := contract()
	if err != nil {
		return err
	}
	route := routeOf(doc, r)
	if route == nil {
		return nil // not a call of the API
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: route}, Status: got.status, Header: got.header,
		Body: io.NopCloser(bytes.NewBufferString(got.body)), Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: strings.Contains(route.Path, "download") && got.status == 200}})
}

func routeOf(doc *openapi3.T, r *http.Request) *routers.Route {
	parts := strings.Split(strings.TrimRight(r.URL.Path, "/"), "/")
	for path, item := range doc.Paths.Map() {
		names := strings.Split(path, "/")
		same := len(names) == len(parts)
		for i := 0; same && i < len(names); i++ {
			same = names[i] == parts[i] || strings.HasPrefix(names[i], "{")
		}
		if op := item.GetOperation(r.Method); same && op != nil {
			return &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: op}
		}
	}
	return nil
}
