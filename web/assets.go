package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"beagle/app"
)

// asset is one static file under the name it is served by: the hash of its bytes is part of the name, so that it may be
// kept for ever.
type asset struct {
	contentType string
	body        []byte
	packed      []byte // gzip; nil when that is no smaller
}

type assets struct {
	served map[string]asset  // by hashed name
	named  map[string]string // file name to URL
}

// packAssets reads, hashes and packs every static file, once.
func packAssets(files fs.FS) (*assets, error) {
	a := &assets{served: map[string]asset{}, named: map[string]string{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".go" {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		a.add(name, body)
		return nil
	})
	return a, err
}

func (a *assets) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	file := asset{contentType: mime.TypeByExtension(ext), body: body}
	switch ext { // not left to the machine's own tables
	case ".js":
		file.contentType = "text/javascript; charset=utf-8"
	case ".css":
		file.contentType = "text/css; charset=utf-8"
	case ".svg":
		file.contentType = "image/svg+xml"
	case ".csv":
		file.contentType = "text/csv; charset=utf-8"
	case ".txt", "":
		file.contentType = "text/plain; charset=utf-8"
	}
	if packed := pack(body); len(packed) < len(body)*9/10 {
		file.packed = packed
	}
	a.served[hashed] = file
	a.named[name] = "/static/" + hashed
}

// url is the address of a static file, for templates.
func (a *assets) url(name string) (string, error) {
	u, ok := a.named[name]
	if !ok {
		return "", fmt.Errorf("no static file %s", name)
	}
	return u, nil
}

// assetsShow serves static files by their hashed names.
func (s *Server) assetsShow(q *call) error {
	file, ok := s.assets.served[q.param("*")]
	if !ok {
		return app.Refuse(app.CodeNotFound, "not_found", "There is nothing at this address.")
	}
	q.w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	serveAsset(q, file)
	return nil
}

// named serves the few static files whose address is fixed by custom.
func named(name string) func(*Server, *call) error {
	return func(s *Server, q *call) error {
		u, err := s.assets.url(name)
		if err != nil {
			return err
		}
		q.w.Header().Set("Cache-Control", "public, max-age=86400")
		serveAsset(q, s.assets.served[strings.TrimPrefix(u, "/static/")])
		return nil
	}
}

func serveAsset(q *call, file asset) {
	h := q.w.Header()
	body := file.body
	if file.packed != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(q.r) {
			body = file.packed
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", file.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(body)
}
