package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"beagle/app"
)

// Reads of the API carry a weak ETag, so that a program that asks again and again is told 304 while nothing has changed. A list that has
// ended has a version (see listVersion), and then the answer is not even made; all other tags are taken from the answer.

// tagOf makes a tag of what an answer depends on. The version of the program is in it: another one may answer in another shape.
func (s *Server) tagOf(parts ...any) string {
	sum := sha256.Sum256([]byte(s.opts.Version + fmt.Sprintln(parts...)))
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// listVersion is the tag of what is read of a list and its records at this address, or "" while the list moves by itself.
func (s *Server) listVersion(q *call, l app.List, tags ...string) string {
	if !l.Ended() {
		return ""
	}
	return s.tagOf(q.r.URL.RequestURI(), l.ID, l.State, l.Name, l.Reason, l.CallbackURL, l.Imported, l.Total, l.ResultVersion, l.ChangedAt.UnixNano(), l.FinishedAt, l.ArchivedAt, tags)
}

// isFresh sets the tag of an answer, and tells that the client has this answer already: then 304 has been sent.
// An empty tag is none.
func (q *call) isFresh(tag string) bool {
	if tag == "" || (q.r.Method != http.MethodGet && q.r.Method != http.MethodHead) {
		return false
	}
	h := q.w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache") // may be kept, and is asked for each time
	h.Set("Vary", "Authorization, X-API-KEY")
	if !matchesTag(q.r.Header.Get("If-None-Match"), tag) {
		return false
	}
	q.w.WriteHeader(http.StatusNotModified)
	return true
}

// matchesTag compares weakly (RFC 9110, 8.8.3.2).
func matchesTag(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
			return one != ""
		}
	}
	return false
}
