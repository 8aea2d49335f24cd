package main

import (
	"regexp"
	"strings"
	"testing"

	"beagle/app/apptest"
	"beagle/web"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// metricsOf are the metrics of a registry that are ours, with their labels.
func metricsOf(t *testing.T, r *prometheus.Registry) map[string]string {
	t.Helper()
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		r.Describe(descriptions)
	}()
	all := map[string]string{}
	for d := range descriptions {
		m := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`).FindStringSubmatch(d.String())
		require.NotNil(t, m, d.String())
		if strings.HasPrefix(m[1], "beagle_") {
			all[m[1]] = strings.ReplaceAll(m[2], ",", ", ")
		}
	}
	return all
}

func TestTheTableOfMetricsIsWhatIsMeasured(t *testing.T) {
	e := apptest.New(t)
	_, err := web.New(e.App, web.Options{})
	require.NoError(t, err)
	measured := metricsOf(t, e.Metrics.Registry)
	require.Greater(t, len(measured), 20)
	said := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]*?) ?\\|").FindAllStringSubmatch(documents(t)["docs/metrics.md"], -1) {
		said[m[1]] = m[2]
	}
	require.Equal(t, measured, said)
}

func TestDocsAndManifestsNameMetricsThatExist(t *testing.T) {
	known := documents(t)["docs/metrics.md"] // held to the registry by the test above
	texts := documents(t)
	for _, f := range []string{"deploy/kubernetes/keda.yaml"} {
		texts["docs/"+f] = read(t, "docs/"+f)
	}
	found := 0
	for name, text := range texts {
		for _, metric := range regexp.MustCompile(`\bbeagle_[a-z_]+`).FindAllString(text, -1) {
			found++
			bare := regexp.MustCompile(`_(?:bucket|sum|count)$`).ReplaceAllString(metric, "")
			if !strings.Contains(known, "| `"+metric+"` |") && !strings.Contains(known, "| `"+bare+"` |") {
				t.Errorf("%s names the metric %s, which there is not", name, metric)
			}
		}
	}
	require.Greater(t, found, 30)
}
