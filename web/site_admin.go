package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"beagle/app"
)

// Spans of the charts, and how long a step of each is.
const (
	hourSpan, hourStep = time.Hour, time.Minute
	daySpan, dayStep   = 24 * time.Hour, 15 * time.Minute
)

// adminPage is the data of admin/index.html.
type adminPage struct {
	app.Health
	Bad         []string // parts that do not answer, in words
	Day         bool     // the charts show 24 hours
	Points      []app.Point
	Times, Work series
	KeepsMail   bool
}

func (s *Server) adminShow(q *call) error {
	health, err := s.app.Health(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	page := adminPage{Health: health, Day: q.query("span") == "24h", KeepsMail: s.app.Config.Run.KeepMail}
	for part, why := range health.Bad {
		page.Bad = append(page.Bad, fmt.Sprintf("%s: %v", part, why))
	}
	slices.Sort(page.Bad)
	span, step := hourSpan, hourStep
	if page.Day {
		span, step = daySpan, dayStep
	}
	if page.Points, err = s.app.Points(q.ctx(), span, step); err != nil {
		return err
	}
	page.Times, page.Work = responseTimes(page.Points, s.app.Now(), span, step), throughput(page.Points, s.app.Now(), span, step)
	s.sendPage(q, http.StatusOK, "admin/index", page)
	return nil
}

// queuesPage is the data of admin/queues.html.
type queuesPage struct {
	Queues       []app.QueueState
	Queue, State string // whose tasks are shown; "" = none
	Tasks        []app.Task
}

func (s *Server) queuesIndex(q *call) (err error) {
	page := queuesPage{Queue: q.query("queue"), State: q.query("state")}
	if page.Queues, err = s.app.Queues(q.ctx()); err != nil {
		return err
	}
	if page.Queue != "" {
		if page.Tasks, err = s.app.Tasks(q.ctx(), q.actor, page.Queue, page.State); err != nil {
			return err
		}
	}
	s.sendPage(q, http.StatusOK, "admin/queues", page)
	return nil
}

// taskControl makes a handler of what is done with one task.
func taskControl(do func(*app.App, context.Context, app.Actor, string, string) error) func(*Server, *call) error {
	return func(s *Server, q *call) error {
		queue := q.param("queue")
		if err := do(s.app, q.ctx(), q.actor, queue, q.form("task")); err != nil {
			return err
		}
		state := q.form("state")
		if !slices.Contains(app.TaskStates, state) {
			return q.redirect("/admin/queues")
		}
		return q.redirect("/admin/queues?" + url.Values{"queue": {queue}, "state": {state}}.Encode())
	}
}
