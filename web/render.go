package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"beagle/app"
)

// pages are the parsed templates: one set per page, each with the layout and the partials.
type pages struct{ sets map[string]*template.Template }

// parsePages reads layout.html, _partials/*.html and every other *.html. A page is known by its path without ".html".
func parsePages(files fs.FS, a *assets) (*pages, error) {
	base, err := template.New("layout.html").Funcs(words(a)).ParseFS(files, "layout.html", "_partials/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{sets: map[string]*template.Template{}}
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !isPage(name) {
			return err
		}
		set, err := base.Clone()
		if err != nil {
			return err
		}
		if _, err := set.ParseFS(files, name); err != nil {
			return err
		}
		p.sets[strings.TrimSuffix(name, ".html")] = set
		return nil
	})
	return p, err
}

func isPage(name string) bool {
	return path.Ext(name) == ".html" && name != "layout.html" && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "mail/")
}

// frame is what the layout shows around a page.
type frame struct {
	User    *app.User
	Section string // the first part of the path: which link of the menu is the open one
	Demo    bool
	Version string
	SignUps bool
	Health  app.ProbeHealth // what speaks against asking mail servers
	Data    any
}

// sendPage answers with a whole page.
func (s *Server) sendPage(q *call, status int, page string, data any) {
	section, _, _ := strings.Cut(strings.TrimPrefix(q.r.URL.Path, "/"), "/")
	f := frame{Section: section, Demo: s.opts.Demo, Version: s.opts.Version, SignUps: s.app.Config.SignUps, Data: data}
	if q.user.ID != 0 {
		f.User, f.Health = &q.user, s.probeHealth(q)
	}
	s.sendFragment(q, status, page, "layout.html", f)
}

// probeHealth is what the banner is about. Without it the page comes without a banner.
func (s *Server) probeHealth(q *call) app.ProbeHealth {
	h, err := s.app.ProbeHealth(q.ctx())
	if err != nil {
		s.log.WarnContext(q.ctx(), "our own health not read", "request_id", q.visit.id, "error", err)
	}
	return h
}

// sendFragment answers with one named block of a page.
func (s *Server) sendFragment(q *call, status int, page, block string, data any) {
	body, err := s.pages.render(page, block, data)
	if err != nil {
		s.log.ErrorContext(q.ctx(), "template", "request_id", q.visit.id, "page", page, "block", block, "error", err)
		http.Error(q.w, "Something went wrong on our side. Request "+q.visit.id, http.StatusInternalServerError)
		return
	}
	q.w.Header().Add("Vary", "HX-Request")
	q.send(status, "text/html; charset=utf-8", body)
}

// render makes the whole block before a byte is sent, so that an error never leaves half a page.
func (p *pages) render(page, block string, data any) ([]byte, error) {
	set, ok := p.sets[page]
	if !ok {
		return nil, fmt.Errorf("no template %s", page)
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, block, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Bodies shorter than packFrom are sent as they are: packing them saves nothing.
const packFrom = 1400

var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// send writes a finished body, packed when that helps. Pages hold no secret beside what their reader typed (there is no
// token against CSRF in them), so packing leaks nothing; the one page that shows an API key turns it off with plain.
func (q *call) send(status int, contentType string, body []byte) {
	h := q.w.Header()
	h.Set("Content-Type", contentType)
	h.Add("Vary", "Accept-Encoding")
	if len(body) >= packFrom && acceptsGzip(q.r) && h.Get("Content-Encoding") == "" {
		body = pack(body)
		h.Set("Content-Encoding", "gzip")
	} else if h.Get("Content-Encoding") == "identity" {
		h.Del("Content-Encoding")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(status)
	_, _ = q.w.Write(body) // an error here means that the client hung up
}

// plain keeps send from packing this answer.
func (q *call) plain() { q.w.Header().Set("Content-Encoding", "identity") }

func pack(body []byte) []byte {
	var b bytes.Buffer
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	_, _ = z.Write(body) // into memory: cannot fail
	_ = z.Close()
	return b.Bytes()
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// redirect sends the browser to another page; htmx loads it as a whole page too.
func (q *call) redirect(to string) error {
	if q.htmx() {
		q.w.Header().Set("HX-Redirect", to)
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(q.w, q.r, to, http.StatusSeeOther)
	return nil
}
