package web

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"beagle/app"
)

const (
	eventEvery    = time.Second      // how often a list's counters are read for a live page
	heartbeat     = 15 * time.Second // routers close what is silent for longer
	eventTimeout  = 5 * time.Second  // reading and sending one event
	reconnectTime = 2000             // milliseconds; what a browser waits after the connection broke
)

// eventsShow sends the live part of a list page whenever its numbers change (server-sent events): "progress" with the new
// HTML, which names the list's state, and "end" when nothing more will come.
func (s *Server) eventsShow(q *call) error {
	if _, err := s.listed(q); err != nil {
		return err
	}
	leave, ok := s.streams.enter(q.actor.Account)
	if !ok {
		return app.Refuse(app.CodeTooMany, "too_many_streams", "Too many live pages are open.")
	}
	defer leave()
	h := q.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	e := events{q: q, rc: http.NewResponseController(q.w)}
	if err := e.write(fmt.Sprintf("retry: %d\n\n", reconnectTime)); err != nil {
		return nil
	}
	s.follow(q, &e)
	return nil
}

// follow sends events until the list has ended, the reader hangs up or signs out, or the process drains. The counters are
// read again and again, not waited for: the workers that change them are other processes.
func (s *Server) follow(q *call, e *events) {
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	for {
		l, err := s.sendProgress(q, e)
		if err != nil || l.Ended() {
			_ = e.send("end", nil)
			return
		}
		select {
		case <-tick.C:
		case <-s.drain:
			return
		case <-q.ctx().Done():
			return
		}
		if time.Since(e.sent) > heartbeat && (s.admitSession(q) != nil || e.write(": still here\n\n") != nil) {
			return
		}
	}
}

// sendProgress sends the live part when it is not what was sent last.
func (s *Server) sendProgress(q *call, e *events) (app.List, error) {
	l, err := s.listed(q)
	if err != nil {
		return l, err
	}
	live, err := s.live(q, l)
	if err != nil {
		return l, err
	}
	body, err := s.pages.render("lists/show", "live", live)
	if err != nil || bytes.Equal(body, e.last) {
		return l, err
	}
	e.last = body
	return l, e.send("progress", body)
}

// events writes server-sent events.
type events struct {
	q    *call
	rc   *http.ResponseController
	last []byte    // the live part as it was sent last
	sent time.Time // when anything was
}

func (e *events) send(name string, data []byte) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\n", name)
	for line := range bytes.Lines(data) {
		fmt.Fprintf(&b, "data: %s\n", bytes.TrimRight(line, "\r\n"))
	}
	if len(data) == 0 {
		b.WriteString("data:\n")
	}
	b.WriteString("\n")
	return e.write(b.String())
}

func (e *events) write(s string) error {
	_ = e.rc.SetWriteDeadline(time.Now().Add(eventTimeout))
	if _, err := e.q.w.Write([]byte(s)); err != nil {
		return err
	}
	e.sent = time.Now()
	return e.rc.Flush()
}
