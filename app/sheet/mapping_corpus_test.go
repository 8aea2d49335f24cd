package sheet

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the mapping must reach on every file of header rows in testdata: the share of fields. And the number of rows and of
// languages that were found in public.
const (
	mappingGoal   = 0.98
	corpusRows    = 200
	corpusTongues = 8
	askBelow      = 0.9 // the mapping page asks to check what is less sure
)

// score counts the fields of a case: those that ought to be there and those that are, each once.
func score(want, got Mapping) (right, all int, wrong []Field) {
	fields := maps.Clone(want)
	maps.Copy(fields, got)
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		column, wanted := want[f]
		if mapped, ok := got[f]; ok == wanted && mapped == column {
			right++
		} else {
			wrong = append(wrong, f)
		}
	}
	return right, len(fields), wrong
}

func TestMappingIsRightOnTheHeadersOfExports(t *testing.T) {
	files := map[string][]headerCase{}
	for _, name := range []string{"headers.tsv", "exports.tsv", "found.tsv"} {
		files[name] = headerCases(t, name)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for with, content := range map[string]bool{"names alone": false, "names and rows": true} {
			right, all := 0, 0
			for _, c := range files[name] {
				var sample [][]string
				if content {
					sample = rowsFor(c)
				}
				got, sure := DetectMapping(c.columns, sample, true)
				r, a, wrong := score(c.want, got)
				right, all = right+r, all+a
				for _, f := range wrong {
					require.Less(t, sure[f], askBelow, "%s: what is wrong is asked about", c.name)
					t.Logf("%s, %s: %s is %v, not %v (confidence %.2f) in %q", c.name, with, f, got[f], c.want[f], sure[f], c.columns)
				}
			}
			t.Logf("%s, %s: %d of %d fields right (%.1f %%)", name, with, right, all, 100*float64(right)/float64(all))
			require.GreaterOrEqual(t, float64(right)/float64(all), mappingGoal, "%s, %s", name, with)
		}
	}
	tongues := map[string]bool{}
	for _, c := range files["found.tsv"] {
		tongues[c.name[:2]] = true
	}
	require.GreaterOrEqual(t, len(files["found.tsv"]), corpusRows)
	require.GreaterOrEqual(t, len(tongues), corpusTongues)
}
