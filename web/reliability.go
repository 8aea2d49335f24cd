package web

import (
	"fmt"
	"math"
	"time"

	"beagle/app"
)

// Measures of the reliability diagram, in its own units.
const (
	reliabilitySide             = 200
	reliabilityRim              = 10
	smallestDot, largestDot     = 2.5, 9
	reliabilityMost, dotPercent = 1000, 100 // outcomes that get the largest dot
)

// reliabilityView is one kind of answer on the operator's page: what was promised against what came true.
type reliabilityView struct {
	Kind, Title string
	Side        int
	Box         string // what the diagram shows, with a rim for dots at its edge
	Outcomes    int
	Error       string // expected calibration error, in words
	MadeAt      time.Time
	Bins        []reliabilityBin
}

// reliabilityBin is a dot of the diagram and a line of its table.
type reliabilityBin struct {
	Count               int
	Predicted, Observed string // in per cent
	X, Y, R             string
}

var reliabilityTitles = map[string]string{app.CalibrationVerified: "Addresses that a server confirmed", app.CalibrationGuessed: "Addresses that nobody could ask about"}

func reliabilityViews(all []app.Reliability) []reliabilityView {
	var views []reliabilityView
	for _, r := range all {
		v := reliabilityView{Kind: r.Kind, Title: reliabilityTitles[r.Kind], Side: reliabilitySide, Box: fmt.Sprintf("%d %d %d %d", -reliabilityRim, -reliabilityRim, reliabilitySide+2*reliabilityRim, reliabilitySide+2*reliabilityRim), Outcomes: r.Outcomes(), MadeAt: r.MadeAt,
			Error: fmt.Sprintf("%.1f points raw, %.1f corrected", dotPercent*r.Error(false), dotPercent*r.Error(true))}
		for _, b := range r.Bins {
			if b.Count == 0 {
				continue
			}
			size := math.Sqrt(math.Min(1, float64(b.Count)/reliabilityMost))
			v.Bins = append(v.Bins, reliabilityBin{Count: b.Count, Predicted: fmt.Sprintf("%.0f %%", dotPercent*b.Predicted), Observed: fmt.Sprintf("%.0f %%", dotPercent*b.Observed()),
				X: fmt.Sprintf("%.1f", reliabilitySide*b.Predicted), Y: fmt.Sprintf("%.1f", reliabilitySide*(1-b.Observed())),
				R: fmt.Sprintf("%.1f", smallestDot+(largestDot-smallestDot)*size)})
		}
		views = append(views, v)
	}
	return views
}
