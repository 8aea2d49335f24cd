package files

import (
	"crypto/md5" // what S3 calls an ETag
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
)

const (
	dirMode = 0o700
	// incoming is emptied at start, so its name must be nobody else's.
	incoming = ".beagle-incoming"
)

// folder is gofakes3's store on a directory with what it lacks for files of any size: parts of
// multipart uploads wait on disk instead of in memory, and bytes reach an object only when all have
// arrived, so that a client that goes away leaves nothing.
type folder struct {
	*s3afero.MultiBucketBackend
	tmp string // on the same file system, emptied at start

	mu      sync.Mutex
	uploads map[gofakes3.UploadID]*upload
}

type upload struct {
	bucket, object string
	meta           map[string]string
	began          time.Time
	parts          map[int]part
}

type part struct {
	path string
	etag string
	size int64
	at   time.Time
}

func newFolder(dir string) (*folder, error) {
	fs, err := s3afero.FsPath(dir, s3afero.FsPathCreateAll)
	if err != nil {
		return nil, err
	}
	tmp := filepath.Join(dir, incoming)
	if err := os.RemoveAll(tmp); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(tmp, dirMode); err != nil {
		return nil, err
	}
	store, err := s3afero.MultiBucket(fs)
	if err != nil {
		return nil, err
	}
	return &folder{MultiBucketBackend: store, tmp: tmp, uploads: map[gofakes3.UploadID]*upload{}}, nil
}

// PutObject receives the whole body before it touches the object.
func (f *folder) PutObject(bucket, object string, meta map[string]string, in io.Reader, size int64, cond *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	p, err := f.receive(in, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	defer func() { _ = os.Remove(p.path) }()
	return f.place(bucket, object, meta, []part{p}, cond)
}

// receive writes size bytes to a file of its own.
func (f *folder) receive(in io.Reader, size int64) (part, error) {
	file, err := os.CreateTemp(f.tmp, "part-")
	if err != nil {
		return part{}, err
	}
	sum := md5.New()
	n, err := io.Copy(io.MultiWriter(file, sum), in)
	if err == nil && n != size {
		err = gofakes3.ErrIncompleteBody
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(file.Name())
		return part{}, err
	}
	return part{path: file.Name(), etag: hex.EncodeToString(sum.Sum(nil)), size: n, at: time.Now()}, nil
}

// place makes the object of its parts. What a full disk cut short is removed again.
func (f *folder) place(bucket, object string, meta map[string]string, parts []part, cond *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	in := &partReader{parts: parts}
	defer in.close()
	out, err := f.MultiBucketBackend.PutObject(bucket, object, meta, in, in.size(), cond)
	if err != nil && cond == nil {
		_, _ = f.DeleteObject(bucket, object)
	}
	return out, err
}

// CreateMultipartUpload begins an upload; it lives as long as the process.
func (f *folder) CreateMultipartUpload(bucket, object string, meta map[string]string) (gofakes3.UploadID, error) {
	id := gofakes3.UploadID(rand.Text())
	f.mu.Lock()
	defer f.mu.Unlock()
	f.uploads[id] = &upload{bucket: bucket, object: object, meta: meta, began: time.Now(), parts: map[int]part{}}
	return id, nil
}

// UploadPart keeps one part on disk; sent again, it replaces the first.
func (f *folder) UploadPart(bucket, object string, id gofakes3.UploadID, number int, size int64, in io.Reader) (string, error) {
	if _, err := f.find(bucket, object, id); err != nil {
		return "", err
	}
	p, err := f.receive(in, size)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u, ok := f.uploads[id]
	if !ok { // aborted meanwhile
		_ = os.Remove(p.path)
		return "", gofakes3.ErrNoSuchUpload
	}
	if old, ok := u.parts[number]; ok {
		_ = os.Remove(old.path)
	}
	u.parts[number] = p
	return strconv.Quote(p.etag), nil
}

func (f *folder) find(bucket, object string, id gofakes3.UploadID) (*upload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, ok := f.uploads[id]
	if !ok || u.bucket != bucket || u.object != object {
		return nil, gofakes3.ErrNoSuchUpload
	}
	return u, nil
}

// take removes the upload, so that from here on one caller owns its parts.
func (f *folder) take(bucket, object string, id gofakes3.UploadID) (*upload, error) {
	u, err := f.find(bucket, object, id)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.uploads[id] != u {
		return nil, gofakes3.ErrNoSuchUpload
	}
	delete(f.uploads, id)
	return u, nil
}

func (u *upload) remove() {
	for _, p := range u.parts {
		_ = os.Remove(p.path)
	}
}

// AbortMultipartUpload forgets the upload and its parts.
func (f *folder) AbortMultipartUpload(bucket, object string, id gofakes3.UploadID) error {
	u, err := f.take(bucket, object, id)
	if err != nil {
		return err
	}
	u.remove()
	return nil
}

// CompleteMultipartUpload makes the object of the parts named. Whatever happens, the upload is over:
// the only client is Put, which would abort it.
func (f *folder) CompleteMultipartUpload(bucket, object string, id gofakes3.UploadID, in *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	u, err := f.take(bucket, object, id)
	if err != nil {
		return "", "", err
	}
	defer u.remove()

	parts := make([]part, 0, len(in.Parts))
	all, last := md5.New(), 0
	for _, named := range in.Parts {
		p, ok := u.parts[named.PartNumber]
		if !ok || p.etag != strings.Trim(named.ETag, `"`) {
			return "", "", gofakes3.ErrInvalidPart
		}
		if named.PartNumber <= last {
			return "", "", gofakes3.ErrInvalidPartOrder
		}
		last = named.PartNumber
		sum, err := hex.DecodeString(p.etag)
		if err != nil {
			return "", "", err
		}
		all.Write(sum)
		parts = append(parts, p)
	}
	out, err := f.place(bucket, object, u.meta, parts, nil)
	return out.VersionID, fmt.Sprintf(`"%x-%d"`, all.Sum(nil), len(parts)), err
}

// ListMultipartUploads gives all open uploads in one page: there are few.
func (f *folder) ListMultipartUploads(bucket string, _ *gofakes3.UploadListMarker, prefix gofakes3.Prefix, limit int64) (*gofakes3.ListMultipartUploadsResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := &gofakes3.ListMultipartUploadsResult{Bucket: bucket, Prefix: prefix.Prefix, MaxUploads: limit}
	for id, u := range f.uploads {
		if u.bucket == bucket && strings.HasPrefix(u.object, prefix.Prefix) {
			out.Uploads = append(out.Uploads, gofakes3.ListMultipartUploadItem{
				Key: u.object, UploadID: id, Initiated: gofakes3.NewContentTime(u.began),
			})
		}
	}
	slices.SortFunc(out.Uploads, func(a, b gofakes3.ListMultipartUploadItem) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// ListParts gives the parts received after the marker.
func (f *folder) ListParts(bucket, object string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	u, err := f.find(bucket, object, id)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	out := &gofakes3.ListMultipartUploadPartsResult{Bucket: bucket, Key: object, UploadID: id, PartNumberMarker: marker, MaxParts: limit}
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n <= marker {
			continue
		}
		if int64(len(out.Parts)) >= limit {
			out.IsTruncated = true
			break
		}
		p := u.parts[n]
		out.NextPartNumberMarker = n
		out.Parts = append(out.Parts, gofakes3.ListMultipartUploadPartItem{
			PartNumber: n, ETag: strconv.Quote(p.etag), Size: p.size, LastModified: gofakes3.NewContentTime(p.at),
		})
	}
	return out, nil
}

// partReader reads parts one after the other with one file open at a time.
type partReader struct {
	parts []part
	file  *os.File
}

func (r *partReader) size() int64 {
	var n int64
	for _, p := range r.parts {
		n += p.size
	}
	return n
}

func (r *partReader) Read(p []byte) (int, error) {
	for {
		if r.file == nil {
			if len(r.parts) == 0 {
				return 0, io.EOF
			}
			file, err := os.Open(r.parts[0].path)
			if err != nil {
				return 0, err
			}
			r.file, r.parts = file, r.parts[1:]
		}
		n, err := r.file.Read(p)
		if n > 0 || err != io.EOF {
			return n, err
		}
		r.close()
	}
}

func (r *partReader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}
