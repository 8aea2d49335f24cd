package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// readyTimeout bounds each look at the back ends; a load balancer asks often. A part that answered less than readyPatience ago still counts as
// there: all web processes share it, so one slow answer would otherwise take all of them out at once, pages that do not need it too.
const (
	readyTimeout  = time.Second
	readyPatience = 10 * time.Second
)

type homePage struct {
	Demo    bool
	SignUps bool
	Hint    string
}

func (s *Server) home(q *call) error {
	if q.user.ID != 0 {
		return q.redirect("/lists")
	}
	s.sendPage(q, http.StatusOK, "home", homePage{Demo: s.opts.Demo, SignUps: s.app.Config.SignUps, Hint: s.opts.SignIn})
	return nil
}

// sampleShow is a file to try with: that of the demo world, or one that only shows what a file looks like.
func (s *Server) sampleShow(q *call) error {
	body := s.opts.Sample
	if body == nil {
		u, err := s.assets.url("sample.csv")
		if err != nil {
			return err
		}
		body = s.assets.served[u[len("/static/"):]].body
	}
	q.w.Header().Set("Content-Disposition", `attachment; filename="contacts.csv"`)
	q.send(http.StatusOK, "text/csv; charset=utf-8", body)
	return nil
}

// healthShow says that the process runs. It looks at nothing else, so that a broken database does not restart every web process.
func (s *Server) healthShow(q *call) error {
	q.visit.look = true
	q.send(http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
	return nil
}

// readyShow says whether requests should come here: 503 while a back end is away or the process drains. Parts that did not answer are named.
func (s *Server) readyShow(q *call) error {
	q.visit.look = true
	parts, status := map[string]string{}, http.StatusOK
	bad := s.ready(q)
	patient := s.seen.still(bad, s.app.Now())
	for part, err := range bad {
		parts[part] = "late"
		if !patient {
			parts[part], status = "not ok", http.StatusServiceUnavailable
		}
		s.log.WarnContext(q.ctx(), "not ready", "part", part, "error", err, "patient", patient)
	}
	if s.isDraining() {
		parts["process"], status = "draining", http.StatusServiceUnavailable
	}
	body, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	q.send(status, "application/json", body)
	return nil
}

func (s *Server) ready(q *call) map[string]error {
	ctx, cancel := context.WithTimeout(q.ctx(), readyTimeout)
	defer cancel()
	return s.app.Ready(ctx)
}

// sighting is when all parts last answered.
type sighting struct {
	mu sync.Mutex
	at time.Time
}

// still notes a look, and tells whether parts that did not answer are to be waited for.
func (s *sighting) still(bad map[string]error, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(bad) == 0 {
		s.at = now
	}
	return now.Sub(s.at) < readyPatience
}
