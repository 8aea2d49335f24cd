package web

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"beagle/app"
)

// copyBuffer is how much of a download is in memory.
const copyBuffer = 64 << 10

// sendDownload streams a list's result, or the rows of it that were ticked or fit the filters. An error after the first byte cuts the connection, so that nobody takes half a file for a whole one.
func (s *Server) sendDownload(q *call, l app.List) error {
	file, err := s.app.DownloadSome(q.ctx(), q.actor.Account, l, selected(q.r.URL.Query()), firstOf(q.query("format"), "csv"), truth(q.query("raw")))
	if err != nil {
		return err
	}
	defer file.Body.Close()
	h := q.w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Content-Disposition", attachment(file.Filename))
	if file.ETag != "" && h.Get("ETag") == "" {
		h.Set("ETag", file.ETag)
	}
	if file.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	}
	if q.r.Method == http.MethodHead {
		return nil
	}
	if n, err := io.CopyBuffer(q.w, file.Body, make([]byte, copyBuffer)); err != nil {
		if n == 0 {
			h.Del("Content-Length")
			h.Del("Content-Disposition")
			return fmt.Errorf("reading the result of list %d: %w", l.ID, err)
		}
		s.log.WarnContext(q.ctx(), "download cut off", "list", l.ID, "sent", n, "request_id", q.visit.id, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// attachment names a file as RFC 6266 wants it: once for old clients in ASCII, once in full.
func attachment(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\/%`, r) {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + ascii + `"; filename*=UTF-8''` + url.PathEscape(name)
}
