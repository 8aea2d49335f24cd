package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	maxResumes  = 3
	resumeDelay = 200 * time.Millisecond // doubled each time
)

// Open streams a file from its beginning and tells its size in bytes; ErrNotFound if there is none.
// A body that breaks in the middle is taken up where it stopped, up to three times, unless the file
// has changed meanwhile. The reader lives no longer than ctx, is for one goroutine, and must be closed.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	return s.OpenAt(ctx, key, 0)
}

// OpenAt is Open from a byte offset on. The size is that of the whole file. At or past the end it
// reads nothing.
func (s *Store) OpenAt(ctx context.Context, key string, offset int64) (io.ReadCloser, int64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	if offset < 0 {
		return nil, 0, fmt.Errorf("opening %s: offset %d is negative", key, offset)
	}
	b := &body{ctx: ctx, store: s, key: key, offset: offset, size: -1}
	err := b.connect()
	if status(err) == http.StatusRequestedRangeNotSatisfiable {
		size, err := s.Size(ctx, key)
		return http.NoBody, size, err
	}
	if err != nil {
		return nil, 0, fileError("opening", key, err)
	}
	return b, b.size, nil
}

// body is the rest of one file, over as many connections as it takes.
type body struct {
	ctx     context.Context
	store   *Store
	key     string
	etag    *string // of the first answer: a resumed body must be of the same file
	offset  int64   // of the next byte
	size    int64   // -1 until the first answer
	resumes int
	rc      io.ReadCloser
	closed  bool
}

func (b *body) connect() error {
	in := &s3.GetObjectInput{Bucket: &b.store.bucket, Key: &b.key, IfMatch: b.etag}
	if b.offset > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", b.offset))
	}
	out, err := b.store.s3.GetObject(b.ctx, in, func(o *s3.Options) {
		if b.offset > 0 {
			// gofakes3 sends the checksum of the whole file with a range of it.
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
	})
	if err != nil {
		return err
	}
	if b.offset > 0 && out.ContentRange == nil {
		_ = out.Body.Close()
		return errNoRange
	}
	size := b.offset + aws.ToInt64(out.ContentLength)
	if b.size >= 0 && (size != b.size || aws.ToString(out.ETag) != aws.ToString(b.etag)) {
		_ = out.Body.Close()
		return errChanged
	}
	b.rc, b.size, b.etag = out.Body, size, out.ETag
	return nil
}

var (
	errChanged = errors.New("the file was changed while it was read")
	errNoRange = errors.New("the store ignores ranges")
	errClosed  = errors.New("reader is closed")
)

func (b *body) Read(p []byte) (int, error) {
	if b.closed {
		return 0, errClosed
	}
	if err := b.ctx.Err(); err != nil {
		return 0, fmt.Errorf("reading %s at %d of %d: %w", b.key, b.offset, b.size, err)
	}
	for {
		n, err := b.rc.Read(p)
		b.offset += int64(n)
		if err == nil || (errors.Is(err, io.EOF) && b.offset == b.size) {
			return n, err
		}
		if b.offset < b.size {
			err = b.resume(err)
		}
		if err != nil {
			return n, fmt.Errorf("reading %s at %d of %d: %w", b.key, b.offset, b.size, err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// resume opens the rest of the file; the error is the reason to give up.
func (b *body) resume(broke error) error {
	_ = b.rc.Close()
	for b.resumes < maxResumes {
		select {
		case <-b.ctx.Done():
			return b.ctx.Err()
		case <-time.After(resumeDelay << b.resumes):
		}
		b.resumes++
		err := b.connect()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errChanged) || status(err) == http.StatusPreconditionFailed:
			return errChanged
		case status(err) == http.StatusNotFound:
			return ErrNotFound
		}
		broke = err
	}
	if b.ctx.Err() != nil {
		return b.ctx.Err()
	}
	if errors.Is(broke, io.EOF) {
		broke = io.ErrUnexpectedEOF
	}
	return broke
}

func (b *body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	return b.rc.Close()
}
