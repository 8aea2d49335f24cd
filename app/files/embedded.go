package files

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
)

const (
	headerTimeout = 10 * time.Second
	embeddedKey   = "beagle-embedded-" // what its access keys begin with: a Store knows the server by it
)

// Server is an S3 on a folder, in this process, on loopback. Multipart uploads that are open when
// the process ends are lost; files are not. One process at a time may serve a folder.
type Server struct {
	access, secret string
	addr           string
	http           *http.Server
	served         chan struct{}
}

// Embedded serves the folder, which it creates if missing, on a free port of 127.0.0.1.
// The S3 inside checks no signatures, so every request must carry an access key that is made new
// at each start: other users of the machine, and web pages in its browsers, do not have it.
func Embedded(dir string) (*Server, error) {
	store, err := newFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("embedded S3 on %s: %w", dir, err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("embedded S3: %w", err)
	}
	s := &Server{access: embeddedKey + rand.Text(), secret: rand.Text(), addr: ln.Addr().String(), served: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s.onlyOurs(gofakes3.New(store).Server()),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(ln) // ends with Close
	}()
	return s, nil
}

// Config is what Open needs to reach a bucket of this server.
func (s *Server) Config(bucket string) Config {
	return Config{
		Endpoint: "http://" + s.addr, Bucket: bucket, Region: defaultRegion,
		AccessKey: s.access, SecretKey: s.secret, PathStyle: true,
	}
}

// Close lets running requests end until ctx does, then cuts them.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	<-s.served
	return err
}

func (s *Server) onlyOurs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Authorization: AWS4-HMAC-SHA256 Credential=<access key>/<date>/<region>/s3/aws4_request, …
		_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		key, _, _ := strings.Cut(rest, "/")
		if subtle.ConstantTimeCompare([]byte(key), []byte(s.access)) != 1 {
			http.Error(w, "access denied", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
