package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"beagle/app"
	"beagle/app/mailworld"
)

// course is when each row had its last answer, from the start of a run, in rising order.
type course []time.Duration

// milestones are the shares of the rows, in per cent, whose times are printed.
var milestones = []int{50, 90, 95, 99, 100}

// until is when so many per cent of the rows had their answer.
func (c course) until(percent int) time.Duration {
	if len(c) == 0 {
		return 0
	}
	return c[max(0, (len(c)*percent+99)/100-1)]
}

// pace is rows a second until so many per cent of them had their answer.
func (c course) pace(percent int) float64 {
	if c.until(percent) <= 0 {
		return 0
	}
	return float64(len(c)*percent) / 100 / c.until(percent).Seconds()
}

// readCourse reads when the rows of a list were answered.
func readCourse(ctx context.Context, o *opened, list app.List, began time.Time) (course, error) {
	var checked []time.Time
	if err := o.DB.WithContext(ctx).Table("records").Where("list_id = ? AND checked_at IS NOT NULL", list.ID).Order("checked_at").Pluck("checked_at", &checked).Error; err != nil {
		return nil, fmt.Errorf("reading when rows were answered: %w", err)
	}
	c := make(course, len(checked))
	for i, at := range checked {
		c[i] = at.Sub(began)
	}
	return c, nil
}

// side is one approach in the comparison.
type side struct {
	tally
	course
	stats mailworld.Stats
}

// compare runs the plain approach on the first people of the same world, started anew so that no host remembers us, as many at once
// as the workers ask, and prints both side by side.
func (b *benchmark) compare(ctx context.Context, o *opened, truths []mailworld.Truth, ours side) (err error) {
	if b.baseline <= 0 {
		return nil
	}
	b.stop()
	b.procs = nil
	world := b.worldFlags.world(0, 0)
	if err := world.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	atOnce := b.atOnce
	if atOnce == 0 {
		atOnce = o.Config.Worker.Concurrency * o.Config.Worker.RecordServers
	}
	atOnce *= b.workers
	truths = truths[:min(len(truths), b.baseline)]
	var plain side
	plain.tally, plain.course = plainRun(ctx, world, truths, atOnce)
	slices.Sort(plain.course)
	plain.stats = world.Stats()
	printf(b.out, "beside a plain approach (one connection for each address, the catch-all question in each, nothing shared), %d rows, %d at once\n", len(plain.course), atOnce)
	b.beside(ours, plain)
	return nil
}

// beside prints two approaches side by side; ratios are ours to theirs.
func (b *benchmark) beside(ours, plain side) {
	printf(b.out, "  %-34s %10s %10s %8s\n", "", "pipeline", "plain", "ratio")
	for _, m := range milestones {
		x, y := ours.pace(m), plain.pace(m)
		printf(b.out, "  %-34s %10.1f %10.1f %8.1f\n", fmt.Sprintf("rows/s until %d %% are answered", m), x, y, x/max(y, 0.001))
	}
	rates := func(what string, of func(side) float64, form string) {
		printf(b.out, "  %-34s %10s %10s\n", what, fmt.Sprintf(form, of(ours)), fmt.Sprintf(form, of(plain)))
	}
	rates("right among those said valid, %", func(s side) float64 { return percent(s.right, s.valid) }, "%.2f")
	rates("found where hosts tell, %", func(s side) float64 { return percent(s.found, s.findable) }, "%.2f")
	rates("said not to be there and is, %", func(s side) float64 { return percent(s.falseMiss, s.findable) }, "%.2f")
	rates("said valid without a mailbox", func(s side) float64 { return float64(s.falseValid) }, "%.0f")
	rates("RCPT of a row", func(s side) float64 { return float64(s.stats.RCPTs) / float64(max(len(s.course), 1)) }, "%.2f")
	rates("connections of a row", func(s side) float64 { return float64(s.stats.Connections) / float64(max(len(s.course), 1)) }, "%.2f")
	rates("most sessions to one host at once", func(s side) float64 { return float64(s.stats.PeakPerHost) }, "%.0f")
	printf(b.out, "the pipeline is %.1f times as fast from upload to finished file\n", b.speed/max(plain.pace(100), 0.001))
}
