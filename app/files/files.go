// Package files keeps uploads and results in S3, or in a folder served by an embedded S3.
//
// A file appears whole or not at all, is streamed both ways in bounded memory, and is never
// changed in place by its users: a new version gets a new key.
package files

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"mime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	// MaxKey is the longest key in bytes. S3 allows 1,024; the embedded store makes one file name of
	// a key and a hash, and file systems stop at 255.
	MaxKey = 200
	// DefaultStall is how long a call may go without moving a byte.
	DefaultStall = 30 * time.Second
	// MaxPresign is the longest life of a signed URL, S3's own limit.
	MaxPresign = 7 * 24 * time.Hour

	openTimeout  = 30 * time.Second
	checkTimeout = 10 * time.Second
	deleteBatch  = 1000 // S3's limit for DeleteObjects
)

// ErrNotFound says that there is no file under the key.
var ErrNotFound = errors.New("no such file")

// Config says where the files are. Empty keys mean the SDK's own chain: environment, shared
// configuration, instance role. An empty Endpoint means AWS; an empty Region, what the environment
// names, else us-east-1.
type Config struct {
	Endpoint, Bucket, Region, AccessKey, SecretKey string

	PathStyle bool          // http://host/bucket/key instead of http://bucket.host/key
	Stall     time.Duration // longest time without progress, 0 = DefaultStall
}

// Store is one bucket. It is safe for use by many goroutines.
type Store struct {
	bucket   string
	where    string // for messages
	embedded bool
	region   string
	s3       *s3.Client
	transfer *transfermanager.Client
	sign     *s3.PresignClient
	idle     func()
}

// Open connects to the bucket and creates it where it is missing and that is allowed. The error
// names what is wrong: the endpoint, the credentials, the region or the bucket.
func Open(ctx context.Context, c Config) (*Store, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()

	s, err := newStore(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.ensureBucket(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close drops idle connections. Readers that are still open go on.
func (s *Store) Close() { s.idle() }

// Check asks whether the bucket can be reached now, in at most ten seconds.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()

	return s.checkBucket(ctx)
}

// Size tells the bytes of a file; ErrNotFound if there is none.
func (s *Store) Size(ctx context.Context, key string) (int64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	head, err := s.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return 0, fileError("asking for the size of", key, err)
	}
	return aws.ToInt64(head.ContentLength), nil
}

// Delete removes files. One that is not there is no error.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	for len(keys) > 0 {
		n := min(len(keys), deleteBatch)
		if err := s.deleteSome(ctx, keys[:n]); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

func (s *Store) deleteSome(ctx context.Context, keys []string) error {
	objects := make([]types.ObjectIdentifier, len(keys))
	for i := range keys {
		objects[i].Key = &keys[i]
	}
	out, err := s.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &s.bucket,
		Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("deleting %d files: %w", len(keys), err)
	}
	var all []error
	for _, e := range out.Errors {
		all = append(all, fmt.Errorf("deleting %s: %s (%s)", aws.ToString(e.Key), aws.ToString(e.Message), aws.ToString(e.Code)))
	}
	return errors.Join(all...)
}

// File is one entry of a listing.
type File struct {
	Key      string
	Size     int64 // bytes
	Modified time.Time
}

// List goes through the files whose keys begin with prefix, page by page. An error ends it.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(File{}, fmt.Errorf("listing %q: %w", prefix, err))
				return
			}
			for _, o := range page.Contents {
				f := File{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}
				if !yield(f, nil) {
					return
				}
			}
		}
	}
}

// Presign makes a URL that downloads the file under the given name for the next ttl (one second to
// MaxPresign). ok is false for the embedded store, which browsers cannot reach: stream Open instead.
// Whether the file exists is not asked.
func (s *Store) Presign(ctx context.Context, key, filename string, ttl time.Duration) (url string, ok bool, err error) {
	if s.embedded {
		return "", false, nil
	}
	if err := checkKey(key); err != nil {
		return "", false, err
	}
	ttl = min(max(ttl, time.Second), MaxPresign)
	req, err := s.sign.PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket:                     &s.bucket,
		Key:                        &key,
		ResponseContentDisposition: aws.String(attachment(filename)),
	}, s3.WithPresignExpires(ttl))
	if err != nil {
		return "", false, fmt.Errorf("signing a URL for %s: %w", key, err)
	}
	return req.URL, true, nil
}

// attachment is the Content-Disposition of a download (RFC 6266; names beyond ASCII by RFC 5987).
func attachment(filename string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(filename, "_"))
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": clean}); v != "" {
		return v
	}
	return "attachment"
}

// checkKey refuses keys that some store would read as another path or not keep at all.
func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("file key is empty")
	case len(key) > MaxKey:
		return fmt.Errorf("file key of %d bytes is longer than %d", len(key), MaxKey)
	case !utf8.ValidString(key):
		return fmt.Errorf("file key %q is not UTF-8", key)
	case strings.ContainsFunc(key, func(r rune) bool { return unicode.IsControl(r) || r == '\\' }):
		return fmt.Errorf("file key %q has a control character or backslash", key)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("file key %q has an empty or relative segment", key)
		}
	}
	return nil
}
