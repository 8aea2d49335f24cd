package web

import (
	"fmt"
	"strings"

	"beagle/app"
)

// slice is one part of the donut and one line of the table beside it.
type slice struct {
	Status, Word, Meaning string
	Rows                  int64
	Share                 float64
	Dash, Offset          string // stroke-dasharray and stroke-dashoffset on a circle of length 100
}

// gap is left between two slices of the donut, in hundredths of the circle.
const gap = 0.6

// donut draws the counts of a list in a fixed order, rows without an answer last.
func donut(c app.Counts) []slice {
	var all []slice
	seen := int64(0)
	for _, w := range statusWords {
		n := c.ByStatus[w.Status]
		seen += n
		all = append(all, slice{Status: w.Status, Word: w.Word, Meaning: w.Meaning, Rows: n})
	}
	seen += c.Skipped
	ended := max(c.Done+c.Failed, seen)
	all = append(all, slice{Status: "skipped", Word: "Repeated", Meaning: "The same person is in an earlier row.", Rows: c.Skipped},
		slice{Status: "failed", Word: "Failed", Meaning: "The line could not be used.", Rows: ended - seen},
		slice{Status: "retrying", Word: "Coming back later", Meaning: "The server asked us to wait.", Rows: c.Retrying},
		slice{Status: "waiting", Word: "Not yet asked", Meaning: "Waiting for its turn.", Rows: c.Waiting})
	seen = ended + c.Retrying + c.Waiting
	var drawn []slice
	start := 0.0
	for _, part := range all {
		if part.Rows == 0 {
			continue
		}
		part.Share = float64(part.Rows) / float64(max(c.Total, seen))
		length := 100 * part.Share
		part.Dash = fmt.Sprintf("%.2f 100", max(length-gap, 0.2))
		part.Offset = fmt.Sprintf("%.2f", -start)
		start += length
		drawn = append(drawn, part)
	}
	if len(drawn) == 1 {
		drawn[0].Dash = "100 0"
	}
	return drawn
}

// inWords says the chart to somebody who does not see it.
func inWords(parts []slice) string {
	said := make([]string, len(parts))
	for i, p := range parts {
		said[i] = fmt.Sprintf("%s %d (%s)", p.Word, p.Rows, percent(p.Share))
	}
	return strings.Join(said, ", ")
}
