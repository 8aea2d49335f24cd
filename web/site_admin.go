package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"beagle/app"
)

// Spans of the charts, and how long a step of each is.
const (
	hourSpan, hourStep = time.Hour, time.Minute
	daySpan, dayStep   = 24 * time.Hour, 15 * time.Minute
	weekSpan, weekStep = 7 * daySpan, 2 * time.Hour
)

// spans are the choices of the operator's page.
var spans = []struct {
	Name, Word string
	span, step time.Duration
}{{"1h", "last hour", hourSpan, hourStep}, {"24h", "last 24 hours", daySpan, dayStep}, {"7d", "last 7 days", weekSpan, weekStep}}

// adminPage is the data of admin/index.html.
type adminPage struct {
	app.Health
	Bad       []string // parts that do not answer, in words
	Mail      app.ProbeHealth
	Span      string // of the charts
	Spans     []spanChoice
	Charts    []series
	Measured  bool // there is something to draw
	KeepsMail bool

	Reliability []reliabilityView
	Credits     creditsForm
}

// creditsForm is the card for giving credits, as it was filled in when it was refused, and what was given last.
type creditsForm struct {
	Counted             bool
	Email, Amount, Note string
	Key                 string // another one each time the form is shown: sent twice, it gives once
	Error               string
	Last                []app.Grant
}

type spanChoice struct{ Name, Word string }

func (s *Server) adminShow(q *call) error { return s.showAdmin(q, http.StatusOK, creditsForm{}) }

// creditsCreate gives credits to an account.
func (s *Server) creditsCreate(q *call) error {
	f := creditsForm{Email: q.form("email"), Amount: q.form("amount"), Note: q.form("note")}
	amount, _ := strconv.ParseInt(strings.TrimSpace(f.Amount), 10, 64) // 0 is refused with the reason
	key := q.form("key")
	if key == "" {
		f.Error = "This form was not whole. Here it is again."
		return s.showAdmin(q, http.StatusBadRequest, f)
	}
	_, err := s.app.GiveCredits(q.ctx(), q.actor, app.GrantParams{Email: f.Email, Amount: amount, Note: f.Note, Key: key})
	if err == nil {
		return q.redirect("/admin#h-credits")
	}
	refusal, status := refusalOf(err)
	if status == http.StatusInternalServerError {
		return err
	}
	f.Error = refusal.Message
	return s.showAdmin(q, status, f)
}

func (s *Server) showAdmin(q *call, status int, credits creditsForm) error {
	health, err := s.app.Health(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	page := adminPage{Health: health, Mail: s.probeHealth(q), Span: spans[0].Name, KeepsMail: s.app.Config.Run.KeepMail}
	reliability, err := s.app.Reliability(q.ctx(), q.actor)
	if err != nil {
		return err
	}
	page.Reliability = reliabilityViews(reliability)
	page.Credits, page.Credits.Counted, page.Credits.Key = credits, s.app.Config.Credits, rand.Text()
	if page.Credits.Last, err = s.app.Grants(q.ctx(), q.actor); err != nil {
		return err
	}
	w := window{now: s.app.Now(), span: spans[0].span, step: spans[0].step}
	for _, choice := range spans {
		page.Spans = append(page.Spans, spanChoice{choice.Name, choice.Word})
		if choice.Name == q.query("span") {
			page.Span, w.span, w.step = choice.Name, choice.span, choice.step
		}
	}
	for part, why := range health.Bad {
		page.Bad = append(page.Bad, fmt.Sprintf("%s: %v", part, why))
	}
	slices.Sort(page.Bad)
	if err := s.drawCharts(q.ctx(), &page, w); err != nil {
		return err
	}
	s.sendPage(q, status, "admin/index", page)
	return nil
}

// drawCharts reads what was measured in a window and draws it.
func (s *Server) drawCharts(ctx context.Context, page *adminPage, w window) error {
	points, err := s.app.Points(ctx, w.span, w.step)
	if err != nil {
		return err
	}
	gauges, err := s.app.Gauges(ctx, w.span, w.step)
	if err != nil {
		return err
	}
	times, err := s.app.ListTimes(ctx, w.span)
	if err != nil {
		return err
	}
	page.Measured = len(points)+len(gauges)+len(times) > 0
	page.Charts = []series{responseTimes(points, w), throughput(points, w), byQueue("Backlog", gauges, app.BacklogGauge, whole, w),
		byQueue("Age of the oldest task that waits", gauges, app.LatencyGauge, seconds, w),
		w.draw("Workers", whole, gauged("workers", "v-1", gauges[app.WorkersGauge])), listTimes(times, w)}
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
