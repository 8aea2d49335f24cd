package trace

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoTracerCostsNothing(t *testing.T) {
	none, err := New(Config{})
	require.NoError(t, err)
	require.Nil(t, none)
	ctx := t.Context()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://beagle.example", nil)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ctx2, span := none.Start(ctx, "work", "list", "x")
		span.Set("status", "valid")
		span.End(nil)
		if ctx2 != ctx || none.Parent(ctx) != "" || none.Under(ctx, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") != ctx {
			t.Error("something was made")
		}
		_, span = none.Request(r)
		span.Name("GET /")
		span.End(nil)
	}))
	require.NoError(t, none.Close())
}

func TestTraceparentIsKeptAndGoneOnWith(t *testing.T) {
	tracer, err := New(Config{Endpoint: "http://127.0.0.1:1"}) // nobody listens: spans are lost, work is not
	require.NoError(t, err)
	ctx, span := tracer.Start(t.Context(), "upload")
	parent := tracer.Parent(ctx)
	require.Regexp(t, "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", parent)
	later, job := tracer.Start(tracer.Under(context.Background(), parent), "job", "list", int64(7), "n", 3, "ok", true)
	require.Equal(t, parent[:35], tracer.Parent(later)[:35], "the same trace")
	require.NotEqual(t, parent, tracer.Parent(later))
	job.End(errors.New("it went wrong"))
	span.End(nil)
	require.Equal(t, context.Background(), tracer.Under(context.Background(), ""))
	require.NotPanics(t, func() { tracer.Under(context.Background(), "nonsense") })
	require.NoError(t, tracer.Close())
}

func TestWrongHeadersAreRefused(t *testing.T) {
	_, err := New(Config{Endpoint: "http://127.0.0.1:1", Headers: "no-value"})
	require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_HEADERS")
}
