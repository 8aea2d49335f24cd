package web

import (
	"net/http"
	"net/url"
	"strings"

	"beagle/app"
)

// tryJSON is a call of the API that a signed-in user makes from the reference page, in place of one with a key.
type tryJSON struct {
	Method string `json:"method"`
	Path   string `json:"path"` // with its query, such as /v2/lists?limit=1
	Body   string `json:"body"` // JSON; files cannot be sent
}

// triesCreate carries out a call of the API as the signed-in user and answers what the API would. Such calls count for the account in
// this process.
func (s *Server) triesCreate(q *call) error {
	var in tryJSON
	if err := readJSON(q.r.Body, &in); err != nil {
		return err
	}
	target, err := url.ParseRequestURI(in.Path)
	if err != nil || target.Host != "" {
		return app.Refuse(app.CodeBadInput, "wrong_params", "The path must be one of the API's, such as /v2/account.")
	}
	rt, params, ok := findRoute(in.Method, target.EscapedPath())
	if !ok {
		return app.Refuse(app.CodeNotFound, "not_found", "There is no such call.")
	}
	left, reset, ok := s.teamLimit.take("account:" + idOf(q.actor.Account))
	s.teamLimit.headers(q.w.Header(), left, reset)
	if !ok {
		return s.teamLimit.tooMany(q.w.Header(), reset)
	}
	r, err := http.NewRequestWithContext(q.ctx(), in.Method, target.RequestURI(), strings.NewReader(in.Body))
	if err != nil {
		return app.Refuse(app.CodeBadInput, "wrong_params", "The call cannot be made: %s.", err)
	}
	r.Header.Set("Content-Type", "application/json")
	inner := &call{w: q.w, r: r, api: true, actor: q.actor, visit: q.visit, param: func(name string) string { return params[name] }}
	if err = rt.who.allows(q.actor); err == nil {
		err = inner.checkText()
	}
	if err == nil {
		err = rt.handler(s, inner)
	}
	if err != nil {
		s.fail(inner, err)
	}
	return nil
}

// findRoute finds the call of the API that a method and a path belong to, and the parts of the path.
func findRoute(method, path string) (route, map[string]string, bool) {
	parts := strings.Split(path, "/")
	for _, rt := range apiRoutes {
		names := strings.Split(rt.path, "/")
		if rt.method != method || len(names) != len(parts) {
			continue
		}
		params, same := map[string]string{}, true
		for i, name := range names {
			if key, isParam := strings.CutPrefix(name, ":"); isParam {
				value, err := url.PathUnescape(parts[i])
				params[key], same = value, same && err == nil
			} else {
				same = same && name == parts[i]
			}
		}
		if same {
			return rt, params, true
		}
	}
	return route{}, nil, false
}
