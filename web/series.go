package web

import (
	"fmt"
	"strings"
	"time"

	"beagle/app"
)

// The charts of the operator's page, in units of their viewBox.
const (
	seriesWidth = 720
	seriesFloor = 165 // where zero is
	seriesTop   = 14  // where the largest value is
)

// series is a drawn chart over time.
type series struct {
	Title        string
	Width, Floor int
	Top          string // the largest value
	From, To     string // the ends of the time axis
	Words        string // the chart for somebody who does not see it
	Lines        []seriesLine
	Dots         []seriesDot
	DotWord      string // what a dot is
}

type seriesLine struct{ Name, Class, Points string }

type seriesDot struct{ Class, X, Y, Title string }

// window is the time that the charts of a page show.
type window struct {
	now        time.Time
	span, step time.Duration
}

// reading is one value of a line.
type reading struct {
	at    time.Time
	value float64
}

// curve is one line of a chart before it is drawn.
type curve struct {
	name, class string
	readings    []reading
}

// measured makes a curve of points.
func measured(name, class string, points []app.Point, value func(app.Point) float64) curve {
	c := curve{name: name, class: class}
	for _, p := range points {
		c.readings = append(c.readings, reading{p.At, value(p)})
	}
	return c
}

// responseTimes draws the percentiles, and a red dot for each step in which requests timed out.
func responseTimes(points []app.Point, w window) series {
	s := w.draw("Response times", milliseconds, measured("p50", "v-1", points, func(p app.Point) float64 { return p.P50 }),
		measured("p95", "v-2", points, func(p app.Point) float64 { return p.P95 }), measured("p99", "v-3", points, func(p app.Point) float64 { return p.P99 }))
	timeouts := int64(0)
	for _, p := range points {
		if p.Timeouts == 0 {
			continue
		}
		timeouts += p.Timeouts
		s.Dots = append(s.Dots, seriesDot{Class: "v-red", X: w.across(p.At), Y: fmt.Sprint(seriesTop),
			Title: fmt.Sprintf("%d time-outs in the %s from %s", p.Timeouts, inStep(w.step), w.clock(p.At))})
	}
	s.DotWord = "time-outs"
	s.Words += fmt.Sprintf("; %d time-outs", timeouts)
	return s
}

// throughput draws requests and lookups per second.
func throughput(points []app.Point, w window) series {
	return w.draw("Throughput", func(v float64) string { return fmt.Sprintf("%.1f / s", v) },
		measured("requests", "v-1", points, func(p app.Point) float64 { return float64(p.Requests) / w.step.Seconds() }),
		measured("lookups", "v-3", points, func(p app.Point) float64 { return float64(p.Lookups) / w.step.Seconds() }))
}

// byQueue draws one gauge of every queue.
func byQueue(title string, gauges map[string][]app.Gauge, name func(queue string) string, words func(float64) string, w window) series {
	var curves []curve
	for i, queue := range app.QueueNames() {
		curves = append(curves, gauged(queue, fmt.Sprintf("v-%d", i+1), gauges[name(queue)]))
	}
	return w.draw(title, words, curves...)
}

func gauged(name, class string, values []app.Gauge) curve {
	c := curve{name: name, class: class}
	for _, g := range values {
		c.readings = append(c.readings, reading{g.At, g.Value})
	}
	return c
}

// listTimes draws each finished list as a dot: when, and how long after its upload.
func listTimes(times []app.ListTime, w window) series {
	longest := 0.0
	for _, t := range times {
		longest = max(longest, t.Seconds)
	}
	s := w.draw("From upload to finished list", seconds)
	s.Top, s.DotWord = seconds(longest), "lists"
	for _, t := range times {
		s.Dots = append(s.Dots, seriesDot{Class: "v-dot", X: w.across(t.At), Y: height(t.Seconds, longest),
			Title: fmt.Sprintf("%d rows in %s, finished %s", t.Size, seconds(t.Seconds), w.clock(t.At))})
	}
	s.Words = fmt.Sprintf("%s: %d lists, at most %s", s.Title, len(times), s.Top)
	return s
}

// inStep is a step in words.
func inStep(step time.Duration) string {
	if step == time.Minute {
		return "minute"
	}
	return span(step)
}

func milliseconds(v float64) string { return fmt.Sprintf("%.0f ms", v) }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

func seconds(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f s", v)
	}
	return (time.Duration(v) * time.Second).String()
}

// draw makes a chart of curves; words says a value.
func (w window) draw(title string, words func(float64) string, curves ...curve) series {
	largest := 0.0
	for _, c := range curves {
		for _, r := range c.readings {
			largest = max(largest, r.value)
		}
	}
	s := series{Title: title, Width: seriesWidth, Floor: seriesFloor, Top: words(largest), From: w.clock(w.now.Add(-w.span)), To: w.clock(w.now) + " UTC"}
	for _, c := range curves {
		var path strings.Builder
		for _, r := range c.readings {
			fmt.Fprintf(&path, "%s,%s ", w.across(r.at), height(r.value, largest))
		}
		if len(c.readings) == 1 {
			path.WriteString(path.String()) // a line of one point is not drawn, one of two is, by its round ends
		}
		s.Lines = append(s.Lines, seriesLine{c.name, c.class, strings.TrimSpace(path.String())})
	}
	s.Words = title + ", at most " + s.Top
	return s
}

// clock is a time as the axis shows it: with the day where a window has several.
func (w window) clock(at time.Time) string {
	if w.span > daySpan {
		return at.UTC().Format("2 Jan 15:04")
	}
	return at.UTC().Format("15:04")
}

// across is where a time is on the axis.
func (w window) across(at time.Time) string {
	return fmt.Sprintf("%.1f", max(0, min(1, 1-w.now.Sub(at).Seconds()/w.span.Seconds()))*seriesWidth)
}

// height is where a value is above the floor.
func height(value, largest float64) string {
	y := float64(seriesFloor)
	if largest > 0 {
		y -= value / largest * (seriesFloor - seriesTop)
	}
	return fmt.Sprintf("%.1f", y)
}
