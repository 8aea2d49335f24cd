package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	partSize     = 8 << 20 // bytes; S3 takes 10,000 parts, so a file may have 78 GiB
	partsAtOnce  = 2       // memory of one Put is (partsAtOnce + 2) parts
	abortTimeout = 15 * time.Second
	emptyReads   = 100 // reads of nothing before a source counts as broken
)

// Put stores what r gives until io.EOF and returns the bytes read. Up to one part is sent as it is,
// more as a multipart upload. If r fails, ctx ends or S3 refuses, the upload is aborted and the key
// keeps what it had. S3 going silent ends the call; r going silent does not, its deadline is the caller's.
func (s *Store) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	src := &source{ctx: ctx, r: r}
	in := &transfermanager.UploadObjectInput{Bucket: &s.bucket, Key: &key, Body: src}
	if contentType != "" {
		in.ContentType = &contentType
	}
	_, err := s.transfer.UploadObject(ctx, in)
	if err == nil {
		return src.n, nil
	}
	s.abortAgain(ctx, key, err)
	switch { // the transfer manager hides the cause when its abort fails too
	case src.err != nil:
		err = src.err
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	return src.n, fmt.Errorf("storing %s: %w", key, err)
}

// abortAgain repeats the abort: a part that was on its way during the first one may have arrived
// after it (S3, AbortMultipartUpload). Usually the answer is that there is no such upload.
func (s *Store) abortAgain(ctx context.Context, key string, err error) {
	var failed transfermanager.MultipartUploadError
	if !errors.As(err, &failed) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_ = s.abort(ctx, key, failed.UploadID())
}

func (s *Store) abort(ctx context.Context, key, id string) error {
	_, err := s.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: &id})
	return err
}

// AbortStale ends multipart uploads begun before the given time, whose process died before it could
// abort them, and returns how many. They are invisible, and cost as much as files.
func (s *Store) AbortStale(ctx context.Context, before time.Time) (int, error) {
	n := 0
	pages := s3.NewListMultipartUploadsPaginator(s.s3, &s3.ListMultipartUploadsInput{Bucket: &s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return n, fmt.Errorf("listing open uploads: %w", err)
		}
		for _, u := range page.Uploads {
			if !aws.ToTime(u.Initiated).Before(before) {
				continue
			}
			if err := s.abort(ctx, aws.ToString(u.Key), aws.ToString(u.UploadId)); err != nil {
				return n, fmt.Errorf("aborting the upload of %s: %w", aws.ToString(u.Key), err)
			}
			n++
		}
	}
	return n, nil
}

// source counts, notices the end of the context between reads, and remembers why the reader failed.
// It also hides Seek, which pipes claim to have and cannot do.
type source struct {
	ctx   context.Context
	r     io.Reader
	n     int64
	empty int
	err   error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	s.n += int64(n)
	s.empty++
	if n > 0 || len(p) == 0 {
		s.empty = 0
	}
	if err == nil && s.empty >= emptyReads {
		err = io.ErrNoProgress
	}
	if errors.Is(err, io.EOF) && err != io.EOF {
		// Only the bare io.EOF ends a stream; one wrapped in a story is a failure.
		err = fmt.Errorf("source ended early: %w", io.ErrUnexpectedEOF)
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
