package web

import (
	"context"
	"errors"
	"hash"
	"net/http"
	"net/url"
	"strings"

	"beagle/app"

	"github.com/labstack/echo/v4"
)

// access says who may use a route.
type access int

const (
	anyone        access = iota // no account is needed; a session is still looked at
	signedIn                    // a session
	keyed                       // an API key
	keyedManagers               // an API key of an owner or admin of the team
	managers                    // a session of an owner or admin of the team
	owners                      // a session of an owner of the team
	operators                   // a session of somebody who runs this installation; others find nothing
	probes                      // load balancers: neither session nor key is looked at
)

// route is a line of the tables in routes_site.go and routes_api.go.
type route struct {
	method, path string
	handler      func(*Server, *call) error
	who          access
	pace         pace
}

// call is one request as handlers see it.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	param func(name string) string // a part of the path
	visit *visit
	api   bool
	actor app.Actor
	user  app.User   // the zero User for strangers and API keys
	trial bool       // the key for tests: fixed answers
	asked url.Values // the parameters of the address, once they were read
	said  hash.Hash  // what the request says, for Idempotency-Key; nil without one
}

func (q *call) ctx() context.Context { return q.r.Context() }

// query is a parameter of the address, form a field of the body.
func (q *call) query(name string) string { return q.values().Get(name) }
func (q *call) form(name string) string  { return q.r.PostFormValue(name) }

// values are the parameters of the address.
func (q *call) values() url.Values {
	if q.asked == nil {
		q.asked = q.r.URL.Query()
	}
	return q.asked
}

// htmx tells that a part of a page was asked for, to be put into the page that is open. A page restored from
// the browser's history is asked for whole.
func (q *call) htmx() bool {
	return q.r.Header.Get("HX-Request") == "true" && q.r.Header.Get("HX-History-Restore-Request") != "true"
}

// wantsJSON tells that errors are read by a script.
func (q *call) wantsJSON() bool {
	return q.api || strings.HasPrefix(q.r.Header.Get("Accept"), "application/json")
}

func (s *Server) router() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.refuseRoute(s.adapt(c, false), err) }
	for _, rt := range siteRoutes {
		s.add(e, rt, false)
	}
	for _, rt := range apiRoutes {
		s.add(e, rt, true)
	}
	return withoutSlash(e)
}

// isAPI tells that an address is for programs.
func isAPI(path string) bool { return strings.HasPrefix(path, "/v2/") || path == "/mcp" }

// withoutSlash takes a slash off the end of the API's addresses: one of Hunter's clients puts it there.
func withoutSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; strings.HasPrefix(p, "/v2/") && strings.HasSuffix(p, "/") {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = strings.TrimRight(p, "/"), ""
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) add(e *echo.Echo, rt route, api bool) {
	serve := func(c echo.Context) error {
		s.answer(rt, s.adapt(c, api))
		return nil
	}
	e.Add(rt.method, rt.path, serve)
	if rt.method == http.MethodGet && rt.pace != stream {
		e.Add(http.MethodHead, rt.path, serve)
	}
}

// adapt is the one place that takes a request out of echo.
func (s *Server) adapt(c echo.Context, api bool) *call {
	r := c.Request()
	q := &call{w: c.Response().Writer, r: r, param: c.Param, visit: visitOf(r.Context()), api: api || isAPI(r.URL.Path)}
	q.visit.route, q.visit.list = c.Path(), c.Param("list")
	return q
}

// answer runs a route: its time limits, who asks, the handler, and the error if there is one.
func (s *Server) answer(rt route, q *call) {
	q.visit.pace = rt.pace
	defer s.limit(rt.pace, q)()
	err := s.admit(rt.who, q)
	if err == nil && q.api {
		err = q.checkText()
	}
	if err == nil {
		err = s.once(rt, q)
	}
	if err != nil {
		s.fail(q, err)
	}
	if rt.pace == upload {
		q.swallow(s.app.Config.Upload.MaxBytes)
	}
}

// admit finds out who asks and refuses those who may not.
func (s *Server) admit(who access, q *call) error {
	q.actor.IP, q.actor.Agent = s.clientIP(q.r), q.r.UserAgent()
	switch who {
	case keyed, keyedManagers:
		if err := s.admitKey(q); err != nil {
			return err
		}
		return who.allows(q.actor)
	case probes:
		return nil
	}
	err := s.admitSession(q)
	if err == nil && who == operators && !q.actor.Operator {
		return app.Refuse(app.CodeNotFound, "not_found", "There is nothing at this address.")
	}
	if err == nil {
		return who.allows(q.actor)
	}
	if who != anyone {
		return err
	}
	if app.CodeOf(err) != app.CodeUnauthorized {
		s.log.WarnContext(q.ctx(), "session not read", "request_id", q.visit.id, "error", err) // the page is for strangers too
	}
	return nil
}

// allows refuses somebody whose role is too small for a route.
func (who access) allows(as app.Actor) error {
	switch who {
	case managers, keyedManagers:
		return as.MayManage()
	case owners:
		return as.MayOwn()
	}
	return nil
}

// refuseRoute answers what no route took.
func (s *Server) refuseRoute(q *call, err error) {
	q.visit.route = "none"
	if he := new(echo.HTTPError); errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound:
			err = app.Refuse(app.CodeNotFound, "not_found", "There is nothing at this address.")
		case http.StatusMethodNotAllowed:
			err = errMethod
		}
	}
	if !q.api {
		_ = s.admit(anyone, q)
	}
	s.fail(q, err)
}
