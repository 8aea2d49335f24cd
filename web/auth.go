package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"beagle/app"
)

// sessionAge is how long a browser keeps the cookie; app ends the session earlier when it is not used.
const sessionAge = 30 * 24 * time.Hour

// cookieName has the __Host- prefix where cookies are for TLS only: such a cookie cannot be set by a neighbouring host.
func (s *Server) cookieName() string {
	if s.secure {
		return "__Host-beagle"
	}
	return "beagle"
}

func (s *Server) cookie(token string, age time.Duration) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(), Value: token, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
}

func (s *Server) sessionToken(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// admitSession finds out who the cookie belongs to. CodeUnauthorized when nobody.
func (s *Server) admitSession(q *call) error {
	actor, user, err := s.app.SessionActor(q.ctx(), s.sessionToken(q.r))
	if err != nil {
		return err
	}
	actor.IP, actor.Agent = q.actor.IP, q.actor.Agent
	q.actor, q.user, q.visit.account = actor, user, actor.Account
	return nil
}

// admitKey finds out who the API key belongs to and counts the request. Without a good key the address it came from is counted.
func (s *Server) admitKey(q *call) error {
	h := q.w.Header()
	if left, reset, ok := s.badKeys.peek(q.actor.IP); !ok {
		s.badKeys.headers(h, left, reset)
		return s.badKeys.tooMany(h, reset)
	}
	secret, inURL := keyOf(q.r)
	if secret == trialKey {
		return s.admitTrial(q)
	}
	use, err := s.app.UseKey(q.ctx(), secret, inURL, s.keyLimit.window)
	if app.CodeOf(err) == app.CodeUnauthorized {
		left, reset, _ := s.badKeys.take(q.actor.IP)
		s.badKeys.headers(h, left, reset)
		h.Set("WWW-Authenticate", `Bearer realm="beagle"`)
	}
	if err != nil {
		return err // the key may be good: who hangs up, or comes while the database is away, is not counted as a stranger
	}
	use.Actor.IP, use.Actor.Agent = q.actor.IP, q.actor.Agent
	q.actor, q.visit.account = use.Actor, use.Actor.Account
	err = s.hold(q, use)
	s.app.Called(use, err != nil)
	return err
}

// hold keeps a key and its account to their limits. A key has half of what the account has, so that no key takes all. The headers tell
// of the limit that is nearer to its end. Requests are counted in Redis for all web processes together; while it is away, each process
// counts its own.
func (s *Server) hold(q *call, use app.KeyUse) error {
	limits, names := [2]*limiter{s.keyLimit, s.teamLimit}, [2]string{"key:" + idOf(use.Key), "account:" + idOf(use.Actor.Account)}
	tightest, least, reset, ok := limits[0], 0, use.Reset, true
	for i, l := range limits {
		left, until, fits := max(0, l.quota-int(use.Counts[i])), use.Reset, int(use.Counts[i]) <= l.quota
		if !use.Shared {
			left, until, fits = l.take(names[i])
		}
		if i == 0 || (ok && (!fits || left < least)) {
			tightest, least, reset, ok = l, left, until, fits
		}
	}
	tightest.headers(q.w.Header(), least, reset)
	if !ok {
		return tightest.tooMany(q.w.Header(), reset)
	}
	return nil
}

// keyOf reads the key from where clients put it: the two headers, or the address, as Hunter's clients do.
func keyOf(r *http.Request) (secret string, inURL bool) {
	if scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(key), false
	}
	if key := r.Header.Get("X-API-KEY"); key != "" {
		return strings.TrimSpace(key), false
	}
	return r.URL.Query().Get("api_key"), true
}

// toSignIn asks a stranger to sign in, and remembers the page they wanted to see.
func (s *Server) toSignIn(q *call) {
	to := "/sign-in"
	if q.r.Method == http.MethodGet && !q.htmx() {
		to += "?next=" + url.QueryEscape(q.r.URL.RequestURI())
	}
	_ = q.redirect(to)
}

// localPath is a page of ours to go on to, or the lists: an address from outside must not lead to another site.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/lists"
	}
	return next
}

// signPage is the data of sign_in.html and sign_up.html.
type signPage struct {
	Email, Name, Next string
	Error             string
	SignUps           bool
	Demo              bool
	Hint              string // demo: the address to sign in with
}

func (s *Server) signInNew(q *call) error {
	if q.user.ID != 0 {
		return q.redirect("/lists")
	}
	s.sendPage(q, http.StatusOK, "sign_in", signPage{Next: localPath(q.query("next")), SignUps: s.app.Config.SignUps, Demo: s.opts.Demo, Hint: s.opts.SignIn})
	return nil
}

func (s *Server) signInCreate(q *call) error {
	page := signPage{Email: q.form("email"), Next: localPath(q.form("next")), SignUps: s.app.Config.SignUps, Demo: s.opts.Demo, Hint: s.opts.SignIn}
	err := s.countSignIn(q)
	if err == nil {
		err = s.openSession(q, page.Email, q.form("password"))
	}
	if err == nil {
		return q.redirect(page.Next)
	}
	return s.signAgain(q, "sign_in", page, err)
}

func (s *Server) signUpNew(q *call) error {
	if q.user.ID != 0 {
		return q.redirect("/lists")
	}
	s.sendPage(q, http.StatusOK, "sign_up", signPage{SignUps: s.app.Config.SignUps})
	return nil
}

func (s *Server) signUpCreate(q *call) error {
	page := signPage{Email: q.form("email"), Name: q.form("name"), SignUps: s.app.Config.SignUps}
	err := s.countSignIn(q)
	if err == nil {
		_, err = s.app.SignUp(q.ctx(), page.Email, q.form("password"), page.Name, q.actor.IP)
	}
	if err == nil {
		err = s.openSession(q, page.Email, q.form("password"))
	}
	if err == nil {
		return q.redirect("/lists")
	}
	return s.signAgain(q, "sign_up", page, err)
}

// signAgain shows the form with what was typed, the password aside, and why it was not taken.
func (s *Server) signAgain(q *call, name string, page signPage, err error) error {
	refusal, status := refusalOf(err)
	if status >= 500 {
		return err
	}
	page.Error = refusal.Message
	s.sendPage(q, status, name, page)
	return nil
}

func (s *Server) countSignIn(q *call) error {
	if _, reset, ok := s.signIns.take(q.actor.IP); !ok {
		return s.signIns.tooMany(q.w.Header(), reset)
	}
	return nil
}

func (s *Server) openSession(q *call, email, password string) error {
	token, _, err := s.app.SignIn(q.ctx(), email, password, q.actor.IP, q.actor.Agent)
	if err != nil {
		return err
	}
	http.SetCookie(q.w, s.cookie(token, sessionAge))
	return nil
}

func (s *Server) sessionsDelete(q *call) error {
	if err := s.app.SignOut(q.ctx(), s.sessionToken(q.r)); err != nil {
		return err
	}
	http.SetCookie(q.w, s.cookie("", -time.Second))
	return q.redirect("/")
}
