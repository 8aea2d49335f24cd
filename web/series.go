package web

import (
	"fmt"
	"strings"
	"time"

	"beagle/app"
)

// The charts of the operator's page, in units of their viewBox.
const (
	seriesWidth  = 720
	seriesHeight = 180
	seriesFloor  = 165 // where zero is
	seriesTop    = 14  // where the largest value is
)

// series is a drawn chart over time.
type series struct {
	Width, Height, Floor int
	Top                  string // the largest value
	From, To             string // the ends of the time axis
	Words                string // the chart for somebody who does not see it
	Lines                []seriesLine
	Dots                 []seriesDot
}

type seriesLine struct{ Name, Class, Points string }

type seriesDot struct{ X, Y, Title string }

// curve is one line of a chart before it is drawn.
type curve struct {
	name, class string
	value       func(app.Point) float64
}

// responseTimes draws the percentiles, and a red dot for each step in which requests timed out.
func responseTimes(points []app.Point, now time.Time, span, step time.Duration) series {
	s := draw(points, now, span, []curve{{"p50", "v-1", func(p app.Point) float64 { return p.P50 }}, {"p95", "v-2", func(p app.Point) float64 { return p.P95 }},
		{"p99", "v-3", func(p app.Point) float64 { return p.P99 }}}, func(v float64) string { return fmt.Sprintf("%.0f ms", v) })
	timeouts := int64(0)
	for _, p := range points {
		if p.Timeouts == 0 {
			continue
		}
		timeouts += p.Timeouts
		s.Dots = append(s.Dots, seriesDot{X: across(p.At, now, span), Y: fmt.Sprint(seriesTop), Title: fmt.Sprintf("%d time-outs in the %s from %s", p.Timeouts, inStep(step), p.At.Format("15:04"))})
	}
	s.Words = fmt.Sprintf("Response times, at most %s; %d time-outs", s.Top, timeouts)
	return s
}

// inStep is a step in words.
func inStep(step time.Duration) string {
	if step == time.Minute {
		return "minute"
	}
	return span(step)
}

// throughput draws requests and lookups per second.
func throughput(points []app.Point, now time.Time, span, step time.Duration) series {
	s := draw(points, now, span, []curve{{"requests", "v-1", func(p app.Point) float64 { return float64(p.Requests) / step.Seconds() }},
		{"lookups", "v-3", func(p app.Point) float64 { return float64(p.Lookups) / step.Seconds() }}}, func(v float64) string { return fmt.Sprintf("%.1f / s", v) })
	s.Words = "Requests and lookups, at most " + s.Top
	return s
}

func draw(points []app.Point, now time.Time, span time.Duration, curves []curve, words func(float64) string) series {
	largest := 0.0
	for _, p := range points {
		for _, c := range curves {
			largest = max(largest, c.value(p))
		}
	}
	s := series{Width: seriesWidth, Height: seriesHeight, Floor: seriesFloor, Top: words(largest), From: now.Add(-span).UTC().Format("15:04"), To: now.UTC().Format("15:04") + " UTC"}
	for _, c := range curves {
		var path strings.Builder
		for _, p := range points {
			y := float64(seriesFloor)
			if largest > 0 {
				y -= c.value(p) / largest * (seriesFloor - seriesTop)
			}
			fmt.Fprintf(&path, "%s,%.1f ", across(p.At, now, span), y)
		}
		if len(points) == 1 {
			path.WriteString(path.String()) // a line of one point is not drawn, one of two is, by its round ends
		}
		s.Lines = append(s.Lines, seriesLine{c.name, c.class, strings.TrimSpace(path.String())})
	}
	return s
}

// across is where a time is on the axis.
func across(at, now time.Time, span time.Duration) string {
	return fmt.Sprintf("%.1f", max(0, min(1, 1-now.Sub(at).Seconds()/span.Seconds()))*seriesWidth)
}
